"""The kinds of scheme: how a ladder of tiers follows from an account. Named by `kind` in the policy."""

from streams.schemes.score import ScoreSpec

SCHEME_KINDS: dict[str, type[ScoreSpec]] = {"score": ScoreSpec}
"""Kind -> spec."""
