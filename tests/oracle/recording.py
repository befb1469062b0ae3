"""A good log without a broker: what a worker leaves behind of given inputs, cut into transactions of any size."""

from collections import defaultdict
from collections.abc import Iterable
from random import Random

from agents.unit_of_work import Content, content
from schemas.changelog import Progress
from schemas.codec import Codec
from schemas.records import FoldedRange, FoldedTick, FoldOrder, Mode, QuarantinedRecord
from streams.batches import Chunk
from streams.cycle import fold_cycle
from streams.intake import RawRecord
from streams.merge import Merge
from streams.partition import Partition
from streams.policy import CompiledPolicy
from tests.oracle.judging import Left
from tests.oracle.recomputing import Logged

APPLICATION = "recorded"


def left_behind(
    policy: CompiledPolicy,
    raws: Iterable[RawRecord],
    random: Random,
    *,
    number: int = 0,
    partitions: int = 1,
    most: int = 50,
    quarantined: frozenset[tuple[str, int]] = frozenset(),
    ticking: float = 0.3,
    afterwards: float = 0.95,
    mode: Mode = "LIVE",
) -> Left:
    """Fold the records as a lane does and keep what its transactions would have written.

    A share of them (`ticking`) end with a tick; after the last record time goes on, one tick more with probability `afterwards`.
    """
    codec = Codec()
    left = Left(number, defaultdict(list), {}, [], [], [], [], [], [])
    topics = (*policy.folded, "ticks")
    partition, merge = Partition(number, partitions, APPLICATION, policy), Merge(topics, number)
    reached = dict.fromkeys(topics, 0)
    for raw in raws:
        left.inputs[raw.topic].append(Logged(raw.topic, raw.offset, raw.appended_at_ms, raw.key, raw.payload))
        if raw.topic in reached:
            merge.offer(raw.topic, Chunk.of([raw]))
    for topic in topics:
        merge.at_end(topic)
    now_ms = 0
    while len(taken := merge.take(random.randint(1, most))) or random.random() < afterwards:
        now_ms = taken[-1].appended_at_ms if len(taken) else now_ms + random.randint(1, 20_000)
        tick = _tick(now_ms, partition.last_tick_ms) if not len(taken) or random.random() < ticking else None
        tick_ms = tick.at if tick is not None else None
        folded = fold_cycle(partition, taken, codec, mode=mode, decided_at_ms=now_ms, quarantined=quarantined, tick_ms=tick_ms)
        ends = {raw.topic: raw.offset + 1 for raw in taken}
        ranges = [FoldedRange(topic=topic, from_offset=reached[topic], to_offset=ends[topic]) for topic in topics if topic in ends]
        reached |= ends
        order = FoldOrder(
            partition=number,
            ranges=ranges,
            tick=tick,
            mode=mode,
            policy_digest=policy.digest,
            quarantined=[QuarantinedRecord(topic=r.topic, offset=r.offset) for r in taken if (r.topic, r.offset) in quarantined],
        )
        progress = {topic: Progress(end, policy.digest, "id-of-" + topic) for topic, end in ends.items()}
        _write(left, content(folded, order, progress, codec.encode_all, APPLICATION))
    return left


def _tick(now_ms: int, previous_ms: int | None) -> FoldedTick | None:
    at_ms = now_ms - 200
    return FoldedTick(at=at_ms, previous=previous_ms) if previous_ms is None or at_ms > previous_ms else None


def _write(left: Left, written: Content) -> None:
    left.changelog.extend((key or b"", payload) for key, payload in written.plain["accounts-changelog"])
    left.orders.extend(payload or b"" for _, payload in written.plain["fold-order"])
    for topic, kept in (("tier-transitions", left.transitions), ("account-tiers", left.standings), ("actions", left.actions)):
        kept.extend((r.key, r.payload or b"") for r in written.headed.get(topic, []))
    left.dead_letters.extend((r.key, r.payload, dict(r.headers)) for r in written.headed.get("dead-letters", []))
