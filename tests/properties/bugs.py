"""Bugs to plant in the engine: each takes what it replaces and gives what stands there instead."""

from math import floor
from typing import Any

import msgspec

from schemas.changelog import account_of
from schemas.errors import RecordRejected
from schemas.records import RiskSignal
from streams.account import Fate, Step
from streams.accounts import Accounts
from streams.dossier import Dossier, Known
from streams.partition import Partition
from streams.units import UNBOUNDED


def a_tick_pulls_the_clock(look_ahead: Any) -> Any:
    def pulled(policy: Any, account: Any, after_ms: int | None = None) -> None:
        if after_ms is not None:
            account.row["account.clock_ms"] = after_ms
        look_ahead(policy, account, after_ms)

    return pulled


def nothing_older_than_a_tick_is_folded(fold: Any) -> Any:
    def deaf(self: Partition, raw: Any, record: Any, *how: Any) -> Step:
        return Step(Fate.FOLDED, []) if record.occurred_at < (self.last_tick_ms or 0) else fold(self, raw, record, *how)

    return deaf


def a_millisecond_late(next_change: Any) -> Any:
    def late(*where: Any) -> Any:
        due = next_change(*where)
        return due._replace(at_ms=due.at_ms + 1) if due.exact and due.at_ms < UNBOUNDED else due

    return late


def a_millisecond_early(forecast: Any) -> Any:
    def early(*where: Any) -> Any:
        found = forecast(*where)
        return found and msgspec.structs.replace(found, at=found.at - 1)

    return early


def deadlines_are_lost(restore_rows: Any) -> Any:
    def lost(self: Accounts, keys: Any, payloads: Any) -> None:
        restore_rows(self, keys, payloads)
        for key in keys:
            number = self.find(account_of(key))
            assert number is not None
            self.set_deadline(number, UNBOUNDED)

    return lost


def too_wide(band: Any) -> Any:
    def widened(*where: Any) -> Any:
        low, high = band(*where)
        return low - 3_000_000, high + 3_000_000

    return widened


def time_goes_back(transition: Any) -> Any:
    def dated(*about: Any) -> Any:
        record = transition(*about)
        return msgspec.structs.replace(record, effective_at=record.effective_at // record.sequence)

    return dated


def a_risk_breaks_the_silence(is_reset: Any) -> Any:
    return lambda self, record: isinstance(record, RiskSignal) or is_reset(self, record)


def the_last_to_arrive_is_right(_: Any) -> Any:
    def learn(self: Dossier, field: str, content: Any, at_ms: int, event: int) -> None:
        self.profile[field] = Known(content, at_ms, event)

    return learn


def refused_and_counted(fold: Any) -> Any:
    def counting(self: Partition, raw: Any, record: Any, *how: Any) -> Any:
        try:
            return fold(self, raw, record, *how)
        except RecordRejected:
            if (number := self._accounts.find(record.account_id.encode())) is not None:
                self._accounts.row(number)["account.records"] += 1
            raise

    return counting


def a_condition_never_turns(_: Any) -> Any:
    return lambda *_: False


def nothing_is_remembered(_: Any) -> Any:
    return lambda *_: False


def everything_is_young(_: Any) -> Any:
    return lambda *_: True


def no_patience(_: Any) -> Any:
    return lambda *_: (0, "nothing")


def lost_at_its_threshold(_: Any) -> Any:
    """Hysteresis forgotten."""
    return lambda self, score_micro, tier: min(self.reached(score_micro), tier)


def never_late(of_record: Any) -> Any:
    return lambda raw, record, late: of_record(raw, record, late=False)  # noqa: ARG005 - its name is given


def each_rounded_by_itself(_: Any) -> Any:
    return lambda _, exact: [floor(number + 0.5) for number in exact]


def told_of_transitions_alone(standings: Any) -> Any:
    return staticmethod(lambda moment, account, outputs, _: standings(moment, account, outputs, False))


def counted_again_from_one(transition: Any) -> Any:
    """A sequence that a look at the same instant begins anew."""

    def counted(moment: Any, reason: Any, row: Any, dossier: Any, crossing: Any) -> Any:
        if reason.cause.event_id == "":
            row[crossing.scheme.column("sequence")] = 0
        return transition(moment, reason, row, dossier, crossing)

    return counted


def an_override_is_earned(put: Any) -> Any:
    """The order moves what lies under it."""

    def earned(scheme: Any, row: Any, *how: Any) -> None:
        put(scheme, row, *how)
        row[scheme.column("earned")] = row[scheme.column("published")]

    return earned
