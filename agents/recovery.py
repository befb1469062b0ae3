"""Taking a partition: fence the former owner, read back what it committed, and make sure that going on is right.

Going on is refused (SettingsError, exit 2) under another policy than the one that made the state, on a topic that was deleted and made
again (its offsets mean other records; a changelog, and the state is not in it), and where an input no longer has the next record.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

from agents.counters import LaneCounters
from agents.partition_log import Fatal, PartitionLog
from agents.patience import GivenUp, Wait, patiently
from agents.spare_memory import give_back
from agents.unit_of_work import CHANGELOG
from schemas.changelog import PROGRESS_PREFIX, REBUILT_KEY, Progress, Rebuilt, progress_of, rebuilt_of, topic_of
from schemas.errors import SettingsError
from schemas.pairs import Pairs

NOTHING = nullcontext()
REBUILD = "start under another application id (TIERSTREAM_APPLICATION_ID) to rebuild from the inputs"


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

    def overdue(self, at_ms: int) -> int:
        """How many accounts a tick at this time would look at. Asked by any thread."""

    def population(self) -> Mapping[tuple[str, str], int]:
        """How many accounts stand in each tier, by (scheme, tier)."""

    @property
    def policy_digest(self) -> str:
        """The policy that decides from here on."""

    @property
    def kept_digest(self) -> str:
        """The policy in force by what was restored."""

    def start_over(self) -> None:
        """Forget everything, and be under the policy in force."""

    @property
    def undecided(self) -> int:
        """How many accounts a change of policy has left to be decided again."""

    def slice_of(self, accounts: int) -> int | None:
        """Up to where the next so many of them reach."""

    def __len__(self) -> int: ...


class Ground(NamedTuple):
    """Where a lane stands: progress made before (by topic), the inputs' ids, where each is read from, and the changelog's id.

    `rebuilt`: how far a rebuild came that has made this state.
    """

    progress: dict[str, Progress]
    topic_ids: dict[str, str]
    positions: dict[str, int]
    changelog_id: str
    rebuilt: Rebuilt | None = None


def recover(
    log: PartitionLog, rows: Rows, named: str | None, counters: LaneCounters, wait: Wait, given_up: Callable[[], bool] = lambda: False,
    fencing: AbstractContextManager[object] = NOTHING,
) -> Ground:  # fmt: skip
    """Own the partition, with its rows restored and its inputs started. Raises SettingsError if going on would be wrong.

    `named`: the digest of the policy that the operator says is in force; None: whichever is. `fencing`: entered for as long as the
    former owner is being fenced.
    """
    ground = take(log, rows, named, counters, wait, given_up, fencing)
    if ground.rebuilt is not None and ground.rebuilt.at_work:
        raise SettingsError(
            f"partition {log.number} is being rebuilt from application {ground.rebuilt.source}: "
            "run `tierstream rebuild` to its end before any worker"
        )
    log.start(ground.positions)
    return ground


def take(
    log: PartitionLog, rows: Rows, named: str | None, counters: LaneCounters, wait: Wait, given_up: Callable[[], bool] = lambda: False,
    fencing: AbstractContextManager[object] = NOTHING,
) -> Ground:  # fmt: skip
    """As `recover`, but its inputs are not started, and a rebuild may be under way."""
    with fencing:
        patiently(log.open, wait, given_up)
        counters.fences += 1
    counters.restore_left = end = patiently(log.changelog_end, wait, given_up)
    progress, rebuilt = _restore(log, end, rows, counters, given_up)
    if named is None and progress and rows.kept_digest != rows.policy_digest:
        rows.start_over()
        progress, rebuilt = _restore(log, end, rows, counters, given_up)
    rows.restored()
    give_back()
    topic_ids = patiently(log.topic_ids, wait, given_up)
    changelog_id = topic_ids.pop(CHANGELOG, "")
    begins = patiently(log.begins, wait, given_up)
    if problems := [
        *_changelog_problems(progress, changelog_id, log.number),
        *policy_problems(progress, rows.policy_digest if named is None else named),
        *topic_problems(progress, topic_ids),
        *_retention_problems(progress, begins, log.number),
    ]:
        raise SettingsError(problems)
    positions = {topic: progress[topic].next_offset if topic in progress else begins[topic] for topic in topic_ids}
    return Ground(progress, topic_ids, positions, changelog_id, rebuilt)


def _restore(
    log: PartitionLog, end: int, rows: Rows, counters: LaneCounters, given_up: Callable[[], bool]
) -> tuple[dict[str, Progress], Rebuilt | None]:
    progress: dict[str, Progress] = {}
    rebuilt: Rebuilt | None = None
    for batch in log.restore(end):
        if given_up():
            raise GivenUp("restoring was interrupted")
        records = Pairs.of(batch)
        made = records.starting(PROGRESS_PREFIX)
        for key, payload in records.picked(made):
            if payload is None:
                raise Fatal(f"changelog must keep its progress, got a tombstone for {topic_of(key)}")
            progress[topic_of(key)] = progress_of(payload)
        for _, payload in records.picked(records.starting(REBUILT_KEY)):
            rebuilt = rebuilt if payload is None else rebuilt_of(payload)
        rows.restore_batch(records.without(made))
        counters.restored += len(records)
        counters.restore_left = max(0, end - log.restored_to())
    return progress, rebuilt


def policy_problems(progress: Mapping[str, Progress], digest: str) -> list[str]:
    others = sorted({made.policy_digest for made in progress.values()} - {digest})
    return [
        f"policy must have the digest of the one in force, {other}, got {digest}: "
        f"start without --policy to go on with the one in force, change it with `tierstream policy activate`, or "
        f"{REBUILD.removeprefix('start ')}"
        for other in others
    ]


def _changelog_problems(progress: Mapping[str, Progress], changelog_id: str, number: int) -> list[str]:
    others = sorted({made.changelog_id for made in progress.values()} - {"", changelog_id})
    return [
        f"topic {CHANGELOG} partition {number} was deleted and made again (id {changelog_id}, progress was made in {other}), so state is "
        f"missing: {REBUILD}"
        for other in others
    ]


def topic_problems(progress: Mapping[str, Progress], topic_ids: Mapping[str, str]) -> list[str]:
    return [
        f"topic {topic} was deleted and made again (id {topic_ids[topic]}, progress was made on {made.topic_id}), so offsets mean "
        f"other records: {REBUILD} as they are"
        for topic, made in sorted(progress.items())
        if topic in topic_ids and topic_ids[topic] != made.topic_id  # who works by the clock on the wall reads no `ticks` any more
    ]


def _retention_problems(progress: Mapping[str, Progress], begins: Mapping[str, int], number: int) -> list[str]:
    return [
        f"topic {topic} partition {number} begins at offset {begins[topic]}, the next record to fold had {made.next_offset}: records were "
        f"deleted before they were folded: {REBUILD} as they are, and keep inputs for longer (retention.ms)"
        for topic, made in sorted(progress.items())
        if begins.get(topic, 0) > made.next_offset
    ]
