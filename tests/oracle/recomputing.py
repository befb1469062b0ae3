"""What a worker must have left behind for one partition, from its inputs and its fold-order."""

from bisect import bisect_left
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from aiokafka.partitioner import murmur2

from tests.oracle.grading import Account, id64, milliseconds
from tests.oracle.wire import RECORD_OF, TOPICS, Refused, event

NAMESPACE = UUID("6f1c9a52-4e0b-5d0c-9a55-2f2d6c1f7e11")
CAUSE = {
    "interactions": "INTERACTION", "orders": "ORDER", "invoices": "INVOICE", "tickets": "TICKET", "risks": "RISK",
    "profiles": "PROFILE", "opportunities": "STAGE", "predictions": "PREDICTION", "commands": "COMMAND",
}  # fmt: skip


class Logged(NamedTuple):
    """A record as a topic holds it; `topic` is the logical name."""

    topic: str
    offset: int
    appended_at_ms: int
    key: bytes | None
    payload: bytes | None


class Expected(NamedTuple):
    """Transitions in order (fields a replay may not change), dead letters by place, accounts by key, folded up to."""

    transitions: list[dict[str, Any]]
    dead_letters: dict[tuple[str, int], str]
    accounts: dict[bytes, Account]
    folded_to: dict[str, int]


def inputs_of(policy: dict[str, Any]) -> list[str]:
    """The topics that a policy reads, in rank order."""
    named = {spec["from"] for spec in policy.get("measures", {}).values()}
    dimensions = [policy["dimensions"][name] for name in policy["score"]]
    named |= {"profiles" for spec in dimensions if "table" in spec} | {"predictions" for spec in dimensions if "prediction" in spec}
    named |= {"risks" for spec in policy["schemes"].values() if spec.get("risk")}
    return [topic for topic in RECORD_OF if topic in named]


def fold_order(inputs: dict[str, list[Logged]], orders: list[dict[str, Any]]) -> list[tuple[Logged, dict[str, Any]]]:
    """Every record with the transaction that folded it: heads by (append time, rank). A record named twice is folded once."""
    folded: list[tuple[Logged, dict[str, Any]]] = []
    done: set[tuple[str, int]] = set()
    offsets = {topic: [record.offset for record in records] for topic, records in inputs.items()}
    for order in orders:
        heads: dict[str, list[Logged]] = {}
        for part in order["ranges"]:
            places = offsets.get(part["topic"], [])
            inside = inputs.get(part["topic"], [])[bisect_left(places, part["from_offset"]) : bisect_left(places, part["to_offset"])]
            heads[part["topic"]] = [r for r in inside if (r.topic, r.offset) not in done][::-1]
        while waiting := [stack[-1] for stack in heads.values() if stack]:
            record = min(waiting, key=lambda r: (r.appended_at_ms, TOPICS.index(r.topic)))
            heads[record.topic].pop()
            done.add((record.topic, record.offset))
            folded.append((record, order))
    return folded


class Recomputing:
    """Folds one partition again."""

    def __init__(self, policy: dict[str, Any], application: str, partition: int, partitions: int) -> None:
        self._policy, self._application, self._partition, self._partitions = policy, application, partition, partitions
        self._max_ahead_ms = milliseconds(policy.get("max_ahead", "5m"))
        self.result = Expected([], {}, {}, {})

    def fold(self, record: Logged, order: dict[str, Any]) -> None:
        """One record: refused, repeated, or lived through."""
        self.result.folded_to[record.topic] = max(record.offset + 1, self.result.folded_to.get(record.topic, 0))
        try:
            if any((q["topic"], q["offset"]) == (record.topic, record.offset) for q in order["quarantined"]):
                raise Refused("QUARANTINED")
            said = event(record.topic, record.payload)
            account, is_new = self._account(record, said)
        except Refused as refused:
            self.result.dead_letters[record.topic, record.offset] = refused.reason
            return
        if id64(record.topic, said["event_id"]) in account.recent:
            return
        self._live(account, is_new, record, said, order)

    def _account(self, record: Logged, said: dict[str, Any]) -> tuple[Account, bool]:
        if said["occurred_at"] - record.appended_at_ms > self._max_ahead_ms:
            raise Refused("TOO_FAR_AHEAD")
        if record.key is None:
            raise Refused("MISSING_KEY")
        if record.key != said["account_id"].encode():
            raise Refused("KEY_MISMATCH" if _is_text(record.key) else "FOREIGN_KEY")
        known = self.result.accounts.get(record.key)
        if known is not None:
            return known, False
        if (murmur2(record.key) & 0x7FFFFFFF) % self._partitions != self._partition:
            raise Refused("WRONG_PARTITION")
        account = self.result.accounts[record.key] = Account(self._policy, (record.topic, record.offset))
        return account, True

    def _live(self, account: Account, is_new: bool, record: Logged, said: dict[str, Any], order: dict[str, Any]) -> None:
        late = said["occurred_at"] < account.clock_ms
        score_before, dimensions_before = account.score_micro, dict(account.dimensions)
        entered_at_ms = said["occurred_at"]
        account.take(record.topic, said)
        cause = {
            "kind": "LATE" if late else CAUSE[record.topic], "topic": record.topic, "partition": self._partition,
            "offset": record.offset, "event_id": said["event_id"], "occurred_at": said["occurred_at"],
        }  # fmt: skip
        owner = account.profile.get("owner_id", (0, 0, None))[2]
        common = {"account_id": said["account_id"], "cause": cause, "mode": order["mode"], "appended_at_ms": record.appended_at_ms}
        if is_new:
            for name, standing in account.standing.items():
                if self._policy["schemes"][name].get("announce_entry"):
                    standing.effective_at_ms = entered_at_ms
                    self._publish(
                        account, name, {**common, "from_tier": None, "to_tier": standing.tiers[0], "direction": "ENTRY", "owner_id": None},
                        (score_before, score_before), (dimensions_before, dimensions_before),
                    )  # fmt: skip
        account.evaluate()
        for name, standing in account.standing.items():
            before = standing.decide(account)
            if before != standing.published:
                standing.effective_at_ms = max(account.clock_ms, standing.effective_at_ms)
                tiers = {"from_tier": standing.tiers[before], "to_tier": standing.tiers[standing.published]}
                direction = "UP" if standing.published > before else "DOWN"
                self._publish(
                    account, name, {**common, **tiers, "direction": direction, "owner_id": owner},
                    (score_before, account.score_micro), (dimensions_before, dict(account.dimensions)),
                )  # fmt: skip

    def _publish(
        self, account: Account, name: str, said: dict[str, Any], score: tuple[int, int], dimensions: tuple[dict[str, int], dict[str, int]]
    ) -> None:
        standing, policy = account.standing[name], self._policy
        standing.sequence += 1
        generation = f"{account.born[0]}:{self._partition}:{account.born[1]}"
        parts = (self._application, policy["policy"], name, said["account_id"], generation, str(standing.sequence))
        self.result.transitions.append(
            {
                **said,
                "transition_id": str(uuid5(NAMESPACE, "\x1f".join(parts))),
                "application": self._application,
                "policy": policy["policy"],
                "policy_version": str(policy["version"]),
                "scheme": name,
                "generation": generation,
                "sequence": standing.sequence,
                "effective_at": standing.effective_at_ms,
                "score_before_micro": score[0],
                "score_after_micro": score[1],
                "dimensions_before": dimensions[0],
                "dimensions_after": dimensions[1],
            }
        )


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True


def recompute(
    policy: dict[str, Any], application: str, partition: int, partitions: int, inputs: dict[str, list[Logged]], orders: list[dict[str, Any]]
) -> Expected:
    """What one partition must have left behind."""
    recomputing = Recomputing(policy, application, partition, partitions)
    for record, order in fold_order(inputs, orders):
        recomputing.fold(record, order)
    return recomputing.result
