"""What each command must be allowed on a Kafka with ACLs, as data, and what of it a deployment's user is not allowed.

One list: docs/operations.md shows it, the test of a secured broker applies it from there, `doctor` and a starting worker hold it against
what the broker says. READ and WRITE each imply DESCRIBE. Transactional ids and groups have no list of their own at the broker's side to
be asked for a worker's rights: the group is described, the ids show when one is used.
"""

import time
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]  # re-exported unmarked

from agents import clients
from agents.settings import Settings
from schemas.errors import SettingsError
from schemas.topics import TOPICS, Role, Topic, physical_name

Duty = Literal[
    "worker", "project", "ingest", "command", "explain", "export", "audit", "report", "replay --live", "dead-letters", "policy activate",
    "topics create",
]  # fmt: skip
Resource = Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID"]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"]

DUTIES: tuple[Duty, ...] = get_args(Duty)
_COORDINATED_SOON = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._WAIT_COORD,
        KafkaError._TIMED_OUT,
    }
)
_READ: tuple[Operation, ...] = ("READ",)
_WRITE: tuple[Operation, ...] = ("WRITE",)
_LOOK: tuple[Operation, ...] = ("DESCRIBE", "DESCRIBE_CONFIGS")
_ANSWER_S = 10.0
_PATIENCE_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class Right(NamedTuple):
    """One thing that must be allowed; `prefixed`: for every name that begins so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False

    def __str__(self) -> str:
        kind = self.resource.replace("_", " ").lower()
        return f"{self.operation} on {kind} {self.name}{'*' if self.prefixed else ''}"


def rights(duty: Duty, prefix: str, application: str, outputs: str = "") -> list[Right]:
    """The least that a duty needs."""
    own, names = f"{prefix}{application}", {"prefix": prefix, "application": application, "outputs": outputs}
    found = [Right("TOPIC", physical_name(t, **names), each) for t in TOPICS.values() for each in _on(duty, t)]
    if duty == "worker":
        found += [Right("GROUP", own, "READ"), Right("TRANSACTIONAL_ID", f"{own}-", "WRITE", prefixed=True)]
    if duty == "project":
        found.append(Right("GROUP", f"{own}-projection", "READ"))
    if duty == "ingest":
        found.append(Right("TRANSACTIONAL_ID", f"{prefix}ingest-", "WRITE", prefixed=True))
    if duty == "policy activate":
        found.append(Right("TRANSACTIONAL_ID", f"{own}-policy-activate", "WRITE"))
    if duty == "dead-letters":
        found.append(Right("TRANSACTIONAL_ID", f"{prefix}dead-letters-replay", "WRITE"))
    return found


def _on(duty: Duty, topic: Topic) -> tuple[Operation, ...]:
    """What a duty does with a topic."""
    match duty:
        case "worker":
            return (*_worked(topic), "DESCRIBE_CONFIGS") if _worked(topic) else _LOOK
        case "project":
            return (*_READ, "DESCRIBE_CONFIGS") if topic.name in ("account-tiers", "tier-transitions", "hot-leads") else ()
        case "ingest":
            history = topic.role is Role.INPUT and topic.name != "policies"  # who feeds records changes no policy
            written = (*_READ, *_WRITE) if topic.name == "ingest-progress" else _WRITE if history else ("DESCRIBE",)
            return (*written, "DESCRIBE_CONFIGS")  # it compares the topics with the catalogue first
        case "command":
            return {"commands": _WRITE, "actions": _READ}.get(topic.name, ())
        case "explain":
            return _READ if topic.name == "accounts-changelog" or topic.role is Role.INPUT else ()
        case "export":
            return _READ if topic.name == "fold-order" or topic.role is Role.INPUT else ()
        case "policy activate":
            return {"accounts-changelog": _READ, "policies": _WRITE}.get(topic.name, ())
        case "audit":
            return _READ if topic.name == "tier-transitions" else ()
        case "report":
            return _READ if topic.role is Role.INPUT or (topic.role is Role.OUTPUT and topic.name != "dead-letters") else ()
        case "replay --live":
            replayed = topic.role is not Role.INTERNAL and topic.name != "dead-letters"
            return _READ if replayed or topic.name == "fold-order" else ()
        case "dead-letters":
            letters = {"dead-letters": _READ, "dead-letters-returned": (*_READ, *_WRITE)}
            return letters.get(topic.name, _WRITE if topic.role is Role.INPUT else ())
        case "topics create":
            return ("CREATE", *_LOOK)


def _worked(topic: Topic) -> tuple[Operation, ...]:
    if topic.name in ("accounts-changelog", "fold-order"):  # the second: was work done before the first was empty?
        return (*_READ, *_WRITE)
    if topic.role is Role.INPUT:
        return _READ
    return _WRITE if topic.role is Role.OUTPUT else ()


def of(duty: Duty, settings: Settings) -> list[Right]:
    """The rights of a duty in this deployment."""
    found = rights(duty, settings.topic_prefix, settings.application_id, settings.output_prefix)
    group = settings.projection_group if duty == "project" else None  # the one group whose name is a setting
    return [right._replace(name=group) if group is not None and right.resource == "GROUP" else right for right in found]


def missing(duty: Duty, settings: Settings, admin: AdminClient) -> list[Right]:
    """The rights on topics and on the group that the broker does not give our user. On a broker without an authorizer: none."""
    wanted = of(duty, settings)
    topics, groups = ({right.name for right in wanted if right.resource == kind} for kind in ("TOPIC", "GROUP"))
    allowed = {("TOPIC", name): operations for name, operations in _allowed_topics(sorted(topics), admin, settings)}
    allowed |= {("GROUP", name): _allowed_group(name, admin, settings) for name in groups}  # a topic may have the group's name
    return [right for right in wanted if right.operation not in allowed.get(right[:2], {right.operation})]


def _allowed_topics(names: list[str], admin: AdminClient, settings: Settings) -> Iterator[tuple[str, set[str]]]:
    """What is allowed on each topic that is there; nothing where not even that may be known."""
    wanted = TopicCollection(names)
    for name, answer in admin.describe_topics(wanted, include_authorized_operations=True, request_timeout=_ANSWER_S).items():
        try:
            yield name, _operations(answer.result())
        except KafkaException as failed:
            if failed.args[0].code() in clients.DENIED:
                yield name, _allowed_unseen(name, admin)
            elif failed.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise clients.unreachable(settings, failed) from failed


def _allowed_unseen(name: str, admin: AdminClient) -> set[str]:
    """What is allowed on a topic that may not be described: its configuration, perhaps, a right apart."""
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)], request_timeout=_ANSWER_S).values()
    return {"DESCRIBE_CONFIGS"} if answer.exception() is None else set()


def _allowed_group(group: str, admin: AdminClient, settings: Settings) -> set[str]:
    """What is allowed on the group."""
    described = group_described(group, admin, settings)
    return set() if described is None else _operations(described)


def group_described(group: str, admin: AdminClient, settings: Settings) -> Any:
    """What the broker says of a group; None where it may not be known.

    The first to ask a fresh cluster makes it get coordinators, and librdkafka waits for an answer that does not come: ask anew, soon.
    """
    for patience_s in _PATIENCE_S:
        try:
            answers = admin.describe_consumer_groups([group], include_authorized_operations=True, request_timeout=patience_s)
            return answers[group].result(2 * patience_s)
        except KafkaException as failed:
            if failed.args[0].code() in clients.DENIED:
                return None
            if failed.args[0].code() not in _COORDINATED_SOON:
                raise clients.unreachable(settings, failed) from failed
        time.sleep(0.1 * patience_s)
    raise SettingsError(f"the group {group} has no coordinator after {sum(_PATIENCE_S):g} s: look at the brokers, `__consumer_offsets`")


def _operations(described: object) -> set[str]:
    """The allowed operations of a description; a broker too old to say so is taken to allow everything."""
    found = getattr(described, "authorized_operations", None)
    return {operation.name for operation in found} if found is not None else set(get_args(Operation))


def sentence(right: Right, settings: Settings) -> str:
    """What is missing and the command that grants it."""
    user = settings.kafka.get("sasl.username", "<the user>")
    option = {"TOPIC": "--topic", "GROUP": "--group", "TRANSACTIONAL_ID": "--transactional-id"}[right.resource]
    operation = "".join(part.capitalize() for part in right.operation.split("_"))
    pattern = " --resource-pattern-type prefixed" if right.prefixed else ""
    return (
        f"user {user} lacks {right}: "
        f"run kafka-acls.sh --add --allow-principal User:{user} --operation {operation} {option} {right.name}{pattern}"
    )
