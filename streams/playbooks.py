"""Playbooks: how an account is to be treated once it has come into a tier, announced where the tier is published.

A playbook is an `actions` record PLAYBOOK: process, team, channel, priority, milestones, tasks. It follows every published change into a
tier that has one, the last one where several happen at the same instant; not the silent entry. Like a lead it wants life: mode LIVE, young,
an account that may be contacted; and nobody starts a programme because a policy was changed (cause POLICY).
"""

from collections.abc import Callable
from itertools import pairwise

from schemas.records import Action, Playbook, Stage, TierTransition
from streams.dossier import Dossier
from streams.kinds import Row
from streams.leads import is_young
from streams.moment import Moment, common, generation
from streams.settling import Output
from streams.transitions import identified

PLAYBOOK = "PLAYBOOK"


def played(moment: Moment, row: Row, dossier: Callable[[], Dossier], outputs: list[Output]) -> list[Output]:
    """What the changes that one step published call for. The dossier is read only if need be."""
    playbooks = moment.policy.playbooks
    if not playbooks or not outputs or dossier().known("do_not_contact") is True:
        return []
    changes = [output.record for output in outputs if isinstance(output.record, TierTransition)]
    last = {(change.scheme, change.effective_at): change for change in changes if change.from_tier is not None}
    return [
        Output("actions", moment.key, _action(moment, row, change, playbook))
        for change in last.values()
        if (playbook := playbooks.get((change.scheme, change.to_tier))) is not None
        and change.cause.kind != "POLICY"
        and is_young(moment, change.effective_at)
    ]


def _action(moment: Moment, row: Row, change: TierTransition, playbook: Playbook) -> Action:
    parts = (PLAYBOOK, change.scheme, moment.account_id, generation(row, moment.partition), str(change.sequence))
    return Action(
        **common(moment, row),
        action_id=identified(moment.application, moment.policy.name, *parts),
        kind=PLAYBOOK,
        name=playbook.process or change.to_tier,
        reason=f"{change.from_tier} to {change.to_tier}: {_deciding(change.trail).because}",
        due_at=change.effective_at,
        lag_ms=change.lag_ms,
        cause=change.cause,
        scheme=change.scheme,
        tier=change.to_tier,
        owner_id=change.owner_id,
        playbook=playbook,
    )


def _deciding(trail: list[Stage]) -> Stage:
    """The last stage that had a say."""
    return next((after for before, after in reversed(list(pairwise(trail))) if before.tier != after.tier), trail[0])
