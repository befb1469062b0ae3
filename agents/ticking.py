"""Time passing, as an input: offers each lane of this process a tick, once it has reason to take one.

A tick is the worker's clock at the time of asking, less a delay, and it is folded only after every input record below the ends asked
for at that time: lag is not silence. The lane takes it inside a unit of work and records it in `fold-order`.
An account that is due has its tick at the next look; a partition in which nothing is due has one a minute (`tick_heartbeat_s`).
"""

import logging
import threading

from agents.clocks import Clock
from agents.lanes import Lanes
from agents.partition_log import LogError
from agents.settings import Settings

_log = logging.getLogger("tierstream.ticking")


class Ticking:
    """A thread that asks; the lanes fold."""

    def __init__(self, lanes: Lanes, settings: Settings, clock: Clock) -> None:
        self._lanes, self._clock = lanes, clock
        self._every_s, self._delay_ms = settings.tick_every_s, settings.tick_delay_ms
        self._heartbeat_ms = round(1000 * settings.tick_heartbeat_s)
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="ticking", daemon=True)

    def start(self) -> None:
        """Begin to offer ticks."""
        self.thread.start()

    def stop(self) -> None:
        """Offer no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            for lane in list(self._lanes.by_number.values()):
                try:
                    lane.offer_tick(self._clock() - self._delay_ms, self._heartbeat_ms)
                except LogError as unanswered:
                    _log.warning("lane %d gets no tick now: %s", lane.number, unanswered)
