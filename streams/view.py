"""One account as people and programs look at it: tiers by stage and why, the score with its ledger, what comes next.

An account is shown as of an instant not before its own clock: the past is in what was published, not here. `known_at` says how far
everything has been folded and decided. If `as_of` lies beyond, time is let pass for a copy: what is shown is what the account will be
if nothing happens until then.
"""

from typing import Any

import msgspec

from streams import decision, overrides
from streams.clocks.health import Health
from streams.clocks.showing import clocks_shown
from streams.dossier import Dossier
from streams.earned import Claim
from streams.forecasting import forecast, imagined
from streams.kinds import Row
from streams.ledger import ledger, score_ledger
from streams.moment import Moment, generation
from streams.passing import passed
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.settling import Account, claim_of, evaluated, shown
from streams.triggers import trigger_text
from streams.units import UNBOUNDED

STAGES = ("earned", "seated", "gated", "published")


def account_view(moment: Moment, account: Account, at_ms: int, known_ms: int) -> dict[str, Any]:
    """JSON-able; instants in epoch ms, scores in micro-points. `at_ms` before the account's clock is taken for its clock.

    `known_ms`: the instant up to which time has been folded for the whole partition.
    """
    then = imagined(account)
    passed(moment, then, at_ms, guarded=True)
    row, policy = then.row, moment.policy
    row["account.clock_ms"] = as_of_ms = max(at_ms, int(row["account.clock_ms"]))
    policy.renew(row, then.dossier, as_of_ms)
    score_micro, dossier = evaluated(policy, row), then.dossier()
    return {
        "account_id": moment.account_id,
        "application": moment.application,
        "partition": moment.partition,
        "generation": generation(row, moment.partition),
        "policy": _policy(policy),
        "records": int(row["account.records"]),
        "clock_at": int(account.row["account.clock_ms"]),
        "known_at": max(known_ms, int(account.row["account.clock_ms"])),
        "as_of": as_of_ms,
        "score_micro": score_micro if policy.dimensions else None,
        "dimensions": {name: int(row[column]) for name, column in zip(policy.document.score, policy.worth_columns, strict=True)},
        "contributions": [msgspec.to_builtins(line) for line in score_ledger(policy, row, dossier, as_of_ms, score_micro).contributions],
        "schemes": {scheme.name: _standing(moment, then, scheme, score_micro) for scheme in policy.schemes},
        "health": next((watch.shown(row) for watch in policy.watches if isinstance(watch, Health)), None),
        "clocks": clocks_shown(policy.clocks, row, then.dossier),
        "owner_id": dossier.owner(),
        "pool": _pool(dossier),
        "profile": {field: known.content for field, known in sorted(dossier.profile.items()) if known.content is not None},
        "open_risks": [
            {"risk_id": risk_id, "kind": risk.kind, "severity": risk.severity, "since_at": risk.at_ms}
            for risk_id, risk in dossier.open_risks()
        ],
    }


def _policy(policy: CompiledPolicy) -> dict[str, Any]:
    """What decides, where its days begin and end, and how far its `points_to_keep` look."""
    return {
        "name": policy.name,
        "version": policy.version,
        "digest": policy.digest,
        "timezone": policy.document.timezone,
        "forecast_horizon_ms": policy.forecast_horizon_ms,
    }


def _pool(dossier: Dossier) -> dict[str, Any] | None:
    """Since when the account is in the pool, why, and whose it was; null: it is not there."""
    pool = dossier.pool
    return None if pool is None else {"since_at": pool.since_ms, "reason": pool.reason, "previous_owner_id": pool.previous_owner}


def _standing(moment: Moment, account: Account, scheme: Scheme, score_micro: int) -> dict[str, Any]:
    """A ladder: the tier of each stage, why, what lifts it, what it would be without a stage, what would lift it, what comes next."""
    row, tiers = account.row, scheme.ladder.tiers
    claim = claim_of(moment.policy, row, scheme, score_micro)
    verdict = decision.judged(row, scheme, claim, int(row["account.clock_ms"]))
    stages = {stage: tiers[int(row[scheme.column(stage)])] for stage in STAGES}
    above = int(row[scheme.column("earned")]) + 1
    coming = forecast(moment, account, scheme)
    return {
        **stages,
        "tiers": list(tiers),
        "rating": _rating(moment, account, scheme),
        "sequence": int(row[scheme.column("sequence")]),
        "effective_at": int(row[scheme.column("effective_at_ms")]),
        "trail": [msgspec.to_builtins(stage) for stage in decision.trail(row, account.dossier(), scheme, verdict.because)],
        "lift": _lift(scheme, row, claim),
        "override": _override(scheme, row, account.dossier()),
        "without": {"gate": _without_gate(scheme, row), "seats": stages["earned"], "override": stages["gated"]},
        "next_tier": {"tier": tiers[above], "points_micro": scheme.ladder.missing_micro(above, claim.number_micro)}
        if above < len(tiers)
        else None,
        "forecast": msgspec.to_builtins(coming) if coming is not None else None,
    }


def _rating(moment: Moment, account: Account, scheme: Scheme) -> dict[str, Any] | None:
    """What the scheme goes by, where that is not the score: in points, and what they are made of."""
    row, clock_ms = account.row, int(account.row["account.clock_ms"])
    if scheme.rating is None:
        return None
    points_micro = shown(scheme, row, 0)
    lines = ledger(moment.policy, scheme, row, account.dossier(), clock_ms, points_micro).contributions
    return {"points_micro": points_micro, "contributions": [msgspec.to_builtins(line) for line in lines]}


def _override(scheme: Scheme, row: Row, dossier: Dossier) -> dict[str, Any] | None:
    """What people have ordered, who and why; null: nothing is in force."""
    override = overrides.in_force(scheme, row, dossier)
    if override is None:
        return None
    return {
        "tier": override.tier,
        "since_at": override.since_ms,
        "until_at": override.until_ms,
        "reason": override.reason,
        "requested_by": override.requested_by,
        "approved_by": override.approved_by,
    }


def _without_gate(scheme: Scheme, row: Row) -> str:
    """What would be published if no risk were open."""
    covered = overrides.until_ms(scheme, row) < UNBOUNDED
    return scheme.ladder.tiers[int(row[scheme.column("override" if covered else "seated")])]


def _lift(scheme: Scheme, row: Row, claim: Claim) -> dict[str, str] | None:
    """The tier that a trigger lifts to, and what it says; null: none holds."""
    if not claim.lift:
        return None
    return {
        "tier": scheme.ladder.tiers[claim.lift],
        "because": trigger_text(scheme.triggers, row, claim.lift, int(row["account.clock_ms"])),
    }
