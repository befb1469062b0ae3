"""The decision: a pipeline in which each stage keeps its own tier, so that taking a stage away gives back what was under it.

    earned (ladder, hysteresis) -> seated (quota) -> gated (risk ceiling) -> published (override)

Seats and overrides pass through until a policy can name them; their columns and their places in the trail exist.
"""

from schemas.records import Stage
from streams import gates
from streams.dossier import Dossier
from streams.kinds import Row
from streams.policy.compiled import Scheme


def decide(row: Row, scheme: Scheme, score_micro: int) -> tuple[int, int]:
    """Run the stages and write each tier and the guard band. Returns the earned tier before, and the published one before."""
    column = scheme.column
    earned_before, published_before = int(row[column("earned")]), int(row[column("published")])
    earned = scheme.ladder.earned(score_micro, earned_before)
    seated = earned
    gated = min(seated, int(row[column("ceiling")]))
    for stage, tier in (("earned", earned), ("seated", seated), ("gated", gated), ("published", gated)):
        row[column(stage)] = tier
    row[column("low_micro")], row[column("high_micro")] = scheme.ladder.band(earned)
    return earned_before, published_before


def outside_guard(row: Row, scheme: Scheme, score_micro: int) -> bool:
    """Whether the score left the interval inside which no decision can change."""
    return not int(row[scheme.column("low_micro")]) <= score_micro < int(row[scheme.column("high_micro")])


def trail(row: Row, dossier: Dossier, scheme: Scheme, score_micro: int, earned_before: int) -> list[Stage]:
    """The stages and their reasons, after `decide`."""
    earned, seated, gated = (int(row[scheme.column(stage)]) for stage in ("earned", "seated", "gated"))
    tiers = scheme.ladder.tiers
    return [
        Stage(stage="earned", tier=tiers[earned], because=scheme.ladder.because(score_micro, earned_before, earned)),
        Stage(stage="seated", tier=tiers[seated], because="no seats in this scheme"),
        Stage(stage="gated", tier=tiers[gated], because=gates.because(scheme, dossier, seated, gated)),
        Stage(stage="published", tier=tiers[gated], because="no override"),
    ]
