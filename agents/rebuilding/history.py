"""How much of the past the input topics still have: what can be folded again, and what is gone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import TopicPartition

from agents import clients
from agents.offsets import EARLIEST, LATEST, offsets_of
from agents.reading import committed_messages
from agents.rebuilding.source import Source, Survey
from agents.settings import Settings

Offsets = Mapping[tuple[str, int], int]


class History(NamedTuple):
    """Of one input: offsets that are there, offsets that were folded and are gone, and when the first that is there was appended."""

    topic: str
    there: int
    gone: int
    since_ms: int | None


def surveyed(source: Settings, since: Sequence[int]) -> list[Survey]:
    """What lies ahead of a rebuild in each partition."""
    return [Source(source, number).survey(offset) for number, offset in enumerate(since)]


def histories(settings: Settings, surveys: Sequence[Survey], topics: Sequence[str]) -> list[History]:
    """Each input that a policy reads and that has, or had, a record."""
    places = [TopicPartition(settings.topic_name(topic), number) for topic in topics for number in range(len(surveys))]
    admin = clients.admin_client(settings)
    begins, ends = offsets_of(admin, places, EARLIEST), offsets_of(admin, places, LATEST)
    found = [_history(settings, topic, surveys, begins, ends) for topic in topics]
    return [each for each in found if each.there or each.gone]


def _history(settings: Settings, topic: str, surveys: Sequence[Survey], begins: Offsets, ends: Offsets) -> History:
    name = settings.topic_name(topic)
    sizes = {number: ends[name, number] - begins[name, number] for number in range(len(surveys))}
    gone = sum(max(begins[name, number] - survey.first.get(topic, begins[name, number]), 0) for number, survey in enumerate(surveys))
    return History(topic, sum(sizes.values()), gone, _first_ms(settings, topic, [number for number, size in sizes.items() if size]))


def _first_ms(settings: Settings, topic: str, numbers: Sequence[int]) -> int | None:
    """When the first record of these partitions was appended."""
    first: dict[int, int] = {}
    for message in committed_messages(settings, topic, partitions=numbers):
        first.setdefault(message.partition(), int(message.timestamp()[1]))
        if len(first) == len(numbers):
            break
    return min(first.values(), default=None)
