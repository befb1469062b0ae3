"""Hypothesis strategies for schemes that go by a rating of their own: rubrics, bands, weighted sums, lifecycles, and tracks of them.

They ask of the measures, dimensions and profile fields that tests/worlds.py and tests/histories.py draw.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

TIERS = ["C", "B", "A"]
LADDER = {"tiers": [{"name": name} for name in TIERS]}
TRACKS: dict[str, Any] = {
    "rules": [
        {"track": "lighthouse", "when": {"industry_rank": {"at_most": 3}}},
        {"track": "price", "when": {"industry": ["finance", "retail"], "annual_budget": {"below": 3000000}}},
    ],
    "default": "value",
}
_PROFILE: list[dict[str, Any]] = [
    {"industry": ["finance", "energy"]},
    {"industry_rank": {"at_most": 3}},
    {"annual_budget": {"above": 2000000}},
    {"executive_relation": True},
    {"qualifications": ["a", "b"]},
    {"custom.fit": "good"},
    {"cooperation_since": {"at_least": "365d"}},
    {"cooperation_since": {"below": "1100d"}},
]
_LIMITS = st.sampled_from(
    [{"at_least": 1}, {"above": 0, "at_most": 2}, {"below": 0.5}, {"at_least": "36h"}, {"above": "6h", "below": "3d"}]
)


@st.composite
def _when(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    """One or two conditions."""
    measured = draw(st.dictionaries(st.sampled_from(names), _LIMITS, max_size=1))
    known = draw(st.sampled_from(_PROFILE)) if not measured or draw(st.booleans()) else {}
    return measured | known


@st.composite
def _rubric(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    tiers = [
        {"some": {"weight": 60, "when": draw(_when(names))}, "more": {"weight": 40, "when": draw(_when(names))}}
        if draw(st.booleans())
        else {"all": {"weight": 100, "when": draw(_when(names))}}
        for _ in TIERS[1:]
    ]
    return {"match_at_least": draw(st.sampled_from([0.4, 0.6, 1.0])), "criteria": dict(zip(TIERS[1:], tiers, strict=True))}


@st.composite
def _indicator(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    match draw(st.integers(0, 3)):
        case 0:
            return {
                "of": draw(st.sampled_from(names)),
                "from": draw(st.sampled_from([{"B": 1, "A": 2.5}, {"B": "6h", "A": "36h"}, {"A": 2}])),
            }
        case 1:
            return {"of": draw(st.sampled_from([*names, "industry_rank"])), "up_to": {"B": 20, "A": 3}}
        case 2:
            return {"of": "cooperation_since", "from": {"B": "364d", "A": "1100d"}}
        case _:
            return {"when": {"B": draw(_when(names)), "A": draw(_when(names))}}


@st.composite
def _bands(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    weights = draw(st.sampled_from([[100], [40, 60], [20, 30, 50]]))
    indicators = {f"i{n}": {"weight": weight, **draw(_indicator(names))} for n, weight in enumerate(weights)}
    cut_offs = draw(st.sampled_from(["midpoints", {"B": 41, "A": 80}]))
    return {"points": {"C": 33, "B": 50.5, "A": 90}, "cut_offs": cut_offs, "indicators": indicators}


@st.composite
def _weighted(draw: st.DrawFn, dimensions: Sequence[str]) -> dict[str, Any]:
    named = draw(st.lists(st.sampled_from(dimensions), min_size=1, max_size=2, unique=True))
    weights = dict(zip(named, [1.0] if len(named) == 1 else [0.35, 0.65], strict=True))
    return {"weights": weights, "enter_at": draw(st.sampled_from([{"B": 10, "A": 50}, {"B": 33.3, "A": 99}]))}


@st.composite
def _lifecycle(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    times = {"new_for": draw(st.sampled_from(["1ms", "6h", "2d"])), "lost_after": draw(st.sampled_from(["12h", "1d", "40d"]))}
    more = draw(st.fixed_dictionaries({}, optional={"seasonal": st.just({"years": 2, "months": 3}), "kept_by": _when(names)}))
    stages = {"tiers": [{"name": name} for name in ("potential", "lost", "new", "active")]}
    return {"kind": "lifecycle", **stages, "purchases": {"from": "orders", "status": ["PAID"]}, **times, **more}


@st.composite
def rated(draw: st.DrawFn, measures: Sequence[str], dimensions: Sequence[str]) -> dict[str, Any]:
    """A scheme of one of these kinds; one of kind `tracks` grades in `TRACKS`."""
    names = [*measures, *dimensions]
    models = {"rubric": _rubric(names), "bands": _bands(names), "weighted": _weighted(dimensions)}
    match draw(st.sampled_from([*models, "lifecycle", "tracks"])):
        case "lifecycle":
            return draw(_lifecycle(names))
        case "tracks":
            tracks = {}
            for track in ("value", "lighthouse", "price"):
                kind = draw(st.sampled_from(list(models)))
                tracks[track] = {kind: draw(models[kind])}
            return {"kind": "tracks", **LADDER, "tracks": tracks}
        case kind:
            return {"kind": kind, **LADDER, **draw(models[kind])}
