"""A rebuild from beginning to end: what lies ahead, what would change, and the work, partition by partition.

Rules: before the first record, in one transaction, every partition of the new application is marked as being rebuilt, and its workers
refuse to start; the mark is taken off in one transaction too, when all partitions are at the ends that were asked at the start. Whoever
was interrupted runs it again: it goes on where it was.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from agents import clients
from agents.activating import Movement, as_committed, in_force
from agents.counters import LaneCounters
from agents.identities import Identities
from agents.kafka_log import KafkaLog
from agents.partition_log import LogError
from agents.reading import beginning_of
from agents.rebuilding.comparing import moved
from agents.rebuilding.folding import Writer, refolded
from agents.rebuilding.history import History, histories, surveyed
from agents.rebuilding.source import Source, Survey
from agents.rebuilding.standing import beginning, require_source
from agents.recovery import take
from agents.registry import codec_for
from agents.settings import Settings
from agents.transactions import Transactions
from agents.unit_of_work import CHANGELOG
from schemas.changelog import REBUILT_KEY, Rebuilt, rebuilt_payload
from schemas.errors import SettingsError
from streams.partition import Partition
from streams.policy import CompiledPolicy

OnRead = Callable[[int], None]


class Rebuild:
    """One run of a rebuild. `settings` name the new application, `source` the old one; with `dry` nothing of the new one is looked at."""

    def __init__(self, settings: Settings, source: str, policy: CompiledPolicy, *, dry: bool = False) -> None:
        self._settings, self._policy = settings, policy
        self._source = settings.model_copy(update={"application_id": source, "output_prefix": ""})
        self._topics = (*policy.folded, "ticks")
        self._codec = codec_for(settings)
        require_source(settings, self._source)
        self._standing = [Rebuilt(source, "")] * settings.partitions if dry else beginning(settings, self._source)
        self._surveys = surveyed(self._source, [rebuilt.next_offset for rebuilt in self._standing])

    @property
    def records(self) -> int:
        """How many lie ahead."""
        return sum(survey.records for survey in self._surveys)

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier run has done some of the work."""
        return any(rebuilt.next_offset for rebuilt in self._standing)

    def histories(self) -> list[History]:
        """What the inputs still have."""
        return histories(self._settings, self._surveys, self._policy.folded)

    def rehearsed(self, on_read: OnRead) -> Movement:
        """Everything folded in memory, from the very beginning, and who would stand elsewhere."""
        found, settings = Movement(Counter(), 0, 0), self._settings
        for number in range(settings.partitions):
            partition = self._partition(number)
            positions = {topic: beginning_of(settings, topic, number) for topic in self._topics}
            source = Source(self._source, number)
            turns = source.turns(0, source.survey(0), self._topics, positions)
            for each in refolded(partition, turns, self._topics, self._codec):
                on_read(each.records)
            found = self._compared(found, partition)
        return found

    def run(self, on_read: OnRead) -> Movement:
        """Everything that lies ahead folded and committed; who stands elsewhere now than in the source."""
        marks = Transactions(self._settings, f"{self._settings.application_id}-rebuild", "rebuild")
        marks.open()
        self._mark(marks, self._standing, at_work=True)
        found, ended = Movement(Counter(), 0, 0), list[Rebuilt]()
        for number, survey in enumerate(self._surveys):
            partition = self._partition(number)
            try:
                ended.append(self._folded(partition, survey, on_read))
            except LogError as lost:
                raise SettingsError(
                    f"partition {number} was taken away from this rebuild ({lost}): stop what took it, and run it again"
                ) from lost
            found = self._compared(found, partition)
        self._mark(marks, ended, at_work=False)
        return found

    def _mark(self, marks: Transactions, rebuilt: Sequence[Rebuilt], *, at_work: bool) -> None:
        """Say of every partition, in one transaction, whether it is being rebuilt."""

        def send() -> None:
            for number, one in enumerate(rebuilt):
                marks.produce(CHANGELOG, REBUILT_KEY, rebuilt_payload(msgspec.structs.replace(one, at_work=at_work)), number)

        marks.commit(send)

    def _folded(self, partition: Partition, survey: Survey, on_read: OnRead) -> Rebuilt:
        """One partition, from where it stands to the survey's end."""
        settings, number = self._settings, partition.number
        admin = clients.admin_client(settings)
        log = KafkaLog(settings, number, self._topics, admin, Identities(admin))
        try:
            ground = take(log, partition, self._policy.digest, LaneCounters(), time.sleep)
            assert ground.rebuilt is not None, "it was marked before"
            turns = Source(self._source, number).turns(ground.rebuilt.next_offset, survey, self._topics, ground.positions)
            writer = Writer(log, ground, self._policy.digest, settings.application_id, self._codec)
            writer.write(partition, refolded(partition, turns, self._topics, self._codec), on_read)
        finally:
            log.close()
        return writer.rebuilt

    def _partition(self, number: int) -> Partition:
        return Partition(number, self._settings.partitions, self._settings.application_id, self._policy, schemas=self._codec.catalogue)

    def _compared(self, found: Movement, partition: Partition) -> Movement:
        """Counted with the others; nothing where the source has no state any more."""
        try:
            policy = in_force(self._source)
        except SettingsError:
            return found
        nobody: OnRead = lambda _: None  # noqa: E731
        before = as_committed(self._source, partition.number, self._settings.partitions, policy, nobody, nobody)
        if before is None:
            return found
        here = moved(before, partition)
        return Movement(found.moves + here.moves, found.movers + here.movers, found.accounts + here.accounts)
