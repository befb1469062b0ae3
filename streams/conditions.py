"""Conditions on an account: limits on a measure, a dimension or a number of the profile, or one of some contents of a profile field.

All of a `when` must be fulfilled. What the profile does not say fulfils nothing. A condition is fulfilled from one instant to another,
exactly; the row keeps what it must know of the profile, so that time and measures never open the dossier.
"""

from collections.abc import Iterator, Mapping
from math import inf, nextafter
from typing import Annotated

from pydantic import Discriminator, Field, Tag, model_validator

from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Dimension, Measure, Names, Problem, Row, Span, Spec, latest, unknown
from streams.measures.profile import ProfileNumber, ProfileSpec
from streams.parts import Parts
from streams.profile_fields import CHOICES, COMPARED, CONTENTS, content_of, said_ms, says_one_of
from streams.steps import steps, steps_of
from streams.units import Quantity, duration_text
from streams.words import Words, both, either, length, spaced


class LimitsSpec(Spec):
    """Limits of a number; several may be given."""

    at_least: Quantity | None = Field(default=None, description="holds from this number on")
    at_most: Quantity | None = Field(default=None, description="holds up to this number")
    above: Quantity | None = Field(default=None, description="holds beyond this number")
    below: Quantity | None = Field(default=None, description="holds before this number")

    @model_validator(mode="after")
    def _says_something(self) -> "LimitsSpec":
        if not self.model_fields_set:
            raise ValueError("must have at_least, at_most, above or below")
        return self

    def inclusive(self) -> Span:
        """The least and the greatest number that fulfil it."""
        lows = [-inf if self.at_least is None else self.at_least, -inf if self.above is None else nextafter(self.above, inf)]
        highs = [inf if self.at_most is None else self.at_most, inf if self.below is None else nextafter(self.below, -inf)]
        return Span(max(lows), min(highs))

    def text(self, is_time: bool) -> str:
        """`at least 3 and below 5`."""
        named = ((word, getattr(self, word)) for word in ("at_least", "above", "at_most", "below"))
        return " and ".join(f"{word.replace('_', ' ')} {_written(limit, is_time)}" for word, limit in named if limit is not None)


def _written(limit: float, is_time: bool) -> str:
    return duration_text(round(limit)) if is_time else f"{limit:.15g}"


ConditionSpec = Annotated[
    Annotated[LimitsSpec, Tag("<limits>")]
    | Annotated[bool, Tag("<truth>")]
    | Annotated[str, Tag("<content>")]
    | Annotated[list[str], Tag("<contents>")],
    Discriminator(
        lambda entry: "<truth>" if isinstance(entry, bool) else "<contents>" if isinstance(entry, list) else
        "<content>" if isinstance(entry, str) else "<limits>"
    ),
]  # fmt: skip
"""Limits, or the content of a field: one, or any of several."""

When = Annotated[
    dict[str, ConditionSpec], Field(min_length=1, max_length=16, description="measure or profile field -> limits, or its content")
]
"""Conditions that must all be fulfilled."""


def when_problems(when: Mapping[str, ConditionSpec], names: Names, place: str = "when") -> Iterator[Problem]:
    """References: measures and profile fields, and what can be asked of them."""
    for name, spec in when.items():
        content, is_measure = content_of(name), name in names.measures or name in names.dimensions
        if is_measure + (content is not None) + (name in names.measures and name in names.dimensions) > 1:
            yield f"{place}.{name}", f"{name!r} names two things of measures, dimensions and profile fields: give one another name"
        elif is_measure or content is not None:
            yield from ((f"{place}.{name}", what) for what in _asked_wrongly(name, spec, "any" if is_measure else str(content), is_measure))
        else:
            known = (*names.measures, *names.dimensions, *CONTENTS)
            yield (
                f"{place}.{name}",
                unknown("measure, dimension or profile field", name, known) + "; your own fields are named custom.<name>",
            )


def _asked_wrongly(name: str, spec: ConditionSpec, content: str, is_measure: bool) -> Iterator[str]:
    if isinstance(spec, LimitsSpec):
        if content not in COMPARED:
            yield f"{name!r} is no number: give its content, or a list of contents"
    elif is_measure or content in ("money", "date", "number"):
        yield f"{name!r} is a number: give limits, such as {{ at_least: 1 }}"
    elif content == "flag" and not isinstance(spec, bool):
        yield f"{name!r} is true or false, got {spec}"
    else:
        yield from (unknown(name, each, CHOICES[name]) for each in _contents(spec) if name in CHOICES and each not in CHOICES[name])


def _contents(spec: bool | str | list[str]) -> list[str]:
    return [str(spec).lower()] if isinstance(spec, bool) else [spec] if isinstance(spec, str) else spec


def when_said(when: Mapping[str, ConditionSpec], words: Words) -> str:
    """`last order (the time since the last of paid orders) is at least 180 days and size is large or medium`."""
    return " and ".join(f"{asked_of(name, words)} is {_limits_said(name, spec, words)}" for name, spec in when.items())


def asked_of(name: str, words: Words) -> str:
    """What is asked of, in words."""
    return spaced(name) if content_of(name) is not None else words.called(name)


def limit_said(name: str, limit: float, words: Words) -> str:
    """A limit with its unit."""
    return length(round(limit)) if content_of(name) == "date" else words.number(name, limit)


def _limits_said(name: str, spec: ConditionSpec, words: Words) -> str:
    if not isinstance(spec, LimitsSpec):
        return either(_contents(spec))
    limits = ((word, getattr(spec, word)) for word in ("at_least", "above", "at_most", "below"))
    return both([f"{word.replace('_', ' ')} {limit_said(name, limit, words)}" for word, limit in limits if limit is not None])


def _condition_text(name: str, spec: ConditionSpec, is_time: bool) -> str:
    said = spec.text(is_time) if isinstance(spec, LimitsSpec) else " or ".join(_contents(spec))
    return f"{name} {said}"


class Condition:
    """One compiled condition."""

    def __init__(self, name: str, spec: ConditionSpec, place: str, parts: Parts) -> None:
        self.name, self._kept, self._wanted = name, "", frozenset[str]()
        self._measure: Measure | Dimension | None = parts.measures.get(name) or parts.dimensions.get(name)
        self.from_profile = self._measure is None
        self.columns: list[Column] = []
        if isinstance(spec, LimitsSpec):
            if self._measure is None:
                self._measure = ProfileNumber(f"{place}.{name}", ProfileSpec(profile=name), parts.locale.exchange.minor_per_unit)
                self.columns = self._measure.columns
            self._low, self._high = spec.inclusive()
        else:
            self._wanted, self._kept = frozenset(_contents(spec)), f"{place}.{name}.is"
            self.columns = [Column(self._kept, "<u1", identity(["is", name, sorted(self._wanted)]))]
        self.text = _condition_text(name, spec, getattr(self._measure, "is_time", False))

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        if isinstance(self._measure, ProfileNumber) and self.from_profile:
            self._measure.recall(row, dossier)
        elif self._kept:
            row[self._kept] = says_one_of(dossier, self.name, self._wanted)

    def holds(self, row: Row, at_ms: int) -> bool:
        """Whether it is fulfilled at the instant."""
        if self._measure is None:
            return bool(row[self._kept])
        return self._answers(row) and self._low <= self._measure.at(row, at_ms) <= self._high

    def may_hold(self, row: Row, from_ms: int, to_ms: int) -> tuple[bool, bool]:
        """(surely holds, possibly holds) throughout [from_ms, to_ms]."""
        if self._measure is None or not self._answers(row):
            held = self._measure is None and bool(row[self._kept])
            return held, held
        span = self._measure.span(row, from_ms, to_ms)
        return self._low <= span.low and span.high <= self._high, span.high >= self._low and span.low <= self._high

    def _answers(self, row: Row) -> bool:
        """What is unknown fulfils nothing."""
        return not isinstance(self._measure, ProfileNumber) or self._measure.known(row)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it may come true or end; None if that may be at any time between."""
        if self._measure is None:
            return []
        limits = [limit for limit in (self._low, nextafter(self._high, inf)) if -inf < limit < inf]
        return steps_of(self._measure, row, from_ms, limits)

    def last_ms(self, row: Row, dossier: Dossier, at_ms: int) -> int | None:
        """When the last thing behind it happened."""
        return (
            said_ms(dossier, self.name) if self.from_profile or self._measure is None else latest(self._measure.lines(row, dossier, at_ms))
        )


class Conditions:
    """Conditions that must all be fulfilled. `place`: begins the names of their columns."""

    def __init__(self, when: Mapping[str, ConditionSpec], place: str, parts: Parts) -> None:
        self._each = [Condition(name, spec, place, parts) for name, spec in when.items()]
        self.columns = [column for each in self._each for column in each.columns]
        self.text = " and ".join(each.text for each in self._each)
        self.from_profile = any(each.from_profile for each in self._each)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        for each in self._each:
            each.recall(row, dossier)

    def holds(self, row: Row, at_ms: int) -> bool:
        """Whether all are fulfilled at the instant."""
        return all(each.holds(row, at_ms) for each in self._each)

    def may_hold(self, row: Row, from_ms: int, to_ms: int) -> tuple[bool, bool]:
        """(surely hold, possibly hold) throughout [from_ms, to_ms]."""
        found = [each.may_hold(row, from_ms, to_ms) for each in self._each]
        return all(surely for surely, _ in found), all(possibly for _, possibly in found)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When they may come true or end; None if that may be at any time between."""
        return steps(self._each, row, from_ms)

    def last_ms(self, row: Row, dossier: Dossier, at_ms: int) -> int | None:
        """When the last thing behind them happened."""
        known = [last for each in self._each if (last := each.last_ms(row, dossier, at_ms)) is not None]
        return max(known, default=None)
