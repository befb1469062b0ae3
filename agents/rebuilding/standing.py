"""May a rebuild begin or go on here? Where the new application stands, and every reason against it.

Refused: while its workers run, where it has folded by itself, where it is made from another application, and where its outputs would lie
among those of others.
"""

from confluent_kafka import TopicPartition

from agents import clients, provisioning
from agents.identities import Identities
from agents.offsets import EARLIEST, LATEST, offsets_of
from agents.reading import committed_messages, partitions_of
from agents.rights import group_described
from agents.settings import Settings
from agents.unit_of_work import CHANGELOG, FOLD_ORDER
from schemas.changelog import (
    PROGRESS_PREFIX,
    REBUILT_KEY,
    TICK_KEY,
    Progress,
    Rebuilt,
    progress_of,
    rebuilt_of,
    tick_of,
    topic_of,
)
from schemas.errors import SettingsError
from schemas.topics import TOPICS, Role


class Standing:
    """What the changelog of one partition says of how far it is, and who has brought it there."""

    def __init__(self) -> None:
        self.progress: dict[str, Progress] = {}
        self.rebuilt: Rebuilt | None = None
        self.tick_ms: int | None = None

    def take(self, key: bytes, payload: bytes | None) -> None:
        """One record of the changelog."""
        if payload is None:
            return
        if key.startswith(PROGRESS_PREFIX):
            self.progress[topic_of(key)] = progress_of(payload)
        elif key == REBUILT_KEY:
            self.rebuilt = rebuilt_of(payload)
        elif key == TICK_KEY:
            self.tick_ms = tick_of(payload)

    @property
    def has_gone_on(self) -> bool:
        """Whether somebody else than a rebuild has folded here."""
        if self.rebuilt is None:
            return bool(self.progress)
        positions = {topic: at.next_offset for topic, at in self.progress.items()}
        return (positions, self.tick_ms) != (self.rebuilt.positions, self.rebuilt.tick_ms)


def beginning(settings: Settings, source: Settings) -> list[Rebuilt]:
    """How far the rebuild of each partition is. Raises SettingsError with every reason why there should be none."""
    if problems := provisioning.check_topics(settings):
        raise SettingsError(problems)
    _require_no_workers(settings)
    standings = _standings(settings)
    source_id = _topic_id(source, FOLD_ORDER)
    problems = [
        *_outputs_of_others(settings, standings),
        *(problem for number, found in enumerate(standings) for problem in _against(number, found, settings, source, source_id)),
    ]
    if problems:
        raise SettingsError(problems)
    return [found.rebuilt or Rebuilt(source.application_id, source_id) for found in standings]


def require_source(settings: Settings, source: Settings) -> None:
    """Raises SettingsError unless there is another application with as many partitions."""
    if source.application_id == settings.application_id:
        raise SettingsError(
            f"a rebuild makes another application: got {source.application_id} for both, name a new one with --application-id"
        )
    if (partitions := partitions_of(source, FOLD_ORDER)) != settings.partitions:
        raise SettingsError(
            f"application {source.application_id} has {partitions} partitions, TIERSTREAM_PARTITIONS is {settings.partitions}"
        )


def _require_no_workers(settings: Settings) -> None:
    group = f"{settings.topic_prefix}{settings.application_id}"
    described = group_described(group, clients.admin_client(settings), settings)
    if described is not None and described.members:
        raise SettingsError(
            f"application {settings.application_id} has {len(described.members)} workers (group {group}): stop them; "
            "one that was killed is forgotten after its session timeout"
        )


def _standings(settings: Settings) -> list[Standing]:
    found = [Standing() for _ in range(settings.partitions)]
    for message in committed_messages(settings, CHANGELOG):
        found[message.partition()].take(message.key(), message.value())
    return found


def _against(number: int, found: Standing, settings: Settings, source: Settings, source_id: str) -> list[str]:
    rebuilt, own = found.rebuilt, settings.application_id
    if rebuilt is not None and (rebuilt.source, rebuilt.source_id) != (source.application_id, source_id):
        return [
            f"partition {number} of application {own} is rebuilt from {rebuilt.source} ({rebuilt.source_id}): name a new application id"
        ]
    if found.has_gone_on:
        return [f"partition {number} of application {own} has folded by itself already: name a new application id"]
    return []


def _outputs_of_others(settings: Settings, standings: list[Standing]) -> list[str]:
    """Outputs that hold something before the first record of a rebuild."""
    if any(found.rebuilt is not None for found in standings):
        return []
    admin = clients.admin_client(settings)
    taken = []
    for topic in (topic for topic in TOPICS.values() if topic.role is Role.OUTPUT):
        places = [TopicPartition(settings.topic_name(topic.name), number) for number in range(settings.partitions)]
        if offsets_of(admin, places, EARLIEST) != offsets_of(admin, places, LATEST):
            taken.append(settings.topic_name(topic.name))
    return [
        f"{', '.join(taken)} hold records of others: a rebuild publishes into topics of its own: "
        "name a prefix for them (--output-prefix, TIERSTREAM_OUTPUT_PREFIX) and make them with `tierstream topics create`"
    ] if taken else []  # fmt: skip


def _topic_id(settings: Settings, topic: str) -> str:
    name = settings.topic_name(topic)
    return Identities(clients.admin_client(settings)).now([name])[name]
