"""Bringing one account's tiers up to its state at one instant: evaluate the score, decide where a decision can change, publish."""

from typing import NamedTuple

import msgspec

from streams import decision
from streams.accounts import Accounts
from streams.dossier import Dossier
from streams.earned import Claim, Verdict
from streams.forward.foresight import foresight
from streams.kinds import Row
from streams.leads import Heat, hot_lead
from streams.lone_account import LoneAccount
from streams.moment import Crossing, Moment, Reason
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.triggers import lift, trigger_text
from streams.units import micro


class Output(NamedTuple):
    """A record to publish: logical topic, key, record. None deletes the key of a compacted topic."""

    topic: str
    key: bytes
    record: msgspec.Struct | None


class Account(NamedTuple):
    """One account among the others of its partition."""

    accounts: Accounts | LoneAccount
    number: int
    row: Row

    def dossier(self) -> Dossier:
        """Its dossier, for reading."""
        return self.accounts.dossier(self.number)

    def dossier_to_change(self) -> Dossier:
        """Its dossier, to be kept."""
        return self.accounts.open_dossier(self.number)


def dimensions_micro(policy: CompiledPolicy, row: Row) -> list[int]:
    """What each dimension was worth when it was last evaluated."""
    return [int(row[f"dimensions.{dimension.name}.micro"]) for dimension in policy.dimensions]


def evaluated(policy: CompiledPolicy, row: Row) -> int:
    """The score at the account's clock; the row keeps what each dimension is worth there."""
    if (compiled := foresight(policy)) is not None:
        return compiled.score(row, int(row["account.clock_ms"]))
    clock_ms, score = int(row["account.clock_ms"]), 0.0
    for dimension, weight in zip(policy.dimensions, policy.weights, strict=True):
        points = dimension.at(row, clock_ms)
        row[f"dimensions.{dimension.name}.micro"] = micro(points)
        score += weight * points
    return micro(score)


def settled(moment: Moment, reason: Reason, account: Account, *, guarded: bool) -> list[Output]:
    """The transitions of every scheme at the account's clock."""
    policy, row, outputs = moment.policy, account.row, list[Output]()
    before = dimensions_micro(policy, row)
    policy.renew(row, account.dossier, int(row["account.clock_ms"]))
    score_micro = evaluated(policy, row)
    for scheme in policy.schemes:
        shown_before_micro, shown_micro = int(row[scheme.column("score_micro")]), shown(scheme, row, score_micro)
        row[scheme.column("score_micro")] = shown_micro
        for trigger in scheme.lasting:
            trigger.observe(row, int(row["account.clock_ms"]))
        claim = claim_of(policy, row, scheme, score_micro)
        if not guarded or decision.needed(row, scheme, claim, int(row["account.clock_ms"])):
            crossing = Crossing(scheme, None, shown_before_micro, shown_micro, before, "")
            outputs += _decided(moment, reason, account, claim, crossing)
    return outputs


def shown(scheme: Scheme, row: Row, score_micro: int) -> int:
    """What is shown as the scheme's score at the account's clock; `score_micro`: the policy's."""
    return score_micro if scheme.rating is None else micro(scheme.rating.points(row, int(row["account.clock_ms"])))


def _decided(moment: Moment, reason: Reason, account: Account, claim: Claim, crossing: Crossing) -> list[Output]:
    """The moves of one scheme, and the hot lead that they make."""
    row, scheme = account.row, crossing.scheme
    published_before, lifted_before = int(row[scheme.column("published")]), int(row[scheme.column("lift")])
    fired = trigger_text(scheme.triggers, row, claim.lift, int(row["account.clock_ms"])) if claim.lift > lifted_before else None
    outputs = _moves(moment, reason, account, claim, crossing, fires=fired is not None)
    heat = Heat(published_before, int(row[scheme.column("published")]), fired)
    if heat.now > heat.before or fired:
        lead = hot_lead(moment, reason, row, account.accounts.dossier(account.number), scheme, heat)
        outputs += [Output("hot-leads", moment.key, lead)] if lead is not None else []
    return outputs


def claim_of(policy: CompiledPolicy, row: Row, scheme: Scheme, score_micro: int) -> Claim:
    """What speaks for a tier at the account's clock; `score_micro`: the policy's score."""
    top, clock_ms = len(scheme.ladder.tiers) - 1, int(row["account.clock_ms"])
    ceiling = min((clock.ceiling(row) for clock in policy.clocks if clock.scheme == scheme.name), default=top)
    number_micro = score_micro if scheme.rating is None else micro(scheme.rating.at(row, clock_ms))
    return Claim(number_micro, lifted(policy, row, scheme, clock_ms), ceiling)


def lifted(policy: CompiledPolicy, row: Row, scheme: Scheme, at_ms: int) -> int:
    """The highest tier that a trigger lifts to at an instant."""
    compiled = foresight(policy)
    return lift(scheme.triggers, row, at_ms) if compiled is None else compiled.lift(row, scheme.name, at_ms)


def _moves(moment: Moment, reason: Reason, account: Account, claim: Claim, crossing: Crossing, *, fires: bool) -> list[Output]:
    """Decide until nothing moves any more at this instant; each published change is a transition of its own."""
    row, scheme, outputs = account.row, crossing.scheme, list[Output]()
    now_ms = int(row["account.clock_ms"])
    while True:
        published_before, earned_before = int(row[scheme.column("published")]), int(row[scheme.column("earned")])
        verdict = decision.advance(row, scheme, claim, now_ms)
        if int(row[scheme.column("published")]) != published_before:
            dossier = account.accounts.dossier(account.number)
            moved = crossing._replace(published_before=published_before, because=verdict.because)
            why = _triggered(reason, claim, verdict, crossing) if fires else reason
            outputs.append(_published(moment, moment.told(moment, why, row, dossier, moved)))
        if verdict.tier in (earned_before, verdict.aim):
            return outputs


def _triggered(reason: Reason, claim: Claim, verdict: Verdict, crossing: Crossing) -> Reason:
    """A record that makes a trigger lift the account is the trigger's record: cause TRIGGER."""
    by_trigger = verdict.tier <= claim.lift and crossing.scheme.ladder.reached(claim.number_micro) < verdict.tier
    if reason.lag_from_ms is None or reason.cause.kind == "LATE" or not by_trigger:
        return reason
    return reason._replace(cause=msgspec.structs.replace(reason.cause, kind="TRIGGER"))


def _published(moment: Moment, record: msgspec.Struct) -> Output:
    return Output("tier-transitions", moment.key, record)


def entries(moment: Moment, reason: Reason, account: Account) -> list[Output]:
    """The entry into each ladder that announces it, of an account that has just been made."""
    outputs, row = [], account.row
    for scheme in moment.policy.schemes:
        row[scheme.column("since_ms")] = row["account.clock_ms"]
        if scheme.announce_entry:
            score_micro = int(row[scheme.column("score_micro")])
            crossing = Crossing(scheme, None, score_micro, score_micro, dimensions_micro(moment.policy, row), entry_text(scheme))
            outputs.append(_published(moment, moment.told(moment, reason, row, account.accounts.dossier(account.number), crossing)))
    return outputs


def entry_text(scheme: Scheme) -> str:
    """Why an account has its first tier."""
    return f"every account enters at {scheme.ladder.tiers[0]}"
