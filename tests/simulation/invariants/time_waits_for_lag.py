"""Lag is not silence: a tick is folded behind every record that its inputs had when it was offered."""

from collections.abc import Iterator

from tests.simulation.evidence import Evidence


def broken(evidence: Evidence) -> Iterator[str]:
    reached = dict.fromkeys(evidence.world.topics, 0)
    for order in evidence.orders:
        reached |= {part.topic: part.to_offset for part in order.ranges}
        if order.tick is None:
            continue
        offers = [offer for offer in evidence.world.offers[evidence.number] if offer.at_ms == order.tick.at]
        if not any(_is_folded(evidence, reached, offer.ends) for offer in offers):
            yield f"tick {order.tick.at} was folded when {reached} was reached, {[offer.ends for offer in offers]} were there"


def _is_folded(evidence: Evidence, reached: dict[str, int], ends: dict[str, int]) -> bool:
    return not any(evidence.range(topic, reached[topic], end) for topic, end in ends.items())
