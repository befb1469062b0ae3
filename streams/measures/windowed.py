"""`count`, `sum`, `distinct_days`, `maximum`, `mean` over the last n days: a record at t counts until t + window, exclusive.

A sum of order amounts takes refunds out: a REFUNDED record counts against the sum from its own `occurred_at`, for a window of
its own (revenue less refunds, both of these days). Exact for the newest `exact` entries; see `streams/windows.py` for more.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import Field

from schemas.records import Event, Order
from streams.columns import identity
from streams.dossier import Entry
from streams.kinds import Locale, Names, Problem
from streams.measures.matching import MONEY, Matching, listed, number_problems
from streams.measures.rolling import Counted, Rolling
from streams.units import PositiveDurationMs
from streams.windows import DAYS, MAXIMUM, MEAN, SUM, Frame, Total
from streams.words import Said, Words, length, spaced

EXACT, EXACT_INTERACTIONS = 64, 8


class RollingSpec(Matching):
    """Base of the measures of what happened lately."""

    exact: int | None = Field(
        default=None,
        ge=8,
        le=4096,
        description="so many of the newest records end exactly, older ones by local day (default: 64; 8 for a count of interactions)",
    )

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the topic, its fields, what is measured."""
        yield from self.matching_problems()
        yield from self.measured_problems()

    def phrase(self) -> str:
        """What is measured, without the window."""
        raise NotImplementedError

    def measured_problems(self) -> Iterator[Problem]:
        """What is wrong with the part that says what is measured."""
        raise NotImplementedError

    def counted(self, locale: Locale) -> Counted:
        """What one record counts for."""
        raise NotImplementedError

    def total(self) -> Total:
        """How entries make a number."""
        return SUM

    def exactly(self) -> int:
        """How many of the newest records end exactly."""
        return EXACT if self.exact is None else self.exact

    def frame(self) -> Frame:
        """Which entries count."""
        raise NotImplementedError

    def compile(self, name: str, locale: Locale) -> Rolling:
        """The measure that works on rows."""
        return self.framed(name, locale, self.frame(), None)

    def framed(self, name: str, locale: Locale, frame: Frame, said_of_it: Any) -> Rolling:
        """The measure seen through a frame; `said_of_it`: what the policy says of that beside the measure itself."""
        exact, said = self.exactly(), self.model_dump(mode="json")
        meaning = identity([said | {"exact": exact}, said_of_it, locale.timezone, locale.exchange.meaning])
        counted = self.counted(locale)
        counted = counted if frame.while_zero is None else counted._replace(per_unit=1)
        return Rolling(name, self.from_, counted, frame, exact, locale.local_day, meaning)


class WindowedSpec(RollingSpec):
    """Base of the measures over the last n days."""

    window: PositiveDurationMs = Field(description="how long a record counts")

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What is measured, and that it ends with the window."""
        return [
            Said("is", f"{self.phrase()} in the last {length(self.window)}"),
            Said("lowers", f"each record counts for {length(self.window)}, no longer"),
        ]

    def frame(self) -> Frame:
        """The last so many days."""
        return Frame(self.total(), self.window)


class CountSpec(WindowedSpec):
    """How many records."""

    count: str | list[str] = Field(description="a kind, several, or the topic's record (`order`) for all that the filter lets through")

    def phrase(self) -> str:
        """What is measured."""
        return f"the number of {self.records(listed(self.count))}"

    def measured_problems(self) -> Iterator[Problem]:
        """The kinds."""
        yield from self.kinds_problems("count", listed(self.count))

    def counted(self, locale: Locale) -> Counted:  # noqa: ARG002
        """One."""
        return _ones(", ".join(listed(self.count)), self.matches(listed(self.count)))

    def exactly(self) -> int:
        """Interactions are many, and what is asked of their number is rarely more than a few."""
        return EXACT_INTERACTIONS if self.exact is None and self.from_ == "interactions" else super().exactly()


class DistinctDaysSpec(WindowedSpec):
    """On how many local days something happened; a day counts until its latest record leaves the window."""

    distinct_days: str | list[str] = Field(description="a kind, several, or the topic's record for all that the filter lets through")

    def phrase(self) -> str:
        """What is measured."""
        return f"the number of days with {self.records(listed(self.distinct_days))}"

    def measured_problems(self) -> Iterator[Problem]:
        """The kinds."""
        yield from self.kinds_problems("distinct_days", listed(self.distinct_days))

    def counted(self, locale: Locale) -> Counted:  # noqa: ARG002
        """One, and days are joined."""
        named = listed(self.distinct_days)
        return _ones(f"days with {', '.join(named)}", self.matches(named))._replace(by_day=True)

    def total(self) -> Total:
        """A day counts once."""
        return DAYS


class SumSpec(WindowedSpec):
    """The sum of a number; order amounts in the policy's currency, less refunds."""

    sum: str = Field(description="`amount` or `cost` (money, in whole units of the policy's currency), or a numeric field")

    def phrase(self) -> str:
        """What is measured."""
        less = ", less what was refunded" if self.from_ == "orders" and "REFUNDED" not in (self.status or ()) else ""
        return f"the {spaced(self.sum)} of {self.records()}{less}"

    def measured_problems(self) -> Iterator[Problem]:
        """The field."""
        yield from number_problems(self.from_, "sum", self.sum)

    def counted(self, locale: Locale) -> Counted:
        """The number; a refund takes away."""
        return less_refunds(self, self.sum, locale)


class MaximumSpec(WindowedSpec):
    """The greatest number, 0 if there is none."""

    maximum: str = Field(description="`amount` or `cost` (money, in whole units of the policy's currency), or a numeric field")

    def phrase(self) -> str:
        """What is measured."""
        return f"the largest {spaced(self.maximum)} of {self.records()}"

    def measured_problems(self) -> Iterator[Problem]:
        """The field."""
        yield from number_problems(self.from_, "maximum", self.maximum)

    def counted(self, locale: Locale) -> Counted:
        """The number."""
        return _numbers(self, self.maximum, locale)

    def total(self) -> Total:
        """The greatest."""
        return MAXIMUM


class MeanSpec(WindowedSpec):
    """The mean of a number, 0 if there is none."""

    mean: str = Field(description="`amount` or `cost` (money, in whole units of the policy's currency), or a numeric field")

    def phrase(self) -> str:
        """What is measured."""
        return f"the average {spaced(self.mean)} of {self.records()}"

    def measured_problems(self) -> Iterator[Problem]:
        """The field."""
        yield from number_problems(self.from_, "mean", self.mean)

    def counted(self, locale: Locale) -> Counted:
        """The number."""
        return _numbers(self, self.mean, locale)

    def total(self) -> Total:
        """The mean."""
        return MEAN


def less_refunds(spec: Matching, field: str, locale: Locale) -> Counted:
    """What records carry in a field; of an order's money a refund takes away."""
    plain = _numbers(spec, field, locale)
    if spec.from_ != "orders" or field not in MONEY or "REFUNDED" in (spec.status or ()):
        return plain
    back = _numbers(spec.model_copy(update={"status": ["REFUNDED"]}), field, locale)

    def entry(record: Event) -> Entry | None:
        if (taken := back.entry(record)) is not None:
            return Entry(taken.at_ms, -taken.amount, 0)
        return plain.entry(record)

    def check(record: Event) -> None:
        plain.check(record)
        back.check(record)

    return plain._replace(entry=entry, check=check)


MOST_NUMBER = 1e20
"""Beyond every integer on the wire. What a field of fractions says may be anything finite; sums of it stay finite too."""


def _ones(label: str, matches: Callable[[Event], bool]) -> Counted:
    return Counted(label, lambda record: Entry(record.occurred_at, 1.0, 1) if matches(record) else None, _takes_all, 1, ones=True)


def _takes_all(record: Event) -> None:
    """No record is refused."""


def _numbers(spec: Matching, field: str, locale: Locale) -> Counted:
    """What records carry in a field; money is converted on the day of the record and kept in minor units."""
    matches, exchange, held_in = spec.matches(), locale.exchange, MONEY.get(field, field)

    def check(record: Event) -> None:
        if isinstance(record, Order) and matches(record):
            exchange.check(record.currency, record.occurred_at)

    def entry(record: Event) -> Entry | None:
        number: Any = getattr(record, held_in) if matches(record) else None
        if number is None:
            return None
        if field in MONEY and isinstance(record, Order):
            number = exchange.own_minor(number, record.currency, record.occurred_at)
        return Entry(record.occurred_at, min(max(float(number), -MOST_NUMBER), MOST_NUMBER), 1)

    return Counted(field, entry, check if field in MONEY else _takes_all, exchange.minor_per_unit if field in MONEY else 1)
