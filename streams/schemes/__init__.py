"""The kinds of scheme: how a ladder of tiers follows from an account. Named by `kind` in the policy."""

from streams.schemes.matrix import MatrixSpec
from streams.schemes.score import ScoreSpec
from streams.schemes.spec import LadderSpec

SCHEME_KINDS: dict[str, type[LadderSpec]] = {"score": ScoreSpec, "matrix": MatrixSpec}
"""Kind -> spec."""
