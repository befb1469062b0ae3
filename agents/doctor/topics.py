"""The topics as the catalogue wants them, their copies as they are now, and what the brokers allow at most."""

from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import ResourceType  # type: ignore[attr-defined]  # re-exported unmarked

from agents import provisioning
from agents.doctor.findings import Finding, Ground, fine, look, told, wrong
from schemas.topics import TOPICS

_ANSWER_S = 30.0


def catalogue(ground: Ground) -> Iterator[Finding]:
    """Every difference from the catalogue."""
    problems = provisioning.check_topics(ground.settings)
    yield from [told("topics", problem) for problem in problems] or [fine("topics", f"all {len(TOPICS)} are as the catalogue says")]


def copies(ground: Ground) -> Iterator[Finding]:
    """Every partition has a leader and its copies, and enough of them to be written to."""
    found = list(_copies(ground))
    yield from found or [fine("copies", "every partition has a leader and all its copies in sync")]


def _copies(ground: Ground) -> Iterator[Finding]:
    names = [ground.settings.topic_name(name) for name in TOPICS]
    described = ground.admin.describe_topics(TopicCollection(names), request_timeout=_ANSWER_S)
    copies_of: dict[str, int] = {}
    for name, answer in described.items():
        if (failed := answer.exception()) is not None:
            if not _is_missing(failed):
                raise failed
            continue
        partitions = answer.result().partitions
        copies_of[name] = min(len(partition.replicas) for partition in partitions)
        lost = [partition.id for partition in partitions if partition.leader is None or partition.leader.id < 0]
        behind = [partition.id for partition in partitions if len(partition.isr) < len(partition.replicas)]
        if lost:
            yield wrong("copies", f"topic {name} has no leader for partitions {_some(lost)}", "bring the brokers up that hold their copies")
        elif behind:
            yield look("copies", f"topic {name} has copies out of sync in partitions {_some(behind)}", "look at the brokers that hold them")
    for name, config in provisioning.configs(ground.admin, ResourceType.TOPIC, list(copies_of), ground.settings).items():
        least, copies_now = int(config.get("min.insync.replicas") or "1"), copies_of[name]
        if least > copies_now:
            mend = f"run kafka-configs.sh --alter --topic {name} --add-config min.insync.replicas={copies_now}, or give it more copies"
            yield wrong("copies", f"topic {name} cannot be written to: min.insync.replicas={least}, and it has {copies_now} copies", mend)
        elif copies_now >= 3 and least < 2:
            mend = f"run kafka-configs.sh --alter --topic {name} --add-config min.insync.replicas=2"
            yield look("copies", f"topic {name} acknowledges what one broker alone has: min.insync.replicas=1", mend)


def limits(ground: Ground) -> Iterator[Finding]:
    """What the brokers allow, against the settings."""
    broker = next(iter(ground.admin.list_topics(timeout=ground.settings.broker_timeout_s).brokers))
    (config,) = provisioning.configs(ground.admin, ResourceType.BROKER, [str(broker)], ground.settings).values()
    yield from list(over_limits(ground, config)) or [fine("limits", "transactions and sessions are within what the brokers allow")]


def over_limits(ground: Ground, config: Mapping[str, str | None]) -> Iterator[Finding]:
    """The settings that the broker's configuration refuses."""
    settings = ground.settings
    longest_ms = int(config.get("transaction.max.timeout.ms") or "900000")
    if settings.transaction_timeout_ms > longest_ms:
        yield wrong(
            "limits",
            f"TIERSTREAM_TRANSACTION_TIMEOUT_MS is {settings.transaction_timeout_ms}, the brokers allow {longest_ms}",
            f"set it to at most {longest_ms}, or raise transaction.max.timeout.ms",
        )
    session_ms = 1000 * settings.session_timeout_s
    least_ms = int(config.get("group.min.session.timeout.ms") or "6000")
    most_ms = int(config.get("group.max.session.timeout.ms") or "1800000")
    if not least_ms <= session_ms <= most_ms:
        yield wrong(
            "limits",
            f"TIERSTREAM_SESSION_TIMEOUT_S is {session_ms / 1000:g}, the brokers allow {least_ms / 1000:g} to {most_ms / 1000:g} s",
            "set it within that, or change group.min.session.timeout.ms and group.max.session.timeout.ms",
        )
    if config.get("auto.create.topics.enable") == "true":
        yield look(
            "limits", "the brokers make any topic that somebody misspells (auto.create.topics.enable)", "auto.create.topics.enable=false"
        )


def _is_missing(failed: BaseException) -> bool:
    return isinstance(failed, KafkaException) and failed.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown if len(numbers) <= 8 else f"{shown} and {len(numbers) - 8} more"
