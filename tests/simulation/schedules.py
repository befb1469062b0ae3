"""What a run is to be, as data: a seed decides its policy, its size, how its records arrive, and which faults strike when.

A fault is due from the `at`-th call of a log on, and strikes at the first call that it fits, at its moment; a fault without a call strikes
between two steps. So a schedule can be printed, cut and run again, and the same seed is the same run.
"""

from enum import StrEnum
from random import Random
from typing import Literal, NamedTuple

from schemas.records import Mode
from tests.builders import DAY, HOUR, SECOND
from tests.simulation.policies import OVERRIDDEN, UNDERSTOOD, VARIANTS

Moment = Literal["before", "inside", "after"]
"""Of a call: before it does anything; while some of it is done; when all is done and nobody has heard of it."""

FoldedBy = Literal["python", "compiled", "both"]
"""`compiled`: even one record goes to compiled code first; `both`: as shipped, where a batch must be worth it."""


class Kind(StrEnum):
    """What can go wrong."""

    CRASH = "the process is gone"
    ZOMBIE = "another owner takes over, and this one goes on"
    STORM = "owners take over one after another, before they are done with it"
    REBALANCE = "the partition is handed over in peace"
    ABORT = "the transaction must be aborted"
    UNKNOWN = "whether the commit was done is not known"
    COORDINATOR_LOST = "the coordinator does not answer for some calls"
    TIMED_OUT = "the coordinator aborts the transaction and fences its author"
    BROKEN = "a call fails for good"
    REDELIVERED = "the client hands out records again"
    SILENCE = "one input says nothing for a while, not even that it is at its end"
    FOREIGN = "a transaction of somebody else is open on an input for a while"
    MARKERS = "markers are written late"
    CLOCK_JUMP = "a clock jumps"
    TORN = "a changelog value is torn when the partition is taken"
    LAYOUT = "the next owners are of a version that lays rows out otherwise"
    COMPACTION = "the changelog is compacted"
    RETENTION = "what was folded is deleted from the inputs"


class Fault(NamedTuple):
    """One fault. `many`: how often, how far or how much, by kind."""

    kind: Kind
    at: int
    call: str = ""
    moment: Moment = "before"
    many: int = 1

    def __str__(self) -> str:
        where = f" {self.moment} {self.call}" if self.call else ""
        return f"{self.kind.name}{where} from call {self.at} on, {self.many}"


class Change(NamedTuple):
    """Another policy, `variant` of the same name, is ordered when so many records are still to come."""

    left: int
    variant: int


class Schedule(NamedTuple):
    """One run. `gap_ms`: between two records, on average; shares are of records; `slow`: the share of cycles that take long.

    `erased`: the share of commands that erase an account, `commanded` that of people's orders; both only where the oracle does not judge.
    """

    seed: int
    policy: str
    folded_by: FoldedBy
    mode: Mode
    partitions: int
    accounts: int
    records: int
    batch_records: int
    gap_ms: int
    late: float
    repeated: float
    poisoned: float
    erased: float
    commanded: float
    slow: float
    quarantined: frozenset[tuple[str, int]]
    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        plain = ", ".join(f"{name}={held}" for name, held in self._asdict().items() if name not in ("faults", "quarantined"))
        return "\n".join([plain, *(f"  {fault}" for fault in sorted(self.faults, key=lambda fault: fault.at))])


POLICIES = {"quiet": 5, "fading": 3, "plain": 2, "sabc-live": 3, "demo": 3, "sabc": 2, "orders-rfm": 1}
GAPS_MS = {"quiet": SECOND // 2, "demo": SECOND, "fading": 2 * SECOND, "plain": SECOND, "sabc-live": 8 * HOUR, "sabc": 12 * HOUR,
           "orders-rfm": 10 * DAY}  # fmt: skip

CALLS = {"commit": 6, "send": 4, "fetch": 3, "begin": 2, "restore": 2, "open": 2, "changelog_end": 1, "topic_ids": 1, "begins": 1,
         "abort": 1}  # fmt: skip
STRIKING = {Kind.CRASH: 6, Kind.ZOMBIE: 4, Kind.STORM: 2, Kind.ABORT: 3, Kind.UNKNOWN: 3, Kind.COORDINATOR_LOST: 3, Kind.TIMED_OUT: 1,
            Kind.BROKEN: 1, Kind.REDELIVERED: 2}  # fmt: skip
BETWEEN = {Kind.REBALANCE: 2, Kind.SILENCE: 3, Kind.FOREIGN: 2, Kind.MARKERS: 2, Kind.CLOCK_JUMP: 2, Kind.TORN: 1, Kind.LAYOUT: 1,
           Kind.COMPACTION: 2, Kind.RETENTION: 1}  # fmt: skip


def schedule_of(seed: int) -> Schedule:
    """The run of a seed."""
    random = Random(seed)
    policy = random.choices(list(POLICIES), list(POLICIES.values()))[0]
    commanded = 0.0 if policy in UNDERSTOOD else Random(f"commanded {seed}").choice([0.0, 0.05, 0.2])
    records = random.choice([10, 30, 50, 80, 120])
    return Schedule(
        seed=seed,
        policy=policy + OVERRIDDEN if commanded else policy,
        folded_by=random.choice(["python", "compiled", "both"]),
        mode=random.choices(["LIVE", "BACKFILL"], [5, 1])[0],
        partitions=random.choice([1, 1, 2, 3]),
        accounts=random.randint(1, 8),
        records=records,
        batch_records=random.choice([1, 3, 8, 20, 60]),
        gap_ms=GAPS_MS[policy] // random.choice([1, 4]),
        late=random.choice([0.0, 0.05, 0.3]),
        repeated=random.choice([0.0, 0.05, 0.2]),
        poisoned=random.choice([0.0, 0.05, 0.2]),
        erased=0.0 if policy in UNDERSTOOD else Random(f"erased {seed}").choice([0.0, 0.1]),
        commanded=commanded,
        slow=random.choice([0.0, 0.2]),
        quarantined=frozenset(("interactions", random.randrange(40)) for _ in range(random.choice([0, 0, 3]))),
        changes=_changes(Random(f"changes {seed}"), records),
        faults=tuple(_fault(random, 3 * records) for _ in range(random.choice([0, 2, 5, 10, 20]))),
    )


def _changes(random: Random, records: int) -> tuple[Change, ...]:
    return tuple(Change(random.randrange(records), random.choice(range(VARIANTS))) for _ in range(random.choice([0, 0, 1, 2])))


def _fault(random: Random, latest: int) -> Fault:
    at, many = random.randrange(latest), random.randint(1, 6)
    if random.random() < 0.35:
        return Fault(random.choices(list(BETWEEN), list(BETWEEN.values()))[0], at, many=many)
    kind = random.choices(list(STRIKING), list(STRIKING.values()))[0]
    moment: Moment = random.choice(["before", "inside", "after"])
    match kind:
        case Kind.ABORT | Kind.TIMED_OUT:
            return Fault(kind, at, random.choice(["commit", "commit", "send"]), "before" if moment == "after" else moment, many)
        case Kind.UNKNOWN:
            return Fault(kind, at, "commit", random.choice(["before", "after"]), many)
        case Kind.REDELIVERED:
            return Fault(kind, at, "fetch", "before", many)
        case _:
            return Fault(kind, at, random.choices(list(CALLS), list(CALLS.values()))[0], moment, many)
