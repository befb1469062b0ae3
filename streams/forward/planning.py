"""From a policy to its plan: which of it compiled code knows, or why it knows none of it.

A policy that asks something of interactions that is not here is folded in Python altogether: right, and some thirty times slower.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any, get_args

import numpy as np

from schemas.records import Actor
from schemas.topics import INPUTS
from streams.dimensions.linear import LinearSpec
from streams.dimensions.prediction import PredictionSpec
from streams.dimensions.table import TableSpec
from streams.forward import plan as p
from streams.forward.cells import NOWHERE, place
from streams.measures.decayed import DecayedSpec, PerUnit
from streams.measures.matching import KINDS, NOUNS, listed
from streams.measures.windowed import CountSpec
from streams.policy.compiled import CompiledPolicy
from streams.units import UNBOUNDED, zone_offsets

TOPIC = "interactions"
ACTORS = get_args(Actor)
_EVERY_ACTOR = (1 << len(ACTORS)) - 1


class NotPlanned(Exception):
    """The policy says something that compiled code does not know."""


def planned(policy: CompiledPolicy) -> p.Plan:
    """The plan of a policy. Raises NotPlanned."""
    if TOPIC not in policy.inputs:
        raise NotPlanned(f"it reads no {TOPIC}")
    return _Planner(policy).plan()


class _Planner:
    """Collects the arrays, measure by measure."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self._policy, self._document, self._layout = policy, policy.document, policy.layout
        self._names = list(policy.document.measures)
        self._kinds = self._named_kinds()
        self._prices: list[tuple[float, float, float]] = []
        self._capped: list[int] = []
        self._bursts: list[int] = []
        self._caps: list[float] = []

    def plan(self) -> p.Plan:
        """Everything, by its parts."""
        measures = [self._measure(name) for name in self._names]
        text = [kind.encode() for kind in self._kinds]
        starts_ms, offsets_ms = zone_offsets(self._document.timezone)
        triggers, conditions, bounds = self._triggers()
        return p.Plan(
            account=_whole([self._place(column) for column in p.ACCOUNT_COLUMNS]),
            row_bytes=self._layout.description.row_bytes,
            max_ahead_ms=self._policy.max_ahead_ms,
            topic=INPUTS[TOPIC].number,
            seed=INPUTS[TOPIC].number,
            kind_begin=_whole(np.cumsum([0, *map(len, text)])),
            kind_text=np.frombuffer(b"".join(text), np.uint8).copy(),
            slots=_table([self._slots(name) for name in self._names], len(self._kinds) + 1),
            measures=_table(measures, p.MEASURE_WIDTH),
            half_lives=_real([half_life for half_life, _, _ in self._prices]),
            prices=_real([points for _, points, _ in self._prices]),
            per_second=_real([each for _, _, each in self._prices]),
            capped=_whole(self._capped),
            caps=_real(self._caps),
            contact_caps=_real([self._contact_cap(name) for name in self._names]),
            bursts=_whole(self._bursts),
            windows=_table(list(self._windows()), 2),
            dimensions=_table([self._dimension(name) for name in self._document.score], p.DIMENSION_WIDTH),
            dimension_numbers=_real([self._dimension_numbers(name) for name in self._document.score]).reshape(-1, 4),
            schemes=_table(self._schemes(), p.SCHEME_WIDTH),
            triggers=_table(triggers, 3),
            conditions=_whole(conditions),
            bounds=_real(bounds).reshape(-1, 2),
            clocks=_table(self._clocks(), p.CLOCK_WIDTH),
            clock_limits=_whole(self._clock_limits()),
            zone_starts=_whole(starts_ms),
            zone_offsets=_whole(offsets_ms),
        )

    def _place(self, column: str) -> int:
        return place(self._layout, column)

    def _of(self, name: str, part: str) -> int:
        """The place of a part of a measure, NOWHERE if it has none."""
        column = f"measures.{name}.{part}"
        return self._place(column) if column in (self._layout.dtype.names or ()) else NOWHERE

    # -- kinds -------------------------------------------------------------------------------------------------------------

    def _named_kinds(self) -> list[str]:
        """Every kind of interaction that the policy names."""
        named: dict[str, None] = {}
        for spec in self._document.measures.values():
            if isinstance(spec, DecayedSpec) and spec.from_ == TOPIC:
                named |= dict.fromkeys(spec.points)
            elif isinstance(spec, CountSpec) and spec.from_ == TOPIC:
                named |= dict.fromkeys(self._counted(spec) or [])
        named |= dict.fromkeys(clock.resets_on.kind for clock in self._document.clocks.values() if clock.resets_on.kind is not None)
        return list(named)

    @staticmethod
    def _counted(spec: CountSpec) -> list[str] | None:
        """The kinds that a window counts, None for all."""
        named = listed(spec.count)
        within = spec.contents().get(KINDS[TOPIC])
        if NOUNS[TOPIC] in named:
            return within
        return [kind for kind in named if within is None or kind in within]

    def _slots(self, name: str) -> list[int]:
        """For each kind, and for any other: where a measure counts it."""
        spec = self._document.measures[name]
        if getattr(spec, "from_", None) != TOPIC:
            return [NOWHERE] * (len(self._kinds) + 1)
        if isinstance(spec, DecayedSpec):
            own = list(spec.points)
            return [own.index(kind) if kind in own else NOWHERE for kind in self._kinds] + [NOWHERE]
        counted = self._counted(spec)
        return [0 if counted is None or kind in counted else NOWHERE for kind in self._kinds] + [0 if counted is None else NOWHERE]

    # -- measures ----------------------------------------------------------------------------------------------------------

    def _measure(self, name: str) -> list[int]:
        spec = self._document.measures[name]
        if isinstance(spec, DecayedSpec):
            return self._decayed(name, spec)
        if isinstance(spec, CountSpec):
            return self._count(name, spec)
        if getattr(spec, "from_", None) == TOPIC:
            raise NotPlanned(f"measure {name} folds {TOPIC} in a way that only Python knows")
        return _row(p.MEASURE_WIDTH, {p.KIND: p.OTHER, p.FOLDED: 0})

    def _decayed(self, name: str, spec: DecayedSpec) -> list[int]:
        first = len(self._prices)
        for kind, price in spec.points.items():
            points, each = (price.at_most, price.per_second_of_dwell) if isinstance(price, PerUnit) else (float(price), 0.0)
            self._prices.append((spec.half_life_ms(kind), points, each))
        caps = spec.caps
        per_day = list(caps.per_day) if caps else []
        in_burst = list(dict.fromkeys(caps.burst.kinds)) if caps and caps.burst else []
        self._capped += [_index(per_day, kind) for kind in spec.points]
        self._bursts += [_index(in_burst, kind) for kind in spec.points]
        first_cap = len(self._caps)
        self._caps += [caps.per_day[kind] for kind in per_day] if caps else []
        contacts = self._layout.dtype.fields[f"measures.{name}.contact"][0].shape if self._of(name, "contact") != NOWHERE else (0,)  # type: ignore[index]
        return _row(p.MEASURE_WIDTH, {
            p.KIND: p.DECAYED, p.FOLDED: spec.from_ == TOPIC, p.ACTORS: _EVERY_ACTOR, p.TOTAL: self._of(name, "total"),
            p.TIMES: self._of(name, "count"), p.STANDS_AT: self._of(name, "at_ms"), p.LAST: self._of(name, "last_ms"),
            p.KINDS: len(spec.points), p.FIRST_PRICE: first, p.CAP_DAY: self._of(name, "day"), p.CAP_USED: self._of(name, "used"),
            p.CAPPED_KINDS: len(per_day), p.FIRST_CAP: first_cap, p.CONTACT_TODAY: self._of(name, "contact_today"),
            p.CONTACT: self._of(name, "contact"), p.CONTACT_DAY: self._of(name, "contact_day"),
            p.CONTACT_USED: self._of(name, "contact_used"), p.CONTACTS: contacts[0], p.BURST_AT: self._of(name, "burst_ms"),
            p.BURST_SEEN: self._of(name, "burst_seen"), p.BURST_WITHIN: caps.burst.within if caps and caps.burst else 0,
            p.BURST_COUNTS: caps.burst.counts_as if caps and caps.burst else 0,
        })  # fmt: skip

    def _count(self, name: str, spec: CountSpec) -> list[int]:
        contents = spec.contents()
        if spec.from_ == TOPIC and set(contents) - {"actor", KINDS[TOPIC]}:
            raise NotPlanned(f"measure {name} looks at fields of {TOPIC} that only Python reads: {', '.join(sorted(contents))}")
        actors = contents.get("actor", ACTORS)
        return _row(p.MEASURE_WIDTH, {
            p.KIND: p.COUNT, p.FOLDED: spec.from_ == TOPIC, p.ACTORS: sum(1 << ACTORS.index(actor) for actor in set(actors)),
            p.AT: self._of(name, "at_ms"), p.NUMBER: self._of(name, "number"), p.FILL: self._of(name, "fill"),
            p.HOLDS: self._of(name, "holds"), p.WINDOW: spec.window,
        })  # fmt: skip

    def _contact_cap(self, name: str) -> float:
        spec = self._document.measures[name]
        return (spec.caps.per_contact_day or inf) if isinstance(spec, DecayedSpec) and spec.caps else inf

    def _windows(self) -> Iterator[list[int]]:
        """Every window, of whatever kind: until when its row is enough."""
        for name in self._names:
            if self._of(name, "holds") != NOWHERE:
                yield [self._of(name, "at_ms"), self._of(name, "holds")]

    def _known_measure(self, name: str, who: str) -> int:
        number = self._names.index(name)
        if not isinstance(self._document.measures[name], DecayedSpec | CountSpec):
            raise NotPlanned(f"{who} asks measure {name}, of a kind that only Python knows")
        return number

    # -- dimensions --------------------------------------------------------------------------------------------------------

    def _dimension(self, name: str) -> list[int]:
        spec, worth = self._document.dimensions[name], self._place(f"dimensions.{name}.micro")
        match spec:
            case TableSpec():
                return [p.KEPT, self._place(f"dimensions.{name}.kept"), NOWHERE, worth]
            case PredictionSpec():
                score = f"{name}.score"
                return [p.PREDICTED, self._of(score, "number"), self._of(score, "known"), worth]
            case LinearSpec():
                return [p.LINEAR, self._known_measure(spec.linear.measure, f"dimension {name}"), NOWHERE, worth]
        raise NotPlanned(f"dimension {name} is of a kind that only Python knows")

    def _dimension_numbers(self, name: str) -> list[float]:
        spec, numbers = self._document.dimensions[name], [float(self._document.score[name]), 0.0, 0.0, 0.0]
        if isinstance(spec, LinearSpec):
            numbers[p.FROM], numbers[p.FACTOR] = spec.linear.from_, 100.0 / (spec.linear.to - spec.linear.from_)
        elif isinstance(spec, PredictionSpec):
            numbers[p.FALLBACK] = spec.fallback
        return numbers

    # -- schemes and clocks ------------------------------------------------------------------------------------------------

    def _schemes(self) -> list[list[int]]:
        rows, first = [], 0
        for scheme in self._policy.schemes:
            columns = [self._place(scheme.column(part)) for part in p.SCHEME_COLUMNS]
            rows.append([*columns, len(scheme.ladder.tiers) - 1, first, len(scheme.triggers)])
            first += len(scheme.triggers)
        return rows

    def _triggers(self) -> tuple[list[list[int]], list[int], list[float]]:
        triggers: list[list[int]] = []
        conditions: list[int] = []
        bounds: list[float] = []
        for scheme in self._policy.schemes:
            for number, trigger in enumerate(self._document.schemes[scheme.name].triggers):
                triggers.append([scheme.triggers[number].tier, len(conditions), len(trigger.when)])
                for name, bound in trigger.when.items():
                    conditions.append(self._known_measure(name, f"a trigger of {scheme.name}"))
                    bounds += [-inf if bound.at_least is None else bound.at_least, inf if bound.at_most is None else bound.at_most]
        return triggers, conditions, bounds

    def _clocks(self) -> list[list[int]]:
        rows, first = [], 0
        for clock in self._policy.clocks:
            spec = self._document.clocks[clock.name]
            scheme = self._scheme_number(clock.scheme)
            parts = [self._place(f"clocks.{clock.name}.{part}") for part in ("reset_ms", "fired_ms", "ceiling", "resting")]
            actor = p.ANY if spec.resets_on.actor is None else ACTORS.index(spec.resets_on.actor)
            kind = p.ANY if spec.resets_on.kind is None else self._kinds.index(spec.resets_on.kind)
            rows.append([scheme, *parts, actor, kind, isinstance(spec.after, dict), first])
            first += len(clock.tiers)
        return rows

    def _clock_limits(self) -> list[int]:
        """For each clock and tier: after how long its consequence follows."""
        return [
            clock.limit_ms(tier) if clock.consequence(tier) is not None else UNBOUNDED
            for clock in self._policy.clocks
            for tier in range(len(clock.tiers))
        ]

    def _scheme_number(self, name: str) -> int:
        return next(number for number, scheme in enumerate(self._policy.schemes) if scheme.name == name)


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else NOWHERE


def _row(width: int, cells: dict[int, Any]) -> list[int]:
    row = [NOWHERE] * width
    for column, number in cells.items():
        row[column] = int(number)
    return row


def _whole(numbers: Any) -> p.Whole:
    return np.array(numbers, np.int64)


def _real(numbers: Any) -> p.Real:
    return np.array(numbers, np.float64)


def _table(rows: Sequence[Sequence[int]], width: int) -> p.Whole:
    return np.array(rows, np.int64).reshape(-1, width)
