"""`profile`: a number of the profile as a measure; of a date the time since, which grows by itself.

It is what the profile says, by the rules of the profile (each field by its own time, a cleared one is unknown), so the row keeps it
and only a record of the profile changes it. Unknown is `while_unknown`. Source: facts 001-06 (years of cooperation), 000-07 (budget).
"""

from collections.abc import Iterator, Sequence
from math import ceil, inf

from pydantic import Field

from schemas.records import Event
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Line, Locale, Names, Opener, Plain, Problem, Row, Span, Spec
from streams.profile_fields import COMPARED, content_of, field_problem, number_said, said_ms
from streams.units import Quantity
from streams.words import Said, Words, spaced


class ProfileSpec(Spec):
    """A number of the profile."""

    profile: str = Field(description="the field: a number, money, a date (the time since), or custom.<name>")
    while_unknown: Quantity = Field(default=0.0, description="what it is while the profile does not say")

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the field, and that it can be a number."""
        if (problem := field_problem(self.profile)) is not None:
            yield "profile", problem
        elif content_of(self.profile) not in COMPARED:
            yield "profile", f"field {self.profile!r} must be a number or a date to be measured"

    @property
    def is_time(self) -> bool:
        """Of a date it is the time since."""
        return content_of(self.profile) == "date"

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What the profile says."""
        return [Said("is", f"the time since {spaced(self.profile)}" if self.is_time else f"the {spaced(self.profile)} in the profile")]

    def compile(self, name: str, locale: Locale) -> "ProfileNumber":
        """The measure that works on rows."""
        return ProfileNumber(name, self, locale.exchange.minor_per_unit)


class ProfileNumber(Plain):
    """The compiled measure. `known` tells what the profile says from `while_unknown`."""

    topic = "profiles"
    jumps = False

    def __init__(self, name: str, spec: ProfileSpec, minor_per_unit: int) -> None:
        self.name, self._field, self._while_unknown, self._per_unit = name, spec.profile, spec.while_unknown, minor_per_unit
        self.is_time = spec.is_time
        self._number, self._known = f"measures.{name}.number", f"measures.{name}.known"
        meaning = identity(["profile", spec.profile, minor_per_unit])
        self.columns = [Column(self._number, "<f8", meaning), Column(self._known, "<u1", meaning)]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002
        """Nothing: `recall` comes after the profile took the record."""
        return False

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        number = number_said(dossier, self._field, self._per_unit)
        row[self._number], row[self._known] = 0.0 if number is None else number, number is not None

    def known(self, row: Row) -> bool:
        """Whether the profile says so."""
        return bool(row[self._known])

    def at(self, row: Row, at_ms: int) -> float:
        """The number; of a date the ms since, 0 before it."""
        if not self.known(row):
            return self._while_unknown
        number = float(row[self._number])
        return max(at_ms - number, 0.0) if self.is_time else number

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """It stays, or grows."""
        return Span(self.at(row, from_ms), self.at(row, to_ms))

    def steps(self, row: Row, from_ms: int, levels: Sequence[float]) -> list[int]:
        """When the time since a date reaches the levels."""
        if not (self.is_time and self.known(row)):
            return []
        since_ms = int(row[self._number])
        return [since_ms + ceil(level) for level in levels if 0 < level < inf and from_ms < since_ms + ceil(level)]

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line, if it is known."""
        return [Line(self._field, self.at(row, at_ms), last_ms=said_ms(dossier, self._field))] if self.known(row) else []
