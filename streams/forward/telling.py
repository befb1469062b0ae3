"""From tales to records: what compiled code has decided, in the words that Python has for it.

Every record is made by what makes it where Python decides: of the account's row as it was at that moment, and of its dossier, which
compiled code never changes.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple, Protocol

import msgspec

from schemas.records import CauseKind, Forecast, Mode
from streams import earned, overrides
from streams.accounts import Accounts
from streams.dossier import Dossier
from streams.earned import Claim, Standing
from streams.forecasting import forecast_text
from streams.forward import tales as t
from streams.forward.cells import NOWHERE
from streams.forward.labelling import Labeller
from streams.forward.plan import SCHEME_WIDTH, SCHEMES, Plan
from streams.kinds import Row
from streams.leads import Heat, hot_lead
from streams.ledger import Ledger
from streams.moment import Crossing, Moment, Reason, of_time
from streams.passing import CONDITION_ENDED, MOVE_DUE, ran_out_text
from streams.playbooks import played
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.settling import Output, entry_text
from streams.transitions import change_told, standings_told, transition


class Occasion(Protocol):
    """On what occasion it was decided: a batch of records, or a tick."""

    mode: Mode

    def decided_at_ms(self, record: int, /) -> int:
        """When it is decided."""

    def reference_ms(self, record: int, /) -> int:
        """The recorded time by which age is judged; `record`: its place in the batch, NOWHERE for a tick."""

    def reason(self, record: int, late: bool, /) -> Reason:
        """A record of the batch as the reason."""


class Tale(NamedTuple):
    """What compiled code wrote: its numbers, the row, and what the dimensions were worth before; and its place among the others."""

    head: list[int]
    row: Row
    worths: list[int]
    place: int


class Decided(NamedTuple):
    """What one record (by its place in the batch, NOWHERE for a tick) gave for its account."""

    record: int
    account: int
    outputs: list[Output]


class Teller:
    """Tells what was decided under one policy, for one application and partition."""

    def __init__(self, application: str, partition: int, policy: CompiledPolicy, plan: Plan, tales: int) -> None:
        """`tales`: the most that are told at once."""
        self.labeller = Labeller(policy, plan, tales)
        self.application, self.partition, self.policy = application, partition, policy
        self._first_scheme = int(plan.plan[SCHEMES])

    def told(self, tales: t.Tales, accounts: Accounts, occasion: Occasion) -> list[Decided]:
        """What was decided, step by step; the tales are forgotten."""
        self.labeller.sum_up(tales)
        number, tales.written[0] = int(tales.written[0]), 0
        rows = tales.rows[:number].view(self.policy.layout.dtype)[:, 0]
        heads, worths = tales.heads[:number].tolist(), tales.worths[:number].tolist()
        steps = groupby(map(Tale, heads, rows, worths, range(number)), lambda tale: (tale.head[t.RECORD], tale.head[t.ACCOUNT]))
        return [
            Decided(record, account, _Telling(self, accounts, account, record, occasion).told(step)) for (record, account), step in steps
        ]

    def scheme(self, at: int) -> Scheme:
        """The scheme whose list in the plan begins there."""
        return self.policy.schemes[(at - self._first_scheme) // SCHEME_WIDTH]


class _Telling:
    """One account's step, which ends before the next one's begins."""

    def __init__(self, teller: Teller, accounts: Accounts, account: int, record: int, occasion: Occasion) -> None:
        key, policy = accounts.key(account), teller.policy
        self._teller, self._occasion, self._record = teller, occasion, record
        self._moment = Moment(
            teller.application, policy, occasion.mode, occasion.decided_at_ms(record), occasion.reference_ms(record), teller.partition,
            key, key.decode(), transition,
        )  # fmt: skip
        self._dossier: Dossier = accounts.dossier(account)
        self._outputs: list[Output] = []
        self._last_change: dict[int, int] = {}
        self._played, self._is_past = 0, True
        self._recorded: dict[bool, Reason] = {}

    def told(self, tales: Iterable[Tale]) -> list[Output]:
        """The step's records."""
        for tale in tales:
            match tale.head[t.WHAT]:
                case t.CHANGE:
                    if self._is_past and tale.head[t.CAUSE] <= t.BY_TRIGGER:
                        self._play(tale)  # as Python does: time had its playbooks before the record came
                        self._is_past = False
                    self._last_change[tale.head[t.SCHEME]] = len(self._outputs)
                    self._publish("tier-transitions", self._change(tale))
                case t.LEAD:
                    self._publish("hot-leads", self._lead(tale))
                case t.FORECAST:
                    self._foretell(tale)
                case _:
                    self._play(tale)
                    self._publish("account-tiers", standings_told(self._moment, tale.row, self._dossier))
        return self._outputs

    def _play(self, tale: Tale) -> None:
        """The playbooks of the changes since the last time."""
        self._outputs += played(self._moment, tale.row, lambda: self._dossier, self._outputs[self._played :])
        self._played = len(self._outputs)

    def _publish(self, topic: str, record: msgspec.Struct | None) -> None:
        if record is not None:
            self._outputs.append(Output(topic, self._moment.key, record))

    def _change(self, tale: Tale) -> msgspec.Struct:
        head, scheme = tale.head, self._teller.scheme(tale.head[t.SCHEME])
        before, because = (head[t.BEFORE], _because(scheme, head)) if head[t.BEFORE] != NOWHERE else (None, entry_text(scheme))
        crossing = Crossing(scheme, before, head[t.SCORE_BEFORE], head[t.CLAIMED], tale.worths, because)
        return change_told(self._moment, self._reason(tale), tale.row, self._dossier, crossing, self._ledger(tale))

    def _ledger(self, tale: Tale) -> Ledger | None:
        return self._teller.labeller.ledger(tale.place, tale.row, self._dossier, tale.head[t.NOW])

    def _lead(self, tale: Tale) -> msgspec.Struct | None:
        head, scheme = tale.head, self._teller.scheme(tale.head[t.SCHEME])
        fired = None if head[t.FIRED] == NOWHERE else scheme.triggers[head[t.FIRED]].text
        heat = Heat(head[t.BEFORE], head[t.AFTER], fired)
        return hot_lead(self._moment, self._reason(tale), tale.row, self._dossier, scheme, heat, lambda: self._ledger(tale))

    def _foretell(self, tale: Tale) -> None:
        """Put the forecast into the last change of its scheme."""
        head, place = tale.head, self._last_change[tale.head[t.SCHEME]]
        scheme, (kind, detail) = self._teller.scheme(head[t.SCHEME]), self._passed(head)
        forecast = Forecast(
            at=head[t.AT],
            to_tier=scheme.ladder.tiers[head[t.AFTER]],
            because=forecast_text(kind, detail, _because(scheme, head)),
            points_to_keep_micro=None if head[t.KEEPS] == NOWHERE else head[t.KEEPS],
        )
        output = self._outputs[place]
        assert output.record is not None, "a change is told with a record"
        self._outputs[place] = output._replace(record=msgspec.structs.replace(output.record, forecast=forecast))

    def _reason(self, tale: Tale) -> Reason:
        """Why it was decided."""
        head = tale.head
        if head[t.CAUSE] > t.BY_TRIGGER:
            return of_time(tale.row, self._teller.partition, *self._passed(head))
        reason = self._of_record(head[t.CAUSE] == t.BY_LATE_RECORD)
        if head[t.CAUSE] == t.BY_TRIGGER:
            return reason._replace(cause=msgspec.structs.replace(reason.cause, kind="TRIGGER"))
        return reason

    def _of_record(self, late: bool) -> Reason:
        """The record as the reason; it is decoded once for all that it led to."""
        if (reason := self._recorded.get(late)) is None:
            reason = self._recorded[late] = self._occasion.reason(self._record, late)
        return reason

    def _passed(self, head: list[int]) -> tuple[CauseKind, str | None]:
        """Which kind of time it was, and its detail."""
        match head[t.CAUSE]:
            case t.BY_CLOCK:
                clock = self._teller.policy.clocks[head[t.DETAIL]]
                return clock.cause, ran_out_text(clock, head[t.OF_DETAIL])
            case t.BY_PENDING_MOVE:
                return "CLOCK", MOVE_DUE
            case t.BY_TRIGGER_IN_TIME:
                return "TRIGGER", self._teller.scheme(head[t.OF_DETAIL]).triggers[head[t.DETAIL]].text
            case t.BY_TRIGGER_END:
                return "WINDOW", CONDITION_ENDED
            case t.BY_WINDOW:
                return "WINDOW", None
            case t.BY_OVERRIDE_END:
                return overrides.CAUSE, overrides.EXPIRED
        return "DECAY", None


def _because(scheme: Scheme, head: list[int]) -> str:
    """Why the decision was as it was: made again of what it was made of."""
    stood, claim = Standing(*head[t.STOOD : t.STOOD + 3]), Claim(*head[t.CLAIMED : t.CLAIMED + 3])
    return earned.verdict(scheme.ladder, stood, claim, head[t.NOW]).because
