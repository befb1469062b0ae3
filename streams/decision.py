"""The decision: a pipeline in which each stage keeps its own tier, so that taking a stage away gives back what was under it.

    earned (streams/earned.py) -> seated (quota) -> gated (streams/gates.py) -> published (streams/overrides.py)

Seats pass through until a policy can name them; their columns and their place in the trail exist.
"""

from schemas.records import Stage
from streams import earned, gates, overrides
from streams.dossier import Dossier
from streams.earned import Claim, Standing, Verdict
from streams.kinds import Row
from streams.policy.compiled import Scheme


def standing(row: Row, scheme: Scheme) -> Standing:
    """What the row says of the earned tier."""
    return Standing(*(int(row[scheme.column(part)]) for part in ("earned", "since_ms", "stepped_ms")))


def needed(row: Row, scheme: Scheme, claim: Claim, now_ms: int) -> bool:
    """Whether a decision could change anything: the score left its guard band, a lift, ceiling, gate or override moved, a move is due."""
    column = scheme.column
    return (
        not int(row[column("low_micro")]) <= claim.number_micro < int(row[column("high_micro")])
        or claim.lift != int(row[column("lift")])
        or claim.ceiling != int(row[column("clock_ceiling")])
        or gates.gated(scheme, row) != int(row[column("gated")])
        or overrides.published(scheme, row) != int(row[column("published")])
        or now_ms >= int(row[column("pending_ms")])
    )


def judged(row: Row, scheme: Scheme, claim: Claim, now_ms: int) -> Verdict:
    """What the earned tier should be now, and why; nothing is written."""
    says = None if scheme.rating is None else scheme.rating.says(row, now_ms)
    return earned.verdict(scheme.ladder, standing(row, scheme), claim, now_ms, says)


def advance(row: Row, scheme: Scheme, claim: Claim, now_ms: int) -> Verdict:
    """One move at most: the stages' tiers, the pending move and the guard band, written to the row."""
    column, before = scheme.column, standing(row, scheme)
    verdict = judged(row, scheme, claim, now_ms)
    if verdict.tier != before.tier:
        row[column("since_ms")] = row[column("stepped_ms")] = now_ms
    row[column("earned")] = row[column("seated")] = verdict.tier
    row[column("gated")] = gates.gated(scheme, row)
    row[column("published")] = overrides.published(scheme, row)
    row[column("pending_ms")], row[column("lift")], row[column("clock_ceiling")] = verdict.pending_ms, claim.lift, claim.ceiling
    row[column("low_micro")], row[column("high_micro")] = earned.band(scheme.ladder, verdict.tier, claim)
    return verdict


def trail(row: Row, dossier: Dossier, scheme: Scheme, because: str) -> list[Stage]:
    """The stages and their reasons, after `advance`."""
    tiers = scheme.ladder.tiers
    earned_tier, seated, gated, published = (int(row[scheme.column(stage)]) for stage in ("earned", "seated", "gated", "published"))
    return [
        Stage(stage="earned", tier=tiers[earned_tier], because=because),
        Stage(stage="seated", tier=tiers[seated], because="no seats in this scheme"),
        Stage(stage="gated", tier=tiers[gated], because=gates.because(scheme, dossier, seated, gated)),
        Stage(stage="published", tier=tiers[published], because=overrides.because(scheme, row, dossier)),
    ]
