"""Changing the policy of an application: what is in force, who would move, the order to all partitions, and whether it is obeyed.

Rules: what is in force is what the changelog says; who would move is computed by the very fold that would move them, on all accounts as
of their last commit; the order is one transaction with one record for each partition, so all lanes get it or none.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import uuid4

from agents.messages import parted, there
from agents.reading import committed_messages, consumer_from, end_of, partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from agents.transactions import Transactions
from agents.unit_of_work import CHANGELOG
from schemas.changelog import POLICY_KEY, PROGRESS_PREFIX, policy_of
from schemas.errors import PolicyError, SettingsError
from schemas.records import PolicyActivated, TierTransition
from streams.activation import Ordered, judged, policy_from
from streams.again import LAST
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy

BATCH = 5_000
OBEYED_WITHIN_S = 60.0
_LISTEN_S = 0.5


class Movement(NamedTuple):
    """Who would move: accounts by (ladder, tier now, tier then), how many do at all, of how many."""

    moves: Counter[tuple[str, str, str]]
    movers: int
    accounts: int

    @property
    def share(self) -> float:
        """Of all accounts."""
        return self.movers / self.accounts if self.accounts else 0.0


def in_force(settings: Settings) -> CompiledPolicy:
    """A policy that some partition's changelog has had in force: the first that is found. Raises SettingsError if there is none."""
    for message in committed_messages(settings, CHANGELOG):
        if message.key() == POLICY_KEY and message.value() is not None:
            return policy_from(policy_of(message.value()).text)
    raise SettingsError(
        f"no policy was named, and none is in force: nothing was folded under the application id {settings.application_id} yet: "
        "start a worker with one (--policy FILE)"
    )


class Activation:
    """One change to be ordered. `on_total` and `on_read` are told how many records of the changelog lie ahead, and were read."""

    def __init__(self, settings: Settings, policy: CompiledPolicy, requested_by: str, reason: str) -> None:
        self._settings, self.policy = settings, policy
        self.before = in_force(settings)
        self.partitions = partitions_of(settings, CHANGELOG)
        self._requested_by, self._reason = requested_by, reason
        self._event_id = str(uuid4())

    def record(self, now_ms: int) -> PolicyActivated:
        """The order."""
        return PolicyActivated(
            event_id=self._event_id,
            occurred_at=now_ms,
            application=self._settings.application_id,
            replaces=self.before.digest,
            digest=self.policy.digest,
            text=self.policy.text,
            requested_by=self._requested_by,
            reason=self._reason,
        )

    def movement(self, now_ms: int, on_total: Callable[[int], None], on_read: Callable[[int], None]) -> Movement:
        """Who would move. Raises PolicyError where the policy would be refused, SettingsError where another change is not through."""
        found, record = Movement(Counter(), 0, 0), self.record(now_ms)
        for number in range(self.partitions):
            partition = as_committed(self._settings, number, self.partitions, self.before, on_total, on_read)
            if partition is None:
                continue
            self.before = partition.policy
            record = self.record(now_ms)
            self._require(partition, record)
            found = _counted(found, partition, record, now_ms)
        return found

    def _require(self, partition: Partition, record: PolicyActivated) -> None:
        if partition.undecided:
            raise SettingsError(
                f"partition {partition.number} has {partition.undecided} accounts still to be decided under {partition.policy.digest}: "
                "a worker does it; try again then"
            )
        if partition.policy.digest == record.digest:
            raise SettingsError(f"policy {self.policy.name} {self.policy.version} ({record.digest}) is in force already")
        if isinstance(problems := judged(partition.policy, record), list):
            raise PolicyError(problems)

    def order(self, now_ms: int) -> dict[int, int]:
        """Write it to every partition, in one transaction. The changelog's ends before it."""
        ends = {number: end_of(self._settings, CHANGELOG, number) for number in range(self.partitions)}
        payload = codec_for(self._settings).encode(self.record(now_ms))
        transactions = Transactions(self._settings, _name(self._settings), "change of policy")
        transactions.open()

        def send() -> None:
            for number in range(self.partitions):
                transactions.produce("policies", str(number).encode(), payload, number)

        transactions.commit(send)
        return ends

    def obeyed(self, ends: dict[int, int], within_s: float = OBEYED_WITHIN_S) -> set[int]:
        """The partitions that have adopted the policy, after a while at most."""
        found, give_up_at = set[int](), time.monotonic() + within_s
        consumer = consumer_from(self._settings, CHANGELOG, ends)
        try:
            while len(found) < self.partitions and time.monotonic() < give_up_at:
                for message in parted(there(consumer, BATCH, _LISTEN_S))[0]:
                    payload = message.value()
                    if message.key() == POLICY_KEY and payload is not None and policy_of(payload).digest == self.policy.digest:
                        found.add(message.partition() or 0)
        finally:
            consumer.close()
        return found


def as_committed(
    settings: Settings,
    number: int,
    partitions: int,
    policy: CompiledPolicy,
    on_total: Callable[[int], None],
    on_read: Callable[[int], None],
) -> Partition | None:
    """A partition as of its last commit; None: nothing was folded there yet. `policy`: one that it may be under."""
    partition = Partition(number, partitions, settings.application_id, policy)
    if not _put_back(partition, _records(settings, number, on_total, on_read)):
        return None
    if partition.kept_digest != partition.policy_digest:
        partition.start_over()
        _put_back(partition, _records(settings, number, on_total, on_read))
    partition.restored()
    return partition


def _name(settings: Settings) -> str:
    return f"{settings.application_id}-policy-activate"


def _records(
    settings: Settings, number: int, on_total: Callable[[int], None], on_read: Callable[[int], None]
) -> Iterator[list[tuple[bytes, bytes | None]]]:
    """A partition's changelog but for its progress, in batches."""
    batch: list[tuple[bytes, bytes | None]] = []
    for message in committed_messages(settings, CHANGELOG, partitions=[number], on_total=on_total):
        batch.append((message.key(), message.value()))
        if len(batch) == BATCH:
            on_read(BATCH)
            yield batch
            batch = []
    yield batch


def _put_back(partition: Partition, batches: Iterator[list[tuple[bytes, bytes | None]]]) -> bool:
    """Whether there was anything."""
    found = False
    for batch in batches:
        found = found or bool(batch)
        partition.restore_batch([record for record in batch if not record[0].startswith(PROGRESS_PREFIX)])
    return found


def _counted(found: Movement, partition: Partition, record: PolicyActivated, now_ms: int) -> Movement:
    """What the change would do to the accounts of a partition, counted with the others."""
    raw = RawRecord("policies", partition.number, 0, now_ms, None, None)
    outputs = partition.activate(Ordered(raw, record, "SHADOW", now_ms))
    outputs += partition.decide_up_to(LAST, "SHADOW", now_ms)
    ways: dict[tuple[str, str], tuple[str, str]] = {}
    for output in outputs:
        said = output.record
        if isinstance(said, TierTransition) and said.from_tier is not None:
            begin = ways.get((said.account_id, said.scheme), (said.from_tier, ""))[0]
            ways[said.account_id, said.scheme] = begin, said.to_tier
    moved = {place: way for place, way in ways.items() if way[0] != way[1]}
    moves = Counter((scheme, *way) for (_, scheme), way in moved.items())
    movers = len({account for account, _ in moved})
    return Movement(found.moves + moves, found.movers + movers, found.accounts + len(partition))
