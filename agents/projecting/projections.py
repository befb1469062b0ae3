"""The projections of this process: one for each assigned partition, in the threads that lanes have."""

from functools import cache, partial

from agents import clients
from agents.clocks import Clock
from agents.counters import LaneCounters
from agents.lanes import Lanes
from agents.projecting.counting import ProjectionCounters
from agents.projecting.projection import Projection, Readers
from agents.projecting.store import Store
from agents.registry import codec_for
from agents.settings import Settings


class Projections(Lanes):
    """Started, paused and ended with the group's assignment, as lanes are. A pause is a courtesy: two may write the same partition."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        """Nothing is connected before the first partition is taken."""
        self.projected = {number: ProjectionCounters() for number in range(settings.partitions)}
        self.by_number, self.counters = {}, dict(self.projected)
        admin, readers = cache(partial(clients.admin_client, settings)), Readers(codec_for(settings))

        def make(number: int, _counters: LaneCounters) -> Projection:
            return Projection(settings, number, store, admin(), self.projected[number], clock, readers)

        self._make = make
