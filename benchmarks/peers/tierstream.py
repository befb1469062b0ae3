"""Tierstream itself: `tierstream worker` as anybody starts it, with the common job as a policy, no option changed.

It does more than the job asks: event ids are remembered, every transition carries its ledger and goes out once more as the account's
standing, the fold order is recorded, and time that passes is decided to the millisecond.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.provisioning import create_topics
from benchmarks.figures import Tell
from benchmarks.peers.engine import Process, Work
from benchmarks.peers.oracle import Change
from benchmarks.stand import Stand
from schemas.codec import Codec
from schemas.records import TierTransition

POLICY = Path(__file__).parents[1] / "policies" / "common.yaml"


class Tierstream:
    """The worker, exactly once."""

    name, title, durable = "tierstream", "tierstream", "exactly once, changelog"

    def __init__(self) -> None:
        self._codec = Codec()

    def prepare(self, tell: Tell) -> None:
        """It is here."""
        _ = tell

    @contextmanager
    def running(self, stand: Stand, work: Work) -> Iterator[Process]:
        """A worker process."""
        create_topics(work.settings)
        with stand.worker(work.settings, POLICY) as worker:
            yield worker

    def output(self, work: Work) -> str:
        """All applications of a prefix share it."""
        return work.settings.topic_name("tier-transitions")

    def changes(self, payload: bytes, work: Work) -> list[Change]:
        """Of this run's application."""
        record = self._codec.decode_as(TierTransition, payload)
        if record.application != work.name:
            return []
        return [Change(record.account_id, record.sequence, record.from_tier or "", record.to_tier, record.score_after_micro or 0)]
