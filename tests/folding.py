"""Folding in memory, for tests: a partition under a policy, fed with typed records, its outputs and changes kept.

`POLICIES` are the shipped ones by name; `policy_of` makes small ones for one law each.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas.records import Event, Mode, TierTransition
from schemas.topics import TOPICS
from streams.account import Fate, Output, Step
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy, load_policy, load_policy_text

SHIPPED = sorted((Path(__file__).parent.parent / "policies").glob("*.yaml"))
JUDGED = sorted((Path(__file__).parent / "policies").glob("*.yaml"))
"""Policies of the tests' own, which the oracle understands: score, decay, caps, hysteresis, gate."""
TOPIC_OF = {topic.record: topic.name for topic in TOPICS.values() if topic.record is not None}

SMALL: dict[str, Any] = {
    "policy": "small",
    "version": "1",
    "reviewed_on": "2026-01-01",
    "timezone": "UTC",
    "max_ahead": "5m",
    "dimensions": {"ai": {"prediction": "conversion", "fallback": 0}},
    "score": {"ai": 1.0},
    "schemes": {"abc": {"kind": "score", "tiers": [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]}},
}
"""The smallest policy there is: the model's score is the score. Parts are replaced by `policy_of`."""


@cache
def shipped(name: str) -> CompiledPolicy:
    """A policy of `policies/`, by name."""
    return next(policy for policy in map(load_policy, SHIPPED) if policy.name == name)


def judged_by_the_oracle(name: str) -> CompiledPolicy:
    """A policy of `tests/policies/`, by name."""
    return next(policy for policy in map(load_policy, JUDGED) if policy.name == name)


def policy_of(**parts: Any) -> CompiledPolicy:
    """`SMALL` with some of its parts replaced (None takes a part away)."""
    document = {name: part for name, part in {**SMALL, **parts}.items() if part is not None}
    return load_policy_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


def measured(measure: dict[str, Any], low: float = 0, high: float = 100, **parts: Any) -> CompiledPolicy:
    """A policy whose score is one measure `m`, stretched from `low` to `high`."""
    linear = {"linear": {"measure": "m", "from": low, "to": high}}
    return policy_of(measures={"m": measure}, dimensions={"d": linear}, score={"d": 1.0}, **parts)


class Folding:
    """One partition, fed record by record; each topic counts its own offsets."""

    def __init__(
        self, policy: CompiledPolicy, *, partitions: int | None = None, number: int = 0, guarded: bool = True, mode: Mode = "LIVE"
    ) -> None:
        self.policy, self.mode = policy, mode
        self.partition = Partition(number, partitions, "test", policy, guarded=guarded)
        self.published: list[TierTransition] = []
        self.outputs: list[Output] = []
        self.steps: list[Step] = []
        self.changelog: dict[bytes, bytes] = {}
        """The last record of each key; of what was deleted, none."""
        self._offsets: dict[str, int] = {}

    def placed(self, record: Event, appended_at_ms: int | None = None) -> RawRecord:
        """The record's next place in its topic."""
        topic = TOPIC_OF[type(record)]
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        at_ms = record.occurred_at if appended_at_ms is None else appended_at_ms
        return RawRecord(topic, self.partition.number, offset, at_ms, record.account_id.encode(), None)

    def fold(self, *records: Event) -> list[TierTransition]:
        """Fold records in this order; gives the transitions of this call."""
        before = len(self.published)
        for record in records:
            raw = self.placed(record)
            self.step(raw, record)
        return self.published[before:]

    def step(self, raw: RawRecord, record: Event) -> Step:
        """Fold one placed record."""
        step = self.partition.fold(raw, record, self.mode, raw.appended_at_ms)
        self.steps.append(step)
        self._publish(step.outputs)
        return step

    def tick(self, at_ms: int) -> list[TierTransition]:
        """Let time pass for every account up to `at_ms`, and the policy's lateness more; gives the transitions of this call."""
        before = len(self.published)
        self._publish(self.partition.fold_tick(at_ms + self.policy.lateness_ms, self.mode, at_ms + self.policy.lateness_ms))
        return self.published[before:]

    def _publish(self, outputs: list[Output]) -> None:
        self.outputs += outputs
        self.published += [output.record for output in outputs if isinstance(output.record, TierTransition)]

    def records(self, topic: str) -> list[Any]:
        """What was published on one topic."""
        return [output.record for output in self.outputs if output.topic == topic]

    def fate(self, record: Event) -> Fate:
        """Fold one record and tell what became of it."""
        return self.step(self.placed(record), record).fate

    def keep(self) -> list[tuple[bytes, bytes | None]]:
        """Take the changes into the changelog, as a transaction and then compaction do."""
        changes = self.partition.take_changes()
        for key, payload in changes:
            self.changelog.pop(key, None)
            if payload is not None:
                self.changelog[key] = payload
        return changes

    def view(self, account_id: str = "acme") -> dict[str, Any]:
        """The account, which must exist."""
        found = self.partition.view(account_id)
        assert found is not None, f"account {account_id} was never seen"
        return found

    def score(self, account_id: str = "acme") -> float:
        """The account's score in points."""
        return float(self.view(account_id)["score_micro"] / 1e6)

    def tier(self, account_id: str = "acme", scheme: str | None = None) -> str:
        """The account's published tier."""
        return str(self.view(account_id)["schemes"][scheme or self.policy.scheme_names[0]]["published"])


def by_score(policy: CompiledPolicy, scheme: str) -> bool:
    """Whether a scheme goes by the policy's score, not by a rating of its own."""
    return next(each for each in policy.schemes if each.name == scheme).rating is None


def totals(view: dict[str, Any]) -> list[tuple[int, int]]:
    """What a view shows as points, in micro, and what its lines sum to: the score, if there is one, and each rating."""
    score = [(view["score_micro"], view["contributions"])] if view["score_micro"] is not None else []
    ratings = [standing["rating"] for standing in view["schemes"].values() if standing["rating"] is not None]
    shown = score + [(rating["points_micro"], rating["contributions"]) for rating in ratings]
    return [(points, sum(line["micro"] for line in lines)) for points, lines in shown]


def bytes_of(transitions: list[TierTransition]) -> list[bytes]:
    """What a replay must give again byte for byte: everything but decided_at and lag_ms."""
    return [msgspec.json.encode(msgspec.structs.replace(each, decided_at=0, lag_ms=0)) for each in transitions]


def restored(changelog: dict[bytes, bytes], policy: CompiledPolicy, number: int = 0) -> Partition:
    """A partition from the last record of each key of a changelog."""
    partition = Partition(number, None, "test", policy)
    partition.restore_batch(list(changelog.items()))
    partition.restored()
    return partition
