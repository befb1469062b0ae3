"""Laws of clocks that warn, over generated policies: each breach once, its end once, the same whoever looks when, and after a restore."""

from collections import Counter
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Action, Event
from streams.policy import CompiledPolicy
from tests.folding import Folding, policy_of, restored
from tests.histories import logs, long_after, looks
from tests.worlds import TickedWorld

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80}]
LIMITS = st.sampled_from(["1ms", "1h", "12h", "1d", "3d"])
EACH = LIMITS | st.dictionaries(st.sampled_from(["A", "B", "C"]), LIMITS, min_size=1)
Told = tuple[str, str, str, int, str | None, str, str | None]


@st.composite
def watched_worlds(draw: st.DrawFn, act_within: str = "100000d") -> TickedWorld:
    """A policy with clocks of every kind that warn, a log that it has a use for, and ticks in it.

    Where nothing grows too old to be announced, what is announced cannot depend on who looks when.
    """
    substance = draw(st.sampled_from([[], [{"kinds": ["VISIT"], "dwell_seconds": 5}, {"contact": "another"}]]))
    look = {"action": "look", "contact": draw(st.booleans())}
    clocks = {
        "cadence": {"resets_on": {"actor": "OWNER", "substance": substance}, "after": draw(EACH), "then": look},
        "answer": {"resets_on": {}, "after": draw(st.sampled_from(["1d", "2d"])), "business_days": True, "then": look},
        "silence": {"resets_on": {"actor": "CUSTOMER"}, "after": draw(LIMITS), "then": {"A": look, "B": "demote", "C": "recycle"}},
        "dwell": {"of": "opportunities", "process": draw(st.sampled_from(["L2C", ["L2C", "standard"]])), "after": draw(EACH), "then": look},
        "birthday": {"before": "cooperation_since", "ahead": draw(EACH | st.just("360d")), "early": {"by": "1d"}, "then": look},
    }
    scheme = {"kind": "score", "tiers": TIERS, "risk": {"LAWSUIT": {"ceiling": "B"}}}
    policy = policy_of(schemes={"s": scheme}, clocks=clocks, act_within=act_within)
    log = draw(logs(policy, max_size=14))
    return policy, log, draw(looks(policy, log))


def breaches(f: Folding) -> list[Action]:
    return [record for record in f.records("actions") if record.kind in ("BREACHED", "RESOLVED")]


def told(f: Folding) -> Counter[Told]:
    return Counter((each.kind, each.account_id, each.name, each.due_at, each.tier, each.action_id, each.resolves) for each in breaches(f))


def folded(policy: CompiledPolicy, log: list[Event], ticks: list[int | None], *, restart: int | None = None) -> Folding:
    f = Folding(policy)
    for place, (record, look_ms) in enumerate(zip(log, ticks, strict=True)):
        if place == restart:
            f.keep()
            f.partition = restored(f.changelog, policy)
        if look_ms is not None:
            f.tick(look_ms)
        f.fold(record)
    f.tick(long_after(policy, log, ticks))
    return f


@given(watched_worlds("1h") | watched_worlds())
def test_each_breach_is_announced_once_and_nothing_is_resolved_but_what_was_announced_and_lasts(world: TickedWorld) -> None:
    policy, log, ticks = world
    lasting: set[str] = set()
    seen: set[str] = set()
    for action in breaches(folded(policy, log, ticks)):
        assert action.action_id not in seen
        seen.add(action.action_id)
        if action.kind == "BREACHED":
            lasting.add(action.action_id)
        else:
            assert action.resolves in lasting
            lasting.remove(action.resolves)


@given(watched_worlds())
def test_who_looks_when_does_not_matter_to_breaches_as_long_as_no_record_is_older(world: TickedWorld) -> None:
    policy, log, ticks = world
    still_to_come = list(accumulate(reversed([record.occurred_at for record in log]), min))[::-1]
    in_time = [None if look is None else min(look, oldest) for look, oldest in zip(ticks, still_to_come, strict=True)]
    assert told(folded(policy, log, [None] * len(log))) == told(folded(policy, log, in_time))


@given(watched_worlds(), st.integers(0, 11))
def test_breaches_are_the_same_wherever_the_partition_was_restored(world: TickedWorld, restart: int) -> None:
    policy, log, ticks = world
    assert told(folded(policy, log, ticks)) == told(folded(policy, log, ticks, restart=restart % len(log)))
