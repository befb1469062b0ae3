"""Why is this account in this tier? Asked of the worker that has it; where no worker answers, of the changelog itself.

Rules: any worker may be asked, the owner answers. Without a worker the partition's changelog is read to its end, which is the state
as of the last commit, and the answer says so. The policy must be the one that made the state.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from agents.reading import committed_messages, partitions_of
from agents.settings import Settings
from schemas.changelog import Kind, classify, progress_of
from schemas.codec import Codec
from schemas.errors import RecordRejected, SettingsError
from schemas.json_values import to_json
from streams.partition import Partition
from streams.partitioning import partition_for
from streams.policy import CompiledPolicy

ANSWER_S = 5.0


class Explained(NamedTuple):
    """An account's view (None: there is no such account) and who said so, for people."""

    view: dict[str, Any] | None
    source: str


def asked(url: str, account_id: str, at_ms: int | None) -> Explained | None:
    """What the worker at `url` says; None if nobody answers there. Raises SettingsError if it cannot answer now."""
    query = f"?at={at_ms}" if at_ms is not None else ""
    try:
        with urllib.request.urlopen(f"{url}/accounts/{quote(account_id, safe='')}{query}", timeout=ANSWER_S) as answer:
            return Explained(json.load(answer), f"the worker at {url}")
    except urllib.error.HTTPError as refused:
        if refused.code == 404:
            return Explained(None, f"the worker at {url}")
        raise SettingsError(
            f"the worker at {url} cannot answer now ({refused.code}): {refused.read().decode(errors='replace')}"
        ) from refused
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None


def read(settings: Settings, policy: CompiledPolicy, account_id: str, at_ms: int | None) -> Explained:
    """What the changelog says, without a worker."""
    partitions = partitions_of(settings, "accounts-changelog")
    number = partition_for(account_id.encode(), partitions)
    partition = Partition(number, partitions, settings.application_id, policy)
    newest: dict[bytes, bytes | None] = {}
    for message in committed_messages(settings, "accounts-changelog", partitions=[number]):
        newest[message.key()] = message.value()
    progress = {key: payload for key, payload in newest.items() if classify(key) is Kind.PROGRESS}
    for payload in progress.values():
        _check_policy(payload, policy)
    kept = [entry for entry in newest.items() if entry[0] not in progress]
    partition.restore_batch(sorted(kept, key=lambda entry: classify(entry[0]) is not Kind.LAYOUT))
    partition.restored()
    return Explained(partition.view(account_id, at_ms), f"the changelog of partition {number}, as no worker answers")


def _check_policy(payload: bytes | None, policy: CompiledPolicy) -> None:
    made_by = progress_of(payload or b"").policy_digest
    if made_by != policy.digest:
        raise SettingsError(
            f"policy must be the one that made the state, with digest {made_by}, got {policy.digest} ({policy.name}): see --policy"
        )


def evidence(settings: Settings, inputs: tuple[str, ...], account_id: str) -> Iterator[dict[str, Any]]:
    """Every record of the account in the input topics, topic by topic, as JSON with its place."""
    codec, key = Codec(), account_id.encode()
    for topic in inputs:
        number = partition_for(key, partitions_of(settings, topic))
        for message in committed_messages(settings, topic, partitions=[number]):
            if message.key() == key:
                place = {"topic": topic, "partition": number, "offset": message.offset(), "appended_at": message.timestamp()[1]}
                yield {**place, **_content(codec, topic, message.value())}


def _content(codec: Codec, topic: str, payload: bytes | None) -> dict[str, Any]:
    try:
        return {"value": to_json(codec.decode(topic, payload))}
    except RecordRejected as refused:
        return {"refused": refused.reason.value, "message": str(refused)}
