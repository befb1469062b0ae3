"""Which records a measure counts: a topic, its kinds or statuses, and fields with given contents. Shared by several kinds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec
from pydantic import Field

from schemas.records import Event, Invoice
from schemas.topics import INPUTS
from streams.kinds import Problem, Spec, unknown
from streams.words import either, kinds, plural, spaced

NOUNS = {
    "interactions": "interaction",
    "orders": "order",
    "invoices": "invoice",
    "tickets": "ticket",
    "risks": "risk",
    "opportunities": "opportunity",
    "predictions": "prediction",
}
"""What one record of a topic is called: `count: order` counts every order that the filter lets through."""

KINDS = {"interactions": "kind", "risks": "kind", "opportunities": "stage"}
"""Which field of an input names the kind, where one may be counted by its name alone (`count: DOWNLOAD`)."""

MONEY = {"amount": "amount_minor", "cost": "cost_minor"}
"""What a policy calls an amount of money, and the field that holds it in minor units."""

Matches = Callable[[Event], bool]


def _on_time(record: Event) -> bool:
    """Whether an invoice was paid by its due date; one that is not paid is not. Without `paid_at` it was paid when the record occurred."""
    assert isinstance(record, Invoice), "asked of invoices only"
    return record.status == "PAID" and (record.occurred_at if record.paid_at is None else record.paid_at) <= record.due_at


TOLD: Mapping[str, Mapping[str, Matches]] = {"invoices": {"on_time": _on_time}}
"""What a policy may ask of a record that is no field of it: name -> whether it is so."""


class Matching(Spec):
    """Base of the measures that count some records of one topic."""

    from_: str = Field(alias="from", description="the input topic")
    status: list[str] | None = Field(default=None, min_length=1, description="only records in one of these statuses")
    where: dict[str, bool | str | list[str]] = Field(default={}, description="only records whose fields have one of these contents")

    def contents(self) -> dict[str, list[str]]:
        """Field -> contents that are let through."""
        wanted = {
            field: [_text(each) for each in (content if isinstance(content, list) else [content])] for field, content in self.where.items()
        }
        return {**wanted, "status": self.status} if self.status is not None else wanted

    def records(self, named: list[str] | None = None) -> str:
        """The records that the filter lets through, in words: `paid orders`, `calls or meetings (actor OWNER)`."""
        noun = plural(NOUNS.get(self.from_, self.from_), 2)
        counted = noun if not named or NOUNS.get(self.from_) in named else kinds(named)
        status = f"{either([each.lower() for each in self.status])} " if self.status else ""
        where = ", ".join(f"{spaced(field)} {either(contents)}" for field, contents in self.contents().items() if field != "status")
        return f"{status}{counted} ({where})" if where else f"{status}{counted}"

    def matching_problems(self) -> Iterator[Problem]:
        """References: the topic, its fields, and their contents where they are an enumeration."""
        if self.from_ not in NOUNS:
            yield "from", unknown("topic to measure", self.from_, NOUNS)
            return
        fields = fields_of(self.from_)
        if self.from_ == "orders" and self.status is None:
            yield "status", "must say which status counts, such as [PAID]: the same order is first PLACED, then PAID"
        for field, contents in self.contents().items():
            place = "status" if field == "status" and self.status is not None else f"where.{field}"
            if field in TOLD.get(self.from_, {}):
                yield from ((place, unknown(field, content, ("false", "true"))) for content in contents if content not in ("false", "true"))
            elif field not in fields:
                yield place, unknown(f"field of {self.from_}", field, fields)
            else:
                known = get_args(fields[field]) if get_origin(fields[field]) is Literal else None
                yield from ((place, unknown(field, content, known)) for content in contents if known and content not in known)

    def kinds_problems(self, place: str, named: list[str]) -> Iterator[Problem]:
        """What is counted must be the topic's noun, or kinds where the topic has them."""
        if self.from_ in NOUNS and self.from_ not in KINDS:
            for name in named:
                if name != NOUNS[self.from_]:
                    yield place, unknown(f"record of {self.from_}", name, (NOUNS[self.from_],))

    def matches(self, named: list[str] | None = None) -> Matches:
        """The filter; `named`: kinds, or the topic's noun for all."""
        wanted = {field: frozenset(contents) for field, contents in self.contents().items()}
        if named and NOUNS[self.from_] not in named:
            wanted[KINDS[self.from_]] = frozenset(named) & wanted.get(KINDS[self.from_], frozenset(named))
        told = [(is_so, wanted.pop(name)) for name, is_so in TOLD.get(self.from_, {}).items() if name in wanted]
        if told:
            return lambda record: _carries(record, wanted) and all(_text(is_so(record)) in contents for is_so, contents in told)
        return lambda record: _carries(record, wanted)


def _carries(record: Event, wanted: Mapping[str, frozenset[str]]) -> bool:
    return all(_text(getattr(record, field)) in contents for field, contents in wanted.items())


def fields_of(topic: str) -> Mapping[str, Any]:
    """The fields of a topic's record with their types."""
    record = INPUTS[topic].record
    assert record is not None, f"{topic} has a record"
    return {field.name: field.type for field in msgspec.structs.fields(record)}


def number_problems(topic: str, place: str, field: str) -> Iterator[Problem]:
    """The field must be a number, or money by its name in a policy."""
    if topic not in NOUNS:
        return
    numbers = {
        name for name, kind in fields_of(topic).items() if kind in (int, float, int | None, float | None) and not name.endswith("_at")
    }
    money = {name for name, held_in in MONEY.items() if held_in in numbers}
    if field not in (known := numbers - set(MONEY.values()) | money):
        yield place, unknown(f"number of {topic}", field, frozenset(known))


def listed(named: str | list[str]) -> list[str]:
    """One name or several."""
    return [named] if isinstance(named, str) else named


def _text(content: Any) -> str:
    return str(content).lower() if isinstance(content, bool) else str(content)
