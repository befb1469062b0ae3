"""The kinds of scheme: how a ladder of tiers follows from an account. Named by `kind` in the policy."""

from streams.schemes.bands import BandsSpec
from streams.schemes.lifecycle import LifecycleSpec
from streams.schemes.matrix import MatrixSpec
from streams.schemes.rubric import RubricSpec
from streams.schemes.score import ScoreSpec
from streams.schemes.spec import LadderSpec
from streams.schemes.tracks import TracksSpec
from streams.schemes.weighted import WeightedSpec

SCHEME_KINDS: dict[str, type[LadderSpec]] = {
    "score": ScoreSpec,
    "weighted": WeightedSpec,
    "rubric": RubricSpec,
    "bands": BandsSpec,
    "matrix": MatrixSpec,
    "lifecycle": LifecycleSpec,
    "tracks": TracksSpec,
}
"""Kind -> spec."""
