"""The kinds of measure. A policy names a kind by the key that only this kind has."""

from collections.abc import Mapping
from typing import Any

from streams.kinds import Locale, Measure, Spec
from streams.measures.change import ChangeSpec
from streams.measures.decayed import DecayedSpec
from streams.measures.latest import LatestSpec
from streams.measures.profile import ProfileSpec
from streams.measures.ratio import RatioSpec
from streams.measures.since import SinceSpec
from streams.measures.windowed import CountSpec, DistinctDaysSpec, MaximumSpec, MeanSpec, SumSpec
from streams.measures.yearly import YearlyWeightedSpec

MEASURE_KINDS: dict[str, type[Spec]] = {
    "points": DecayedSpec,
    "latest": LatestSpec,
    "count": CountSpec,
    "sum": SumSpec,
    "distinct_days": DistinctDaysSpec,
    "maximum": MaximumSpec,
    "mean": MeanSpec,
    "since": SinceSpec,
    "ratio": RatioSpec,
    "change": ChangeSpec,
    "yearly_weighted": YearlyWeightedSpec,
    "profile": ProfileSpec,
}
"""Distinguishing key -> spec of the kind."""


def kind_of(entry: Any) -> str:
    """The kind of a measure as a policy writes it, empty if it has none."""
    return next((kind for kind in MEASURE_KINDS if isinstance(entry, dict) and kind in entry), "")


def compiled(specs: Mapping[str, Any], locale: Locale) -> dict[str, Measure]:
    """Measures by name, in the policy's order; those made of others are compiled from them."""
    measures: dict[str, Measure] = {}
    for name, spec in sorted(specs.items(), key=lambda entry: isinstance(entry[1], RatioSpec)):
        match spec:
            case RatioSpec():
                measures[name] = spec.compile(name, measures)
            case ChangeSpec():
                measures[name] = spec.compile(name, locale, specs[spec.change])
            case _:
                measures[name] = spec.compile(name, locale)
    return {name: measures[name] for name in specs}
