"""Progress never passes state: each transaction holds the progress of exactly the ranges that it folded, and what folding them gives.

The ranges follow one another without a gap; rows, dossiers and ticks are those that folding them again gives, byte by byte.
"""

from collections.abc import Iterator

from schemas.changelog import LAYOUT_PREFIX, PROGRESS_PREFIX, progress_of, topic_of
from tests.simulation.evidence import Evidence


def broken(evidence: Evidence) -> Iterator[str]:
    orders = evidence.written("fold-order")
    if [record.transaction for record in orders] != evidence.transactions:
        yield f"{len(evidence.transactions)} transactions have {len(orders)} records of fold-order"
        return
    reached = dict.fromkeys(evidence.world.topics, 0)
    for place, (transaction, order, again) in enumerate(zip(evidence.transactions, evidence.orders, evidence.again, strict=True)):
        written = evidence.changelog_of(transaction)
        progress = {topic_of(key): progress_of(payload).next_offset for key, payload in written.items() if _is_progress(key) and payload}
        for part in order.ranges:
            if part.from_offset != reached[part.topic]:
                yield f"transaction {place} folds {part.topic} from {part.from_offset}, {reached[part.topic]} was reached"
            reached[part.topic] = part.to_offset
            progress.setdefault(part.topic, -1)
        for topic, next_offset in progress.items():
            if next_offset != reached[topic]:
                yield f"transaction {place} has progress {next_offset} on {topic} and state up to {reached[topic]}"
        state = {key: held for key, held in written.items() if _is_state(key)}
        if not evidence.moved and state != dict(filter(_is_of_state, again.changes)):
            yield f"transaction {place} wrote another state than its ranges make: {_differing(written, dict(again.changes))}"


def _is_progress(key: bytes | None) -> bool:
    return key is not None and key.startswith(PROGRESS_PREFIX)


def _is_state(key: bytes | None) -> bool:
    return key is not None and not key.startswith((PROGRESS_PREFIX, LAYOUT_PREFIX))


def _is_of_state(change: tuple[bytes, bytes | None]) -> bool:
    return _is_state(change[0])


def _differing(one: dict[bytes | None, bytes | None], other: dict[bytes, bytes | None]) -> list[bytes | None]:
    return [key for key in {**one, **other} if _is_state(key) and one.get(key) != other.get(key or b"")]
