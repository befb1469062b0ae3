"""What the kinds of measure, dimension and scheme have in common: the base of their specs and what they compile to.

A kind is one module and one entry in its room's table. Its spec (pydantic) is what a policy says; `problems` adds what
can only be judged beside the rest of the policy; `compile` gives the object that works on rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from schemas.records import Event
from streams.columns import Column
from streams.dossier import Dossier
from streams.money import Exchange
from streams.units import UNBOUNDED
from streams.words import Said, Words, as_written

Row = np.void
"""One account's row: a numpy structured scalar over the row's unpacked bytes; lent to the fold and changed in place."""

Problem = tuple[str, str]
"""Where in the spec (dotted path), and what is wrong."""


class Spec(BaseModel):
    """Base of everything a policy says: unknown keys are refused, numbers are finite, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What this part says, in plain words; a measure begins with the phrase for what it is. Each kind may say it better."""
        return [Said("is", as_written(self))]


class Names(NamedTuple):
    """What the policy declares, for references.

    `measure_kinds`: the kind of each measure, where it is known; `scored`: it has a score; `ladders`: scheme -> its tiers.
    """

    measures: frozenset[str]
    dimensions: frozenset[str]
    measure_kinds: Mapping[str, str] = {}
    scored: bool = True
    tracks: tuple[str, ...] = ()
    ladders: Mapping[str, frozenset[str]] = {}


class Locale(NamedTuple):
    """Where the policy is at home: its time zone, the function from an instant to its local day there, and its currency."""

    timezone: str
    local_day: Callable[[int], int]
    exchange: Exchange


Opener = Callable[[], Dossier]
"""Opens the account's dossier for changing."""


class Line(NamedTuple):
    """One line of evidence: what it is, what it is worth (points), how many times it happened and when last, where that is known."""

    label: str
    points: float
    times: int | None = None
    last_ms: int | None = None


class Span(NamedTuple):
    """The least and the greatest that something can be over a time."""

    low: float
    high: float


class Measure(Protocol):
    """A rolling number per account, folded over one topic; the topic of a measure made of others is empty.

    The row answers for every instant before `fresh_until`; from there on `at` gives the last number known, `span` bounds that
    hold nevertheless, and `renew` brings the row up to date. A measure for which the row is always enough is `Plain`.
    """

    name: str
    topic: str
    jumps: bool
    """Whether time changes it in jumps (a window ends) rather than gradually."""
    is_time: bool
    """Whether it is a time, in ms, not a number."""
    columns: list[Column]

    def check(self, record: Event) -> None:
        """Raises RecordRejected for a record of `topic` that the measure cannot take; called before anything has changed."""

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:
        """Take one record of `topic` into the row, and into the dossier what does not fit; False if the measure has no use for it.

        `event`: 64-bit id of its event_id.
        """

    def fresh_until(self, row: Row) -> int:
        """Before this instant (ms) the row is enough; UNBOUNDED: always."""

    def renew(self, row: Row, dossier: Dossier, at_ms: int) -> None:
        """Bring the row up to `at_ms` from the dossier; nothing to do for a row that is still enough."""

    def at(self, row: Row, at_ms: int) -> float:
        """The measure at an instant not before any record folded."""

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Bounds of `at` over [from_ms, to_ms] if nothing is folded meanwhile; exact where the two are the same instant."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """Evidence that sums to `at`."""


class Plain:
    """What most measures have in common: they take every record, and their row is always enough."""

    is_time = False

    def check(self, record: Event) -> None:
        """Every record can be taken."""

    def fresh_until(self, row: Row) -> int:  # noqa: ARG002
        """Always."""
        return UNBOUNDED

    def renew(self, row: Row, dossier: Dossier, at_ms: int) -> None:
        """Nothing of it is in the dossier."""


class Dimension(Protocol):
    """A number from 0 to 100 made from measures or from the dossier."""

    name: str
    topics: tuple[str, ...]
    own_measures: tuple[Measure, ...]
    columns: list[Column]

    def at(self, row: Row, at_ms: int) -> float:
        """The dimension at an instant, 0 to 100."""

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Bounds of `at` over [from_ms, to_ms] if nothing is folded meanwhile; exact where the two are the same instant."""

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Recompute what the row keeps of the dossier, after the profile changed."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """Evidence that sums to `at`, with a line `limited` for what the 0-100 limit took away."""


def latest(lines: Iterable[Line]) -> int | None:
    """When the last thing behind any of the lines happened."""
    return max((line.last_ms for line in lines if line.last_ms is not None), default=None)


def one_line(label: str, points: float, behind: Sequence[Line]) -> Line:
    """One line in the place of several: how many records are behind them, and when the last of them happened, where that is known."""
    times = [line.times for line in behind if line.times is not None]
    return Line(label, points, sum(times) if times else None, latest(behind))


MOST_SHOWN = 1e6
"""A line shows at most so many points, so that the ledger's integers stay exact whatever a record carries."""
NEGLIGIBLE = 1e-9
"""What lines and their sum may differ by, in points, and nothing was taken away."""


def clamped(lines: list[Line], worth: float) -> list[Line]:
    """The lines, and one more, `limited`, if what they sum to is not what the dimension is worth within its limits."""
    shown = [line if -MOST_SHOWN <= line.points <= MOST_SHOWN else _shortened(line) for line in lines]
    gap = worth - sum(line.points for line in shown)
    return shown if abs(gap) < NEGLIGIBLE else [*shown, Line("limited", gap)]


def _shortened(line: Line) -> Line:
    return line._replace(points=min(max(line.points, -MOST_SHOWN), MOST_SHOWN))


def unknown(word: str, name: str, known: Mapping[str, Any] | frozenset[str] | tuple[str, ...]) -> str:
    """`unknown measure 'x', did you mean 'y'?` with what exists."""
    close = get_close_matches(name, list(known), n=1)
    hint = f", did you mean {close[0]!r}?" if close else f"; there is {', '.join(sorted(known)) or 'none'}"
    return f"unknown {word} {name!r}{hint}"
