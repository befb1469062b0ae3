"""The kinds of dimension. A policy names a kind by the key that only this kind has."""

from streams.dimensions.linear import LinearSpec
from streams.dimensions.prediction import PredictionSpec
from streams.dimensions.table import TableSpec

DIMENSION_KINDS: dict[str, type[TableSpec] | type[LinearSpec] | type[PredictionSpec]] = {
    "table": TableSpec,
    "linear": LinearSpec,
    "prediction": PredictionSpec,
}
"""Distinguishing key -> spec of the kind."""
