"""One account as people and programs look at it: tiers by stage, score with its ledger, profile and open risks."""

from typing import Any

import msgspec

from streams.dossier import Dossier
from streams.kinds import Row
from streams.ledger import ledger
from streams.moment import generation
from streams.policy.compiled import CompiledPolicy, Scheme

STAGES = ("earned", "seated", "gated", "published")


def account_view(policy: CompiledPolicy, account_id: str, partition: int, row: Row, dossier: Dossier) -> dict[str, Any]:
    """JSON-able; instants in epoch ms, scores in micro-points, as of the account's own clock."""
    clock_ms = int(row["account.clock_ms"])
    score_micro = int(row[policy.schemes[0].column("score_micro")])
    lines = ledger(policy, row, dossier, clock_ms, score_micro)
    return {
        "account_id": account_id,
        "partition": partition,
        "generation": generation(row, partition),
        "policy": {"name": policy.name, "version": policy.version, "digest": policy.digest},
        "records": int(row["account.records"]),
        "clock_at": clock_ms,
        "score_micro": score_micro,
        "dimensions": {dimension.name: int(row[column]) for dimension, column in zip(policy.dimensions, policy.worth_columns, strict=True)},
        "contributions": [msgspec.to_builtins(line) for line in lines.contributions],
        "schemes": {scheme.name: _standing(row, scheme) for scheme in policy.schemes},
        "profile": {field: known.content for field, known in sorted(dossier.profile.items()) if known.content is not None},
        "open_risks": [
            {"risk_id": risk_id, "kind": risk.kind, "severity": risk.severity, "since_at": risk.at_ms}
            for risk_id, risk in dossier.open_risks()
        ],
    }


def _standing(row: Row, scheme: Scheme) -> dict[str, Any]:
    stages = {stage: scheme.ladder.tiers[int(row[scheme.column(stage)])] for stage in STAGES}
    return {**stages, "sequence": int(row[scheme.column("sequence")]), "effective_at": int(row[scheme.column("effective_at_ms")])}
