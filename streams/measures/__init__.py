"""The kinds of measure. A policy names a kind by the key that only this kind has."""

from streams.measures.decayed import DecayedSpec
from streams.measures.latest import LatestSpec

MEASURE_KINDS: dict[str, type[DecayedSpec] | type[LatestSpec]] = {"points": DecayedSpec, "latest": LatestSpec}
"""Distinguishing key -> spec of the kind."""
