"""Faust's Kafka transport, as a group member only: it joins, is assigned and heartbeats, and never fetches or seeks.

Lanes read and write through librdkafka, and their progress is in the changelog. So the part of aiokafka that Faust starts keeps
what it does well, membership and co-partitioned assignment, and everything that touches records or positions is silenced here.
Each override says which upstream method it replaces and why; `tests/unit/agents/test_faust_contract.py` holds the upstream side.
"""

from collections.abc import Mapping
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP


class MemberThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka is a member of the group."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Replaces `AIOKafkaConsumerThread.on_partitions_assigned`, which lets aiokafka fetch what was just assigned.

        Paused before anybody is told, so that not one record is fetched; Faust's own pausing is a set of its own and
        never resumes aiokafka's.
        """
        consumer = self._ensure_consumer()
        consumer.pause(*consumer.assignment())
        await super().on_partitions_assigned(assigned, generation_id)

    async def show_progress(self, offsets: Mapping[TP, int]) -> bool:
        """Ours: commit offsets to the group for lag tools. False when the group would not take them now; nobody reads them."""
        return bool(await self.call_thread(self._show_progress, offsets))

    async def _show_progress(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        held = consumer.assignment()
        mine = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in held}
        try:
            if mine:
                await consumer.commit(mine)
        except KafkaError:  # rebalancing, coordinator away: the next round shows it
            return False
        return True


class MemberConsumer(driver.Consumer):
    """Faust's consumer service, without consuming."""

    _thread: MemberThread

    def _new_consumer_thread(self) -> MemberThread:
        """Replaces `Consumer._new_consumer_thread`: the member's thread instead of the reading one."""
        return MemberThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Replaces `Consumer.perform_seek`: progress is in the changelog, the group's offsets are never read."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - Faust's signature
        """Replaces `Consumer.commit`: no record passed through here, so there is nothing to commit."""
        return False

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Replaces `Consumer.verify_event_path`: Faust's livelock alarm looks for fetches, which a member never makes."""

    async def show_progress(self, offsets: Mapping[TP, int]) -> bool:
        """Ours: see `MemberThread.show_progress`."""
        return await self._thread.show_progress(offsets)


class MemberTransport(driver.Transport):
    """Replaces the `Consumer` of `Transport`; the producer, used for its metadata alone, stays Faust's."""

    Consumer = MemberConsumer
