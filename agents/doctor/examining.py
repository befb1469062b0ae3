"""Which checks there are, in which order, and what each needs before it can run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import KafkaException

from agents import clients, rights
from agents.clocks import Clock
from agents.doctor import connecting, holding, machine, probing, projected, records, registry, state, topics
from agents.doctor.findings import Check, Finding, Ground, State, fine, told, wrong
from agents.settings import Settings
from schemas.errors import OperatorError, PolicyError
from streams.policy import CompiledPolicy

LoadPolicy = Callable[[Path | None], CompiledPolicy]


class Listed(NamedTuple):
    """A check by the name under which it is skipped. `broker`: it needs one that answers; `topics`: and the topics it reads."""

    name: str
    check: Check
    needs: str = ""


def acls(ground: Ground) -> Iterator[Finding]:
    """Every right of a worker that its user lacks."""
    lacking = rights.missing("worker", ground.settings, ground.admin)
    found = [told("acls", rights.sentence(right, ground.settings)) for right in lacking]
    yield from found or [fine("acls", "a worker may do all that it needs")]


CHECKS = (
    Listed("libraries", machine.libraries),
    Listed("compiled code", machine.compiled_code),
    Listed("files", machine.files),
    Listed("web", machine.web),
    Listed("registry", registry.registry),
    Listed("redis", projected.redis),
    Listed("broker", connecting.brokers, "broker"),
    Listed("member", connecting.member, "broker"),
    Listed("limits", topics.limits, "broker"),
    Listed("acls", acls, "broker"),
    Listed("topics", topics.catalogue, "broker"),
    Listed("copies", topics.copies, "broker"),
    Listed("transactions", probing.transactions, "topics"),
    Listed("open transactions", holding.held_back, "topics"),
    Listed("state", state.progress, "topics"),
    Listed("records", records.sampled, "topics"),
)


def examined(settings: Settings, load: LoadPolicy, clock: Clock, on_check: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Every finding, as it is made. `on_check` is told the name of each check before it runs."""
    policy, found = _policy(settings, load)
    yield from found
    unanswered = connecting.refused(settings)
    if unanswered is not None:
        yield unanswered
    ground = Ground(settings, policy, clients.admin_client(settings, lambda _: None), clock)
    for listed in CHECKS if unanswered is None else (each for each in CHECKS if not each.needs):
        on_check(listed.name)
        yield from _run(listed, ground)


def _run(listed: Listed, ground: Ground) -> Iterator[Finding]:
    """A check's findings; one that cannot look, or is not allowed to, is skipped and says so."""
    try:
        absent = _absent(ground) if listed.needs == "topics" else []
        if absent:
            yield Finding(listed.name, State.SKIPPED, f"topics are missing or may not be seen: {', '.join(absent)}")
        else:
            yield from list(listed.check(ground))
    except OperatorError as problem:
        yield Finding(listed.name, State.SKIPPED, "; ".join(problem.problems))
    except KafkaException as failed:
        yield Finding(listed.name, State.SKIPPED, str(clients.unreachable(ground.settings, failed)))


def _absent(ground: Ground) -> list[str]:
    """The topics of which the checks of content read, and which are not there."""
    names = {ground.settings.topic_name(topic) for topic in (*ground.inputs, "accounts-changelog", "dead-letters")}
    return sorted(names - set(ground.admin.list_topics(timeout=ground.settings.broker_timeout_s).topics))


def _policy(settings: Settings, load: LoadPolicy) -> tuple[CompiledPolicy | None, list[Finding]]:
    if settings.policy is None:
        skipped = "none was named (--policy or TIERSTREAM_POLICY): what depends on it is not checked"
        return None, [Finding("policy", State.SKIPPED, skipped)]
    try:
        policy = load(settings.policy)
    except PolicyError as mistaken:
        return None, [wrong("policy", problem, "`tierstream policy check` shows the place") for problem in mistaken.problems]
    said = f"{policy.name} {policy.version}, digest {policy.digest}, reads {', '.join(policy.inputs)}"
    return policy, [fine("policy", said)]
