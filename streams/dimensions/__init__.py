"""The kinds of dimension. A policy names a kind by the key that only this kind has."""

from streams.dimensions.bands import BandsSpec
from streams.dimensions.linear import LinearSpec
from streams.dimensions.percentile import PercentileSpec
from streams.dimensions.prediction import PredictionSpec
from streams.dimensions.rfm import RfmSpec
from streams.dimensions.table import TableSpec
from streams.kinds import Spec

DIMENSION_KINDS: dict[str, type[Spec]] = {
    "table": TableSpec,
    "linear": LinearSpec,
    "bands": BandsSpec,
    "prediction": PredictionSpec,
    "rfm": RfmSpec,
    "percentile": PercentileSpec,
}
"""Distinguishing key -> spec of the kind."""
