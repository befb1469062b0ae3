"""What arrives in a run: few accounts that live fast, so that most records decide something. Some come late, twice or spoilt."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import msgspec

from agents.generating.lives import Happening
from agents.generating.poison import Framed, Poisoner, framed
from schemas.codec import Codec
from schemas.records import Event, Interaction, Tick
from streams.partitioning import partition_for
from tests.builders import command, interaction, order, prediction, profile, risk
from tests.folding import TOPIC_OF
from tests.simulation.policies import policy_of
from tests.simulation.schedules import Schedule

CODEC = Codec()


class Sent(NamedTuple):
    """What the wire carries, and when it happened (0: a tick)."""

    framed: Framed
    happened_ms: int = 0


class Arrival(NamedTuple):
    """One record to be appended, `gap_ms` after the one before. `written` gives what is sent if that is at an instant.

    `number`: its partition, where nothing else decides it.
    """

    gap_ms: int
    number: int
    written: Callable[[int], Sent]


def arrivals(schedule: Schedule) -> list[Arrival]:
    """All of a run, in order."""
    return list(_Arriving(schedule).all())


class _Arriving:
    def __init__(self, schedule: Schedule) -> None:
        self._schedule, self._random = schedule, Random(f"arrivals {schedule.seed}")
        self._topics = [topic for topic in policy_of(schedule.policy).inputs if topic in OFTEN]
        self._accounts = [f"客户-{number}" for number in range(schedule.accounts)]
        self._poisoner = Poisoner(self._random, 1.0, schedule.partitions, CODEC)
        self._erasing, self._ordering = Random(f"erasures {schedule.seed}"), Random(f"orders {schedule.seed}")
        self._tiers = sorted({tier for scheme in policy_of(schedule.policy).schemes for tier in scheme.ladder.tiers})
        self._sent: list[Sent] = []

    def all(self) -> list[Arrival]:
        return [self._next(number) for number in range(self._schedule.records)]

    def _next(self, number: int) -> Arrival:
        random, schedule = self._random, self._schedule
        gap_ms = int(random.expovariate(1 / schedule.gap_ms)) if random.random() < 0.8 else 0
        place = random.randrange(schedule.partitions)
        if schedule.mode == "BACKFILL" and random.random() < 0.15:
            behind_ms = int(random.expovariate(1 / schedule.gap_ms))
            return Arrival(gap_ms, place, lambda now_ms: Sent(Framed("ticks", b"0", CODEC.encode(Tick(at=now_ms - behind_ms)))))
        if self._erasing.random() < schedule.erased:
            return Arrival(gap_ms, place, lambda now_ms: self._erasure(number, now_ms))
        if self._ordering.random() < schedule.commanded:
            return Arrival(gap_ms, place, lambda now_ms: self._order(number, now_ms))
        if random.random() < schedule.repeated:
            back = random.randint(1, 20)
            return Arrival(
                gap_ms, place, lambda now_ms: self._sent[-min(back, len(self._sent))] if self._sent else self._new(number, 0, now_ms)
            )
        ago_ms = int(random.expovariate(1 / schedule.gap_ms) * 5) if random.random() < schedule.late else random.randrange(3)
        return Arrival(gap_ms, place, lambda now_ms: self._new(number, ago_ms, now_ms))

    def _erasure(self, number: int, now_ms: int) -> Sent:
        record = command(self._erasing.choice(self._accounts), "ERASE", now_ms, event_id=f"e{number}")
        self._sent.append(Sent(framed(Happening("commands", record), CODEC), now_ms))
        return self._sent[-1]

    def _order(self, number: int, now_ms: int) -> Sent:
        """What a person orders, now and then late or of an impossible kind."""
        random = self._ordering
        account, at = random.choice(self._accounts), now_ms - random.choice([0, 0, 0, 5 * self._schedule.gap_ms])
        kind = random.choices(["OVERRIDE", "REVOKE_OVERRIDE", "ASSIGN_OWNER"], [4, 2, 2])[0]
        more: dict[str, Any] = {"arguments": {}}
        if kind == "ASSIGN_OWNER":
            more = {"arguments": {"owner_id": random.choice(["li", "wang", "zhao"])}}
        if kind == "OVERRIDE":
            expires_at = at + int(random.expovariate(1 / self._schedule.gap_ms) * 10)
            more = {"arguments": {"tier": random.choice(self._tiers)}, "approved_by": random.choice(["lee", "lee", None])}
            more |= {"expires_at": expires_at}
        record = command(account, kind, at, event_id=f"e{number}", **more)
        self._sent.append(Sent(framed(Happening("commands", record), CODEC), at))
        return self._sent[-1]

    def _new(self, number: int, ago_ms: int, now_ms: int) -> Sent:
        random = self._random
        topic = random.choices(self._topics, [OFTEN[topic] for topic in self._topics])[0]
        account = self._accounts[int(len(self._accounts) * random.random() ** 2)]
        record = msgspec.structs.replace(MADE[topic](random, account, number), event_id=f"e{number}", occurred_at=now_ms - ago_ms)
        happening = Happening(TOPIC_OF[type(record)], record)
        if isinstance(record, Interaction) and random.random() < self._schedule.poisoned:
            on_the_wire = self._poisoner.frame(happening)
        else:
            on_the_wire = framed(happening, CODEC)
        self._sent.append(Sent(on_the_wire, record.occurred_at))
        return self._sent[-1]


def place_of(sent: Framed, partitions: int, otherwise: int) -> int:
    """The partition that a record goes to: where its producer says, else where its key belongs, else anywhere."""
    if sent.partition is not None:
        return sent.partition
    return otherwise if sent.key is None or sent.topic == "ticks" else partition_for(sent.key, partitions)


KINDS = {"VISIT": 6, "EMAIL_OPEN": 3, "DOWNLOAD": 5, "EVENT_CHECKIN": 3, "PRICE_INQUIRY": 4, "UNSUBSCRIBE": 1, "MEETING": 2}
KNOWN: dict[str, list[Any]] = {
    "industry": ["finance", "manufacturing", "farming"],
    "size": ["large", "medium"],
    "region": ["core", "north"],
    "owner_id": ["li", "wang", None],
    "do_not_contact": [None, True, False],
    "qualifications": [["a", "b", "c", "d"], None],
}


def _interaction(random: Random, account: str, _: int) -> Event:
    kind = random.choices(list(KINDS), list(KINDS.values()))[0]
    actor = random.choices(["CUSTOMER", "OWNER", "SYSTEM"], [7, 2, 1])[0]
    contact, dwell = random.choice([None, "one", "two"]), random.choice([None, random.lognormvariate(3, 1)])
    return interaction(account, kind, actor=actor, contact_id=contact, dwell_seconds=dwell)


def _order(random: Random, account: str, number: int) -> Event:
    status = random.choices(["PLACED", "PAID", "REFUNDED", "CANCELLED"], [3, 5, 1, 1])[0]
    return order(account, status, 100 * random.choice([0, 50, 500, 3_000]), order_id=f"o{number // 3}")


def _risk(random: Random, account: str, _: int) -> Event:
    return risk(
        account, random.choice(["RAISED", "WITHDRAWN"]), risk_id=random.choice("ab"), kind=random.choice(["LAWSUIT", "TAX_ARREARS"])
    )


def _profile(random: Random, account: str, _: int) -> Event:
    return profile(account, **{name: random.choice(choice) for name, choice in KNOWN.items()})


def _prediction(random: Random, account: str, _: int) -> Event:
    return prediction(account, random.choice([0.0, 50.0, 95.0, random.uniform(0, 100)]))


MADE: dict[str, Callable[[Random, str, int], Event]] = {
    "interactions": _interaction, "orders": _order, "risks": _risk, "profiles": _profile, "predictions": _prediction,
}  # fmt: skip
OFTEN = {"interactions": 12, "orders": 4, "risks": 2, "profiles": 3, "predictions": 3}
