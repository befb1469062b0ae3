"""The one fold: a record and the account it is about give the account's next state and what is published.

Rules: a repeated event counts once; the account's clock is the latest `occurred_at` seen and never goes back; the score
is evaluated at that clock; a decision is made when the score leaves the guard band or the dossier moved a gate.
Illegal input changes nothing: all checks come before the first write.
"""

from enum import Enum
from typing import NamedTuple

import msgspec
from xxhash import xxh64_intdigest

from schemas.records import AccountProfile, Event, Mode, RiskSignal
from schemas.topics import INPUTS
from streams import decision, gates
from streams.accounts import Accounts
from streams.intake import RawRecord
from streams.kinds import Row
from streams.policy.compiled import RECENT_IDS, CompiledPolicy, Scheme
from streams.transitions import Circumstances, Crossing, transition
from streams.units import micro


class Output(NamedTuple):
    """A record to publish: logical topic, key, record."""

    topic: str
    key: bytes
    record: msgspec.Struct


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
    return int(xxh64_intdigest(event_id.encode(), INPUTS[topic].number))


class AccountFold:
    """The fold under one policy, for one application."""

    def __init__(self, application: str, policy: CompiledPolicy, *, guarded: bool = True) -> None:
        """`guarded` False decides every record: the guard band must not change a single output (law "Fast-forward")."""
        self._application, self._policy, self._guarded = application, policy, guarded

    def step(self, accounts: Accounts, number: int, raw: RawRecord, record: Event, mode: Mode, decided_at_ms: int) -> Step:
        """Fold one record into its account."""
        row = accounts.row(number)
        event = event_id64(raw.topic, record.event_id)
        if _remembered(row, event):
            return Step(Fate.REPEATED, [])
        _remember(row, event)
        entering, late = not row["account.records"], record.occurred_at < int(row["account.clock_ms"])
        row["account.records"] += 1
        if not late:
            row["account.clock_ms"] = record.occurred_at
        accounts.touch(number)
        at = Circumstances(self._application, self._policy, mode, decided_at_ms, raw, record, late, self._dimensions(row))
        outputs = self._entries(accounts, number, row, at) if entering else []
        used = self._take(accounts, number, row, raw.topic, record, event)
        outputs += self._settle(accounts, number, row, at)
        return Step(Fate.FOLDED if used else Fate.UNPRICED, outputs)

    def _dimensions(self, row: Row) -> list[int]:
        return [int(row[column]) for column in self._policy.worth_columns]

    def _take(self, accounts: Accounts, number: int, row: Row, topic: str, record: Event, event: int) -> bool:
        """Fold the record into measures and dossier. False if nothing had a use for it."""
        used = False
        for measure in self._policy.measures_of[topic]:
            used = measure.fold(row, record, event) or used
        if isinstance(record, AccountProfile):
            dossier = accounts.open_dossier(number)
            dossier.merge_profile(record, event)
            for dimension in self._policy.dimensions:
                dimension.recall(row, dossier)
            used = True
        elif isinstance(record, RiskSignal):
            dossier = accounts.open_dossier(number)
            dossier.take_risk(record, event)
            gates.recall_ceilings(self._policy.schemes, row, dossier)
            used = True
        return used

    def _settle(self, accounts: Accounts, number: int, row: Row, at: Circumstances) -> list[Output]:
        """Evaluate the score at the account's clock and decide where a decision can change."""
        score_micro = self._evaluated(row)
        outputs = []
        for scheme in self._policy.schemes:
            before_micro = int(row[scheme.column("score_micro")])
            row[scheme.column("score_micro")] = score_micro
            if not self._guarded or self._needs_decision(row, scheme, score_micro):
                outputs += self._decided(accounts, number, row, at, scheme, before_micro)
        return outputs

    def _evaluated(self, row: Row) -> int:
        """The score at the account's clock; the row keeps what each dimension is worth there."""
        clock_ms, score = int(row["account.clock_ms"]), 0.0
        for dimension, weight, column in zip(self._policy.dimensions, self._policy.weights, self._policy.worth_columns, strict=True):
            points = dimension.at(row, clock_ms)
            row[column] = micro(points)
            score += weight * points
        return micro(score)

    def recall(self, accounts: Accounts, number: int) -> None:
        """Bring a row that was written under another layout up to its dossier and its measures; the next record decides."""
        row, dossier = accounts.row(number), accounts.dossier(number)
        for dimension in self._policy.dimensions:
            dimension.recall(row, dossier)
        gates.recall_ceilings(self._policy.schemes, row, dossier)
        score_micro = self._evaluated(row)
        for scheme in self._policy.schemes:
            row[scheme.column("score_micro")] = score_micro

    @staticmethod
    def _needs_decision(row: Row, scheme: Scheme, score_micro: int) -> bool:
        gated = min(int(row[scheme.column("seated")]), int(row[scheme.column("ceiling")]))
        return decision.outside_guard(row, scheme, score_micro) or gated != int(row[scheme.column("gated")])

    @staticmethod
    def _decided(accounts: Accounts, number: int, row: Row, at: Circumstances, scheme: Scheme, before_micro: int) -> list[Output]:
        score_micro = int(row[scheme.column("score_micro")])
        earned_before, published_before = decision.decide(row, scheme, score_micro)
        if int(row[scheme.column("published")]) == published_before:
            return []
        crossing = Crossing(scheme, earned_before, published_before, before_micro, score_micro)
        return [Output("tier-transitions", at.raw.key or b"", transition(at, row, accounts.dossier(number), crossing))]

    def _entries(self, accounts: Accounts, number: int, row: Row, at: Circumstances) -> list[Output]:
        """The entry into each ladder that announces it."""
        outputs = []
        for scheme in self._policy.schemes:
            if scheme.announce_entry:
                score_micro = int(row[scheme.column("score_micro")])
                crossing = Crossing(scheme, 0, None, score_micro, score_micro)
                outputs.append(Output("tier-transitions", at.raw.key or b"", transition(at, row, accounts.dossier(number), crossing)))
        return outputs


def _remembered(row: Row, event: int) -> bool:
    return event in row["ids.recent"][: int(row["ids.fill"])].tolist()


def _remember(row: Row, event: int) -> None:
    """Keep the id among the latest 16, over the oldest one once there are more."""
    slot = int(row["ids.next"])
    row["ids.recent"][slot] = event
    row["ids.next"] = (slot + 1) % RECENT_IDS
    row["ids.fill"] = min(int(row["ids.fill"]) + 1, RECENT_IDS)
