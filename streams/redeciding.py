"""What a change of policy does to the accounts of a partition: their rows laid out anew, then each decided as of the same instant.

The decision is the one that time makes: every ladder has a move pending at that instant, so compiled code and Python decide as for a
tick. What follows is told with the cause POLICY; leads and calls to act are not, however young.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.changelog import PolicyKept
from schemas.records import Action, Cause, HotLead, Mode, TierTransition
from streams import earned, gates, overrides
from streams.account import AccountFold
from streams.accounts import Accounts
from streams.activation import cause
from streams.again import Again
from streams.breaches import resolution
from streams.carrying import carried
from streams.changing import Change
from streams.clocks.common import Clock, Ended
from streams.forecasting import foretold
from streams.kinds import Row
from streams.lone_account import LoneAccount
from streams.moment import Crossing, Moment, Reason
from streams.packed_rows import load_row
from streams.passing import passed
from streams.policy.compiled import Scheme
from streams.settling import Account, Output, claim_of, dimensions_micro, evaluated, shown
from streams.transitions import account_tiers, transition
from streams.units import UNBOUNDED
from streams.view import account_view


def relaid(accounts: Accounts, change: Change) -> Again:
    """Lay all rows out for the new policy; every account is to be decided again."""
    rows, numbers, row = accounts.memory().rows, accounts.numbers, change.scratch(accounts.layout)
    found, gone = carried(change.plan(accounts.layout), row, rows, change.after.layout, numbers, change.since_ms)
    names = {}
    for number in gone.tolist():
        load_row(rows, number, row.before)
        names[number] = tiers_gone(change, row.before.view(accounts.layout.dtype)[0])
    accounts.lay_out(change.after.layout, found)
    accounts.memory().deadlines[:numbers] = UNBOUNDED
    return Again(accounts, change, np.arange(numbers, dtype=np.int64), names)


def touched(accounts: Accounts) -> NDArray[np.int64]:
    """The accounts whose rows the changelog does not have yet, in order of first touch."""
    memory = accounts.memory()
    numbers = memory.touched_list[: int(memory.touched_count[0])].astype(np.int64)
    fresh: NDArray[np.int64] = numbers[memory.touched[numbers] == 1]
    return fresh


def tiers_gone(change: Change, before: Row) -> dict[str, str]:
    """Of a row of the policy before: the tiers that it stands on, or has earned, and that are no more. By ladder."""
    found = {}
    for scheme, tiers in change.ladders:
        published, earned_tier = (tiers[int(before[f"schemes.{scheme.name}.{part}"])] for part in ("published", "earned"))
        if not {published, earned_tier} <= set(scheme.ladder.tiers):
            found[scheme.name] = published
    return found


Over = list[tuple[Clock, Ended]]
"""Announced breaches that a change ends, each of a clock of the policy before."""


def prepare(change: Change, accounts: Accounts | LoneAccount, number: int) -> Over:
    """What a row laid out anew lacks before the account is decided: what follows from its dossier, and its clocks; what that ends."""
    row, dossier, over = accounts.row(number), accounts.dossier(number), Over()
    if dossier.overdue and change.resumed:
        dossier = accounts.open_dossier(number)
    if change.recalls:
        change.after.recall(row, dossier)
        gates.recall_ceilings(change.after.schemes, row, dossier)
    overrides.recall(change.after.schemes, row, dossier)
    for resumed in change.resumed:
        ended = resumed.clock.resume(row, dossier, resumed.tiers)
        over += [(resumed.before, each) for each in ended if resumed.before is not None]
    if change.begins:
        for each in change.after.clocks:
            each.recall(row, dossier)
    return over


def regraded(moment: Moment, reason: Reason, account: Account, change: Change, names: dict[str, str]) -> list[Output]:
    """An account on tiers that are gone (by ladder) gets those that its score gives, whatever it had; what is published."""
    row, outputs, tiers = account.row, list[Output](), {scheme.name: before for scheme, before in change.ladders}
    before = dimensions_micro(moment.policy, row)
    moment.policy.renew(row, account.dossier, int(row["account.clock_ms"]))
    score_micro = evaluated(moment.policy, row)
    for scheme in moment.policy.schemes:
        if scheme.name in names:
            was_micro, shown_micro = int(row[scheme.column("score_micro")]), shown(scheme, row, score_micro)
            row[scheme.column("score_micro")] = shown_micro
            because = _placed(moment, row, scheme, score_micro)
            if (name := names[scheme.name]) != scheme.ladder.tiers[int(row[scheme.column("published")])]:
                crossing = Crossing(scheme, None, was_micro, shown_micro, before, because)
                record = transition(moment, reason, row, account.dossier(), crossing)
                outputs.append(Output("tier-transitions", moment.key, _from(record, tiers[scheme.name], scheme, name)))
    return outputs


def _placed(moment: Moment, row: Row, scheme: Scheme, score_micro: int) -> str:
    """Put the account where its score puts it, without patience; why."""
    claim = claim_of(moment.policy, row, scheme, score_micro)
    tier, now_ms = earned.aim(scheme.ladder, 0, claim), int(row["account.clock_ms"])
    row[scheme.column("since_ms")], row[scheme.column("stepped_ms")] = now_ms, -1
    row[scheme.column("earned")] = row[scheme.column("seated")] = tier
    row[scheme.column("gated")] = gates.gated(scheme, row)
    row[scheme.column("published")] = overrides.published(scheme, row)
    return f"the policy has another ladder: its score gives {scheme.ladder.tiers[tier]}"


def _from(record: TierTransition, tiers: tuple[str, ...], scheme: Scheme, name: str) -> TierTransition:
    """From a tier of the old ladder. Of tiers of two ladders the one with more below it is the higher; a tie is UP."""
    up = scheme.ladder.tiers.index(record.to_tier) >= tiers.index(name)
    return msgspec.structs.replace(record, from_tier=name, direction="UP" if up else "DOWN")


class Deciding:
    """Some accounts, decided again by the policy in force, in mode and at a time."""

    def __init__(self, fold: AccountFold, accounts: Accounts, again: Again, kept: PolicyKept, mode: Mode, decided_at_ms: int) -> None:
        self._fold, self._accounts, self._again, self._kept = fold, accounts, again, kept
        self._mode, self._decided_at_ms = mode, decided_at_ms

    def prepared(self, numbers: NDArray[np.int64]) -> dict[int, list[Output]]:
        """Everything that must be done before time decides; what is published of accounts on tiers that are gone."""
        again, outputs = self._again, dict[int, list[Output]]()
        if again.change.is_slow or again.gone:
            for number in numbers.tolist():
                outputs[number] = self._prepared(self._accounts, number, again.gone.get(number, {}))
        return outputs

    def _prepared(self, accounts: Accounts | LoneAccount, number: int, names: dict[str, str]) -> list[Output]:
        over = prepare(self._again.change, accounts, number)
        if not names and not over:
            return []
        moment, account = self._about(accounts, number)
        reason = Reason(self._cause(moment))
        outputs = [output for clock, ended in over for output in resolution(moment, reason, account, clock, ended)]
        return outputs + (regraded(moment, reason, account, self._again.change, names) if names else [])

    def _about(self, accounts: Accounts | LoneAccount, number: int) -> tuple[Moment, Account]:
        account = Account(accounts, number, accounts.row(number))
        return self._fold.moment(account, self._mode, self._decided_at_ms, UNBOUNDED), account

    def _cause(self, moment: Moment) -> Cause:
        return cause(moment.policy, moment.partition, self._kept)

    def told(self, numbers: NDArray[np.int64], before: dict[int, list[Output]], decided: dict[int, list[Output]]) -> list[Output]:
        """All that is published, account by account."""
        found, tells_all = [], self._again.change.tells_all
        for number in numbers.tolist() if tells_all or before else decided:
            outputs = [*before.get(number, ()), *decided.get(number, ())]
            if not outputs and not tells_all:
                continue
            moment, account = self._about(self._accounts, number)
            outputs = told(self._cause(moment), self._kept.appended_at_ms, outputs)
            if before.get(number):
                outputs = foretold(moment, account, outputs)
            found += retold(moment, account, outputs) if tells_all else outputs
        return found

    def view(self, number: int, at_ms: int, known_ms: int) -> dict[str, Any]:
        """An account that is still to be decided, as it will be then: on a copy."""
        lone = self._accounts.alone(number)
        self._prepared(lone, number, self._again.gone.get(number, {}))
        moment, account = self._about(lone, 0)
        passed(moment, account, self._again.change.since_ms, guarded=True)
        return account_view(moment, account, at_ms, known_ms)


def told(why: Cause, appended_at_ms: int, outputs: list[Output]) -> list[Output]:
    """What a decision gave, as what it is: a change of policy, on which nobody is to act."""
    return [_as_change(why, appended_at_ms, output) for output in outputs if not _calls(output.record)]


def _calls(record: msgspec.Struct | None) -> bool:
    """Whether somebody is asked to act; that a breach is over asks nothing, and somebody waits for it."""
    return isinstance(record, HotLead) or (isinstance(record, Action) and record.resolves is None)


def _as_change(why: Cause, appended_at_ms: int, output: Output) -> Output:
    record = output.record
    if not isinstance(record, TierTransition | Action):
        return output
    return output._replace(record=msgspec.structs.replace(record, cause=why, lag_ms=record.decided_at - appended_at_ms))


def retold(moment: Moment, account: Account, outputs: list[Output]) -> list[Output]:
    """The outputs, and where the account stands if they do not say so: its ladders are others now."""
    if any(output.topic == "account-tiers" for output in outputs):
        return outputs
    account.accounts.touch(account.number)
    return [*outputs, Output("account-tiers", moment.key, account_tiers(moment, account.row, account.dossier()))]
