"""Laws of provisioning, on a real broker: missing topics are made, different ones refused with the difference and the fix."""

import time
from typing import Any

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agents import clients
from agents.provisioning import check_topics, create_topics
from agents.settings import Settings, load_settings
from schemas.errors import SettingsError
from schemas.topics import TOPICS
from tests.waiting import eventually


@pytest.fixture
def settings(kafka: Any, prefix: str) -> Settings:
    return load_settings({"bootstrap_servers": kafka.bootstrap, "topic_prefix": prefix, "partitions": 2})


def test_every_topic_is_missing_then_made_then_right_and_making_again_changes_nothing(settings: Settings) -> None:
    assert len(check_topics(settings)) == len(TOPICS)
    assert check_topics(settings)[0].endswith("is missing: create it with `tierstream topics create`")
    assert create_topics(settings) == [settings.topic_name(name) for name in TOPICS]
    assert check_topics(settings) == []
    assert create_topics(settings) == []


def test_another_partition_count_is_refused_as_a_rebuild(settings: Settings) -> None:
    create_topics(settings)
    wanted = settings.model_copy(update={"partitions": 4})
    with pytest.raises(SettingsError) as refused:
        create_topics(wanted)
    name = settings.topic_name("interactions")
    assert f"topic {name} must have 4 partitions, has 2: " in refused.value.problems[0]
    assert "under a new application id" in refused.value.problems[0]
    assert not any(settings.topic_name("ingest-progress") in problem for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [
        ("cleanup.policy", "compact", "delete"),
        ("retention.ms", "1000000", "-1"),
        ("message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("max.message.bytes", "1000", "1048588"),
    ],
)
def test_each_difference_is_named_with_its_fix(settings: Settings, option: str, wrong: str, right: str) -> None:
    create_topics(settings)
    name = settings.topic_name("orders")
    entry = ConfigEntry(option, wrong, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin = clients.admin_client(settings)
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(20)
    problems = eventually(lambda: check_topics(settings))
    fix = f"run kafka-configs.sh --alter --topic {name} --add-config {option}={right}"
    assert problems == [f"topic {name} must have {option}={right}, has {wrong}: {fix}"]


def test_too_few_replicas_are_named(settings: Settings) -> None:
    create_topics(settings)
    problems = check_topics(settings.model_copy(update={"replication_factor": 3}))
    assert "must have 3 replicas, has 1" in problems[0]


def test_a_broker_that_cannot_make_a_topic_says_why(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"cannot be created: .*[Rr]eplication factor"):
        create_topics(settings.model_copy(update={"replication_factor": 3}))


def test_a_broker_that_is_not_there_is_one_sentence_within_seconds() -> None:
    began_at = time.monotonic()
    with pytest.raises(SettingsError, match=r"no Kafka broker answers at 127\.0\.0\.1:1 .*tierstream broker up") as refused:
        check_topics(load_settings({"bootstrap_servers": "127.0.0.1:1", "broker_timeout_s": 2.0}))
    assert time.monotonic() - began_at < 6
    assert len(refused.value.problems) == 1
