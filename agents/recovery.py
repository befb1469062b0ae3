"""Taking a partition: fence the former owner, read back what it committed, and make sure that going on is right.

Going on is refused (SettingsError, exit 2) under another policy than the one that made the state, and on a topic that was deleted
and made again: its offsets mean other records.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from agents.counters import LaneCounters
from agents.partition_log import Fatal, PartitionLog
from agents.patience import GivenUp, Wait, patiently
from agents.spare_memory import give_back
from schemas.changelog import PROGRESS_PREFIX, Progress, progress_of, topic_of
from schemas.errors import SettingsError


class Rows(Protocol):
    """The accounts of one partition in memory, as recovery and views see them."""

    def restore_batch(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Take changelog records of rows, dossiers, layouts and the last tick, in their order."""

    def restored(self) -> None:
        """The changelog has been read to its end."""

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, object] | None:
        """One account for people to read, as of an instant."""

    @property
    def last_tick_ms(self) -> int | None:
        """The last tick folded, None before the first."""

    def is_due(self, at_ms: int) -> bool:
        """Whether a tick at this time would decide anything."""

    def __len__(self) -> int: ...


class Ground(NamedTuple):
    """Where a lane stands: progress made before (by topic), the topics' ids, and where each input is read from."""

    progress: dict[str, Progress]
    topic_ids: dict[str, str]
    positions: dict[str, int]


def recover(
    log: PartitionLog, rows: Rows, policy_digest: str, counters: LaneCounters, wait: Wait, given_up: Callable[[], bool] = lambda: False
) -> Ground:
    """Own the partition, with its rows restored and its inputs started. Raises SettingsError if going on would be wrong."""
    patiently(log.open, wait, given_up)
    end = patiently(log.changelog_end, wait, given_up)
    progress = _restore(log, end, rows, counters, given_up)
    topic_ids = patiently(log.topic_ids, wait, given_up)
    if problems := [*policy_problems(progress, policy_digest), *topic_problems(progress, topic_ids)]:
        raise SettingsError(problems)
    begins = patiently(log.begins, wait, given_up)
    positions = {topic: progress[topic].next_offset if topic in progress else begins[topic] for topic in topic_ids}
    log.start(positions)
    return Ground(progress, topic_ids, positions)


def _restore(log: PartitionLog, end: int, rows: Rows, counters: LaneCounters, given_up: Callable[[], bool]) -> dict[str, Progress]:
    progress: dict[str, Progress] = {}
    for batch in log.restore(end):
        if given_up():
            raise GivenUp("restoring was interrupted")
        for key, payload in batch:
            if key.startswith(PROGRESS_PREFIX):
                if payload is None:
                    raise Fatal(f"changelog must keep its progress, got a tombstone for {topic_of(key)}")
                progress[topic_of(key)] = progress_of(payload)
        rows.restore_batch([record for record in batch if not record[0].startswith(PROGRESS_PREFIX)])
        counters.restored += len(batch)
    rows.restored()
    give_back()
    return progress


def policy_problems(progress: Mapping[str, Progress], digest: str) -> list[str]:
    others = sorted({made.policy_digest for made in progress.values()} - {digest})
    return [
        f"policy must have the digest of the one in force, {other}, got {digest}: "
        "start with the policy in force, or under another application id (TIERSTREAM_APPLICATION_ID) to rebuild from the inputs"
        for other in others
    ]


def topic_problems(progress: Mapping[str, Progress], topic_ids: Mapping[str, str]) -> list[str]:
    return [
        f"topic {topic} was deleted and made again (id {topic_ids.get(topic)}, progress was made on {made.topic_id}), so offsets mean "
        "other records: start under another application id (TIERSTREAM_APPLICATION_ID) to rebuild from the inputs as they are"
        for topic, made in sorted(progress.items())
        if topic_ids.get(topic) != made.topic_id
    ]
