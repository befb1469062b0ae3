"""What an operator may do to topics by mistake, done on purpose; each returns when it can be seen."""

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agents import clients
from agents.provisioning import create_topics
from agents.settings import Settings
from tests.waiting import eventually

ANSWER_S = 20.0


def made_again(settings: Settings, *topics: str) -> None:
    """Delete topics (logical names) and make them as they were."""
    admin, names = clients.admin_client(settings), [settings.topic_name(topic) for topic in topics]
    for answer in admin.delete_topics(names).values():
        answer.result(ANSWER_S)
    eventually(lambda: not set(names) & admin.list_topics(timeout=10).topics.keys(), what="the topics being gone")
    create_topics(settings)


def altered(settings: Settings, topic: str, **options: str) -> None:
    """Set options of a topic, with `_` for `.` in their names."""
    entries = [ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET) for name, value in options.items()]
    resource = ConfigResource(ResourceType.TOPIC, settings.topic_name(topic), incremental_configs=entries)
    admin = clients.admin_client(settings)  # held: an answer dies with its client
    (answer,) = admin.incremental_alter_configs([resource]).values()
    answer.result(ANSWER_S)


def begin_of(settings: Settings, topic: str, number: int) -> int:
    """The first offset that a partition still has."""
    reader = clients.reading_consumer(settings)
    try:
        return int(reader.get_watermark_offsets(TopicPartition(settings.topic_name(topic), number), ANSWER_S)[0])
    finally:
        reader.close()


def expired(settings: Settings, topic: str, number: int, end: int) -> None:
    """Let retention take everything of a topic up to its end, then keep records for ever again."""
    altered(settings, topic, retention_ms="1")
    eventually(lambda: begin_of(settings, topic, number) >= end, 30, f"{topic} being empty")
    altered(settings, topic, retention_ms="-1")
