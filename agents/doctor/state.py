"""May a worker under this policy go on from the state that is there? As recovery asks, from the newest progress in the changelog.

A transaction writes progress last, of the inputs that moved in it: what lies at the end of each partition says by which policy, on
which topics and how far. An input that has not moved for long may not be found there; then nothing is said about it.
"""

from collections.abc import Iterator

from confluent_kafka import TopicCollection

from agents.doctor.findings import Finding, Ground, fine, told, wrong
from agents.doctor.tails import bounds, newest
from agents.recovery import policy_problems, topic_problems
from schemas.changelog import PROGRESS_PREFIX, Progress, progress_of, topic_of

TAIL = 2_000
_ANSWER_S = 10.0


def progress(ground: Ground) -> Iterator[Finding]:
    """Policy, topics and offsets of the progress, against what is there now."""
    made = _made(ground)
    if not made:
        yield fine("state", "there is none yet: the first worker begins at the first record")
        return
    yield from list(_problems(ground, made)) or [fine("state", f"{len({number for _, number in made})} partitions can be gone on with")]


def _made(ground: Ground) -> dict[tuple[str, int], Progress]:
    """The newest progress by input and partition."""
    found: dict[tuple[str, int], Progress] = {}
    for (_, number), messages in newest(ground, ["accounts-changelog"], TAIL).items():
        for message in messages:
            key, payload = message.key() or b"", message.value()
            if key.startswith(PROGRESS_PREFIX) and payload is not None:
                found[topic_of(key), number] = progress_of(payload)
    return found


def _problems(ground: Ground, made: dict[tuple[str, int], Progress]) -> Iterator[Finding]:
    if ground.policy is not None:
        by_policy = {f"{topic}:{number}": each for (topic, number), each in made.items()}
        yield from (told("state", problem) for problem in policy_problems(by_policy, ground.policy.digest))
    topics = sorted({topic for topic, _ in made})
    now = _topic_ids(ground, topics)
    strange = {key[0]: each for key, each in made.items() if each.topic_id != now[key[0]]}
    yield from (told("state", problem) for problem in topic_problems(strange, now))
    yield from _lost({key: each for key, each in made.items() if each.topic_id == now[key[0]]}, bounds(ground, topics))


def _topic_ids(ground: Ground, topics: list[str]) -> dict[str, str]:
    names = {ground.settings.topic_name(topic): topic for topic in topics}
    answers = ground.admin.describe_topics(TopicCollection(list(names)), request_timeout=_ANSWER_S)
    return {names[name]: str(answer.result().topic_id) for name, answer in answers.items()}


def _lost(made: dict[tuple[str, int], Progress], there: dict[tuple[str, int], tuple[int, int]]) -> Iterator[Finding]:
    """Progress that points to records which are no longer, or not yet, there."""
    for (topic, number), each in sorted(made.items()):
        begin, end = there[topic, number]
        if each.next_offset < begin:
            said = f"records {each.next_offset} to {begin - 1} of {topic}:{number} were deleted before they were folded"
            yield wrong("state", said, "keep inputs for longer; rebuild under another TIERSTREAM_APPLICATION_ID")
        elif each.next_offset > end:
            said = f"{topic}:{number} ends at {end}, and records up to {each.next_offset} have been folded"
            yield wrong("state", said, "the topic has lost records: rebuild under another TIERSTREAM_APPLICATION_ID")
