"""`latest`: the number a record carried last, by its own time; equal times go by event id."""

from collections.abc import Iterator

import msgspec
from pydantic import Field

from schemas.records import Event
from schemas.topics import INPUTS
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Line, Locale, Names, Opener, Plain, Problem, Row, Span, Spec, unknown
from streams.words import Said, Words, spaced


class LatestSpec(Spec):
    """The latest content of a numeric field."""

    from_: str = Field(alias="from", description="the input topic")
    latest: str = Field(description="the numeric field of the record")
    where: dict[str, str] = Field(default={}, description="only records whose fields have these contents, e.g. model: conversion")

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the topic and its fields."""
        records = {name: topic.record for name, topic in INPUTS.items() if topic.record and issubclass(topic.record, Event)}
        if self.from_ not in records:
            yield "from", unknown("topic of account records", self.from_, records)
            return
        fields = {field.name: field.type for field in msgspec.structs.fields(records[self.from_])}
        if self.latest not in fields:
            yield "latest", unknown(f"field of {self.from_}", self.latest, fields)
        elif fields[self.latest] not in (int, float, int | None, float | None):
            yield "latest", f"field {self.latest!r} of {self.from_} must be a number"
        for field in self.where:
            if field not in fields:
                yield f"where.{field}", unknown(f"field of {self.from_}", field, fields)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What was said last."""
        where = ", ".join(f"{spaced(field)} {content}" for field, content in self.where.items())
        return [Said("is", f"the latest {spaced(self.latest)} in {self.from_}{f' ({where})' if where else ''}")]

    def compile(self, name: str, locale: Locale) -> "Latest":  # noqa: ARG002
        """The measure that works on rows."""
        return Latest(name, self)


class Latest(Plain):
    """The compiled measure. Unknown is 0 in `at`; `known` tells the two apart."""

    jumps = False

    def __init__(self, name: str, spec: LatestSpec) -> None:
        self.name, self.topic = name, spec.from_
        self._field, self._where = spec.latest, spec.where
        self._number, self._at, self._event, self._known = (f"measures.{name}.{part}" for part in ("number", "at_ms", "event", "known"))
        meaning = identity(["latest", spec.model_dump(mode="json")])
        self.columns = [
            Column(self._number, "<f8", meaning),
            Column(self._at, "<i8", meaning),
            Column(self._event, "<u8", meaning),
            Column(self._known, "<u1", meaning),
        ]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002
        """Take the number over if the record is the latest; False if the filter leaves it out."""
        if any(str(getattr(record, field)) != content for field, content in self._where.items()):
            return False
        number = getattr(record, self._field)
        if number is None:
            return False
        if not self.known(row) or (record.occurred_at, event) > (int(row[self._at]), int(row[self._event])):
            row[self._number], row[self._at], row[self._event], row[self._known] = number, record.occurred_at, event, 1
        return True

    def known(self, row: Row) -> bool:
        """Whether any record said so yet."""
        return bool(row[self._known])

    def said_ms(self, row: Row) -> int:
        """When the record that said so occurred."""
        return int(row[self._at])

    def at(self, row: Row, at_ms: int) -> float:  # noqa: ARG002
        """The number; it does not change by itself."""
        return float(row[self._number])

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:  # noqa: ARG002
        """The number stays."""
        return Span(self.at(row, to_ms), self.at(row, to_ms))

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line, if the number is known."""
        return [Line(self._field, self.at(row, at_ms), last_ms=self.said_ms(row))] if self.known(row) else []
