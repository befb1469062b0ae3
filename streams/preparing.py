"""Compile whatever folding under a policy needs, before anything waits for it: a rehearsal with an account that nobody has.

Compiled code is kept on disk, so this is long once on a machine and short ever after.
"""

from schemas.changelog import row_key
from schemas.codec import Codec
from schemas.records import AccountProfile, Interaction
from streams.batches import RecordBatch
from streams.cycle import fold_cycle
from streams.forward.foresight import foresight
from streams.forward.search import HORIZON_MS
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy.compiled import CompiledPolicy

_NOBODY = "rehearsal"
_AT_MS = 1_700_000_000_000
_MINUTE_MS = 60_000
_HALF = 16


def prepare(policy: CompiledPolicy) -> None:
    """Fold, tick, write, restore and erase once."""
    codec, rehearsed = Codec(), Partition(0, None, "rehearsal", policy)
    records = [_record(codec, number) for number in range(2 * _HALF)]
    written: list[tuple[bytes, bytes | None]] = []
    for part in (records[:_HALF], records[_HALF:], [_profile(codec, 2 * _HALF)]):
        tick_ms = part[-1].appended_at_ms + policy.lateness_ms
        folded = fold_cycle(rehearsed, RecordBatch.of(part), codec, mode="SHADOW", decided_at_ms=tick_ms, tick_ms=tick_ms)
        written += folded.changes
        for output in folded.outputs:
            assert output.record is not None, "nothing is erased here"
            codec.encode(output.record)
    rehearsed.population()
    rehearsed.rehearse_change()
    rehearsed.fold_tick(_AT_MS + 2 * HORIZON_MS, "SHADOW", 0)  # later than any deadline
    restored = Partition(0, None, "rehearsal", policy)
    restored.restore_batch(written)
    restored.restored()
    restored.restore(row_key(_NOBODY.encode()), None)
    if (compiled := foresight(policy)) is not None:
        compiled.rehearse(policy.template.copy()[0])


def _record(codec: Codec, number: int) -> RawRecord:
    at_ms = _AT_MS + number * _MINUTE_MS
    record = Interaction(event_id=f"rehearsal-{number}", account_id=_NOBODY, occurred_at=at_ms, kind="VISIT", contact_id="nobody")
    return RawRecord("interactions", 0, number, at_ms, record.account_id.encode(), codec.encode(record))


def _profile(codec: Codec, number: int) -> RawRecord:
    at_ms = _AT_MS + number * _MINUTE_MS
    record = AccountProfile(event_id="rehearsal-profile", account_id=_NOBODY, occurred_at=at_ms, owner_id="nobody")
    return RawRecord("profiles", 0, 0, at_ms, record.account_id.encode(), codec.encode(record))
