"""`matrix`: two things about an account, each put into classes; every pair of classes names a tier.

A class begins at its limit (inclusive) and ends at the next one. Which pair is worth more than which is a matter of the ladder's
order, not of the numbers. Source: facts 003-09 (influence x volume), 003-11 (current x potential).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from streams.conditions import limit_said
from streams.dossier import Dossier
from streams.kinds import Dimension, Measure, Names, Problem, Row, Span, Spec, unknown
from streams.measures.profile import ProfileNumber, ProfileSpec
from streams.measures.windowed import MOST_NUMBER
from streams.parts import Parts
from streams.schemes.model import Model, ModelledSpec, Rungs, places
from streams.schemes.rating import Placing
from streams.steps import steps, steps_of
from streams.units import Quantity
from streams.words import Said, Words, spaced


class AxisSpec(Spec):
    """One side of the matrix."""

    measure: str | None = Field(default=None, description="the measure that it looks at; or")
    dimension: str | None = Field(default=None, description="the dimension that it looks at; or")
    profile: str | None = Field(default=None, description="the number or date of the profile; what is unknown is in the lowest class")
    classes: list[str] = Field(min_length=2, max_length=16, description="what its classes are called, lowest first")
    limits: list[Quantity] = Field(description="where each class but the lowest begins (inclusive), rising")

    @model_validator(mode="after")
    def _fits(self) -> "AxisSpec":
        if sum(named is not None for named in (self.measure, self.dimension, self.profile)) != 1:
            raise ValueError("must name one of measure, dimension and profile")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes must differ, got {', '.join(self.classes)}")
        if len(self.limits) != len(self.classes) - 1:
            raise ValueError(f"needs a limit for each class but the lowest: {len(self.classes) - 1}, got {len(self.limits)}")
        if any(after <= before for before, after in zip(self.limits, self.limits[1:], strict=False)):
            raise ValueError("limits must rise")
        return self

    def called(self) -> str:
        """What it looks at, as words."""
        return spaced(self.measure or self.dimension or self.profile or "")

    def begins(self, words: Words) -> list[str]:
        """Where its classes begin: `influence is large from 60 on`."""
        limits = zip(self.classes[1:], self.limits, strict=True)
        return [f"{self.called()} is {name} from {self._limit_said(limit, words)} on" for name, limit in limits]

    def _limit_said(self, limit: float, words: Words) -> str:
        if self.dimension is not None:
            return f"{limit:g} points"
        return words.number(self.measure, limit) if self.measure is not None else limit_said(self.profile or "", limit, words)

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure or the dimension."""
        if self.measure is not None and self.measure not in names.measures:
            yield "measure", unknown("measure", self.measure, names.measures)
        if self.dimension is not None and self.dimension not in names.dimensions:
            yield "dimension", unknown("dimension", self.dimension, names.dimensions)
        if self.profile is not None:
            yield from ProfileSpec(profile=self.profile).problems(names)


class MatrixModel(Model):
    """The cells of a matrix."""

    rows: AxisSpec
    columns: AxisSpec
    cells: list[list[str]] = Field(description="for each class of the rows, lowest first: the tier for each class of the columns")

    @model_validator(mode="after")
    def _is_filled(self) -> "MatrixModel":
        rows, columns = len(self.rows.classes), len(self.columns.classes)
        if len(self.cells) != rows or any(len(row) != columns for row in self.cells):
            raise ValueError(f"cells must be {rows} rows of {columns} tiers")
        return self

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References: what the axes look at, and the tiers of the cells."""
        for axis in ("rows", "columns"):
            for path, what in getattr(self, axis).problems(names):
                yield f"{axis}.{path}", what
        for down, row in enumerate(self.cells):
            for across, tier in enumerate(row):
                if tier not in tiers:
                    yield f"cells.{down}.{across}", unknown("tier", tier, tuple(tiers))

    def model_said(self, words: Words) -> list[Said]:
        """Every cell."""
        said = [
            f"{self.rows.called()} {down} and {self.columns.called()} {across} make {self.cells[n][m]}"
            for n, down in enumerate(self.rows.classes)
            for m, across in enumerate(self.columns.classes)
        ]
        return [Said("lifts", "; ".join([*self.rows.begins(words), *self.columns.begins(words)])), Said("lifts", "; ".join(said))]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by their place."""
        return places(tiers)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Matrix":
        """The rating that works on rows."""
        return Matrix(self, place, tiers, parts)


class MatrixSpec(ModelledSpec, MatrixModel):
    """A ladder whose tiers are the cells of a matrix."""

    kind: Literal["matrix"]


class Axis:
    """The compiled side."""

    def __init__(self, spec: AxisSpec, place: str, parts: Parts) -> None:
        self._classes, self._limits = spec.classes, spec.limits
        self._profile: ProfileNumber | None = None
        if spec.profile is not None:
            never = ProfileSpec(profile=spec.profile, while_unknown=-MOST_NUMBER)
            self._profile = ProfileNumber(place, never, parts.locale.exchange.minor_per_unit)
        named = parts.measures.get(spec.measure or "") or parts.dimensions.get(spec.dimension or "")
        self._source: Measure | Dimension = named or self._profile  # type: ignore[assignment]  # validated: one of the three
        self.name = spec.profile or self._source.name
        self.columns = self._profile.columns if self._profile else []

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        if self._profile is not None:
            self._profile.recall(row, dossier)

    def place(self, row: Row, at_ms: int) -> int:
        """The class at an instant."""
        return bisect_right(self._limits, self._source.at(row, at_ms))

    def reach(self, row: Row, from_ms: int, to_ms: int) -> range:
        """The classes that it may be in over a time."""
        span = self._source.span(row, from_ms, to_ms)
        return range(bisect_right(self._limits, span.low), bisect_right(self._limits, span.high) + 1)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it may come into another class; None if it does not move in steps."""
        return steps_of(self._source, row, from_ms, self._limits)

    def says(self, row: Row, at_ms: int) -> str:
        """`influence is large`."""
        return f"{self.name} is {self._classes[self.place(row, at_ms)]}"


class Matrix(Placing):
    """The compiled rating."""

    def __init__(self, spec: MatrixModel, place: str, tiers: Sequence[str], parts: Parts) -> None:
        super().__init__(tiers)
        self._rows, self._columns = Axis(spec.rows, f"{place}.rows", parts), Axis(spec.columns, f"{place}.columns", parts)
        self._cells = [[self.tiers.index(tier) for tier in row] for row in spec.cells]
        self.columns = self._rows.columns + self._columns.columns
        self.topics = ("profiles",) if self.columns else ()

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        self._rows.recall(row, dossier)
        self._columns.recall(row, dossier)

    def place(self, row: Row, at_ms: int) -> int:
        """The tier of the cell."""
        return self._cells[self._rows.place(row, at_ms)][self._columns.place(row, at_ms)]

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The lowest and the highest tier among the cells that may be reached."""
        across = self._columns.reach(row, from_ms, to_ms)
        reached = [self._cells[down][column] for down in self._rows.reach(row, from_ms, to_ms) for column in across]
        return Span(float(min(reached)), float(max(reached)))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When one of the sides may come into another class."""
        return steps((self._rows, self._columns), row, from_ms)

    def says(self, row: Row, at_ms: int) -> str:
        """The classes of both sides."""
        return f"{self._rows.says(row, at_ms)}, {self._columns.says(row, at_ms)}"
