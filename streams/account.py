"""The one fold: a record, or time passing, and the account it is about give the account's next state and what is published.

Rules: illegal input is refused before the first write; a repeated event counts once; before a record at t touches an account, its
deadlines up to t are decided, each at its own instant (at equality the deadline goes first); the account's clock is the latest
instant at which something happened to it and never goes back; the score is evaluated at that clock.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from schemas.records import AccountProfile, CauseKind, Command, Event, Mode, Order, RiskSignal
from schemas.topics import INPUTS
from streams import gates
from streams.accounts import Accounts, Numbers
from streams.breaches import resolved, watched
from streams.columns import Layout
from streams.forecasting import foretold
from streams.forward.foresight import foresight
from streams.forward.rescoring import rescored
from streams.ids import id64
from streams.intake import RawRecord
from streams.kinds import Row
from streams.moment import Moment, Reason, of_record, remember_last
from streams.passing import look_ahead, passed
from streams.playbooks import played
from streams.policy.compiled import RECENT_IDS, CompiledPolicy
from streams.recalling import lacking, recall_kept
from streams.settling import Account, Output, entries, evaluated, settled, shown
from streams.transitions import account_tiers, transition
from streams.view import account_view

__all__ = ["AccountFold", "Fate", "Output", "Step"]


class Fate(Enum):
    """What became of a record that was let in."""

    FOLDED = "folded"
    REPEATED = "repeated"
    UNPRICED = "unpriced"


class Changed(NamedTuple):
    """What a command has changed in an account: in words, and as the cause of what follows."""

    said: str
    kind: CauseKind
    detail: str


Change = Callable[[Account], Changed]
"""Changes the row and the dossier of an account at its clock."""


class Carried(NamedTuple):
    """What a command that was carried out on an account did, in words, and what is published."""

    said: str
    outputs: list[Output]


class Step(NamedTuple):
    """What one record did."""

    fate: Fate
    outputs: list[Output]


def event_id64(topic: str, event_id: str) -> int:
    """The 64-bit id of an event: XXH64 seeded with the topic's number, so that topics do not share ids."""
    return id64(event_id, INPUTS[topic].number)


class AccountFold:
    """The fold under one policy, for one application and partition."""

    def __init__(self, application: str, partition: int, policy: CompiledPolicy, *, guarded: bool = True) -> None:
        """`guarded` False decides every record: the guard band must not change a single output (law "Fast-forward")."""
        self._application, self._partition, self._policy, self._guarded = application, partition, policy, guarded

    # -- a record ------------------------------------------------------------------------------------------------------

    def step(self, accounts: Accounts, number: int, raw: RawRecord, record: Event, mode: Mode, decided_at_ms: int) -> Step:
        """Fold one record into its account."""
        row = accounts.row(number)
        event = event_id64(raw.topic, record.event_id)
        if _remembered(row, event) or _known_order(accounts, number, record):
            return Step(Fate.REPEATED, [])
        account = Account(accounts, number, row)
        moment = self.moment(account, mode, decided_at_ms, raw.appended_at_ms)
        entering = not row["account.records"]
        before = None if entering else self._told(account)
        outputs = [] if entering else self._passed(moment, account, record.occurred_at)
        _remember(row, event)
        _remember_order(accounts, number, record)
        reason = of_record(raw, record, record.occurred_at < int(row["account.clock_ms"]))
        row["account.records"] += 1
        row["account.clock_ms"] = max(int(row["account.clock_ms"]), record.occurred_at)
        remember_last(row, raw, record)
        outputs += entries(moment, reason, account) if entering else []
        used = self._take(account, raw.topic, record, event, entering)
        outputs += resolved(moment, reason, account)
        return Step(Fate.FOLDED if used else Fate.UNPRICED, self._followed(moment, reason, account, outputs, before))

    def _followed(self, moment: Moment, reason: Reason, account: Account, outputs: list[Output], before: list[Any] | None) -> list[Output]:
        """The outputs so far, and all that follows of what was folded. `before`: what was told of the account, None if nothing yet."""
        fresh = settled(moment, reason, account, guarded=self._guarded)
        fresh += watched(moment, reason, account)
        fresh += passed(moment, account, int(account.row["account.clock_ms"]), guarded=self._guarded)
        outputs = foretold(moment, account, [*outputs, *fresh])
        outputs += played(moment, account.row, account.dossier, fresh)
        outputs += self._standings(moment, account, outputs, self._told(account) != before)
        look_ahead(self._policy, account)
        return outputs

    def moment(self, account: Account, mode: Mode, decided_at_ms: int, reference_ms: int) -> Moment:
        """The circumstances of a step of this account."""
        key = account.accounts.key(account.number)
        return Moment(self._application, self._policy, mode, decided_at_ms, reference_ms, self._partition, key, key.decode(), transition)

    def _take(self, account: Account, topic: str, record: Event, event: int, entering: bool) -> bool:
        """Fold the record into measures, clocks and dossier. False if nothing had a use for it."""
        row, used = account.row, False
        for measure in self._policy.measures_of[topic]:
            used = measure.fold(row, record, event, account.dossier_to_change) or used
        if isinstance(record, AccountProfile):
            dossier = account.accounts.open_dossier(account.number)
            was_pooled = dossier.pool is not None
            dossier.merge_profile(record, event)
            if was_pooled and dossier.pool is None:
                self._policy.owned_again(row)
            self._policy.recall(row, dossier)
            used = True
        elif isinstance(record, RiskSignal):
            dossier = account.accounts.open_dossier(account.number)
            dossier.take_risk(record, event)
            gates.recall_ceilings(self._policy.schemes, row, dossier)
            used = True
        for clock in self._policy.clocks:
            used = clock.fold(row, record, event, account.dossier_to_change, first=entering) or used
        return used

    def _told(self, account: Account) -> list[Any]:
        """What `account-tiers` says besides what transitions say: owner and pool, and the tiers that a gate may hide."""
        dossier = account.accounts.dossier(account.number)
        return [dossier.owner(), dossier.pool is not None, *(int(account.row[scheme.column("earned")]) for scheme in self._policy.schemes)]

    @staticmethod
    def _standings(moment: Moment, account: Account, outputs: list[Output], changed: bool) -> list[Output]:
        """The account's current tiers, once, if anything in them changed."""
        if not changed and not any(output.topic == "tier-transitions" for output in outputs):
            return []
        standings = account_tiers(moment, account.row, account.accounts.dossier(account.number))
        return [Output("account-tiers", moment.key, standings)]

    # -- a command -----------------------------------------------------------------------------------------------------

    def carry_out(
        self, accounts: Accounts, number: int, raw: RawRecord, command: Command, change: Change, mode: Mode, decided_at_ms: int
    ) -> Carried:
        """Let time pass up to a command, let it change the account, and decide what follows; a late one at the account's clock."""
        account = Account(accounts, number, accounts.row(number))
        moment, row, before = self.moment(account, mode, decided_at_ms, raw.appended_at_ms), account.row, self._told(account)
        outputs = self._passed(moment, account, command.occurred_at)
        row["account.clock_ms"] = max(int(row["account.clock_ms"]), command.occurred_at)
        remember_last(row, raw, command)
        changed = change(account)
        reason = of_record(raw, command, late=False)
        reason = reason._replace(cause=msgspec.structs.replace(reason.cause, kind=changed.kind, detail=changed.detail))
        return Carried(changed.said, self._followed(moment, reason, account, outputs, before))

    # -- time ----------------------------------------------------------------------------------------------------------

    def due(self, accounts: Accounts, number: int, until_ms: int, mode: Mode, decided_at_ms: int, reference_ms: int) -> list[Output]:
        """Decide the deadlines of an account up to `until_ms`, because a tick says that time has passed."""
        account = Account(accounts, number, accounts.row(number))
        moment = self.moment(account, mode, decided_at_ms, reference_ms)
        before = self._told(account)
        outputs = foretold(moment, account, self._passed(moment, account, until_ms))
        outputs += self._standings(moment, account, outputs, self._told(account) != before)
        look_ahead(self._policy, account, after_ms=until_ms)
        return outputs

    def _passed(self, moment: Moment, account: Account, until_ms: int) -> list[Output]:
        """What time does, and the playbooks that follow: by what is known of the account before anything else is."""
        outputs = passed(moment, account, until_ms, guarded=self._guarded)
        return outputs + played(moment, account.row, account.dossier, outputs)

    def view(self, accounts: Accounts, number: int, at_ms: int, known_ms: int) -> dict[str, Any]:
        """The account as people look at it, as of an instant; time has been folded up to `known_ms`."""
        account = Account(accounts, number, accounts.row(number))
        return account_view(self.moment(account, "SHADOW", at_ms, at_ms), account, at_ms, known_ms)

    # -- after a restore -----------------------------------------------------------------------------------------------

    def recall_all(self, accounts: Accounts, numbers: Numbers, source: Layout) -> None:
        """Bring accounts up to date whose rows were laid out anew from another layout, as `recall` does it one by one."""
        knows, left = foresight(self._policy), numbers
        if knows is not None:
            if parts := lacking(self._policy, source):
                for number in numbers.tolist():
                    row, dossier = accounts.row(number), accounts.dossier(number)
                    for recall in parts:
                        recall(row, dossier)
            left = rescored(knows, accounts, numbers)
        for number in left.tolist():
            self.recall(accounts, number)

    def recall(self, accounts: Accounts, number: int) -> None:
        """Bring a row that was written under another layout up to its dossier and its measures; the next record decides."""
        row, dossier = accounts.row(number), accounts.dossier(number)
        recall_kept(self._policy, row, dossier)
        for clock in self._policy.clocks:
            clock.recall(row, dossier)
        self._policy.renew(row, lambda: dossier, int(row["account.clock_ms"]))
        score_micro = evaluated(self._policy, row)
        for scheme in self._policy.schemes:
            row[scheme.column("score_micro")] = shown(scheme, row, score_micro)
        accounts.set_deadline(number, int(row["account.clock_ms"]) + 1)


def _known_order(accounts: Accounts, number: int, record: Event) -> bool:
    """Whether the record says of an order what is known already: order_id and status count once."""
    return isinstance(record, Order) and accounts.dossier(number).has_order(_order_id64(record))


def _remember_order(accounts: Accounts, number: int, record: Event) -> None:
    if isinstance(record, Order):
        accounts.open_dossier(number).remember_order(_order_id64(record), record.occurred_at)


def _order_id64(record: Order) -> int:
    return id64(f"{record.status} {record.order_id}")


def _remembered(row: Row, event: int) -> bool:
    return event in row["ids.recent"][: int(row["ids.fill"])].tolist()


def _remember(row: Row, event: int) -> None:
    """Keep the id among the latest 16, over the oldest one once there are more."""
    slot = int(row["ids.next"])
    row["ids.recent"][slot] = event
    row["ids.next"] = (slot + 1) % RECENT_IDS
    row["ids.fill"] = min(int(row["ids.fill"]) + 1, RECENT_IDS)
