"""One run: a partition of the tree on PYTHONPATH folds the records of a file in memory: `lane.py FILE`. Prints what it cost, as JSON.

Knows of that tree only what every base has: the policy `sabc-live`, Codec, RecordBatch, Partition and fold_cycle. Counted is what a lane
does with a batch before anything is sent: decode, fold, changelog, encode.
"""

import gc
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from schemas.codec import Codec
from streams import cycle
from streams.batches import RecordBatch
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import load_policy

BATCH = 20_000
APPENDED_AT_MS = 1_770_000_000_000

Records = list[tuple[str, bytes, bytes]]


class Lane:
    """One partition, and what it has given so far."""

    def __init__(self, policy_file: Path) -> None:
        self._partition = Partition(0, None, "gate", load_policy(policy_file))
        self._codec = Codec()
        self._offset = 0
        self.outputs = self.changes = 0

    def batches(self, records: Records) -> Iterator[RecordBatch]:
        """The records as a lane has them."""
        for begin in range(0, len(records), BATCH):
            some = records[begin : begin + BATCH]
            yield RecordBatch.of([RawRecord(topic, 0, self._offset + n, APPENDED_AT_MS, *pair) for n, (topic, *pair) in enumerate(some)])
            self._offset += len(some)

    def take(self, batch: RecordBatch) -> None:
        """One cycle. A record that is refused would be cheap, so there must be none."""
        folded = cycle.fold_cycle(self._partition, batch, self._codec, mode="LIVE", decided_at_ms=APPENDED_AT_MS)
        for output in folded.outputs:
            self._codec.encode(output.record)
        self.outputs += len(folded.outputs)
        self.changes += len(folded.changes)
        if folded.dead:
            sys.exit(f"no record may be refused, but {len(folded.dead)} were, the first: {folded.dead[0].message}")


def main(file: Path) -> None:
    """Fold the file."""
    tree = Path(cycle.__file__).parents[1]
    before, counted = msgspec.msgpack.decode(file.read_bytes(), type=tuple[Records, Records])
    lane = Lane(tree / "policies" / "sabc-live.yaml")
    for batch in lane.batches(before):
        lane.take(batch)
    batches = list(lane.batches(counted))
    lane.outputs = lane.changes = 0
    gc.collect()
    gc.freeze()  # as a worker does once it has restored
    began_at_s = time.process_time()
    for batch in batches:
        lane.take(batch)
    cpu_us = 1e6 * (time.process_time() - began_at_s) / len(counted)
    print(msgspec.json.encode({"tree": str(tree), "cpu_us": cpu_us, "outputs": lane.outputs, "changes": lane.changes}).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
