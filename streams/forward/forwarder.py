"""Fast-forward for one partition: prepares a batch for compiled code and moves on over its dull records.

Everything about a batch is prepared once; then `advance` and the fold in Python take turns, so what one has folded the other sees.
"""

from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from schemas.catalogue import SchemaCatalogue, shipped
from schemas.interaction_columns import InteractionColumns, InteractionDecoder
from schemas.records import Cause, Mode
from streams.account import Fate
from streams.accounts import Accounts
from streams.batches import RecordBatch
from streams.forward.advance import END, LEFT, NEW, NO_MEMORY, Records, advance
from streams.forward.cells import NOWHERE, State
from streams.forward.concluding import AHEAD, Desk
from streams.forward.folding import DULL, MAY_JUMP, NEEDS_DOSSIER, NO_ROOM, RECYCLED, REPEATED, UNKNOWN, UNPRICED, UNREADABLE
from streams.forward.foresight import foresight
from streams.forward.plan import SCHEME_END, SCHEME_WIDTH, SCHEMES, Plan
from streams.forward.planning import TOPIC
from streams.forward.tales import room_for
from streams.forward.telling import Decided, Occasion, Teller
from streams.forward.ticking import decide_due
from streams.hashing import Bytes
from streams.intake import RawRecord
from streams.moment import CAUSES, Reason
from streams.policy.compiled import CompiledPolicy

Quarantined = AbstractSet[tuple[str, int]]
Entering = Callable[[RawRecord], bool]
"""Makes the account of its first record; False: Python is to say what is wrong with it."""

FEWEST = 2
"""A record alone costs Python 0.2 ms; a batch of eight would cost it 1.1 ms, and costs compiled code 0.1 ms."""

TALES, DREAMS = 256, 32
"""What there is room for to be told, and to be imagined: more in one step are left to Python."""

FEW, UNCOMPILED = "FEW", "UNCOMPILED"
"""Why no run was made: too few records at once, or a policy that compiled code does not know."""

_FATES = {DULL: Fate.FOLDED, UNPRICED: Fate.UNPRICED, REPEATED: Fate.REPEATED}
_HANDED = {
    UNREADABLE: "UNREADABLE", UNKNOWN: "UNKNOWN", NEEDS_DOSSIER: "DOSSIER", RECYCLED: "RECYCLED", MAY_JUMP: "MAY_JUMP", NO_ROOM: "NO_ROOM",
}  # fmt: skip
HANDED = (*_HANDED.values(), FEW, UNCOMPILED)
"""Every reason why a record that compiled code might have folded is left to Python."""


class BatchOccasion:
    """A batch is folded: its records are reasons."""

    def __init__(self, batch: RecordBatch, mode: Mode, decided_at_ms: int | None) -> None:
        """`decided_at_ms` None: each the moment it was appended."""
        self.mode = mode
        self._batch, self._decided_at_ms = batch, decided_at_ms
        self._read: tuple[Bytes, InteractionColumns] | None = None

    def reads(self, payloads: Bytes, columns: InteractionColumns) -> None:
        """Where its records are told from."""
        self._read = payloads, columns

    def decided_at_ms(self, record: int) -> int:
        """When it is decided."""
        return self.reference_ms(record) if self._decided_at_ms is None else self._decided_at_ms

    def reference_ms(self, record: int) -> int:
        """When the record was appended."""
        return int(self._batch.appended_at_ms[record])

    def reason(self, record: int, late: bool) -> Reason:
        """The record, as its columns have it: what compiled code folded is not decoded once more."""
        assert self._read is not None, "compiled code has read it"
        (payloads, columns), batch = self._read, self._batch
        cause = Cause(
            kind="LATE" if late else CAUSES[TOPIC], topic=TOPIC, partition=batch.partition, offset=int(batch.offset[record]),
            event_id=_text(payloads, columns.event_begin[record], columns.event_size[record]) or "",
            occurred_at=int(columns.occurred_at_ms[record]),
            detail=_text(payloads, columns.kind_begin[record], columns.kind_size[record]) or None,
        )  # fmt: skip
        campaign = _text(payloads, columns.campaign_begin[record], columns.campaign_size[record])
        return Reason(cause, int(batch.appended_at_ms[record]), campaign)


def _text(payloads: Bytes, begin: int, size: int) -> str | None:
    return None if size < 0 else payloads[begin : begin + size].tobytes().decode()


class TickOccasion:
    """Time has passed, since `previous_ms`."""

    def __init__(self, mode: Mode, decided_at_ms: int, previous_ms: int) -> None:
        self.mode, self._previous_ms = mode, previous_ms
        self._decided_at_ms = decided_at_ms

    def decided_at_ms(self, _record: int = NOWHERE) -> int:
        """When it is decided."""
        return self._decided_at_ms

    def reference_ms(self, _record: int = NOWHERE) -> int:
        """The tick before."""
        return self._previous_ms

    def reason(self, record: int, _late: bool) -> Reason:
        """No record is the reason for what time does."""
        raise AssertionError(f"a tick has no record {record}")


class Forwarder:
    """What moves over the dull records of a policy, and decides what follows of the others. One caller at a time."""

    def __init__(
        self, application: str, partition: int, policy: CompiledPolicy, plan: Plan, schemas: SchemaCatalogue | None = None
    ) -> None:
        self.plan = plan
        self.copy, schemes = self._blank(policy), (int(plan.plan[SCHEME_END]) - int(plan.plan[SCHEMES])) // SCHEME_WIDTH
        words, dimensions = self.copy.words.size, len(policy.dimensions)
        dreams = room_for(DREAMS, words, dimensions)
        self.desk = Desk(
            room_for(TALES, words, dimensions), self._blank(policy), dreams, np.zeros(schemes, np.int64), np.zeros(AHEAD + 1, np.int64)
        )
        self.teller = Teller(application, partition, policy, plan, TALES)
        self._decoder = InteractionDecoder(schemas or shipped())

    def _blank(self, policy: CompiledPolicy) -> State:
        words = np.zeros(policy.layout.description.row_bytes // 8, np.int64)
        return State(words, words.view(np.float64), self.plan.plan, self.plan.numbers)

    def over(
        self, batch: RecordBatch, accounts: Accounts, occasion: BatchOccasion, enter: Entering, quarantined: Quarantined = frozenset()
    ) -> "Run | None":
        """A run over a batch; None if there is nothing in it to gain. `enter` is asked for the first record of an account."""
        if len(batch) < FEWEST or not batch.of_topic(TOPIC).any():
            return None
        payloads, keys = batch.payloads, batch.keys
        columns = self._decoder.decode(payloads.buffer, payloads.begins, payloads.ends)
        others = ~batch.of_topic(TOPIC)
        columns.fit[others] = 0
        if quarantined:
            columns.fit[[(raw.topic, raw.offset) in quarantined for raw in batch]] = 0
        occasion.reads(payloads.buffer, columns)
        records = Records(payloads.buffer, keys.buffer, keys.begins, keys.ends, batch.offset, batch.appended_at_ms, columns)
        return Run(self, accounts, records, occasion, lambda place: enter(batch[place]), int(np.count_nonzero(others)))

    def due(
        self, accounts: Accounts, numbers: NDArray[np.int64], first: int, until_ms: int, occasion: Occasion
    ) -> tuple[int, list[Decided]]:
        """Let time pass for these accounts, from `first` on: the place of the first one left to Python, and what was decided."""
        decided: list[Decided] = []
        while True:
            first, stopped = decide_due(first, numbers, until_ms, accounts.memory(), self.copy, self.desk)
            decided += self.teller.told(self.desk.tales, accounts, occasion)
            if stopped in (END, LEFT):
                return first, decided
            if stopped == NO_MEMORY:
                accounts.make_room()


def forwarder_for(application: str, partition: int, policy: CompiledPolicy, schemas: SchemaCatalogue | None = None) -> Forwarder | None:
    """What moves over a policy's dull records; None if compiled code does not know the policy."""
    known = foresight(policy)
    return None if known is None else Forwarder(application, partition, policy, known.plan, schemas)


class Run:
    """A way through one batch. `place`: of the record before which it stands."""

    def __init__(
        self, forwarder: Forwarder, accounts: Accounts, records: Records, occasion: Occasion, enter: Callable[[int], bool], others: int
    ) -> None:
        """`others`: how many of the records compiled code never folds, whatever they say."""
        self._forwarder, self._accounts, self._records, self._occasion = forwarder, accounts, records, occasion
        self._enter, self._others = enter, others
        self._tally = np.zeros(NO_ROOM + 1, np.int64)
        self.place = 0

    def advance(self, first: int) -> list[Decided]:
        """Fold from record `first` on, up to the first one left to Python; what the records before it gave."""
        forwarder, accounts, decided = self._forwarder, self._accounts, list[Decided]()
        while True:
            memory = accounts.memory()
            first, stopped = advance(first, self._records, memory, forwarder.plan, forwarder.copy, forwarder.desk, self._tally)
            if forwarder.desk.tales.written[0]:
                decided += forwarder.teller.told(forwarder.desk.tales, accounts, self._occasion)
            if stopped == NO_MEMORY:
                accounts.make_room()
            elif stopped in (END, LEFT) or (stopped == NEW and not self._lets_in(first)):
                self.place = first
                return decided

    def _lets_in(self, place: int) -> bool:
        """Whether the account of its first record is made."""
        made = self._enter(place)
        self._tally[UNKNOWN] += not made
        return made

    def fates(self) -> Counter[tuple[str, Fate]]:
        """How many records came to which end here."""
        return Counter({(TOPIC, _FATES[fate]): number for fate, number in enumerate(self._tally[: len(_FATES)].tolist()) if number})

    def handed(self) -> Counter[str]:
        """How many records were left to Python, and why, once the batch is through."""
        left = Counter({_HANDED[fate]: number for fate, number in enumerate(self._tally.tolist()) if fate in _HANDED})
        left["UNREADABLE"] -= self._others
        return +left


def forwardable(batch: RecordBatch, why: str) -> Counter[str]:
    """The records of a batch without a run that compiled code might have folded."""
    return +Counter({why: int(np.count_nonzero(batch.of_topic(TOPIC)))}) if len(batch) else Counter()
