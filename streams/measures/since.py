"""`since`: the time since the last matching record, by its own time; infinite until there is one. It grows by itself."""

from collections.abc import Iterator, Sequence
from math import ceil, inf
from typing import ClassVar, Literal

from pydantic import Field

from schemas.records import Event
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Line, Locale, Names, Opener, Plain, Problem, Row, Span
from streams.measures.matching import Matching, listed
from streams.words import Said, Words

_NEVER = -1


class SinceSpec(Matching):
    """The time since something last happened."""

    is_time: ClassVar[bool] = True
    since: Literal["last"] = Field(description="time since the last record that the filter lets through")
    kinds: str | list[str] | None = Field(default=None, description="only records of these kinds")

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the topic, its fields, the kinds."""
        yield from self.matching_problems()
        yield from self.kinds_problems("kinds", listed(self.kinds or []))

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """It grows by itself."""
        return [Said("is", f"the time since the last of {self.records(listed(self.kinds or []))}")]

    def compile(self, name: str, locale: Locale) -> "Since":  # noqa: ARG002
        """The measure that works on rows."""
        return Since(name, self)


class Since(Plain):
    """The compiled measure: milliseconds."""

    jumps = False
    is_time = True

    def __init__(self, name: str, spec: SinceSpec) -> None:
        self.name, self.topic = name, spec.from_
        self._matches = spec.matches(listed(spec.kinds or []))
        self._last = f"measures.{name}.last_ms"
        self.columns = [Column(self._last, "<i8", identity(["since", spec.model_dump(mode="json")]), start=_NEVER)]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002
        """Start again from the record, unless a later one is known."""
        if not self._matches(record):
            return False
        row[self._last] = max(int(row[self._last]), record.occurred_at)
        return True

    def at(self, row: Row, at_ms: int) -> float:
        """The time since, in ms."""
        last_ms = int(row[self._last])
        return inf if last_ms == _NEVER else float(at_ms - last_ms)

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """It grows with time."""
        return Span(self.at(row, from_ms), self.at(row, to_ms))

    def steps(self, row: Row, from_ms: int, levels: Sequence[float]) -> list[int]:
        """When it reaches the levels."""
        last_ms = int(row[self._last])
        return [] if last_ms == _NEVER else [last_ms + ceil(level) for level in levels if from_ms - last_ms < level < inf]

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line, once there was one."""
        last_ms = int(row[self._last])
        return [] if last_ms == _NEVER else [Line("since the last", self.at(row, at_ms), last_ms=last_ms)]
