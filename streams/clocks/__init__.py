"""The kinds of clock: what silence or delay leads to. A policy names a kind by the key that only this kind has."""

from streams.clocks.common import TieredSpec
from streams.clocks.dated import DatedSpec
from streams.clocks.dwelling import DwellSpec
from streams.clocks.quiet import QuietSpec

CLOCK_KINDS: dict[str, type[TieredSpec]] = {"resets_on": QuietSpec, "of": DwellSpec, "before": DatedSpec}
"""Distinguishing key -> spec of the kind."""
