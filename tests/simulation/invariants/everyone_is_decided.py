"""At the end no decision is outstanding: every account stands where the policy in force puts it, however it came into force."""

from collections.abc import Iterator

from streams import decision
from streams.policy import CompiledPolicy
from streams.settling import claim_of, evaluated
from tests.simulation.evidence import Evidence
from tests.simulation.policies import policy_of, variant_of


def broken(evidence: Evidence) -> Iterator[str]:
    partition, schedule = evidence.world.owners[evidence.number][-1].partition, evidence.schedule
    if (policy := partition.policy).digest != _ordered(evidence).digest:
        yield f"the policy in force is {policy.version}, ordered was {_ordered(evidence).version}"
    if partition.undecided:
        yield f"{partition.undecided} accounts are still to be decided again"
    for account_id in partition.account_ids():
        number = partition._accounts.find(account_id.encode())
        assert number is not None, "it is one of them"
        lone = partition._accounts.alone(number)
        row, now_ms = lone.row(0), int(lone.row(0)["account.clock_ms"])
        policy.renew(row, lambda lone=lone: lone.dossier(0), now_ms)  # type: ignore[misc]
        score_micro = evaluated(policy, row)
        for scheme in policy.schemes:
            if decision.needed(row, scheme, claim_of(policy, row, scheme, score_micro), now_ms):
                yield f"{account_id} is to be decided in {scheme.name}, under {schedule.policy} {policy.version}"


def _ordered(evidence: Evidence) -> CompiledPolicy:
    """The last one that was ordered."""
    changes = evidence.schedule.changes
    return variant_of(evidence.schedule.policy, min(changes).variant) if changes else policy_of(evidence.schedule.policy)
