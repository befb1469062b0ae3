"""Are the topics there, and are they what the catalogue says? Creates what is missing, alters nothing, lists every difference.

A topic that differs is the operator's to mend: changing a live topic's retention or time stamps is a decision. More partitions
are no mending at all: accounts would move between partitions and away from their state.
"""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]  # re-exported unmarked

from agents import clients
from agents.offsets import LATEST
from agents.settings import Settings
from schemas.errors import SettingsError
from schemas.topics import TOPICS, Topic

_NOT_LED_YET = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,  # the client has heard of the new leader before the broker has
        KafkaError._NOENT,  # the client's own: no leader of any of the partitions is known
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
    }
)
_ALL_FENCED = "All brokers are currently fenced"
"""What the broker says beside INVALID_REPLICATION_FACTOR, the code that it also gives where brokers are too few for ever. Where it says
it in other words, the refusal is told at once."""
_FENCED_WAIT_S = 0.5


class Found(NamedTuple):
    """A topic as the broker has it."""

    partitions: int
    replicas: int
    config: Mapping[str, str | None]


def create_topics(settings: Settings) -> list[str]:
    """Make every topic that is missing; returns their names. Raises SettingsError if any topic then differs."""
    clients.require_broker(settings)
    admin = clients.admin_client(settings)
    have = _described(admin, settings)
    missing = [topic for topic in TOPICS.values() if topic.name not in have]
    if missing:
        _make(admin, [_new(topic, settings) for topic in missing], settings)
        _await_leaders(admin, missing, settings)
    if problems := _problems(admin, settings):
        raise SettingsError(problems)
    return [settings.topic_name(topic.name) for topic in missing]


def _make(admin: AdminClient, topics: list[NewTopic], settings: Settings) -> None:
    """Make these topics. Where all brokers have been too busy to say that they live, they are asked again for a while."""
    give_up_at = time.monotonic() + _answer_s(settings)
    while True:
        made = admin.create_topics(topics, request_timeout=_answer_s(settings))
        refused = [problem for name, answer in made.items() if (problem := _refusal(name, answer))]
        if not refused:
            return
        if _ALL_FENCED not in refused[0] or time.monotonic() > give_up_at:
            raise SettingsError(refused)
        time.sleep(_FENCED_WAIT_S)


def _await_leaders(admin: AdminClient, topics: list[Topic], settings: Settings) -> None:
    """Until every partition of the new topics can be read: a broker says "made" a moment before the leaders know of it."""
    places = [TopicPartition(settings.topic_name(topic.name), n) for topic in topics for n in range(_partitions(topic, settings))]
    give_up_at = time.monotonic() + _answer_s(settings)
    while not _led(admin, places, settings):
        if time.monotonic() > give_up_at:
            raise SettingsError(f"new topics have no leaders after {_answer_s(settings):g} s: see the brokers' logs")
        time.sleep(0.05)


def _led(admin: AdminClient, places: list[TopicPartition], settings: Settings) -> bool:
    try:
        admin.list_topics(timeout=_answer_s(settings))  # or the client goes on with what it knew before the topic was made
        answers = admin.list_offsets(dict.fromkeys(places, LATEST), request_timeout=_answer_s(settings))
        for answer in answers.values():
            answer.result()
    except KafkaException as failed:
        if failed.args[0].code() not in _NOT_LED_YET:
            raise clients.unreachable(settings, failed) from failed
        return False
    return True


def check_topics(settings: Settings) -> list[str]:
    """Every difference between the broker and the catalogue, one sentence each with its fix; none if all is well."""
    clients.require_broker(settings)
    return _problems(clients.admin_client(settings), settings)


def _problems(admin: AdminClient, settings: Settings) -> list[str]:
    found = _described(admin, settings)
    return [problem for topic in TOPICS.values() for problem in differences(topic, found.get(topic.name), settings)]


def differences(topic: Topic, found: Found | None, settings: Settings) -> Iterable[str]:
    """What is wrong with one topic, as sentences."""
    name, wanted = settings.topic_name(topic.name), _partitions(topic, settings)
    if found is None:
        yield f"topic {name} is missing: create it with `tierstream topics create`"
        return
    if found.partitions != wanted:
        yield f"topic {name} must have {wanted} partitions, has {found.partitions}: {_PARTITION_FIX}"
    if found.replicas < settings.replication_factor:
        yield (
            f"topic {name} must have {settings.replication_factor} replicas, has {found.replicas}: "
            "reassign its partitions or lower TIERSTREAM_REPLICATION_FACTOR"
        )
    for option, value in topic.config().items():
        if found.config.get(option) != value:
            yield f"topic {name} must have {option}={value}, has {found.config.get(option)}: {_alter(name, option, value)}"


_PARTITION_FIX = (
    "set TIERSTREAM_PARTITIONS to what the topics have; a new count is a rebuild, with new topics (TIERSTREAM_TOPIC_PREFIX) "
    "under a new application id (TIERSTREAM_APPLICATION_ID)"
)


def _alter(name: str, option: str, value: str) -> str:
    return f"run kafka-configs.sh --alter --topic {name} --add-config {option}={value}"


def _partitions(topic: Topic, settings: Settings) -> int:
    return settings.partitions if topic.co_partitioned else 1


def _new(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(
        settings.topic_name(topic.name),
        num_partitions=_partitions(topic, settings),
        replication_factor=settings.replication_factor,
        config=topic.config(),
    )


def _refusal(name: str, answer: "Future[None]") -> str | None:
    """Why a topic could not be made; that another process made it meanwhile is no refusal."""
    try:
        answer.result()
    except KafkaException as failed:
        error = failed.args[0]
        if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return None
        return f"topic {name} cannot be created: {error.str()}"
    return None


def _described(admin: AdminClient, settings: Settings) -> dict[str, Found]:
    """The topics that exist, by logical name."""
    logical = {settings.topic_name(name): name for name in TOPICS}
    described = admin.describe_topics(TopicCollection(list(logical)), request_timeout=_answer_s(settings))
    shapes: dict[str, tuple[int, int]] = {}
    for name, answer in described.items():
        try:
            partitions = answer.result().partitions
        except KafkaException as failed:
            if failed.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise clients.unreachable(settings, failed) from failed
        else:
            shapes[name] = (len(partitions), min(len(partition.replicas) for partition in partitions))
    config_of = configs(admin, ResourceType.TOPIC, list(shapes), settings)
    return {logical[name]: Found(partitions, replicas, config_of[name]) for name, (partitions, replicas) in shapes.items()}


def configs(admin: AdminClient, kind: ResourceType, names: list[str], settings: Settings) -> dict[str, dict[str, str | None]]:
    """The configuration of each of these topics or brokers. Raises SettingsError."""
    if not names:
        return {}
    answers = admin.describe_configs([ConfigResource(kind, name) for name in names], request_timeout=_answer_s(settings))
    try:
        return {resource.name: {entry.name: entry.value for entry in answer.result().values()} for resource, answer in answers.items()}
    except KafkaException as failed:
        raise clients.unreachable(settings, failed) from failed


def _answer_s(settings: Settings) -> float:
    """A cluster that makes forty topics takes longer than one that says hello."""
    return max(settings.broker_timeout_s, 30.0)
