"""Hypothesis strategies for worlds that laws hold in: policies, shipped and generated, with what happens under them (tests/histories)."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from schemas.records import Event
from streams.policy import CompiledPolicy
from tests.folding import JUDGED, SHIPPED, judged_by_the_oracle, policy_of, shipped
from tests.histories import INTERACTIONS, RISKS, logs, looks
from tests.rated import TRACKS, rated

_POINTS = st.one_of(st.integers(-30, 60).map(float), st.floats(-50, 50, allow_subnormal=False))
_HALF_LIFE = st.sampled_from(["none", "none", "1h", "12h", "3d", "30d"])

# -- policies ----------------------------------------------------------------------------------------------------------


@st.composite
def _decayed(draw: st.DrawFn, capped: bool, understood: bool) -> dict[str, Any]:
    topic, kinds = draw(st.sampled_from([("interactions", INTERACTIONS[:-1]), ("orders", ("PLACED", "PAID", "REFUNDED"))]))
    points: dict[str, Any] = draw(st.dictionaries(st.sampled_from(kinds), _POINTS, min_size=1))
    if "VISIT" in points and draw(st.booleans()):
        points["VISIT"] = {"per_second_of_dwell": draw(st.sampled_from([0.02, 0.1, 1.7])), "at_most": draw(st.sampled_from([2, 15.5]))}
    measure: dict[str, Any] = {"from": topic, "points": points, "half_life": draw(_HALF_LIFE)}
    if draw(st.booleans()):
        measure["half_life"] = {"default": measure["half_life"], draw(st.sampled_from(sorted(points))): draw(_HALF_LIFE)}
    if capped and draw(st.booleans()):
        measure["caps"] = {"per_day": {kind: draw(st.sampled_from([1, 10, 25.5])) for kind in sorted(points)[:2]}}
        if not understood:
            measure["caps"] |= draw(st.sampled_from([{}, {"per_contact_day": 12.5}]))
            measure["caps"] |= draw(st.sampled_from([{}, {"burst": {"kinds": sorted(points)[:1], "within": "1h"}}]))
    return measure


_WINDOWS = st.sampled_from(["1ms", "6h", "1d", "3d"])
_PAID = {"from": "orders", "status": ["PAID"]}
_VISITS = {"from": "interactions", "where": {"kind": ["VISIT", "DOWNLOAD"]}}


@st.composite
def _windowed(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(
        st.sampled_from([{"count": "order"}, {"sum": "amount"}, {"maximum": "amount"}, {"mean": "amount"}, {"distinct_days": "order"}])
    )
    visits = [{"count": "interaction"}, {"count": ["VISIT"]}, {"sum": "dwell_seconds"}, {"distinct_days": "VISIT"}]
    base = draw(st.sampled_from([{**_PAID, **what}, {**_VISITS, **draw(st.sampled_from(visits))}]))
    return {**base, "window": draw(_WINDOWS)}


@st.composite
def _over_time(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Measures of every kind that time alone can move; `w` is there for the others."""
    drawn = {"w": draw(_windowed()), "since": {**draw(st.sampled_from([_PAID, _VISITS])), "since": "last"}}
    if draw(st.booleans()):
        drawn["visits"] = {**_VISITS, "count": "interaction", "window": draw(_WINDOWS)}
        drawn["ratio"] = {"ratio": "w", "to": "visits", "while_zero": draw(st.sampled_from([0, 7.5]))}
        drawn["change"] = {"change": "visits", "over": draw(_WINDOWS)}
    return drawn


_LATEST = st.sampled_from([{"from": "tickets", "latest": "satisfaction"}, {"from": "orders", "latest": "amount_minor"}])
_TABLE = {
    "table": {
        "industry": {"weight": 55, "values": {"finance": 100, "retail": 33.3, "other": 7}},
        "qualifications": {"weight": 30, "each": 30},
        "custom.fit": {"weight": 15, "values": {"good": 66.6}},
    }
}


_STEPS = [{"below": 0.5, "points": 10}, {"below": 2, "points": 66.6}, {"below": "36h", "points": 100}, {"points": 33}]


@st.composite
def _dimension(draw: st.DrawFn, measures: Sequence[str], understood: bool) -> dict[str, Any]:
    match draw(st.integers(0, 6) if not understood else st.sampled_from([0, 1, 4, 5, 6])):
        case 0:
            return _TABLE
        case 2:
            return {"bands": {"measure": draw(st.sampled_from(measures)), "steps": _STEPS}}
        case 3:
            parts = {part: {"measure": draw(st.sampled_from(measures))} for part in ("recency", "frequency", "monetary")}
            parts["recency"] |= {"weight": 0.5, "best": "low", "breakpoints": ["1h", "1d", "3d"]}
            parts["frequency"] |= {"weight": 0.3, "breakpoints": [1, 3, 9]}
            parts["monetary"] |= {"weight": 0.2, "steps": _STEPS}
            return {"rfm": parts}
        case 1:
            return {"prediction": "conversion", "fallback": draw(st.sampled_from([0, 50, 99.9]))}
        case _:
            low = draw(st.sampled_from([0, -20, 1.5]))
            stretch = {"measure": draw(st.sampled_from(measures)), "from": low, "to": low + draw(st.sampled_from([10, 33.3, 100, 1000]))}
            return {"linear": stretch}


@st.composite
def _ladder(draw: st.DrawFn, bare: bool) -> dict[str, Any]:
    enters = sorted(draw(st.sets(st.integers(1, 99), min_size=1, max_size=4)))
    tiers: list[dict[str, Any]] = [{"name": "T0"}]
    below = 0.0
    for number, enter in enumerate(enters, 1):
        leave = draw(st.floats(below, enter, exclude_min=number > 1)) if draw(st.booleans()) else float(enter)
        tiers.append({"name": f"T{number}", "enter_at": enter, "leave_below": leave})
        below = leave
    risky = st.dictionaries(st.sampled_from(RISKS[:2]), st.sampled_from([tier["name"] for tier in tiers]))
    risk_kinds = {} if bare else draw(risky)
    return {
        "kind": "score",
        "tiers": tiers,
        "announce_entry": draw(st.booleans()),
        "risk": {kind: {"ceiling": ceiling} for kind, ceiling in risk_kinds.items()},
    }


_OVERRIDES = st.fixed_dictionaries(
    {"at_most": st.just("400d"), "beats_risk": st.booleans(), "approver_required": st.sampled_from([True, True, False])}
)


@st.composite
def _matrix(draw: st.DrawFn, measures: Sequence[str], dimensions: Sequence[str]) -> dict[str, Any]:
    """A ladder by what two things are put into classes of."""
    source = st.sampled_from([*({"measure": name} for name in measures), *({"dimension": name} for name in dimensions)])
    rows = {**draw(source), "classes": ["low", "high"], "limits": [draw(st.sampled_from([1, 30, 60]))]}
    columns = {**draw(source), "classes": ["small", "middle", "large"], "limits": [0.5, draw(st.sampled_from([3, 50]))]}
    tiers = ["C", "B", "A"]
    cells = draw(st.lists(st.lists(st.sampled_from(tiers), min_size=3, max_size=3), min_size=2, max_size=2))
    return {"kind": "matrix", "tiers": [{"name": name} for name in tiers], "rows": rows, "columns": columns, "cells": cells}


@st.composite
def _watches(draw: st.DrawFn, measures: Sequence[str], dimensions: Sequence[str], schemes: Sequence[str]) -> dict[str, Any]:
    """Alerts and health, each drawn or not."""
    scheme = draw(st.sampled_from(schemes))
    limits = st.sampled_from([{"at_least": 1}, {"above": 2, "at_most": 50}, {"below": 0.5}])
    when = draw(st.dictionaries(st.sampled_from([*measures, *dimensions]), limits, min_size=1, max_size=2))
    alerts = {"alert": {"scheme": scheme, "when": when, "then": {"action": "look"}}} if draw(st.booleans()) else {}
    health = {"scheme": scheme, "of": {draw(st.sampled_from(dimensions)): 1.0}, "drop": 5, "within": "2d", "then": {"action": "wake"}}
    return {"alerts": alerts, "health": health if draw(st.booleans()) else None}


@st.composite
def _playbooks(draw: st.DrawFn, schemes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How accounts of some tiers are treated."""
    tiers = [(name, tier["name"]) for name, scheme in schemes.items() for tier in scheme["tiers"]]
    played = draw(st.lists(st.sampled_from(tiers), max_size=4, unique=True))
    return {name: {tier: {"process": f"{name} {tier}"} for of, tier in played if of == name} for name in schemes}


_LIMITS = st.sampled_from(["1ms", "1h", "12h", "1d", "3d"])


@st.composite
def _patience(draw: st.DrawFn, ladder: dict[str, Any], measures: Sequence[str]) -> dict[str, Any]:
    """The ladder with a minimum stay, steps, triggers and hot tiers, each drawn or not."""
    names = [tier["name"] for tier in ladder["tiers"]]
    tiers = [tier | draw(st.sampled_from([{}, {"minimum_stay": "6h"}, {"minimum_stay": "2d"}])) for tier in ladder["tiers"]]
    steps = draw(st.sampled_from([None, {"at_most": 1, "every": "0s"}, {"at_most": 1, "every": "1d"}, {"at_most": 2}]))
    bound = st.sampled_from([{"at_least": 1}, {"at_least": 2}, {"at_least": 1, "at_most": 5}, {"at_most": 0.5}])
    when = st.dictionaries(st.sampled_from(measures), bound, min_size=1, max_size=2)
    trigger = st.fixed_dictionaries({"when": when, "lift_to": st.sampled_from(names)}, optional={"lasts": _LIMITS})
    more = {"hot": draw(st.lists(st.sampled_from(names), max_size=2, unique=True)), "triggers": draw(st.lists(trigger, max_size=2))}
    return {**ladder, "tiers": tiers, **more, **({"steps": steps} if steps else {})}


@st.composite
def _clocks(draw: st.DrawFn, schemes: dict[str, dict[str, Any]], understood: bool) -> dict[str, Any]:
    """Up to two quiet clocks, with one limit and consequence or each tier its own; clocks that only warn, if the oracle need not know."""
    clocks = {}
    for name in draw(st.sets(st.sampled_from(["silence", "owner_update"]))):
        scheme = draw(st.sampled_from(sorted(schemes)))
        tiers = [tier["name"] for tier in schemes[scheme]["tiers"]]
        then = st.sampled_from(["demote", "recycle"] if understood else ["demote", "recycle", {"action": "look"}])
        actor = draw(st.sampled_from(["CUSTOMER", "OWNER"]))
        clocks[name] = {
            "scheme": scheme,
            "resets_on": {"actor": actor} | draw(st.sampled_from([{}, {"kind": "VISIT"}])),
            "after": draw(_LIMITS | st.dictionaries(st.sampled_from(tiers), _LIMITS, min_size=1)),
            "then": draw(then | st.fixed_dictionaries(dict.fromkeys(tiers, then))),
        }
    return clocks if understood else clocks | draw(_warnings(sorted(schemes)[0], schemes))


@st.composite
def _warnings(draw: st.DrawFn, scheme: str, schemes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Clocks that only warn: of silence without substance or in business days, of stays, of dates."""
    tiers, then = [tier["name"] for tier in schemes[scheme]["tiers"]], {"scheme": scheme, "then": {"action": "look"}}
    limits = _LIMITS | st.dictionaries(st.sampled_from(tiers), _LIMITS, min_size=1)
    substance = draw(st.sampled_from([[], [{"kinds": ["VISIT"], "dwell_seconds": 5}, {"contact": "another"}]]))
    made = {
        "cadence": then | {"resets_on": {"actor": "OWNER", "substance": substance}, "after": draw(limits)},
        "answer": then | {"resets_on": {}, "after": "2d", "business_days": True},
        "dwell": then | {"of": "opportunities", "after": draw(limits)},
        "birthday": then | {"before": "cooperation_since", "ahead": draw(limits), "early": {"by": "1d"}},
    }
    return {name: made[name] for name in draw(st.sets(st.sampled_from(sorted(made)), max_size=2))}


@st.composite
def policies(draw: st.DrawFn, capped: bool = True, bare: bool = False, understood: bool = False) -> CompiledPolicy:
    """Policies of every kind there is; on request without caps, moved by score alone, or only of the kinds that the oracle understands."""
    measures = {f"m{n}": draw(_decayed(capped, understood)) for n in range(draw(st.integers(1, 3)))}
    measures["last"] = draw(_LATEST)
    if not understood:
        measures |= draw(_over_time())
    dimensions = {f"d{n}": draw(_dimension(sorted(measures), understood)) for n in range(draw(st.integers(1, 4)))}
    schemes = {f"s{n}": draw(_ladder(bare)) for n in range(draw(st.integers(1, 2)))}
    if not (bare or understood) and draw(st.sampled_from([True, True, False])):
        schemes = {name: draw(_patience(ladder, sorted(measures))) for name, ladder in schemes.items()}
    if not bare:
        schemes = {name: ladder | draw(st.sampled_from([{}, {}, {"override": draw(_OVERRIDES)}])) for name, ladder in schemes.items()}
    if not (bare or understood) and draw(st.sampled_from([True, False, False, False])):
        schemes["cells"] = draw(_patience(draw(_matrix(sorted(measures), sorted(dimensions))), sorted(measures)))
    if not (bare or understood) and draw(st.sampled_from([True, False, False])):
        schemes["rated"] = draw(_patience(draw(rated(sorted(measures), sorted(dimensions))), sorted(measures)))
    watches: dict[str, Any] = {}
    if not (bare or understood) and draw(st.sampled_from([True, False, False, False])):
        watches = draw(_watches(sorted(measures), sorted(dimensions), sorted(schemes)))
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=len(dimensions) - 1, max_size=len(dimensions) - 1)))
    shares = [high - low for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]
    return policy_of(
        timezone=draw(st.sampled_from(["UTC", "Asia/Shanghai"])),
        measures=measures,
        dimensions=dimensions,
        score={name: share / 100 for name, share in zip(dimensions, shares, strict=True)},
        schemes=schemes,
        tracks=TRACKS if any(scheme["kind"] == "tracks" for scheme in schemes.values()) else None,
        **watches,
        playbooks={} if bare or understood else draw(_playbooks(schemes)),
        clocks={} if bare else draw(_clocks(schemes, understood)),
        lateness=draw(st.sampled_from(["0s", "0s", "10m"])),
    )


def any_policy(capped: bool = True, bare: bool = False, understood: bool = False) -> st.SearchStrategy[CompiledPolicy]:
    """The shipped policies, and generated ones; of those the oracle understands, the tests' own."""
    if understood:
        return st.one_of(st.sampled_from([judged_by_the_oracle(path.stem) for path in JUDGED]), policies(capped, bare, understood))
    ready = [shipped(path.stem) for path in SHIPPED]
    suited = [policy for policy in ready if capped or not _has_caps(policy)]
    return policies(capped, bare) if bare else st.one_of(st.sampled_from(suited), policies(capped))


def _has_caps(policy: CompiledPolicy) -> bool:
    return any(getattr(spec, "caps", None) for spec in policy.document.measures.values())


# -- both ----------------------------------------------------------------------------------------------------------------

World = tuple[CompiledPolicy, list[Event]]
TickedWorld = tuple[CompiledPolicy, list[Event], list[int | None]]


@st.composite
def policies_with_logs(
    draw: st.DrawFn, capped: bool = True, bare: bool = False, understood: bool = False, **how: Any
) -> tuple[CompiledPolicy, list[Event]]:
    """A policy and a log that it has a use for."""
    policy = draw(any_policy(capped, bare, understood))
    return policy, draw(logs(policy, **how))


@st.composite
def ticked_worlds(
    draw: st.DrawFn, capped: bool = True, bare: bool = False, **how: Any
) -> tuple[CompiledPolicy, list[Event], list[int | None]]:
    """A policy, a log, and for each of its records the tick that comes before it, if any."""
    policy, log = draw(policies_with_logs(capped, bare, **how))
    return policy, log, draw(looks(policy, log))
