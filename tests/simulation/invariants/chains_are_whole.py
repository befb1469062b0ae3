"""Every chain of transitions is gapless, joined and consistent in itself: what `tierstream audit` proves."""

from collections.abc import Iterator

from agents.auditing import audited
from streams.intake import RawRecord
from tests.simulation.evidence import CODEC, Evidence


def broken(evidence: Evidence) -> Iterator[str]:
    topic = "tier-transitions"
    raws = [RawRecord(topic, evidence.number, r.offset, r.at_ms, r.key, r.payload) for r in evidence.written(topic)]
    for breach in audited(raws, CODEC).breaches:
        yield f"{breach.rule} of {breach.account_id}: {breach.message}"
