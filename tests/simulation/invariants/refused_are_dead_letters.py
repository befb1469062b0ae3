"""A record that was spoilt on purpose is a dead letter for its own reason, once, as it came; and no other record is one."""

from collections import Counter
from collections.abc import Iterator

from schemas import dead_letters
from tests.simulation.evidence import Evidence
from tests.simulation.policies import policy_of

SEEN_EARLIER = ("UNDECODABLE", "UNKNOWN_SCHEMA", "WRONG_RECORD", "NOT_FINITE", "OUT_OF_RANGE")
"""Faults that are found before anybody asks how far ahead a record is."""


def broken(evidence: Evidence) -> Iterator[str]:
    wanted = Counter(_refused(evidence))
    found = Counter(_found(evidence))
    for letter in wanted.keys() | found.keys():
        if wanted[letter] != found[letter]:
            yield f"{letter} must be a dead letter {wanted[letter]} times, is {found[letter]} times"


def _refused(evidence: Evidence) -> Iterator[tuple[str, int, str, bytes | None, bytes | None]]:
    max_ahead_ms = policy_of(evidence.schedule.policy).max_ahead_ms
    for topic, records in evidence.inputs.items():
        for record in records:
            happened_ms, reason = evidence.world.meant[topic, evidence.number, record.offset]
            if happened_ms - record.at_ms > max_ahead_ms and reason not in SEEN_EARLIER:
                reason = "TOO_FAR_AHEAD"
            if (topic, record.offset) in evidence.schedule.quarantined:
                reason = "QUARANTINED"
            if reason is not None:
                yield topic, record.offset, reason, record.key, record.payload


def _found(evidence: Evidence) -> Iterator[tuple[str, int, str, bytes | None, bytes | None]]:
    for record in evidence.written("dead-letters"):
        letter = dead_letters.from_headers(list(record.headers), record.key, record.payload)
        assert letter.partition == evidence.number
        yield letter.topic, letter.offset, letter.reason.value, letter.key, letter.payload
