"""Hot leads: an account was upgraded into a tier that the policy calls hot, or a trigger began to hold.

A lead wants life: it is published only in mode LIVE, while it is young, and never for an account that must not be contacted.
Young is judged by recorded times alone, so an outage loses no lead, a replay publishes the same and an import starts no campaign.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.records import HotLead
from streams.dossier import Dossier
from streams.kinds import Row
from streams.ledger import Ledger, ledger
from streams.moment import Moment, Reason, common, generation, lag_ms
from streams.policy.compiled import Scheme
from streams.transitions import identified


class Heat(NamedTuple):
    """What made the account hot: the published tiers before and now, and the trigger that began to hold, if one did."""

    before: int
    now: int
    trigger: str | None


def is_young(moment: Moment, effective_at_ms: int) -> bool:
    """Whether acting on it still makes sense."""
    return moment.mode == "LIVE" and moment.reference_ms - effective_at_ms <= moment.policy.act_within_ms


def hot_lead(
    moment: Moment, reason: Reason, row: Row, dossier: Dossier, scheme: Scheme, heat: Heat, lines: Callable[[], Ledger | None] | None = None
) -> HotLead | None:
    """The record for SDRs, None if the account is not hot or must be left alone. `lines`: gives the score's ledger, if known."""
    effective_at_ms = int(row["account.clock_ms"])
    upgraded = heat.now > heat.before and heat.now in scheme.hot
    if not (upgraded or heat.trigger) or not is_young(moment, effective_at_ms) or dossier.known("do_not_contact") is True:
        return None
    policy, tiers, born = moment.policy, scheme.ladder.tiers, generation(row, moment.partition)
    score_micro, sequence = int(row[scheme.column("score_micro")]), int(row[scheme.column("sequence")])
    known = (lines and lines()) or ledger(policy, scheme, row, dossier, effective_at_ms, score_micro)
    evidence = sorted(known.contributions, key=lambda line: -line.micro)
    above = heat.now + 1
    parts = ("hot", policy.name, scheme.name, moment.account_id, born, str(sequence), heat.trigger or "", str(effective_at_ms))
    return HotLead(
        **common(moment, row),
        lead_id=identified(moment.application, *parts),
        scheme=scheme.name,
        sequence=sequence,
        from_tier=tiers[heat.before],
        to_tier=tiers[heat.now],
        score_micro=score_micro,
        evidence=[line for line in evidence if line.micro > 0],
        cause=reason.cause,
        effective_at=effective_at_ms,
        act_before=effective_at_ms + policy.act_within_ms,
        lag_ms=lag_ms(moment, reason, effective_at_ms),
        trigger=heat.trigger,
        next_tier=tiers[above] if above < len(tiers) else None,
        points_to_next_micro=scheme.ladder.missing_micro(above, score_micro),
        owner_id=dossier.owner(),
        campaign_id=reason.campaign_id,
    )
