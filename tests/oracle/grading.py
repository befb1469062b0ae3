"""What one account is worth under a policy, from the records it has lived through. The policy is its YAML, as plain dicts.

Fading is computed in closed form from a fixed origin instead of step by step; tiers by searching the whole ladder. How time moves
an account between its records is in `passing`.
"""

import math
from collections import deque
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xxhash

from tests.oracle.wire import TOPICS

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
NAMES_A_KIND = {"orders": "status", "invoices": "status", "tickets": "status", "opportunities": "stage"}
NOT_PROFILE = {"event_id", "account_id", "occurred_at", "custom", "cleared"}
Row = dict[str, Any]


def milliseconds(duration: str) -> float:
    """`30d` in milliseconds; `none` never ends."""
    if duration == "none":
        return math.inf
    unit = duration.lstrip("0123456789. ")
    return round(float(duration[: -len(unit)]) * UNITS[unit])


def in_micro(points: float) -> int:
    """Rounded to millionths of a point, halves up."""
    return math.floor(points * 1_000_000 + 0.5)


def order_id64(record: Row) -> int:
    """The id by which an order in its status is known."""
    return int(xxhash.xxh64(f"{record['status']} {record['order_id']}".encode()).intdigest())


def id64(topic: str, event_id: str) -> int:
    """The id by which equal times are ordered."""
    return int(xxhash.xxh64(event_id.encode(), seed=TOPICS.index(topic) + 1).intdigest())


class Fading:
    """The sum of p * 2^((at - t) / half-life): kept as the sum of p * 2^((at - origin) / half-life)."""

    def __init__(self, half_life_ms: float) -> None:
        self.half_life_ms, self.origin_ms, self.weight, self.times = half_life_ms, None, 0.0, 0

    def add(self, points: float, at_ms: int) -> None:
        if self.origin_ms is None:
            self.origin_ms = at_ms
        if (at_ms - self.origin_ms) / self.half_life_ms > 400:
            self.weight, self.origin_ms = self.at(at_ms), at_ms
        self.weight += points * 2.0 ** ((at_ms - self.origin_ms) / self.half_life_ms)
        self.times += 1

    def at(self, at_ms: int) -> float:
        return 0.0 if self.origin_ms is None else self.weight * 2.0 ** ((self.origin_ms - at_ms) / self.half_life_ms)

    def pace(self, at_ms: int) -> float:
        """How much it loses or gains in a millisecond from now on, at most; never more later."""
        return abs(self.at(at_ms)) * math.log(2) / self.half_life_ms


class Points:
    """A measure of priced kinds."""

    def __init__(self, spec: Row, timezone: str) -> None:
        self.topic, self.prices, self.zone = spec["from"], spec["points"], ZoneInfo(timezone)
        self.caps: dict[str, float] = (spec.get("caps") or {}).get("per_day", {})
        half_life = spec.get("half_life") or "none"
        each = half_life if isinstance(half_life, dict) else {}
        default = each.get("default", "none") if each else half_life
        self.kinds = {kind: Fading(milliseconds(each.get(kind, default))) for kind in self.prices}
        self.latest_ms, self.last_day, self.used = 0, 0, {}

    def take(self, record: Row, _: int) -> None:
        kind = record[NAMES_A_KIND.get(self.topic, "kind")]
        if kind not in self.prices:
            return
        at_ms, price = record["occurred_at"], self.prices[kind]
        points = float(price) if not isinstance(price, dict) else self._by_dwell(price, record)
        if kind in self.caps:
            points = self._within_the_day(kind, at_ms, points)
        self.latest_ms = max(self.latest_ms, at_ms)
        self.kinds[kind].add(points, at_ms)

    @staticmethod
    def _by_dwell(price: Row, record: Row) -> float:
        return float(min(price["at_most"], (record.get("dwell_seconds") or 0.0) * price["per_second_of_dwell"]))

    def _within_the_day(self, kind: str, at_ms: int, points: float) -> float:
        day = datetime.fromtimestamp(at_ms // 1000, self.zone).toordinal()
        self.last_day = max(self.last_day, day)
        self.used = {(d, k): used for (d, k), used in self.used.items() if d >= self.last_day - 1}
        left = self.caps[kind] - self.used.get((day, kind), 0.0)
        counted = min(abs(points), left)
        if day >= self.last_day - 1:
            self.used[day, kind] = self.used.get((day, kind), 0.0) + counted
        return math.copysign(counted, points)

    def at(self, at_ms: int) -> float:
        return math.fsum(fading.at(at_ms) for fading in self.kinds.values())

    def pace(self, at_ms: int) -> float:
        """How fast it can move in a millisecond from now on, at most."""
        return math.fsum(fading.pace(at_ms) for fading in self.kinds.values())

    def restless(self, at_ms: int) -> float:
        """How far it can still move, ever."""
        return math.fsum(abs(fading.at(at_ms)) for fading in self.kinds.values() if fading.half_life_ms < math.inf)


class Last:
    """A measure that keeps the last number by (time, id)."""

    def __init__(self, spec: Row) -> None:
        self.topic, self.field, self.where = spec["from"], spec["latest"], spec.get("where", {})
        self.held: tuple[int, int, float] | None = None

    def take(self, record: Row, event: int) -> None:
        if record[self.field] is None or any(str(record[name]) != wanted for name, wanted in self.where.items()):
            return
        if self.held is None or (record["occurred_at"], event) > self.held[:2]:
            self.held = (record["occurred_at"], event, float(record[self.field]))

    def at(self, _: int) -> float:
        return self.held[2] if self.held else 0.0


class Account:
    """One account: everything it is, by name. `take` lets it live through a record."""

    def __init__(self, policy: Row, born: tuple[str, int]) -> None:
        self.policy, self.born, self.records, self.clock_ms = policy, born, 0, 0
        self.recent: deque[int] = deque(maxlen=16)
        self.orders: list[tuple[int, int]] = []
        self.last: tuple[str, int, int] = ("", 0, 0)
        self.revision = 0
        self.pool: tuple[int, str, str | None] | None = None
        self.calm_ms: float | None = None
        """The score earns no other tier before this; None: not known."""
        zone = policy.get("timezone", "Asia/Shanghai")
        self.measures: dict[str, Points | Last] = {
            name: Points(spec, zone) if "points" in spec else Last(spec) for name, spec in policy.get("measures", {}).items()
        }
        for name in policy["score"]:
            if "prediction" in (spec := policy["dimensions"][name]):
                self.measures[f"{name}.score"] = Last({"from": "predictions", "latest": "score", "where": {"model": spec["prediction"]}})
        self.profile: dict[str, tuple[int, int, Any]] = {}
        self.risks: dict[str, tuple[int, int, str, bool]] = {}
        self.dimensions: dict[str, int] = {}
        self.nudge = 0
        self.score_micro = self.evaluate()
        self.standing = {name: Standing(spec) for name, spec in policy["schemes"].items()}
        only = next(iter(policy["schemes"]))
        self.clocks = {name: Quiet(spec, self.standing[spec.get("scheme") or only]) for name, spec in (policy.get("clocks") or {}).items()}

    def knows(self, topic: str, record: Row) -> bool:
        """Whether the record is one that came before: by its id, or an order in a status known already."""
        known = topic == "orders" and any(order == order_id64(record) for _, order in self.orders)
        return known or id64(topic, record["event_id"]) in self.recent

    def owner(self) -> str | None:
        """Who has it; nobody while it is in the pool."""
        return self.profile.get("owner_id", (0, 0, None))[2] if self.pool is None else None

    def take(self, topic: str, record: Row) -> None:
        """Measures, profile, risks and orders; clocks."""
        event = id64(topic, record["event_id"])
        self.recent.append(event)
        self.records += 1
        self.clock_ms = max(self.clock_ms, record["occurred_at"])
        if topic == "orders":
            self.orders = sorted([*self.orders, (record["occurred_at"], order_id64(record))])[-128:]
        if self.records == 1:
            for standing in self.standing.values():
                standing.since_ms = self.clock_ms
        for clock in self.clocks.values():
            clock.hear(topic, record, first=self.records == 1)
        for measure in self.measures.values():
            if measure.topic == topic:
                measure.take(record, event)
        if topic == "profiles":
            self._learn(record, event)
        if topic == "risks":
            self._hear(record, event)

    def _learn(self, record: Row, event: int) -> None:
        said = {name: held for name, held in record.items() if name not in NOT_PROFILE and held is not None}
        said |= {f"custom.{name}": held for name, held in record["custom"].items()}
        for field, held in [*said.items(), *((field, None) for field in record["cleared"])]:
            known = self.profile.get(field)
            if known is None or (record["occurred_at"], event) > known[:2]:
                self.profile[field] = (record["occurred_at"], event, held)
        if self.pool is not None and record["owner_id"] is not None and record["occurred_at"] >= self.pool[0]:
            self.pool = None
            for clock in self.clocks.values():
                clock.owned_again(self.clock_ms)

    def _hear(self, record: Row, event: int) -> None:
        known = self.risks.get(record["risk_id"])
        if known is None or (record["occurred_at"], event) > known[:2]:
            self.risks[record["risk_id"]] = (record["occurred_at"], event, record["kind"], record["status"] == "RAISED")
        closed = sorted((at_ms, risk_id) for risk_id, (at_ms, _, _, is_open) in self.risks.items() if not is_open)
        for _, risk_id in closed[: max(len(closed) - 64, 0)]:
            del self.risks[risk_id]

    def evaluate(self) -> int:
        """Every dimension and the score, at the account's clock."""
        points = self.points(self.clock_ms)
        self.dimensions = {name: in_micro(worth) for name, worth in points.items()}
        self.score_micro = in_micro(self.score(points)) + self.nudge
        return self.score_micro

    def points(self, at_ms: int) -> dict[str, float]:
        """What each dimension is worth."""
        return {name: self._dimension(name, self.policy["dimensions"][name], at_ms) for name in self.policy["score"]}

    def score(self, points: dict[str, float]) -> float:
        """The weighted sum."""
        total = 0.0
        for name, weight in self.policy["score"].items():
            total += weight * points[name]
        return total

    def _dimension(self, name: str, spec: Row, at_ms: int) -> float:
        if "table" in spec:
            return self.tabled(spec)
        if "prediction" in spec:
            last = self.measures[f"{name}.score"]
            assert isinstance(last, Last)
            return last.held[2] if last.held else float(spec["fallback"])
        low, high = spec["linear"]["from"], spec["linear"]["to"]
        return min(max(100.0 * (self.measures[spec["linear"]["measure"]].at(at_ms) - low) / (high - low), 0.0), 100.0)

    def tabled(self, spec: Row) -> float:
        """Fields looked up, by weight."""
        total = 0.0
        for field, entry in spec["table"].items():
            held = self.profile.get(field, (0, 0, None))[2]
            if held is None:
                continue
            if "each" in entry:
                points = entry["each"] * len(held) if isinstance(held, list) else 0.0
            else:
                points = entry["values"].get(str(held).lower() if isinstance(held, bool) else str(held), entry["values"].get("other", 0))
            total += entry["weight"] / 100 * min(points, entry.get("at_most", 100))
        return total


class Standing:
    """An account's place on one ladder."""

    def __init__(self, spec: Row) -> None:
        self.tiers = [tier["name"] for tier in spec["tiers"]]
        self.enter = [in_micro(tier.get("enter_at", -1e12)) for tier in spec["tiers"]]
        self.leave = [in_micro(tier.get("leave_below", tier.get("enter_at", -1e12))) for tier in spec["tiers"]]
        self.ceilings = {kind: self.tiers.index(risk["ceiling"]) for kind, risk in spec.get("risk", {}).items()}
        self.earned = self.published = self.sequence = self.effective_at_ms = self.since_ms = 0
        self.clocks: list[Quiet] = []
        self.ceiling = len(self.tiers) - 1
        self.gated = 0
        self.may_cover, self.beats_risk = bool(spec.get("override")), bool((spec.get("override") or {}).get("beats_risk", False))
        self.covered: Any = None
        """The override in force; `last_covered`: the last one that nobody revoked."""
        self.last_covered: Any = None

    def decide(self, account: Account) -> int:
        """The published tier after the score and the open risks; gives the one before."""
        before, top = self.published, len(self.tiers) - 1
        earned = self.aim(account.score_micro)
        if earned != self.earned:
            self.earned, self.since_ms = earned, account.clock_ms
        self.ceiling = min((self.ceilings.get(kind, top) for _, _, kind, is_open in account.risks.values() if is_open), default=top)
        self.gated = self.published = min(self.earned, self.ceiling)
        if self.covered is not None:
            ordered = self.tiers.index(self.covered.tier)
            self.published = ordered if self.beats_risk else min(ordered, self.ceiling)
        return before

    def uncovered_ms(self) -> float:
        """When its override expires; never if there is none."""
        return math.inf if self.covered is None else self.covered.until_ms

    def aim(self, score_micro: int) -> int:
        """The tier that a score earns from where the account stands, under what its clocks leave."""
        reached = max(n for n, enter in enumerate(self.enter) if score_micro >= enter)
        held = max(n for n, leave in enumerate(self.leave) if score_micro >= leave)
        return min([max(reached, min(self.earned, held)), *(clock.leaves for clock in self.clocks)])


class Quiet:
    """A clock: since when nothing has reset it, and what it did when it ran out."""

    def __init__(self, spec: Row, standing: Standing) -> None:
        assert not spec["resets_on"].get("substance"), "what has substance the oracle does not judge"
        self.standing, self.resets = standing, {name: spec["resets_on"].get(name) for name in ("actor", "kind")}
        self.each_tier_its_own = isinstance(spec["after"], dict)
        self.after = [milliseconds(text) if (text := self._of(spec["after"], tier)) else None for tier in standing.tiers]
        self.then = [self._of(spec["then"], tier) for tier in standing.tiers]
        self.cause = "SILENCE" if self.resets.get("actor") == "CUSTOMER" else "CLOCK"
        self.reset_ms, self.ran_out_ms, self.resting = -1, -1, False
        self.leaves = len(standing.tiers) - 1
        standing.clocks.append(self)

    @staticmethod
    def _of(said: Any, tier: str) -> Any:
        return said.get(tier) if isinstance(said, dict) else said

    def hear(self, topic: str, record: Row, *, first: bool) -> None:
        """A record starts it, or starts it again; an older one than the last that did changes nothing."""
        fits = topic == "interactions" and all(record[name] == wanted for name, wanted in self.resets.items() if wanted is not None)
        if (first or fits) and record["occurred_at"] > self.reset_ms:
            self.reset_ms, self.ran_out_ms, self.resting = record["occurred_at"], -1, False
            self.leaves = len(self.standing.tiers) - 1

    def due_ms(self) -> float:
        """When it runs out; never while it rests or nobody watches the tier.

        A period that was over before the account came to its tier is not counted against that tier: a late record can bring that about.
        """
        after = self.after[self.standing.earned]
        if self.resting or after is None or self.then[self.standing.earned] is None:
            return math.inf
        begins = max(self.reset_ms, self.ran_out_ms, self.standing.since_ms if self.each_tier_its_own else -1)
        while self.ran_out_ms >= 0 and begins + after <= self.standing.since_ms:
            begins += after
        return begins + after

    def owned_again(self, at_ms: int) -> None:
        """Somebody has taken the account out of the pool: if it can go there again, a whole period begins."""
        if self.resting and "recycle" in self.then:
            self.resting, self.ran_out_ms = False, at_ms

    def run_out(self, at_ms: int) -> str:
        """What follows; the next period begins."""
        earned = self.standing.earned
        then = str(self.then[earned])
        self.ran_out_ms = at_ms
        self.resting = then == "recycle" or earned == 0
        if then == "demote":
            self.leaves = min(self.leaves, max(earned - 1, 0))
        return then
