"""`decayed`: points for what happened, halving every half-life; half-life `none` is a plain sum.

One accumulator per priced kind, so that the ledger can say "three downloads". All accumulators of a measure stand at one
instant, the latest record folded; an earlier record is taken in at the worth it would have had (so the order of arrival
does not matter without caps). Each kind also knows when it last happened. Caps and bursts: `streams/measures/caps.py`.
Source: exponential decay, N(t) = N0 * 2^(-t / half-life).
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from schemas.records import Event
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.forward.powers import power_of_two
from streams.kinds import Line, Locale, Names, Opener, Plain, Problem, Row, Span, Spec, unknown
from streams.measures.caps import Caps, Limits
from streams.units import HalfLifeMs
from streams.words import Said, Words, both, length, spaced

KIND_FIELD = {
    "interactions": "kind",
    "orders": "status",
    "invoices": "status",
    "tickets": "status",
    "risks": "kind",
    "opportunities": "stage",
}
"""Which field of an input names the kind that is priced."""

HalfLives = Annotated[
    Annotated[HalfLifeMs, Tag("<one>")] | Annotated[dict[str, HalfLifeMs], Tag("<each>")],
    Discriminator(lambda entry: "<each>" if isinstance(entry, dict) else "<one>"),
]
"""One half-life for all kinds, or kind -> half-life."""


MOST_POINTS = 1e9
"""The most points one record can give or take: sums of them stay exact enough to explain."""


class PerUnit(Spec):
    """Points for each second of dwell, at most so many per record."""

    per_second_of_dwell: float = Field(gt=0, le=MOST_POINTS, description="points for each second that the visit lasted")
    at_most: float = Field(gt=0, le=MOST_POINTS, description="the most points one record can give")


Price = Annotated[
    Annotated[float, Field(ge=-MOST_POINTS, le=MOST_POINTS), Tag("<points>")] | Annotated[PerUnit, Tag("<per unit>")],
    Discriminator(lambda entry: "<per unit>" if isinstance(entry, dict | PerUnit) else "<points>"),
]
"""Points for each record, or by how long it lasted."""


def _takes(price: "float | PerUnit") -> bool:
    return not isinstance(price, PerUnit) and price < 0


def _priced(kind: str, price: "float | PerUnit") -> str:
    what = spaced(kind).lower()
    return f"{what} (up to {price.at_most:g} by its length)" if isinstance(price, PerUnit) else f"{what} ({abs(price):g})"


class DecayedSpec(Spec):
    """Points for what happened, fading with time."""

    from_: str = Field(alias="from", description="the input topic")
    points: dict[str, Price] = Field(
        min_length=1, description="kind -> points; a kind without a price is counted and shown, never an error"
    )
    half_life: HalfLives = Field(
        default=None, description="time in which points lose half their worth, or kind -> half-life with a `default`"
    )
    caps: Caps | None = None

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the topic, the kinds that half-lives and caps speak of."""
        if self.from_ not in KIND_FIELD:
            yield "from", unknown("topic with kinds", self.from_, KIND_FIELD)
        if isinstance(self.half_life, dict):
            yield from self._half_life_problems(self.half_life)
        if self.caps is not None:
            yield from ((f"caps.{path}", what) for path, what in self.caps.kinds_problems(frozenset(self.points)))

    def _half_life_problems(self, half_life: dict[str, int | None]) -> Iterator[Problem]:
        if "default" not in half_life and set(self.points) - set(half_life):
            yield (
                "half_life",
                f"half_life must name a default or every kind, got none for {', '.join(sorted(set(self.points) - set(half_life)))}",
            )
        for kind in half_life:
            if kind != "default" and kind not in self.points:
                yield f"half_life.{kind}", unknown("priced kind", kind, frozenset(self.points))

    def half_life_ms(self, kind: str) -> float:
        """The half-life of one kind in ms, infinite for `none`."""
        half_life = self.half_life.get(kind, self.half_life.get("default")) if isinstance(self.half_life, dict) else self.half_life
        return inf if half_life is None else float(half_life)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What earns points, what takes them, and how they fade."""
        earns = [_priced(kind, price) for kind, price in self.points.items() if not _takes(price)]
        takes = [_priced(kind, price) for kind, price in self.points.items() if _takes(price)]
        said = [Said("is", f"points for {self.from_}")]
        said += [Said("lifts", f"earned by {both(earns)}")] if earns else []
        said += [Said("lowers", f"taken by {both(takes)}")] if takes else []
        fading: dict[float, list[str]] = {}
        for kind in self.points:
            fading.setdefault(self.half_life_ms(kind), []).append(spaced(kind).lower())
        halves = [f"half of their worth in {length(int(half))} ({both(its)})" for half, its in sorted(fading.items()) if half != inf]
        return [*said, Said("lowers", f"points lose {both(halves)}")] if halves else said

    def compile(self, name: str, locale: Locale) -> "Decayed":
        """The measure that works on rows."""
        return Decayed(name, self, locale)


class Decayed(Plain):
    """The compiled measure."""

    jumps = False

    def __init__(self, name: str, spec: DecayedSpec, locale: Locale) -> None:
        self.name, self.topic = name, spec.from_
        self._kinds = list(spec.points)
        self._slot = {kind: slot for slot, kind in enumerate(self._kinds)}
        self._prices = list(spec.points.values())
        self._half_life_ms = [spec.half_life_ms(kind) for kind in self._kinds]
        self._kind_of: Callable[[Event], str] = _field(KIND_FIELD[spec.from_])
        meaning = identity(["decayed", spec.model_dump(mode="json"), locale.timezone if spec.caps else None])
        self._limits = Limits(name, spec.caps, self._slot, locale.local_day, meaning) if spec.caps else None
        self._total, self._count, self._at, self._last = (f"measures.{name}.{part}" for part in ("total", "count", "at_ms", "last_ms"))
        kinds = (len(self._kinds),)
        self.columns = [
            Column(self._total, "<f8", meaning, kinds),
            Column(self._count, "<u4", meaning, kinds),
            Column(self._at, "<i8", meaning),
            Column(self._last, "<i8", meaning, kinds),
            *(self._limits.columns if self._limits else ()),
        ]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002  (a sum needs no tie-break)
        """Add the record's points at its time; False if its kind has no price."""
        slot = self._slot.get(self._kind_of(record))
        if slot is None:
            return False
        points = self._priced(slot, record)
        if self._limits is not None:
            if not self._limits.opens(row, slot, record.occurred_at):
                return True
            points = self._limits.counted(row, slot, record, points, dossier)
        total = row[self._total]
        self._advance(row, record.occurred_at)
        total[slot] += points * self._worth(slot, int(row[self._at]) - record.occurred_at)
        row[self._count][slot] += 1
        last = row[self._last]
        last[slot] = max(int(last[slot]), record.occurred_at)
        return True

    def _priced(self, slot: int, record: Event) -> float:
        price = self._prices[slot]
        if isinstance(price, float):
            return price
        return min(price.per_second_of_dwell * (getattr(record, "dwell_seconds", None) or 0.0), price.at_most)

    def _worth(self, slot: int, age_ms: int) -> float:
        """What one point of age `age_ms` is worth."""
        return power_of_two(-age_ms / self._half_life_ms[slot])

    def _advance(self, row: Row, at_ms: int) -> None:
        """Bring all accumulators forward to `at_ms`; never back."""
        age_ms = at_ms - int(row[self._at])
        if age_ms <= 0:
            return
        total = row[self._total]
        for slot, points in enumerate(total.tolist()):
            if points:
                total[slot] = points * self._worth(slot, age_ms)
        row[self._at] = at_ms

    def at(self, row: Row, at_ms: int) -> float:
        """The points that are left at `at_ms`."""
        given, taken = self._given_and_taken(row, at_ms)
        return given + taken

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """What was given fades downwards, what was taken away fades upwards."""
        given_from, taken_from = self._given_and_taken(row, from_ms)
        if from_ms == to_ms:
            return Span(given_from + taken_from, given_from + taken_from)
        given_to, taken_to = self._given_and_taken(row, to_ms)
        return Span(given_to + taken_from, given_from + taken_to)

    def _given_and_taken(self, row: Row, at_ms: int) -> tuple[float, float]:
        age_ms, given, taken = at_ms - int(row[self._at]), 0.0, 0.0
        for slot, points in enumerate(row[self._total].tolist()):
            if points > 0:
                given += points * self._worth(slot, age_ms)
            elif points < 0:
                taken += points * self._worth(slot, age_ms)
        return given, taken

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line per kind that ever happened."""
        age_ms, total, count, last = at_ms - int(row[self._at]), row[self._total], row[self._count], row[self._last]
        return [
            Line(kind, float(total[slot]) * self._worth(slot, age_ms), int(count[slot]), int(last[slot]) or None)
            for slot, kind in enumerate(self._kinds)
            if count[slot]
        ]


def _field(name: str) -> Callable[[Event], str]:
    def content(record: Event) -> str:
        found: Any = getattr(record, name)
        return str(found)

    return content
