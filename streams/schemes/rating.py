"""What a scheme goes by that has a number of its own, instead of the policy's score.

A rating is to a scheme what a dimension is to the score: it can be evaluated at any instant, it gives bounds over a time, and it says
what it is made of. Its number is what the ladder compares; what is shown of it, in points, is what its ledger sums to. A kind of scheme
that names tiers outright (a matrix) has the place of the tier for a number (`streams/schemes/model.py::places`) and is a `Placing`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Row, Span


class Rating(Protocol):
    """The compiled rating of one scheme."""

    topics: tuple[str, ...]
    """Inputs it reads besides those of the policy's measures and dimensions."""
    own_measures: tuple[Measure, ...]
    columns: list[Column]

    def at(self, row: Row, at_ms: int) -> float:
        """The number that the ladder compares."""

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Bounds of `at` over [from_ms, to_ms] if nothing is folded meanwhile; exact where the two are the same instant."""

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """Every instant after `from_ms`, as far as the row knows, at which it may change; None if it may change between."""

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Recompute what the row keeps of the dossier, after the profile changed."""

    def points(self, row: Row, at_ms: int) -> float:
        """What is shown as the score of the scheme."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """Evidence that sums to `points`."""

    def says(self, row: Row, at_ms: int) -> str:
        """Why the number is what it is, in words: `influence is large, volume is small`."""


class Placing(ABC):
    """A rating that names tiers outright: its number is a place on the ladder, shown as that place between 0 and 100."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, tiers: Sequence[str]) -> None:
        self.tiers = tuple(tiers)
        self.columns: list[Column] = []

    @abstractmethod
    def place(self, row: Row, at_ms: int) -> int:
        """The tier's place on the ladder."""

    @abstractmethod
    def says(self, row: Row, at_ms: int) -> str:
        """Why it is that tier."""

    def at(self, row: Row, at_ms: int) -> float:
        """The place, as a number."""
        return float(self.place(row, at_ms))

    def recall(self, row: Row, dossier: Dossier) -> None:  # noqa: B027 most have nothing to recall
        """Nothing here comes from the dossier."""

    def points(self, row: Row, at_ms: int) -> float:
        """The lowest tier is worth 0, the highest 100."""
        return 100.0 * self.place(row, at_ms) / (len(self.tiers) - 1)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line."""
        return [Line(self.says(row, at_ms), self.points(row, at_ms))]
