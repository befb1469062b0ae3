"""Scoring as a Faust agent: its actors are lanes, one thread for each assigned partition.

Faust decides which partitions are ours and says so in two ways. The agent manager passes differences: partitions lost for good end
their lanes, new ones start theirs. The app's signals frame the whole rebalance: on revocation every lane finishes its transaction
and waits, on assignment the kept ones go on with their memory and their producer.

Rules:
- The first input is the anchor: who has its partition n has lane n, which reads partition n of every input. (While a deployment
  adds an input, the assignor places the new topic apart from the others.)
- No lane starts before every topic it touches has the partition count of the settings.
- A worker that missed a generation of the group cannot know who had its partitions meanwhile: kept lanes start anew.
"""

import asyncio
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import faust
from faust.agents import Agent
from faust.types import TP
from mode import Service

from agents.lanes import Lanes
from agents.settings import Settings
from schemas.errors import SettingsError

_log = logging.getLogger("tierstream.lanes")
_PAUSE_S = 15.0  # below the group's rebalance timeout: a lane that is not done by then is fenced by the next owner
REBALANCE_TIMEOUT_S = 20.0
_SHOW_EVERY_S = 5.0


class Inputs(faust.Topic):
    """Several topics read as one, partition by partition; nothing is sent to it."""

    def get_topic_name(self) -> str:
        """Replaces `Topic.get_topic_name`, which raises for several topics; `faust agents` shows this."""
        return ", ".join(self.topics)

    async def send(self, *_args: Any, **_options: Any) -> Any:
        """Replaces `Topic.send`: an event belongs to one of the inputs."""
        raise TypeError(f"send to one of the topics {self.get_topic_name()}, not to the agent that reads them")

    def send_soon(self, *_args: Any, **_options: Any) -> Any:
        """Replaces `Topic.send_soon`, as `send`."""
        raise TypeError(f"send to one of the topics {self.get_topic_name()}, not to the agent that reads them")


class LaneAgent(Agent):
    """An agent whose function is the fold that the lanes call. `lanes` does the work, `settings` says how many there are in all."""

    def __init__(self, fun: Callable[..., Any], *, app: faust.App, lanes: Lanes, settings: Settings, **options: Any) -> None:
        """Extends `Agent.__init__`: also listens to the two signals that frame a rebalance."""
        super().__init__(fun, app=app, **options)
        self.lanes = lanes
        self.settled = False
        self._settings = settings
        self._generation: int | None = None
        self._fresh: set[int] = set()
        app.on_partitions_revoked.connect(self._rebalance_begins)
        app.on_partitions_assigned.connect(self._rebalance_ends)

    def info(self) -> dict[str, Any]:
        """Extends `Agent.info`, from which `clone` makes copies."""
        return {**super().info(), "lanes": self.lanes, "settings": self._settings}

    async def on_start(self) -> None:
        """Replaces `Agent.on_start`: subscribes to the inputs, without the stream and actor tasks that would read them."""
        self.app.topics.add(self.channel)

    async def on_stop(self) -> None:
        """Replaces `Agent.on_stop`, which cancels actor tasks: the lanes end."""
        await asyncio.to_thread(self.lanes.stop)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Replaces `Agent.on_partitions_revoked`: what is lost for good (the manager passes differences)."""
        await asyncio.to_thread(self.lanes.end, sorted(self._numbers(revoked)))

    async def on_partitions_assigned(self, assigned: set[TP]) -> None:
        """Replaces `Agent.on_partitions_assigned`: what is new."""
        self._require_equal_counts()
        self._fresh = self._numbers(assigned)
        await asyncio.to_thread(self.lanes.start, sorted(self._fresh))

    def actor_tracebacks(self) -> list[str]:
        """Replaces `Agent.actor_tracebacks`, which knows coroutines only: where each lane's thread is now."""
        frames = sys._current_frames()
        alive = [(number, frames.get(lane.thread.ident or 0)) for number, lane in sorted(self.lanes.by_number.items())]
        return [f"lane {number}\n{''.join(traceback.format_stack(frame))}" for number, frame in alive if frame is not None]

    @Service.task
    async def _show_lanes(self) -> None:
        """What Faust's monitor and the group's offsets say, for whoever looks at a Faust application or at consumer lag."""
        shown: Counter[str] = Counter()
        async for _ in self.itertimer(_SHOW_EVERY_S, name="lanes"):
            folded: Counter[str] = Counter()
            for counted in list(self.lanes.counters.values()):
                folded.update({self._settings.topic_name(topic): count for topic, count in dict(counted.events).items()})
            self.app.monitor.messages_received_by_topic.update(folded - shown)
            self.app.monitor.messages_received_total += (folded - shown).total()
            shown = folded
            positions = await asyncio.to_thread(self._positions)
            self.app.monitor.tp_read_offsets.update(positions)
            if self.settled and await self.app.consumer.show_progress(positions):
                self.app.monitor.tp_committed_offsets.update(positions)

    def _positions(self) -> dict[TP, int]:
        lanes = list(self.lanes.by_number.items())
        return {
            TP(self._settings.topic_name(topic), number): offset
            for number, lane in lanes
            if lane.state == "running"
            for topic, offset in lane.positions().items()
        }

    def _numbers(self, tps: Iterable[TP]) -> set[int]:
        anchor = self.channel.topics[0]
        return {tp.partition for tp in tps if tp.topic == anchor}

    def _require_equal_counts(self) -> None:
        wanted = self._settings.partitions
        names = {*self.get_topic_names(), *self.app.tables.changelog_topics}
        counts = {name: self.app.consumer.topic_partitions(name) for name in sorted(names)}
        wrong = [f"{name} has {count}" for name, count in counts.items() if count not in (None, wanted)]  # None: not told yet
        if wrong:
            raise SettingsError(f"every topic of a lane must have {wanted} partitions, {', '.join(wrong)}: see `tierstream topics check`")

    async def _rebalance_begins(self, _app: faust.App, revoked: set[TP], **_options: Any) -> None:
        self.settled = False
        _log.info("rebalance begins held=%d", len(self._numbers(revoked)))
        await asyncio.to_thread(self.lanes.pause, _PAUSE_S)

    async def _rebalance_ends(self, app: faust.App, assigned: set[TP], **_options: Any) -> None:
        """The whole assignment: checks the two edges above against it."""
        wanted, have = self._numbers(assigned), set(self.lanes.by_number)
        if wanted != have:
            raise RuntimeError(
                f"lanes must match the assignment {sorted(wanted)}, got {sorted(have)} (generation {app.consumer_generation_id})"
            )
        await asyncio.to_thread(self._go_on, app.consumer_generation_id, sorted(have - self._fresh))
        self.settled = True
        _log.info("rebalance ends lanes=%s generation=%s", ",".join(map(str, sorted(have))) or "-", app.consumer_generation_id)

    def _go_on(self, generation: int, kept: list[int]) -> None:
        last, self._generation, self._fresh = self._generation, generation, set()
        if kept and last is not None and generation not in (last, last + 1):
            _log.warning("lanes start anew: generations between %d and %d were missed", last, generation)
            self.lanes.end(kept)
            self.lanes.start(kept)
        self.lanes.resume()
