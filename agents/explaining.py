"""Why is this account in this tier? Read from the changelog, where no worker answers, and from the inputs, record by record.

Rules: the partition's changelog is read to its end, which is the state as of the last commit; of its rows only the account's is
kept. The policy must be the one that made the state. Records are listed as they lie in the inputs, refused ones with the reason.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from agents.reading import committed_messages, partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from schemas.changelog import POLICY_KEY, TICK_KEY, Kind, classify, dossier_key, progress_of, row_key
from schemas.codec import Codec
from schemas.errors import RecordRejected, SettingsError
from schemas.json_values import to_json
from streams.partition import Partition
from streams.partitioning import partition_for
from streams.policy import CompiledPolicy

TOLD_EVERY = 1_000


class Watcher(NamedTuple):
    """Who wants to see a reading go on: told how many records lie ahead, and now and then how many more were read."""

    on_total: Callable[[int], None] = lambda _: None
    on_read: Callable[[int], None] = lambda _: None


UNWATCHED = Watcher()


class Restored(NamedTuple):
    """An account's view (None: there is no such account) and the changelog partition that says so, as the broker has it."""

    view: dict[str, Any] | None
    place: str


def restored(settings: Settings, policy: CompiledPolicy, account_id: str, at_ms: int | None, watcher: Watcher = UNWATCHED) -> Restored:
    """What the changelog says of an account."""
    partitions = partitions_of(settings, "accounts-changelog")
    number = partition_for(account_id.encode(), partitions)
    partition = Partition(number, partitions, settings.application_id, policy)
    newest = _newest(settings, number, account_id.encode(), watcher)
    for payload in _of(newest, Kind.PROGRESS):
        _check_policy(payload, policy)
    kept = [entry for entry in newest.items() if classify(entry[0]) is not Kind.PROGRESS]
    partition.restore_batch(sorted(kept, key=lambda entry: classify(entry[0]) is not Kind.LAYOUT))
    partition.restored()
    return Restored(partition.view(account_id, at_ms), f"{settings.topic_name('accounts-changelog')}:{number}")


def _newest(settings: Settings, number: int, account: bytes, watcher: Watcher) -> dict[bytes, bytes | None]:
    """The newest record of each key that is the account's or the partition's own."""
    own, newest = {row_key(account), dossier_key(account), TICK_KEY, POLICY_KEY}, dict[bytes, bytes | None]()
    for message in _read(settings, "accounts-changelog", number, watcher):
        key = message.key()
        if key in own or classify(key) in (Kind.LAYOUT, Kind.PROGRESS):
            newest[key] = message.value()
    return newest


def _of(newest: dict[bytes, bytes | None], kind: Kind) -> list[bytes | None]:
    return [payload for key, payload in newest.items() if classify(key) is kind]


def _check_policy(payload: bytes | None, policy: CompiledPolicy) -> None:
    made_by = progress_of(payload or b"").policy_digest
    if made_by != policy.digest:
        raise SettingsError(
            f"policy must be the one that made the state, with digest {made_by}, got {policy.digest} "
            f"({policy.name} {policy.version}): name the file that the workers run with (--policy)"
        )


def evidence(settings: Settings, inputs: tuple[str, ...], account_id: str, watcher: Watcher = UNWATCHED) -> Iterator[dict[str, Any]]:
    """Every record of the account in the input topics, topic by topic, as JSON with its place."""
    codec, key = codec_for(settings), account_id.encode()
    for topic in inputs:
        number = partition_for(key, partitions_of(settings, topic))
        for message in _read(settings, topic, number, watcher):
            if message.key() == key:
                place = {"topic": topic, "partition": number, "offset": message.offset(), "appended_at": message.timestamp()[1]}
                yield {**place, **_content(codec, topic, message.value())}


def _content(codec: Codec, topic: str, payload: bytes | None) -> dict[str, Any]:
    try:
        return {"value": to_json(codec.decode(topic, payload))}
    except RecordRejected as refused:
        return {"refused": refused.reason.value, "message": str(refused)}


def _read(settings: Settings, topic: str, number: int, watcher: Watcher) -> Iterator[Any]:
    """The messages of one partition, told of as they are read."""
    for count, message in enumerate(committed_messages(settings, topic, partitions=[number], on_total=watcher.on_total), 1):
        if count % TOLD_EVERY == 0:
            watcher.on_read(TOLD_EVERY)
        yield message
