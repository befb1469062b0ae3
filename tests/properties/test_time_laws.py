"""The laws of time (domain, section 3) over the shipped policies and generated ones: windows, bands, triggers, clocks, patience.

The oracle (tests/oracle) searches crossings by itself; here what the engine says of time is held against the engine's own evaluation.
"""

from collections import defaultdict
from itertools import accumulate, pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Command, TierTransition
from streams import overrides
from streams.account import Output
from streams.accounts import Accounts
from streams.forecasting import imagined
from streams.moment import Moment, of_time
from streams.settling import Account, settled
from streams.transitions import transition
from tests.builders import DAY
from tests.folding import Folding, bytes_of, restored
from tests.histories import ACCOUNTS, durations, long_after
from tests.worlds import TickedWorld, World, policies_with_logs, ticked_worlds

FARTHEST_LOOK_MS = 800 * DAY


def chains(f: Folding) -> dict[tuple[str, str], list[bytes]]:
    """What was published of each ladder of each account, as a replay must give it again; what a record led to next is left out."""
    found: dict[tuple[str, str], list[TierTransition]] = defaultdict(list)
    for each in f.published:
        found[each.account_id, each.scheme].append(msgspec.structs.replace(each, forecast=None))
    return {at: bytes_of(chain) for at, chain in found.items()}


def folded(world: TickedWorld, part: slice = slice(None), f: Folding | None = None, *, guarded: bool = True) -> Folding:
    """A partition that has seen the log and the ticks in it, or a part of them."""
    policy, log, looks = world
    f = f or Folding(policy, guarded=guarded)
    for record, look_ms in zip(log[part], looks[part], strict=True):
        if look_ms is not None:
            f.tick(look_ms)
        f.fold(record)
    return f


@given(ticked_worlds())
def test_ticks_do_not_matter_as_long_as_no_record_is_older(world: TickedWorld) -> None:
    policy, log, looks = world
    still_to_come = list(accumulate(reversed([record.occurred_at for record in log]), min))[::-1]
    in_time = [None if look is None else min(look, oldest) for look, oldest in zip(looks, still_to_come, strict=True)]
    plain, ticked = folded((policy, log, [None] * len(log))), folded((policy, log, in_time))
    end_ms = long_after(policy, log)
    plain.tick(end_ms)
    for at_ms in (max(record.occurred_at for record in log) + 1, end_ms - durations(policy)[-1], end_ms - 1, end_ms):
        ticked.tick(at_ms)
    assert chains(plain) == chains(ticked)
    for account in plain.partition.account_ids():
        assert plain.view(account) == ticked.view(account)


@given(ticked_worlds())
def test_with_records_older_than_ticks_scores_are_equal_all_the_same(world: TickedWorld) -> None:
    """And tiers too, where nothing but the score speaks for them: what patience, triggers and clocks did meanwhile is history."""
    policy, log, _ = world
    plain, ticked = folded((policy, log, [None] * len(log))), folded(world)
    end_ms = long_after(*world)
    for f in (plain, ticked):
        f.tick(end_ms)
    for account in plain.partition.account_ids():
        one, two = plain.view(account), ticked.view(account)
        for part in ("score_micro", "dimensions", "contributions", "profile", "open_risks"):
            assert one[part] == two[part]
        for scheme in policy.schemes:
            document = policy.document.schemes[scheme.name]
            stays = any(tier.minimum_stay or getattr(tier, "leave_below", None) is not None for tier in document.tiers)
            sticky = document.steps or scheme.lasting or stays
            if not sticky and all(clock.scheme != scheme.name for clock in policy.clocks):
                assert one["schemes"][scheme.name]["published"] == two["schemes"][scheme.name]["published"]


def what_would_change(f: Folding, account_id: str, at_ms: int) -> list[str]:
    """Which stages a decision at the instant would move, and which clocks have run out: no search, the row is asked as it is there."""
    accounts: Accounts = f.partition._accounts
    number = accounts.find(account_id.encode())
    assert number is not None
    copy = imagined(Account(accounts, number, accounts.row(number)))
    row, policy = copy.row, f.policy
    over = [scheme.name for scheme in policy.schemes if overrides.until_ms(scheme, row) <= at_ms]
    overdue = over + [clock.name for clock in policy.clocks if clock.due_ms(row) <= at_ms]
    stages = [scheme.column(stage) for scheme in policy.schemes for stage in ("earned", "published", "pending_ms", "lift")]
    stages += [column.name for scheme in policy.schemes for trigger in scheme.lasting for column in trigger.columns]
    before = [int(row[stage]) for stage in stages]
    row["account.clock_ms"] = at_ms
    policy.renew(row, copy.dossier, at_ms)
    moment = Moment("test", policy, "LIVE", at_ms, at_ms, 0, account_id.encode(), account_id, transition)
    settled(moment, of_time(row, 0, "OTHER", None), copy, guarded=False)
    return overdue + [stage for stage, held in zip(stages, before, strict=True) if int(row[stage]) != held]


@given(policies_with_logs(max_size=12), st.lists(st.floats(0, 1), max_size=6))
def test_a_deadline_is_never_late(world: World, shares: list[float]) -> None:
    """Nothing changes between an account's clock and its deadline, wherever one looks: at every instant at which a duration of the
    policy ends that began with a record, a millisecond before, at the last instant, and anywhere.
    """
    policy, log = world
    f = Folding(policy)
    for place, record in enumerate(log, 1):
        f.fold(record)
        number = f.partition._accounts.find(record.account_id.encode())
        if number is None:
            assert isinstance(record, Command), "only commands make no account"
            continue
        account = f.partition._accounts.row(number)
        clock_ms, deadline_ms = int(account["account.clock_ms"]), int(account["account.deadline_ms"])
        assert deadline_ms > clock_ms
        last_ms = min(deadline_ms - 1, clock_ms + FARTHEST_LOOK_MS)
        ends = {
            other.occurred_at + length for other in log[:place] if other.account_id == record.account_id for length in durations(policy)
        }
        looks = {end - early for end in ends for early in (0, 1)} | {clock_ms + 1, last_ms}
        looks |= {clock_ms + 1 + round(share * (last_ms - clock_ms - 1)) for share in shares}
        for at_ms in sorted(look for look in looks if clock_ms < look <= last_ms):
            assert what_would_change(f, record.account_id, at_ms) == []


@given(policies_with_logs(max_size=16))
def test_forecasts_come_true(world: World) -> None:
    """If nothing arrives, exactly what was foretold happens, exactly then, and nothing before."""
    policy, log = world
    f = Folding(policy)
    f.fold(*log)
    for account in f.partition.account_ids():
        view = f.view(account)
        for scheme, standing in view["schemes"].items():
            coming = standing["forecast"]
            until_ms = view["clock_at"] + FARTHEST_LOOK_MS if coming is None else coming["at"]
            assert view["clock_at"] <= until_ms
            before = f.partition.view(account, until_ms - 1)
            assert before is not None
            assert before["schemes"][scheme]["published"] == standing["published"]
            if coming is not None:
                then = [each for each in alone_with(f, account).tick(until_ms) if each.scheme == scheme]
                assert then != []
                first = then[0]
                assert (first.effective_at, first.from_tier, first.to_tier) == (until_ms, standing["published"], coming["to_tier"])
                assert coming["because"].startswith(first.cause.kind)


def alone_with(f: Folding, account: str) -> Folding:
    """A partition that has just this account, as it is now."""
    f.keep()
    alone = Folding(f.policy)
    alone.partition = restored(
        {key: payload for key, payload in f.changelog.items() if key[:1] == b"\0" or key[1:] == account.encode()}, f.policy
    )
    return alone


@given(ticked_worlds(), st.integers(0, 40))
def test_a_restored_partition_goes_on_identically_with_ticks(world: TickedWorld, cut: int) -> None:
    policy, _, _ = world
    live = folded(world, slice(0, cut))
    live.keep()
    back = Folding(policy)
    back.partition, back._offsets = restored(live.changelog, policy), dict(live._offsets)
    assert back.partition.last_tick_ms == live.partition.last_tick_ms
    begins, rest = len(live.outputs), slice(cut, None)
    for f in (folded(world, rest, live), folded(world, rest, back)):
        f.tick(long_after(*world))
    assert live.outputs[begins:] == back.outputs
    assert dict(live.keep()) == dict(back.keep())


@given(ticked_worlds())
def test_guard_bands_and_deadlines_hide_nothing(world: TickedWorld) -> None:
    """Every record and every look decided gives the same as looking only where something can change."""
    guarded, unguarded = folded(world), folded(world, guarded=False)
    for f in (guarded, unguarded):
        f.tick(long_after(*world))
    assert guarded.outputs == unguarded.outputs
    assert dict(guarded.keep()) == dict(unguarded.keep())


@given(ticked_worlds())
def test_whatever_the_ticks_chains_are_whole_and_time_never_goes_back(world: TickedWorld) -> None:
    """Also if records are older than ticks: then they repair (cause LATE), and each chain is valid all the same."""
    policy, _, _ = world
    f = folded(world)
    f.tick(long_after(*world))
    for account in ACCOUNTS:
        seen: list[Any] = [each for each in f.outputs if each.key == account.encode()]
        revisions = [each.record.revision for each in seen if each.topic == "account-tiers"]
        assert revisions == list(range(1, len(revisions) + 1))
        clocks = [each.record.effective_at for each in seen if each.topic == "account-tiers"]
        assert clocks == sorted(clocks)
        for scheme in policy.schemes:
            chain = [each for each in f.published if (each.account_id, each.scheme) == (account, scheme.name)]
            assert [each.sequence for each in chain] == list(range(1, len(chain) + 1))
            assert all(one.to_tier == two.from_tier and one.effective_at <= two.effective_at for one, two in pairwise(chain))


@given(ticked_worlds())
def test_the_last_word_of_account_tiers_is_how_the_account_stands(world: TickedWorld) -> None:
    """Tier, earned tier, owner and pool: whoever reads the compacted topic knows them."""
    f = folded(world)
    for account in f.partition.account_ids():
        heard = told(f.outputs, account)
        assert heard != []
        last = heard[-1]
        number = f.partition._accounts.find(account.encode())
        assert number is not None
        view = f.partition.view(account, 0)
        assert view is not None
        assert {s.scheme: (s.tier, s.earned_tier, s.sequence) for s in last.standings} == {
            name: (standing["published"], standing["earned"], standing["sequence"]) for name, standing in view["schemes"].items()
        }
        assert (last.owner_id, last.pool is not None) == (view["owner_id"], view["pool"] is not None)


def told(outputs: list[Output], account: str) -> list[Any]:
    return [each.record for each in outputs if each.topic == "account-tiers" and each.key == account.encode()]
