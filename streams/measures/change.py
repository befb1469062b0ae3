"""`change`: what a window holds now less what it held some time ago, such as these 90 days against the 90 before them.

With `relative` it is growth: by how much of what it was then it is more now (0.2: a fifth more). Source: facts 001-03.
It keeps entries of its own, for the window and the time together, so that it is as exact as the window itself.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from streams.kinds import Locale, Measure, Names, Problem, Spec, unknown
from streams.units import PositiveDurationMs
from streams.windows import Frame, Look
from streams.words import Said, Words, length

CHANGING = frozenset({"count", "sum", "maximum", "mean"})
"""The kinds of measure whose change can be taken."""


class ChangeSpec(Spec):
    """How much a window has changed over a time."""

    change: str = Field(description="a measure of kind count, sum, maximum or mean")
    over: PositiveDurationMs = Field(description="the time over which; the window's own length compares it with the window before")

    relative: bool = Field(default=False, description="true: as a share of what it was then, 0.2 for a fifth more")
    while_zero: float = Field(default=0.0, description="with `relative`: what it is while there was nothing then")

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure, and its kind."""
        if self.change not in names.measures:
            yield "change", unknown("measure", self.change, names.measures)
        elif names.measure_kinds.get(self.change) not in CHANGING:
            yield (
                "change",
                f"measure {self.change!r} must be of kind {', '.join(sorted(CHANGING))}, got {names.measure_kinds.get(self.change)}",
            )

    def said(self, words: Words) -> list[Said]:
        """Now, less then."""
        return [
            Said(
                "is", f"how much{' (as a share)' if self.relative else ''} {words.measure(self.change)} has changed in {length(self.over)}"
            )
        ]

    def compile(self, name: str, locale: Locale, window: Any) -> Measure:
        """The measure that works on rows; `window`: the spec of the measure whose change it is."""
        frame = Frame(window.total(), window.window, (Look(0, 1.0), Look(self.over, -1.0)), self.while_zero if self.relative else None)
        said = self.over if not self.relative else [self.over, "relative", self.while_zero]
        measure: Measure = window.framed(name, locale, frame, said)
        return measure
