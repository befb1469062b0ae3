"""The one fold: a record, or time passing, and the account it is about give the account's next state and what is published.

Rules: illegal input is refused before the first write; a repeated event counts once; before a record at t touches an account, its
deadlines up to t are decided, each at its own instant (at equality the deadline goes first); the account's clock is the latest
instant at which something happened to it and never goes back; the score is evaluated at that clock.
"""

from enum import Enum
from typing import Any, NamedTuple

from schemas.records import AccountProfile, Event, Mode, Order, RiskSignal
from schemas.topics import INPUTS
from streams import gates
from streams.accounts import Accounts
from streams.breaches import resolved
from streams.forecasting import foretold
from streams.ids import id64
from streams.intake import RawRecord
from streams.kinds import Row
from streams.moment import Moment, of_record, remember_last
from streams.passing import look_ahead, passed
from streams.policy.compiled import RECENT_IDS, CompiledPolicy
from streams.settling import Account, Output, entries, evaluated, settled, shown
from streams.transitions import account_tiers, transition
from streams.view import account_view

__all__ = ["AccountFold", "Fate", "Output", "Step"]


class Fate(Enum):
    """What became of a record that was let in."""

    FOLDED = "folded"
    REPEATED = "repeated"
    UNPRICED = "unpriced"


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
        moment = self._moment(account, mode, decided_at_ms, raw.appended_at_ms)
        entering, before = not row["account.records"], self._told(account)
        outputs = [] if entering else passed(moment, account, record.occurred_at, guarded=self._guarded)
        _remember(row, event)
        _remember_order(accounts, number, record)
        reason = of_record(raw, record, record.occurred_at < int(row["account.clock_ms"]))
        row["account.records"] += 1
        row["account.clock_ms"] = max(int(row["account.clock_ms"]), record.occurred_at)
        remember_last(row, raw, record)
        outputs += entries(moment, reason, account) if entering else []
        used = self._take(account, raw.topic, record, event, entering)
        outputs += resolved(moment, reason, account)
        outputs += settled(moment, reason, account, guarded=self._guarded)
        outputs += passed(moment, account, int(row["account.clock_ms"]), guarded=self._guarded)
        outputs = foretold(moment, account, outputs)
        outputs += self._standings(moment, account, outputs, entering or self._told(account) != before)
        look_ahead(self._policy, account)
        return Step(Fate.FOLDED if used else Fate.UNPRICED, outputs)

    def _moment(self, account: Account, mode: Mode, decided_at_ms: int, reference_ms: int) -> Moment:
        key = account.accounts.key(account.number)
        return Moment(self._application, self._policy, mode, decided_at_ms, reference_ms, self._partition, key, key.decode(), transition)

    def _take(self, account: Account, topic: str, record: Event, event: int, entering: bool) -> bool:
        """Fold the record into measures, clocks and dossier. False if nothing had a use for it."""
        row, used = account.row, False
        for measure in self._policy.measures_of[topic]:
            used = measure.fold(row, record, event, account.dossier_to_change) or used
        if isinstance(record, AccountProfile):
            dossier = account.accounts.open_dossier(account.number)
            dossier.merge_profile(record, event)
            for source in self._policy.sources:
                source.recall(row, dossier)
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

    # -- time ----------------------------------------------------------------------------------------------------------

    def due(self, accounts: Accounts, number: int, until_ms: int, mode: Mode, decided_at_ms: int, reference_ms: int) -> list[Output]:
        """Decide the deadlines of an account up to `until_ms`, because a tick says that time has passed."""
        account = Account(accounts, number, accounts.row(number))
        moment = self._moment(account, mode, decided_at_ms, reference_ms)
        before = self._told(account)
        outputs = passed(moment, account, until_ms, guarded=self._guarded)
        outputs = foretold(moment, account, outputs)
        outputs += self._standings(moment, account, outputs, self._told(account) != before)
        look_ahead(self._policy, account, after_ms=until_ms)
        return outputs

    def view(self, accounts: Accounts, number: int, at_ms: int, known_ms: int) -> dict[str, Any]:
        """The account as people look at it, as of an instant; time has been folded up to `known_ms`."""
        account = Account(accounts, number, accounts.row(number))
        return account_view(self._moment(account, "SHADOW", at_ms, at_ms), account, at_ms, known_ms)

    # -- after a restore -----------------------------------------------------------------------------------------------

    def recall(self, accounts: Accounts, number: int) -> None:
        """Bring a row that was written under another layout up to its dossier and its measures; the next record decides."""
        row, dossier = accounts.row(number), accounts.dossier(number)
        for source in self._policy.sources:
            source.recall(row, dossier)
        gates.recall_ceilings(self._policy.schemes, row, dossier)
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
