"""From a policy to its plan: which of it compiled code knows, or why it knows none of it.

A policy that asks something of interactions that is not here is folded in Python altogether: right, and some fifty times slower.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, get_args

import numpy as np

from schemas.records import Actor
from schemas.topics import INPUTS
from streams.clocks.common import Follows, WarningSpec
from streams.clocks.quiet import QuietSpec
from streams.conditions import LimitsSpec
from streams.dimensions.linear import LinearSpec
from streams.dimensions.prediction import PredictionSpec
from streams.dimensions.table import TableSpec
from streams.forward import plan as p
from streams.forward.cells import NOWHERE, place
from streams.measures.decayed import DecayedSpec, PerUnit
from streams.measures.matching import KINDS, NOUNS, listed
from streams.measures.windowed import CountSpec
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.units import UNBOUNDED, zone_offsets

TOPIC = "interactions"
ACTORS = get_args(Actor)
_FOLLOWS = {"demote": p.DEMOTES, "recycle": p.RECYCLES}


class NotPlanned(Exception):
    """The policy says something that compiled code does not know."""


def planned(policy: CompiledPolicy) -> p.Plan:
    """The plan of a policy. Raises NotPlanned."""
    if TOPIC not in policy.inputs:
        raise NotPlanned(f"it reads no {TOPIC}")
    if policy.watches:
        raise NotPlanned(f"{policy.watches[0].name} is watched, which only Python does")
    for clock in policy.clocks:
        if not isinstance(spec := policy.document.clocks[clock.name], QuietSpec) or not spec.is_plain():
            raise NotPlanned(f"clock {clock.name} is of a kind, or leads to something, that only Python knows")
    return _Planner(policy).plan()


class _Planner:
    """Writes the plan, list by list."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self._policy, self._document, self._layout = policy, policy.document, policy.layout
        self._plan: list[int] = [NOWHERE] * p.HEADER
        self._numbers: list[float] = []
        self._kinds = self._named_kinds()

    def plan(self) -> p.Plan:
        """Everything, by its parts."""
        for at, column in enumerate(p.ACCOUNT_COLUMNS):
            self._plan[at] = self._place(column)
        self._plan[p.REVISION] = self._place("account.revision")
        self._plan[p.MAX_AHEAD], self._plan[p.TOPIC] = self._policy.max_ahead_ms, INPUTS[TOPIC].number
        self._plan[p.FORESEEN], self._plan[p.JUMPS] = self._policy.forecast_horizon_ms, int(self._jumps_unseen())
        self._table(p.MEASURES, p.MEASURE_END, p.MEASURE_WIDTH, [self._measure(name) for name in self._document.measures])
        self._table(p.WINDOWS, p.WINDOW_END, p.WINDOW_WIDTH, self._windows())
        self._table(p.DIMENSIONS, p.DIMENSION_END, p.DIMENSION_WIDTH, [self._dimension(name) for name in self._document.score])
        self._table(p.SCHEMES, p.SCHEME_END, p.SCHEME_WIDTH, [self._scheme(scheme) for scheme in self._policy.schemes])
        self._table(p.CLOCKS, p.CLOCK_END, p.CLOCK_WIDTH, self._clocks())
        self._table(
            p.ZONES, p.ZONE_END, p.ZONE_WIDTH, [list(change) for change in zip(*zone_offsets(self._document.timezone), strict=True)]
        )
        text = [kind.encode() for kind in self._kinds]
        return p.Plan(
            np.array(self._plan, np.int64),
            np.array([*self._numbers, 0.0], np.float64),
            np.frombuffer(b"".join(text), np.uint8).copy(),
            np.cumsum([0, *map(len, text)], dtype=np.int64),
        )

    # -- writing -----------------------------------------------------------------------------------------------------------

    def _table(self, begin: int, end: int, width: int, rows: Sequence[Sequence[int]]) -> None:
        """A list of things, all of the same width; the header says where it lies."""
        assert all(len(row) == width for row in rows), "every row fills its width"
        self._plan[begin] = self._listed([number for row in rows for number in row])
        self._plan[end] = len(self._plan)

    def _listed(self, entries: Sequence[int]) -> int:
        """The place of a list that is written now."""
        at = len(self._plan)
        self._plan += entries
        return at

    def _numbered(self, *reals: float) -> int:
        """The place of real numbers that are written now."""
        at = len(self._numbers)
        self._numbers += reals
        return at

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
        named, within = listed(spec.count), spec.contents().get(KINDS[TOPIC])
        if NOUNS[TOPIC] in named:
            return within
        return [kind for kind in named if within is None or kind in within]

    def _slots(self, spec: Any) -> int:
        """For each kind, and for any other: where the measure counts it."""
        if spec.from_ != TOPIC:
            slots = [NOWHERE] * (len(self._kinds) + 1)
        elif isinstance(spec, DecayedSpec):
            slots = [*(_index(list(spec.points), kind) for kind in self._kinds), NOWHERE]
        else:
            counted = self._counted(spec)
            slots = [0 if counted is None or kind in counted else NOWHERE for kind in self._kinds]
            slots.append(0 if counted is None else NOWHERE)
        return self._listed(slots)

    # -- measures ----------------------------------------------------------------------------------------------------------

    def _measure(self, name: str) -> list[int]:
        spec = self._document.measures[name]
        if isinstance(spec, DecayedSpec):
            return _row(self._decayed(name, spec) | self._caps(name, spec))
        if isinstance(spec, CountSpec):
            return _row(self._count(name, spec))
        if any(measure.name == name for measure in self._policy.measures_of[TOPIC]):  # a change folds what its window folds
            raise NotPlanned(f"measure {name} folds {TOPIC} in a way that only Python knows")
        return _row({p.KIND: p.OTHER, p.FOLDED: 0})

    def _decayed(self, name: str, spec: DecayedSpec) -> dict[int, int]:
        per_unit = [price if isinstance(price, PerUnit) else None for price in spec.points.values()]
        most = [price.at_most if isinstance(price, PerUnit) else float(price) for price in spec.points.values()]
        return {
            p.KIND: p.DECAYED, p.FOLDED: spec.from_ == TOPIC, p.ACTORS: _bits(ACTORS), p.SLOTS: self._slots(spec),
            p.TOTAL: self._of(name, "total"), p.TIMES: self._of(name, "count"), p.STANDS_AT: self._of(name, "at_ms"),
            p.LAST: self._of(name, "last_ms"), p.KINDS: len(spec.points),
            p.HALF_LIVES: self._numbered(*map(spec.half_life_ms, spec.points)), p.PRICES: self._numbered(*most),
            p.PER_SECOND: self._numbered(*(price.per_second_of_dwell if price else 0.0 for price in per_unit)),
        }  # fmt: skip

    def _caps(self, name: str, spec: DecayedSpec) -> dict[int, int]:
        caps = spec.caps
        per_day = caps.per_day if caps else {}
        burst = caps.burst if caps else None
        in_burst = list(dict.fromkeys(burst.kinds)) if burst else []
        contacts = self._layout.dtype[f"measures.{name}.contact"].shape[0] if self._of(name, "contact") != NOWHERE else 0
        return {
            p.CAP_DAY: self._of(name, "day"), p.CAP_USED: self._of(name, "used"), p.CAPPED_KINDS: len(per_day),
            p.CAPPED: self._listed([_index(list(per_day), kind) for kind in spec.points]), p.CAPS: self._numbered(*per_day.values()),
            p.CONTACT_TODAY: self._of(name, "contact_today"), p.CONTACT: self._of(name, "contact"),
            p.CONTACT_DAY: self._of(name, "contact_day"), p.CONTACT_USED: self._of(name, "contact_used"), p.CONTACTS: contacts,
            p.CONTACT_CAP: self._numbered((caps.per_contact_day if caps else None) or inf),
            p.BURSTS: self._listed([_index(in_burst, kind) for kind in spec.points]), p.BURST_AT: self._of(name, "burst_ms"),
            p.BURST_SEEN: self._of(name, "burst_seen"), p.BURST_WITHIN: burst.within if burst else 0,
            p.BURST_COUNTS: burst.counts_as if burst else 0,
        }  # fmt: skip

    def _count(self, name: str, spec: CountSpec) -> dict[int, int]:
        contents = spec.contents()
        if spec.from_ == TOPIC and (others := sorted(set(contents) - {"actor", KINDS[TOPIC]})):
            raise NotPlanned(f"measure {name} looks at what only Python reads of {TOPIC}: {', '.join(others)}")
        return {
            p.KIND: p.COUNT, p.FOLDED: spec.from_ == TOPIC, p.ACTORS: _bits(contents.get("actor", ACTORS)), p.SLOTS: self._slots(spec),
            p.AT: self._of(name, "at_ms"), p.NUMBER: self._of(name, "number"), p.FILL: self._of(name, "fill"),
            p.HOLDS: self._of(name, "holds"), p.WINDOW: spec.window, p.PLACES: self._places(name), p.EXACT: spec.exactly(),
        }  # fmt: skip

    def _windows(self) -> list[list[int]]:
        """Every window, of whatever measure."""
        windowed = [name for name in self._document.measures if self._of(name, "holds") != NOWHERE]
        return [[self._of(name, "at_ms"), self._of(name, "holds"), self._places(name)] for name in windowed]

    def _jumps_unseen(self) -> bool:
        """Whether a measure may jump as time passes that compiled code cannot evaluate."""
        counted = {name for name, spec in self._document.measures.items() if isinstance(spec, CountSpec)}
        return any(measure.jumps and measure.name not in counted for measure in self._policy.measures)

    def _places(self, name: str) -> int:
        """How many entries of a window the row has room for."""
        return int(self._layout.dtype[f"measures.{name}.at_ms"].shape[0])

    def _known_measure(self, name: str, who: str) -> int:
        """The place of a measure that compiled code can evaluate."""
        if not isinstance(self._document.measures[name], DecayedSpec | CountSpec):
            raise NotPlanned(f"{who} asks measure {name}, of a kind that only Python knows")
        return self._plan[p.MEASURES] + list(self._document.measures).index(name) * p.MEASURE_WIDTH

    # -- dimensions, schemes, clocks ---------------------------------------------------------------------------------------

    def _dimension(self, name: str) -> list[int]:
        spec, worth = self._document.dimensions[name], self._place(f"dimensions.{name}.micro")
        weight = self._numbered(self._document.score[name])
        match spec:
            case TableSpec():
                return [p.KEPT, self._place(f"dimensions.{name}.kept"), NOWHERE, worth, weight, NOWHERE, NOWHERE, NOWHERE]
            case PredictionSpec():
                number, known = self._of(f"{name}.score", "number"), self._of(f"{name}.score", "known")
                return [p.PREDICTED, number, known, worth, weight, NOWHERE, NOWHERE, self._numbered(spec.fallback)]
            case LinearSpec():
                measure = self._known_measure(spec.linear.measure, f"dimension {name}")
                low, factor = self._numbered(spec.linear.from_), self._numbered(100.0 / (spec.linear.to - spec.linear.from_))
                return [p.LINEAR, measure, NOWHERE, worth, weight, low, factor, NOWHERE]
        raise NotPlanned(f"dimension {name} is of a kind that only Python knows")

    def _scheme(self, scheme: Scheme) -> list[int]:
        if scheme.rating is not None:
            raise NotPlanned(f"scheme {scheme.name} goes by what only Python knows")
        triggers = []
        for number, trigger in enumerate(self._document.schemes[scheme.name].triggers):
            if trigger.lasts is not None:
                raise NotPlanned(f"a trigger of {scheme.name} lasts, which only Python knows")
            conditions = []
            for name, bound in trigger.when.items():
                if name not in self._document.measures or not isinstance(bound, LimitsSpec):
                    raise NotPlanned(f"a trigger of {scheme.name} asks {name}, which only Python knows")
                limits = [self._numbered(limit) for limit in bound.inclusive()]
                conditions += [self._known_measure(name, f"a trigger of {scheme.name}"), *limits]
            begin = self._listed(conditions)
            triggers += [scheme.triggers[number].tier, begin, begin + len(conditions)]
        rungs = self._listed([number for tier in range(len(scheme.ladder.tiers)) for number in _rung(scheme, tier)])
        begin = self._listed(triggers)
        columns = [self._place(scheme.column(part)) for part in p.SCHEME_COLUMNS]
        ladder = [len(scheme.ladder.tiers) - 1, scheme.ladder.step, rungs, int(scheme.announce_entry)]
        return [*columns, *ladder, begin, begin + len(triggers), *self._override(scheme)]

    def _override(self, scheme: Scheme) -> list[int]:
        """Where the row has tier and expiry, and whether an open risk loses."""
        if scheme.override is None:
            return [NOWHERE, NOWHERE, 0]
        places = [self._place(scheme.column(part)) for part in ("override", "override_until_ms")]
        return [*places, int(scheme.override.beats_risk)]

    def _clocks(self) -> list[list[int]]:
        rows = []
        for clock in self._policy.clocks:
            spec = self._document.clocks[clock.name]
            scheme = next(n for n, scheme in enumerate(self._policy.schemes) if scheme.name == clock.scheme)
            parts = [self._place(f"clocks.{clock.name}.{part}") for part in ("reset_ms", "fired_ms", "ceiling", "resting")]
            actor = p.ANY if spec.resets_on.actor is None else ACTORS.index(spec.resets_on.actor)
            kind = p.ANY if spec.resets_on.kind is None else self._kinds.index(spec.resets_on.kind)
            tiers = range(len(clock.tiers))
            limits = self._listed([clock.limit_ms(tier) if clock.consequence(tier) is not None else UNBOUNDED for tier in tiers])
            follows = self._listed([_follows(clock.consequence(tier)) for tier in tiers])
            at = self._plan[p.SCHEMES] + scheme * p.SCHEME_WIDTH
            rows.append([at, *parts, actor, kind, int(isinstance(spec.after, dict)), limits, follows])
        return rows


def _follows(consequence: Follows | WarningSpec | None) -> int:
    """What follows from a clock, in the plan's words."""
    return p.NONE_FOLLOWS if consequence is None else _FOLLOWS[str(consequence)]


def _rung(scheme: Scheme, tier: int) -> list[int]:
    """What a ladder says of one tier."""
    ladder = scheme.ladder
    enter, leave = ladder.enter_at_micro(tier), ladder.leave_below_micro(tier)
    return [enter, leave, ladder.stay_ms[tier], ladder.pause_ms(tier), int(tier in scheme.hot)]


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else NOWHERE


def _bits(actors: Sequence[str]) -> int:
    """Actors as bits."""
    return sum(1 << ACTORS.index(actor) for actor in set(actors))


def _row(said: dict[int, int]) -> list[int]:
    """A measure's list, NOWHERE where nothing is said."""
    return [int(said.get(at, NOWHERE)) for at in range(p.MEASURE_WIDTH)]
