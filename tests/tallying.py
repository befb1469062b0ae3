"""The smallest fold there is, for tests of what runs a fold: it counts records per account.

A payload of `refuse` is refused, one of `break` is a bug.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from agents.counters import LaneCounters
from agents.lane import Duty, Lane
from agents.partition_log import PartitionLog
from schemas.changelog import row_key
from schemas.codec import Codec
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from streams.batches import RecordBatch
from streams.cycle import Folded, FoldFailed
from streams.intake import RawRecord


class Tally:
    """Rows of one partition: how many records each account had. `folded` keeps the order in which they came.

    `due_ms`: when an account is due, None for never.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.folded: list[tuple[str, int]] = []
        self.ticks: list[int] = []
        self.due_ms: int | None = None
        self.policy_digest = self.kept_digest = "digest-1"
        self.undecided = 0

    @property
    def last_tick_ms(self) -> int | None:
        return self.ticks[-1] if self.ticks else None

    def is_due(self, at_ms: int) -> bool:
        return self.due_ms is not None and self.due_ms <= at_ms

    def overdue(self, at_ms: int) -> int:
        return int(self.is_due(at_ms))

    def restore_batch(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, payload in records:
            assert payload is not None
            self.counts[key[1:].decode()] = int(payload)

    def restored(self) -> None: ...

    def start_over(self) -> None: ...

    def slice_of(self, accounts: int) -> int | None: ...

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:  # noqa: ARG002
        return {"records": self.counts[account_id]} if account_id in self.counts else None

    def population(self) -> dict[tuple[str, str], int]:
        return {("counted", "seen"): len(self.counts)}

    def __len__(self) -> int:
        return len(self.counts)

    def fold(self, records: RecordBatch, _decided_at_ms: int, tick_ms: int | None, _decided_to: int | None) -> Folded:
        dead: list[DeadLetter] = []
        touched: dict[str, None] = {}
        for raw in records:
            self.folded.append((raw.topic, raw.offset))
            if raw.payload == b"break":
                raise FoldFailed(raw) from ValueError("a planted bug")
            if raw.payload == b"refuse":
                dead.append(_letter(raw))
                continue
            account = (raw.key or b"").decode()
            self.counts[account] += 1
            touched[account] = None
        if tick_ms is not None:
            self.ticks.append(tick_ms)
        changes = [(row_key(account.encode()), str(self.counts[account]).encode()) for account in touched]
        return Folded([], dead, changes, Counter(), Counter())


def _letter(raw: RawRecord) -> DeadLetter:
    return DeadLetter(
        topic=raw.topic, partition=raw.partition, offset=raw.offset, appended_at_ms=raw.appended_at_ms, schema_id=None,
        reason=Reason.UNDECODABLE, message="told to refuse", key=raw.key, payload=raw.payload,
    )  # fmt: skip


def tallying_lane(
    log: PartitionLog,
    topics: Sequence[str],
    *,
    clock: Callable[[], int] = lambda: 10_000,
    counters: LaneCounters | None = None,
    **duty: Any,
) -> tuple[Lane, Tally]:
    """A lane over any log that folds into a Tally. `duty`: what should differ from the usual Duty."""
    tally = Tally()
    own = Duty(tuple(topics), "digest-1", "test", "LIVE", 1_000)._replace(**duty)
    tally.policy_digest = tally.kept_digest = own.policy_digest
    lane = Lane(
        log, tally, tally.fold, Codec().encode_all, own,
        clock=clock, baton=nullcontext(), counters=counters or LaneCounters(), wait=lambda _seconds: None,
    )  # fmt: skip
    return lane, tally
