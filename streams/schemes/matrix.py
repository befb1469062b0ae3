"""`matrix`: two things about an account, each put into classes; every pair of classes names a tier.

A class begins at its limit (inclusive) and ends at the next one. Which pair is worth more than which is a matter of the ladder's
order, not of the numbers. Source: facts 003-09 (influence x volume), 003-11 (current x potential).
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from streams.kinds import Dimension, Measure, Names, Problem, Row, Span, Spec, unknown
from streams.schemes.ladder import Ladder, by_place
from streams.schemes.rating import Parts, Placing
from streams.schemes.spec import LadderSpec, TierSpec
from streams.steps import SteppingDimension, SteppingMeasure
from streams.words import Said, Words, spaced


class AxisSpec(Spec):
    """One side of the matrix."""

    measure: str | None = Field(default=None, description="the measure that it looks at; or")
    dimension: str | None = Field(default=None, description="the dimension that it looks at")
    classes: list[str] = Field(min_length=2, max_length=16, description="what its classes are called, lowest first")
    limits: list[float] = Field(description="where each class but the lowest begins (inclusive), rising")

    @model_validator(mode="after")
    def _fits(self) -> "AxisSpec":
        if (self.measure is None) == (self.dimension is None):
            raise ValueError("must name either a measure or a dimension")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes must differ, got {', '.join(self.classes)}")
        if len(self.limits) != len(self.classes) - 1:
            raise ValueError(f"needs a limit for each class but the lowest: {len(self.classes) - 1}, got {len(self.limits)}")
        if any(after <= before for before, after in zip(self.limits, self.limits[1:], strict=False)):
            raise ValueError("limits must rise")
        return self

    def called(self) -> str:
        """What it looks at, as words."""
        return spaced(self.measure or self.dimension or "")

    def begins(self, words: Words) -> list[str]:
        """Where its classes begin: `influence is large from 60 on`."""
        limits = [f"{limit:g} points" if self.measure is None else words.number(self.measure, limit) for limit in self.limits]
        return [f"{self.called()} is {name} from {limit} on" for name, limit in zip(self.classes[1:], limits, strict=True)]

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure or the dimension."""
        if self.measure is not None and self.measure not in names.measures:
            yield "measure", unknown("measure", self.measure, names.measures)
        if self.dimension is not None and self.dimension not in names.dimensions:
            yield "dimension", unknown("dimension", self.dimension, names.dimensions)


class MatrixSpec(LadderSpec):
    """A ladder whose tiers are the cells of a matrix."""

    kind: Literal["matrix"]
    tiers: list[TierSpec] = Field(min_length=2, max_length=64, description="lowest first")
    rows: AxisSpec
    columns: AxisSpec
    cells: list[list[str]] = Field(description="for each class of the rows, lowest first: the tier for each class of the columns")

    @model_validator(mode="after")
    def _is_filled(self) -> "MatrixSpec":
        rows, columns = len(self.rows.classes), len(self.columns.classes)
        if len(self.cells) != rows or any(len(row) != columns for row in self.cells):
            raise ValueError(f"cells must be {rows} rows of {columns} tiers")
        return self

    def problems(self, names: Names) -> Iterator[Problem]:
        """Besides what every ladder may have: what the axes look at, and the tiers of the cells."""
        for axis in ("rows", "columns"):
            for path, what in getattr(self, axis).problems(names):
                yield f"{axis}.{path}", what
        tiers = frozenset(self.names())
        for down, row in enumerate(self.cells):
            for across, tier in enumerate(row):
                if tier not in tiers:
                    yield f"cells.{down}.{across}", unknown("tier", tier, tiers)
        yield from super().problems(names)

    def way_up(self, words: Words) -> list[Said]:
        """Every cell."""
        said = [
            f"{self.rows.called()} {down} and {self.columns.called()} {across} make {self.cells[n][m]}"
            for n, down in enumerate(self.rows.classes)
            for m, across in enumerate(self.columns.classes)
        ]
        return [Said("lifts", "; ".join([*self.rows.begins(words), *self.columns.begins(words)])), Said("lifts", "; ".join(said))]

    def ladder(self) -> Ladder:
        """Tiers by their place."""
        return by_place(self)

    def rating(self, name: str, parts: Parts) -> "Matrix":  # noqa: ARG002
        """The rating that works on rows."""
        return Matrix(self, parts)


class Axis:
    """The compiled side."""

    def __init__(self, spec: AxisSpec, parts: Parts) -> None:
        self._source: Measure | Dimension = (
            parts.measures[spec.measure] if spec.measure is not None else parts.dimensions[spec.dimension or ""]
        )
        self._classes, self._limits = spec.classes, spec.limits

    def place(self, row: Row, at_ms: int) -> int:
        """The class at an instant."""
        return bisect_right(self._limits, self._source.at(row, at_ms))

    def reach(self, row: Row, from_ms: int, to_ms: int) -> range:
        """The classes that it may be in over a time."""
        span = self._source.span(row, from_ms, to_ms)
        return range(bisect_right(self._limits, span.low), bisect_right(self._limits, span.high) + 1)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it may come into another class; None if it does not move in steps."""
        if isinstance(self._source, SteppingMeasure):
            return self._source.steps(row, from_ms, self._limits)
        return self._source.steps(row, from_ms) if isinstance(self._source, SteppingDimension) else None

    def says(self, row: Row, at_ms: int) -> str:
        """`influence is large`."""
        return f"{self._source.name} is {self._classes[self.place(row, at_ms)]}"


class Matrix(Placing):
    """The compiled rating."""

    def __init__(self, spec: MatrixSpec, parts: Parts) -> None:
        super().__init__(spec.names())
        self._rows, self._columns = Axis(spec.rows, parts), Axis(spec.columns, parts)
        self._cells = [[self.tiers.index(tier) for tier in row] for row in spec.cells]

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
        down, across = self._rows.steps(row, from_ms), self._columns.steps(row, from_ms)
        return None if down is None or across is None else down + across

    def says(self, row: Row, at_ms: int) -> str:
        """The classes of both sides."""
        return f"{self._rows.says(row, at_ms)}, {self._columns.says(row, at_ms)}"
