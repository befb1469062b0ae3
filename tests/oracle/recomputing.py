"""What a worker must have left behind for one partition, from its inputs and its fold-order.

Before a record touches its account, all that time has changed for it up to then is decided, each change at its own instant; a tick
decides all that is due for any account up to its time, less the policy's lateness.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from heapq import heappop, heappush
from typing import Any, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from aiokafka.partitioner import murmur2

from tests.oracle.commands import Remembered, carry_out, is_refused
from tests.oracle.grading import Account, Quiet, Row, milliseconds
from tests.oracle.passing import Change, calm_until, next_change, round_score
from tests.oracle.wire import RECORD_OF, TOPICS, Refused, event, tick

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
    """Transitions in order (fields a replay may not change), dead letters by place, accounts by key, folded up to.

    `step` of an output counts records and ticks: within one, what belongs to different accounts has no order.
    """

    transitions: list[Row]
    standings: list[Row]
    actions: list[Row]
    dead_letters: dict[tuple[str, int], str]
    accounts: dict[bytes, Account]
    folded_to: dict[str, int]
    last_tick_ms: int | None = None


def inputs_of(policy: dict[str, Any]) -> list[str]:
    """The topics that a policy reads, in rank order."""
    named = {spec["from"] for spec in policy.get("measures", {}).values()}
    dimensions = [policy["dimensions"][name] for name in policy["score"]]
    named |= {"profiles" for spec in dimensions if "table" in spec} | {"predictions" for spec in dimensions if "prediction" in spec}
    named |= {"interactions" for _ in policy.get("clocks") or {}}
    named |= {"risks" for spec in policy["schemes"].values() if spec.get("risk")} | {"commands"}
    return [topic for topic in RECORD_OF if topic in named]


def _told_besides(account: Account) -> tuple[Any, ...]:
    """What account-tiers says that transitions do not."""
    return (account.owner(), account.pool is None, *(standing.earned for standing in account.standing.values()))


def fold_order(inputs: dict[str, list[Logged]], orders: list[Row]) -> Iterator[tuple[Logged | None, Row]]:
    """Every record with the transaction that folded it: heads by (append time, rank); None for the tick that a transaction ends with.

    A record named twice is folded once.
    """
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
            yield record, order
        if order["tick"]:
            yield None, order


class Recomputing:
    """Folds one partition again."""

    def __init__(self, policy: Row, application: str, partition: int, partitions: int, told: Mapping[str, int]) -> None:
        """`told`: transition_id -> effective_at as published, believed only where rounding leaves the choice (law "Exact time")."""
        self._told = told
        self._policy, self._application, self._partition, self._partitions = policy, application, partition, partitions
        self._max_ahead_ms = milliseconds(policy.get("max_ahead", "5m"))
        self._lateness_ms = int(milliseconds(policy.get("lateness", "0s")))
        self._act_within_ms = milliseconds(policy.get("act_within", "1h"))
        self.last_tick_ms: int | None = None
        self._calm: list[tuple[float, bytes]] = []
        self._step = 0
        self._commands = Remembered()
        self.result = Expected([], [], [], {}, {}, {})

    def fold(self, record: Logged, order: Row) -> None:
        """One record: refused, repeated, or lived through."""
        self._step += 1
        self.result.folded_to[record.topic] = max(record.offset + 1, self.result.folded_to.get(record.topic, 0))
        try:
            if any((q["topic"], q["offset"]) == (record.topic, record.offset) for q in order["quarantined"]):
                raise Refused("QUARANTINED")
            if record.topic == "ticks":
                self.tick(tick(record.payload), order)
                return
            said = event(record.topic, record.payload)
            self._check(record, said)
            if record.topic == "commands":
                self._obey(record, said, order)
                return
            account, is_new = self._account(record)
        except Refused as refused:
            self.result.dead_letters[record.topic, record.offset] = refused.reason
            return
        if not account.knows(record.topic, said):
            self._live(account, is_new, record, said, order)

    def tick(self, at_ms: int, order: Row) -> None:
        """Time passes for every account; a tick not after the last one is nothing."""
        self._step += 1
        if self.last_tick_ms is not None and at_ms <= self.last_tick_ms:
            return
        told = {"mode": order["mode"], "reference_ms": self.last_tick_ms or at_ms}
        self._review(at_ms, order["mode"])
        self.last_tick_ms, until_ms, due = at_ms, at_ms - self._lateness_ms, set[bytes]()
        while self._calm and self._calm[0][0] <= until_ms:
            due.add(heappop(self._calm)[1])
        for key in due:
            account = self.result.accounts[key]
            held_by, published = _told_besides(account), len(self.result.transitions)
            self._pass(account, key, until_ms, told)
            self._stand(account, key, held_by, published, told)

    def _check(self, record: Logged, said: Row) -> None:
        """Whether it may be folded here."""
        if said["occurred_at"] - record.appended_at_ms > self._max_ahead_ms:
            raise Refused("TOO_FAR_AHEAD")
        if record.key is None:
            raise Refused("MISSING_KEY")
        if record.key != said["account_id"].encode():
            raise Refused("KEY_MISMATCH" if _is_text(record.key) else "FOREIGN_KEY")
        if record.key not in self.result.accounts and (murmur2(record.key) & 0x7FFFFFFF) % self._partitions != self._partition:
            raise Refused("WRONG_PARTITION")

    def _account(self, record: Logged) -> tuple[Account, bool]:
        assert record.key is not None
        if (known := self.result.accounts.get(record.key)) is not None:
            return known, False
        account = self.result.accounts[record.key] = Account(self._policy, (record.topic, record.offset))
        return account, True

    # -- a record ------------------------------------------------------------------------------------------------------

    def _live(self, account: Account, is_new: bool, record: Logged, said: Row, order: Row) -> None:
        key, told = said["account_id"].encode(), {"mode": order["mode"], "reference_ms": record.appended_at_ms}
        held_by, published = _told_besides(account), len(self.result.transitions)
        if not is_new:
            self._pass(account, key, said["occurred_at"], told)
        late = said["occurred_at"] < account.clock_ms
        account.take(record.topic, said)
        account.last, account.calm_ms = (record.topic, record.offset, said["occurred_at"]), None
        cause = {
            "kind": "LATE" if late else CAUSE[record.topic], "topic": record.topic, "partition": self._partition,
            "offset": record.offset, "event_id": said["event_id"], "occurred_at": said["occurred_at"],
        }  # fmt: skip
        reason = {"account_id": said["account_id"], "cause": cause, "mode": order["mode"], "lag_from_ms": record.appended_at_ms}
        if is_new:
            self._enter(account, reason)
        self._settle(account, reason)
        self._pass(account, key, account.clock_ms, told)
        self._stand(account, key, None if is_new else held_by, published, told)

    def _obey(self, record: Logged, said: Row, order: Row) -> None:
        """A command: carried out once, or refused; answered while it matters to somebody."""
        if not self._commands.is_new(said):
            return
        key, place = said["account_id"].encode(), f"{record.topic}:{self._partition}:{record.offset}"
        account = self.result.accounts.get(key)
        refused = is_refused(self._policy, account, said)
        if account is not None and not refused:
            self._carry_out(account, key, record, said, order)
        if order["mode"] == "LIVE":
            answer = {"account_id": said["account_id"], "generation": place, "kind": "REFUSED" if refused else "DONE", "name": said["kind"]}
            self.result.actions.append({**answer, "due_at": said["occurred_at"], "tier": None, "owner_id": None, "cause_kind": "COMMAND"})

    def _carry_out(self, account: Account, key: bytes, record: Logged, said: Row, order: Row) -> None:
        told = {"mode": order["mode"], "reference_ms": record.appended_at_ms}
        held_by, published = _told_besides(account), len(self.result.transitions)
        self._pass(account, key, said["occurred_at"], told)
        account.clock_ms = max(account.clock_ms, said["occurred_at"])
        account.last, account.calm_ms = (record.topic, record.offset, said["occurred_at"]), None
        cause = {
            "kind": carry_out(self._policy, account, said), "topic": record.topic, "partition": self._partition, "offset": record.offset,
            "event_id": said["event_id"], "occurred_at": said["occurred_at"],
        }  # fmt: skip
        reason = {"account_id": said["account_id"], "cause": cause, "mode": order["mode"], "lag_from_ms": record.appended_at_ms}
        self._settle(account, reason)
        self._pass(account, key, account.clock_ms, told)
        self._stand(account, key, held_by, published, told)

    def _enter(self, account: Account, reason: Row) -> None:
        for name, standing in account.standing.items():
            if self._policy["schemes"][name].get("announce_entry"):
                standing.effective_at_ms = account.clock_ms
                said = {**reason, "from_tier": None, "to_tier": standing.tiers[0], "direction": "ENTRY", "owner_id": None}
                self._publish(account, name, said, account.score_micro, dict(account.dimensions))

    def _settle(self, account: Account, reason: Row) -> None:
        """Every scheme as it must be at the account's clock."""
        score_before, dimensions_before = account.score_micro, dict(account.dimensions)
        account.evaluate()
        for name, standing in account.standing.items():
            before = standing.decide(account)
            if before != standing.published:
                standing.effective_at_ms = max(account.clock_ms, standing.effective_at_ms)
                tiers = {"from_tier": standing.tiers[before], "to_tier": standing.tiers[standing.published]}
                said = {**reason, **tiers, "direction": "UP" if standing.published > before else "DOWN", "owner_id": account.owner()}
                self._publish(account, name, said, score_before, dimensions_before)

    # -- time ----------------------------------------------------------------------------------------------------------

    def _pass(self, account: Account, key: bytes, until_ms: int, told: Row) -> None:
        while (change := next_change(account, until_ms)) is not None:
            change = self._as_told(account, key, change, until_ms)
            account.nudge = change.nudge
            account.clock_ms, account.calm_ms = max(account.clock_ms, change.at_ms), None
            kind = self._run_out(account, key, change, told)
            topic, offset, occurred_at = account.last
            cause = {
                "kind": kind, "topic": topic, "partition": self._partition, "offset": offset, "event_id": "", "occurred_at": occurred_at,
            }  # fmt: skip
            self._settle(account, {"account_id": key.decode(), "cause": cause, "mode": told["mode"], "lag_from_ms": None})
            account.nudge = 0
        if account.calm_ms is not None:
            heappush(self._calm, (calm_until(account), key))

    def _as_told(self, account: Account, key: bytes, change: Change, until_ms: int) -> Change:
        """The change at another millisecond, if one was published and one micro-point decides between the two."""
        for name, standing in account.standing.items() if not change.clocks and not change.uncovered else ():
            told_ms = self._told.get(self._transition_id(account, key.decode(), name, standing.sequence + 1), change.at_ms)
            if told_ms == change.at_ms or not account.clock_ms < told_ms <= until_ms:
                continue
            close_ms = min(told_ms, change.at_ms)
            tiers = {nudge: standing.aim(round_score(account, close_ms) + nudge) for nudge in (-1, 0, 1)}
            if len(set(tiers.values())) > 1:
                there = {nudge: standing.aim(round_score(account, told_ms) + nudge) for nudge in (0, -1, 1)}
                return next((Change(told_ms, (), nudge) for nudge, tier in there.items() if tier != standing.earned), change)
        return change

    def _run_out(self, account: Account, key: bytes, change: Change, told: Row) -> str:
        """What expires or what clocks do; gives the cause of what follows."""
        for standing in change.uncovered:
            standing.covered = None
        if change.uncovered:
            return "OVERRIDE"
        kinds = []
        for name, clock in account.clocks.items():
            if clock not in change.clocks:
                continue
            earned = clock.standing.tiers[clock.standing.earned]
            if clock.run_out(change.at_ms) == "demote":
                kinds.append(clock.cause)
            elif account.pool is None:
                self._recycle(account, key, (name, clock, earned), change.at_ms, told)
        return kinds[0] if kinds else "DECAY"

    def _review(self, at_ms: int, mode: str) -> None:
        """Partition 0 says once that nobody has reviewed the policy for more than 183 days."""
        reviewed = date.fromisoformat(str(self._policy["reviewed_on"]))
        zone = ZoneInfo(self._policy.get("timezone", "Asia/Shanghai"))
        due_ms = round(datetime.combine(reviewed + timedelta(184), time(), zone).timestamp() * 1000)
        crossed = (self.last_tick_ms is None or self.last_tick_ms < due_ms) and due_ms <= at_ms
        if self._partition == 0 and mode == "LIVE" and crossed:
            about = f"policy/{self._policy['policy']}"
            said = {"account_id": about, "generation": about, "kind": "POLICY_REVIEW_DUE", "name": "policy_review", "due_at": due_ms}
            self.result.actions.append({**said, "tier": None, "owner_id": None, "cause_kind": "CLOCK"})

    def _recycle(self, account: Account, key: bytes, which: tuple[str, Quiet, str], at_ms: int, told: Row) -> None:
        name, clock, tier = which
        owner = account.owner()
        account.pool = (at_ms, name, owner)
        young = told["mode"] == "LIVE" and told["reference_ms"] - at_ms <= self._act_within_ms
        if young and account.profile.get("do_not_contact", (0, 0, None))[2] is not True:
            said = {"account_id": key.decode(), "kind": "RECYCLED", "name": name, "due_at": at_ms, "tier": tier, "owner_id": owner}
            self.result.actions.append({**said, "generation": self._generation(account), "cause_kind": clock.cause})

    # -- what is published ---------------------------------------------------------------------------------------------

    def _generation(self, account: Account) -> str:
        return f"{account.born[0]}:{self._partition}:{account.born[1]}"

    def _transition_id(self, account: Account, account_id: str, scheme: str, sequence: int) -> str:
        parts = (self._application, self._policy["policy"], scheme, account_id, self._generation(account), str(sequence))
        return str(uuid5(NAMESPACE, "\x1f".join(parts)))

    def _stand(self, account: Account, key: bytes, held_by: Any, published: int, told: Row) -> None:
        """Current tiers: at entry, with every transition, and when owner, pool or a tier earned behind a gate have changed."""
        if held_by == _told_besides(account) and published == len(self.result.transitions):
            return
        account.revision += 1
        self.result.standings.append(
            {
                "account_id": key.decode(),
                "generation": self._generation(account),
                "revision": account.revision,
                "effective_at": account.clock_ms,
                "mode": told["mode"],
                "owner_id": account.owner(),
                "pooled": None if account.pool is None else (account.pool[0], account.pool[2]),
                "standings": {
                    name: (s.tiers[s.published], s.tiers[s.earned], s.sequence, s.effective_at_ms) for name, s in account.standing.items()
                },
                "score_micro": account.score_micro,
                "step": self._step,
            }
        )

    def _publish(self, account: Account, name: str, said: Row, score_before: int, dimensions_before: dict[str, int]) -> None:
        standing, policy = account.standing[name], self._policy
        standing.sequence += 1
        self.result.transitions.append(
            {
                **said,
                "transition_id": self._transition_id(account, said["account_id"], name, standing.sequence),
                "application": self._application,
                "policy": policy["policy"],
                "policy_version": str(policy["version"]),
                "scheme": name,
                "generation": self._generation(account),
                "sequence": standing.sequence,
                "trail": [standing.tiers[place] for place in (standing.earned, standing.earned, standing.gated, standing.published)],
                "effective_at": standing.effective_at_ms,
                "score_before_micro": score_before,
                "score_after_micro": account.score_micro,
                "dimensions_before": dimensions_before,
                "dimensions_after": dict(account.dimensions),
                "step": self._step,
            }
        )


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True


def recompute(
    policy: Row, application: str, partition: int, partitions: int, inputs: dict[str, list[Logged]], orders: list[Row],
    told: Mapping[str, int],
) -> Expected:  # fmt: skip
    """What one partition must have left behind."""
    recomputing = Recomputing(policy, application, partition, partitions, told)
    for record, order in fold_order(inputs, orders):
        if record is None:
            recomputing.tick(order["tick"]["at"], order)
        else:
            recomputing.fold(record, order)
    return recomputing.result._replace(last_tick_ms=recomputing.last_tick_ms)
