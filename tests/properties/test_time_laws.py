"""The laws of time (domain, section 3) over the shipped policies and generated ones: windows, bands, triggers, clocks, patience.

The oracle (tests/oracle) searches crossings by itself; here what the engine says of time is held against the engine's own evaluation.
"""

from collections import defaultdict
from itertools import accumulate, pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Event, TierTransition
from streams.account import Output
from streams.accounts import Accounts
from streams.forecasting import imagined
from streams.moment import Moment, of_time
from streams.policy import CompiledPolicy
from streams.settling import Account, settled
from tests.builders import DAY, NOON
from tests.folding import Folding, bytes_of, restored
from tests.worlds import ACCOUNTS, policies_with_logs

World = tuple[CompiledPolicy, list[Event]]
LATER = NOON + 40 * DAY


def chains(f: Folding) -> dict[tuple[str, str], list[bytes]]:
    """What was published of each ladder of each account, as a replay must give it again; what a record led to next is left out."""
    found: dict[tuple[str, str], list[TierTransition]] = defaultdict(list)
    for each in f.published:
        found[each.account_id, each.scheme].append(msgspec.structs.replace(each, forecast=None))
    return {at: bytes_of(chain) for at, chain in found.items()}


@given(policies_with_logs(), st.lists(st.none() | st.floats(0, 1), min_size=45, max_size=45))
def test_ticks_do_not_matter_as_long_as_no_record_is_older(world: World, ticks: list[float | None]) -> None:
    policy, log = world
    still_to_come = list(accumulate(reversed([record.occurred_at for record in log]), min))[::-1]
    plain, ticked = Folding(policy), Folding(policy)
    for record, oldest_ms, share in zip(log, still_to_come, ticks, strict=False):
        if share is not None:
            ticked.tick(round(NOON - DAY + share * (oldest_ms - NOON + DAY)))
        plain.fold(record)
        ticked.fold(record)
    plain.tick(LATER)
    for at_ms in (LATER - 30 * DAY, LATER - 1, LATER):
        ticked.tick(at_ms)
    assert chains(plain) == chains(ticked)
    for account in plain.partition.account_ids():
        assert plain.view(account) == ticked.view(account)


def what_would_change(f: Folding, account_id: str, at_ms: int) -> list[str]:
    """Which stages a decision at the instant would move, and which clocks have run out: no search, the row is asked as it is there."""
    accounts: Accounts = f.partition._accounts
    number = accounts.find(account_id.encode())
    assert number is not None
    copy = imagined(Account(accounts, number, accounts.row(number)))
    row, policy = copy.row, f.policy
    overdue = [clock.name for clock in policy.clocks if clock.due_ms(row, int(row[f"schemes.{clock.scheme}.earned"])) <= at_ms]
    stages = [scheme.column(stage) for scheme in policy.schemes for stage in ("earned", "published", "pending_ms", "lift")]
    before = [int(row[stage]) for stage in stages]
    row["account.clock_ms"] = at_ms
    policy.renew(row, copy.dossier, at_ms)
    moment = Moment("test", policy, "LIVE", at_ms, at_ms, 0, account_id.encode(), account_id)
    settled(moment, of_time(row, 0, "OTHER", None), copy, guarded=False)
    return overdue + [stage for stage, held in zip(stages, before, strict=True) if int(row[stage]) != held]


@given(policies_with_logs(max_size=12), st.data())
def test_a_deadline_is_never_late(world: World, data: st.DataObject) -> None:
    """Nothing changes between an account's clock and its deadline, wherever one looks."""
    policy, log = world
    f = Folding(policy)
    for record in log:
        f.fold(record)
        number = f.partition._accounts.find(record.account_id.encode())
        assert number is not None
        account = f.partition._accounts.row(number)
        clock_ms, deadline_ms = int(account["account.clock_ms"]), int(account["account.deadline_ms"])
        assert deadline_ms > clock_ms
        last_ms = min(deadline_ms, clock_ms + 30 * DAY) - 1
        looks = {clock_ms + 1, last_ms} | set(data.draw(st.lists(st.integers(clock_ms + 1, max(last_ms, clock_ms + 1)), max_size=12)))
        for at_ms in sorted(look for look in looks if clock_ms < look <= last_ms):
            assert what_would_change(f, record.account_id, at_ms) == []


@given(policies_with_logs(max_size=16))
def test_forecasts_come_true(world: World) -> None:
    """If nothing arrives, exactly what was foretold happens, exactly then, and nothing before."""
    policy, log = world
    f = Folding(policy)
    f.fold(*log)
    for account in f.partition.account_ids():
        clock_ms = f.view(account)["clock_at"]
        for scheme, standing in f.view(account)["schemes"].items():
            coming = standing["forecast"]
            if coming is None:
                continue
            assert clock_ms <= coming["at"]
            before, then = (f.partition.view(account, at_ms) for at_ms in (coming["at"] - 1, coming["at"]))
            assert before is not None
            assert then is not None
            assert before["schemes"][scheme]["published"] == standing["published"]
            alone = alone_with(f, account)
            (first, *_) = [each for each in alone.tick(coming["at"]) if each.scheme == scheme]
            assert (first.effective_at, first.from_tier, first.to_tier) == (coming["at"], standing["published"], coming["to_tier"])
            assert coming["because"].startswith(first.cause.kind)


def alone_with(f: Folding, account: str) -> Folding:
    """A partition that has just this account, as it is now."""
    f.keep()
    alone = Folding(f.policy)
    alone.partition = restored(
        {key: payload for key, payload in f.changelog.items() if key[:1] == b"\0" or key[1:] == account.encode()}, f.policy
    )
    return alone


@given(policies_with_logs(), st.integers(0, 40), st.lists(st.integers(-DAY, 9 * DAY), min_size=45, max_size=45))
def test_a_restored_partition_goes_on_identically_with_ticks(world: World, cut: int, ticks: list[int]) -> None:
    policy, log = world

    def go_on(f: Folding, part: slice) -> list[Output]:
        begins = len(f.outputs)
        for record, after_ms in zip(log[part], ticks[part], strict=False):
            f.fold(record)
            if after_ms > 0:
                f.tick(NOON + after_ms)
        f.tick(LATER if part.stop is None else NOON + 6 * DAY)
        return f.outputs[begins:]

    live = Folding(policy)
    go_on(live, slice(0, cut))
    live.keep()
    back = Folding(policy)
    back.partition, back._offsets = restored(live.changelog, policy), dict(live._offsets)
    assert back.partition.last_tick_ms == live.partition.last_tick_ms
    assert go_on(live, slice(cut, None)) == go_on(back, slice(cut, None))
    assert dict(live.keep()) == dict(back.keep())


@given(policies_with_logs(), st.lists(st.integers(-DAY, 9 * DAY), min_size=45, max_size=45))
def test_whatever_the_ticks_chains_are_whole_and_time_never_goes_back(world: World, ticks: list[int]) -> None:
    """Also if records are older than ticks: then they repair (cause LATE), and each chain is valid all the same.

    The last record of `account-tiers` says where the account stands and whose it is; what it has earned under a gate may have moved since.
    """
    policy, log = world
    f = Folding(policy)
    for record, after_ms in zip(log, ticks, strict=False):
        f.fold(record)
        if after_ms > 0:
            f.tick(NOON + after_ms)
    f.tick(LATER)
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
    for account in f.partition.account_ids():
        last: Any
        (*_, last) = [each.record for each in f.outputs if each.topic == "account-tiers" and each.key == account.encode()]
        view = f.view(account)
        assert {s.scheme: (s.tier, s.sequence) for s in last.standings} == {
            name: (standing["published"], standing["sequence"]) for name, standing in view["schemes"].items()
        }
        assert (last.owner_id, last.pool is not None) == (view["owner_id"], view["pool"] is not None)
