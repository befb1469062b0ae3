"""The laws of decisions in time (domain, section 3): patience, late repairs, repeated and illegal input, whom nobody may contact."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import Action, Command, Event, Order, RiskSignal, TierTransition
from streams.account import Fate, Output
from streams.batches import RecordBatch
from streams.breaches import BREACHED, RESOLVED
from streams.commands.answering import DONE, REFUSED
from streams.cycle import Folded, fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy.compiled import CompiledPolicy
from streams.reviewing import KIND as REVIEW_DUE
from tests.folding import TOPIC_OF, Folding, by_score, totals
from tests.histories import long_after
from tests.properties.test_fold_laws import POISON, placed, spoilt
from tests.properties.test_time_laws import folded
from tests.worlds import TickedWorld, ticked_worlds

BY_TIME = {"DECAY", "WINDOW", "SILENCE", "CLOCK", "OVERRIDE"}


@given(ticked_worlds())
def test_a_tier_is_kept_for_its_stay_and_every_move_is_a_step_after_its_pause(world: TickedWorld) -> None:
    policy, log, _ = world
    f = folded(world)
    f.tick(long_after(*world))
    hidden = {record.account_id for record in log if isinstance(record, RiskSignal | Command)}  # what is covered shows not every move
    for scheme in policy.schemes:
        ladder = scheme.ladder
        for account in set(f.partition.account_ids()) - hidden:
            chain = [each for each in f.published if (each.account_id, each.scheme) == (account, scheme.name) and each.direction != "ENTRY"]
            numbers = [(ladder.tiers.index(str(each.from_tier)), ladder.tiers.index(each.to_tier)) for each in chain]
            assert all(abs(before - after) <= ladder.step for before, after in numbers)
            for (one, two), (before, after) in zip(pairwise(chain), numbers[1:], strict=True):
                kept_ms = two.effective_at - one.effective_at
                assert after > before or kept_ms >= ladder.stay_ms[before]
                assert ladder.step == len(ladder.tiers) or kept_ms >= ladder.pause_ms(before)


@given(ticked_worlds(bare=True))
def test_score_alone_moves_up_at_a_threshold_and_down_below_a_band(world: TickedWorld) -> None:
    """Whenever somebody looked: so nothing flaps inside a band. Patience, triggers, clocks and gates have laws of their own."""
    policy, _, _ = world
    f = folded(world)
    f.tick(long_after(*world))
    for scheme in policy.schemes:
        ladder = scheme.ladder
        for each in [each for each in f.published if each.scheme == scheme.name]:
            to, score = ladder.tiers.index(each.to_tier), each.score_after_micro
            if each.direction == "UP":
                assert ladder.enter_at_micro(to) <= score < ladder.enter_at_micro(to + 1)
            elif each.direction == "DOWN":
                assert score < ladder.leave_below_micro(ladder.tiers.index(str(each.from_tier)))
                assert to == 0 or score >= ladder.leave_below_micro(to)


@given(ticked_worlds())
def test_a_late_record_repairs_at_the_accounts_clock_and_names_its_own_time(world: TickedWorld) -> None:
    policy, log, looks = world
    f = Folding(policy)
    for record, look_ms in zip(log, looks, strict=True):
        for each in f.tick(look_ms) if look_ms is not None else []:
            assert each.cause.kind in BY_TIME | {"TRIGGER"}
        earlier_ms = clock_ms(f, record)
        for each in f.fold(record):
            if each.cause.event_id == "":
                assert each.cause.kind in BY_TIME | {"TRIGGER"}
                continue
            late = record.occurred_at < earlier_ms and not isinstance(record, Command)  # an order is no fact that was missing
            assert (each.cause.kind == "LATE") is late
            assert (each.cause.event_id, each.cause.occurred_at) == (record.event_id, record.occurred_at)
            assert each.effective_at == max(record.occurred_at, earlier_ms) == clock_ms(f, record)


def clock_ms(f: Folding, record: Event) -> int:
    """The clock of the record's account; -1 before its first record."""
    seen = f.partition.view(record.account_id, 0)
    return -1 if seen is None else int(seen["clock_at"])


@given(ticked_worlds(repeating=False), st.lists(st.integers(0, 40), max_size=8))
def test_what_is_repeated_changes_nothing(world: TickedWorld, places: list[int]) -> None:
    """The same event among the account's latest 16, and the same word on an order under another event id."""
    policy, log, looks = world
    plain, repeated = Folding(policy), Folding(policy)
    latest: dict[str, list[Event]] = defaultdict(list)
    for place, (record, look_ms) in enumerate(zip(log, looks, strict=True)):
        for f in (plain, repeated):
            if look_ms is not None:
                f.tick(look_ms)
            f.fold(record)
        latest[record.account_id].append(record)
        for number in range(places.count(place)):
            earlier = latest[record.account_id][-16:][-1 - (place + number) % min(len(latest[record.account_id]), 16)]
            again = msgspec.structs.replace(earlier, event_id=f"again-{place}-{number}") if isinstance(earlier, Order) else earlier
            raw = RawRecord(TOPIC_OF[type(again)], 0, 1_000_000 + place, again.occurred_at, again.account_id.encode(), None)
            assert repeated.step(raw, again) == (Fate.REPEATED, [])
    for f in (plain, repeated):
        f.tick(long_after(*world))
    assert plain.outputs == repeated.outputs
    assert dict(plain.keep()) == dict(repeated.keep())


@given(ticked_worlds(), st.lists(st.none() | POISON, min_size=45, max_size=45))
def test_illegal_input_between_ticks_changes_nothing(world: TickedWorld, poison: list[str | None]) -> None:
    policy, log, looks = world
    raws = [raw if how is None else spoilt(raw, how) for raw, how in zip(placed(log), poison, strict=False)]
    mixed, clean = Partition(0, None, "test", policy), Partition(0, None, "test", policy)
    for raw, how, look_ms in zip(raws, poison, looks, strict=False):
        with_it = ticked_cycle(mixed, [raw], look_ms)
        without = ticked_cycle(clean, [raw] if how is None else [], look_ms)
        assert (with_it.outputs, with_it.changes) == (without.outputs, without.changes)
        assert len(with_it.dead) == (how is not None)


def ticked_cycle(partition: Partition, raws: list[RawRecord], tick_ms: int | None) -> Folded:
    return fold_cycle(partition, RecordBatch.of(raws), Codec(), mode="LIVE", decided_at_ms=0, tick_ms=tick_ms)


@given(ticked_worlds())
def test_the_ledger_sums_exactly_at_every_instant(world: TickedWorld) -> None:
    policy, _, looks = world
    f = folded(world)
    f.tick(long_after(*world))
    for each in f.published:
        parts: dict[str, int] = defaultdict(int)
        for line in each.contributions:
            parts[line.dimension] += line.micro
        assert sum(parts.values()) == each.score_after_micro
        weighted = {d.name: d.weighted_micro for d in each.dimensions if d.weighted_micro}
        assert not by_score(policy, each.scheme) or weighted == {n: m for n, m in parts.items() if m}
    for account in f.partition.account_ids():
        for look_ms in [look for look in looks if look is not None]:
            view = f.partition.view(account, look_ms)
            assert view is not None
            assert all(points == lines for points, lines in totals(view))


@given(ticked_worlds())
def test_leads_and_actions_want_life_youth_and_leave_to_contact(world: TickedWorld) -> None:
    policy, log, looks = world
    f, history = Folding(policy), Folding(policy, mode="BACKFILL")
    for record, look_ms in zip(log, looks, strict=True):
        before, begins = f.partition.last_tick_ms, len(f.outputs)
        for each in (f, history):
            if look_ms is not None:
                each.tick(look_ms)
        now_ms = f.partition.last_tick_ms
        asked_to_act(f, f.outputs[begins:], before if before is not None else now_ms)
        begins = len(f.outputs)
        for each in (f, history):
            each.fold(record)
        asked_to_act(f, f.outputs[begins:], record.occurred_at)
    assert history.records("hot-leads") == history.records("actions") == []
    assert [each.transition_id for each in history.published] == [each.transition_id for each in f.published]


def asked_to_act(f: Folding, outputs: list[Output], reference_ms: int | None) -> None:
    """Whoever is asked to act, is asked in time and about an account that may be contacted."""
    for output in outputs:
        record: Any = output.record
        if isinstance(record, TierTransition) or output.topic == "account-tiers":
            continue
        if output.topic == "actions" and record.kind in (DONE, REFUSED, RESOLVED, REVIEW_DUE):
            continue  # an answer asks nobody to act, nor does what is over; and a policy's review is about no account
        assert reference_ms is not None
        due_ms = record.effective_at if output.topic == "hot-leads" else record.due_at
        assert reference_ms - due_ms <= f.policy.act_within_ms
        assert record.mode == "LIVE"
        if output.topic == "hot-leads" or means_contact(f.policy, record):
            assert f.view(record.account_id)["profile"].get("do_not_contact") is not True


def means_contact(policy: CompiledPolicy, action: Action) -> bool:
    """Whether whoever carries the action out contacts the customer: a clock may be a notice to the owner alone."""
    if action.kind != BREACHED:
        return True
    asked = [(clock, clock.tiers.index(str(action.tier))) for clock in policy.clocks if clock.scheme == action.scheme]
    named = [(clock, tier) for clock, tier in asked if getattr(clock.consequence(tier), "action", None) == action.name]
    return any(clock.contacts(tier) for clock, tier in named)
