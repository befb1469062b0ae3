"""Redis is monotonic (R7): whatever comes late, twice, or in another order, from however many writers, it ends as the newest says."""

import json
import random
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.embedded.valkey import Valkey
from agents.projecting import entries
from agents.projecting.entries import Entry
from agents.projecting.store import Batch, Store
from agents.settings import load_settings
from tests import publishing
from tests.publishing import SCHEME, score_micro_at, tier_at

WRITERS = 8
ALL = {"account-tiers": 0, "tier-transitions": 0, "hot-leads": 0}
EXPIRES_AT_MS = publishing.NOW_MS


class Life(NamedTuple):
    """Of an account: how many transitions each of its generations has, its owner in each, and whether it is erased in the end."""

    account_id: str
    generations: tuple[tuple[int, str], ...]
    erased: bool


class Log(NamedTuple):
    """A partition's records as entries: tiers and erasures, which have offsets, and what is said once these have been read."""

    tiers: list[Entry]
    said: list[Entry]


OWNERS = st.sampled_from(["kim", "lee", ""])
LIVES = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, 6), OWNERS), min_size=1, max_size=3), st.booleans()), min_size=1, max_size=6
).map(lambda drawn: [Life(f"a{n}", tuple(generations), erased) for n, (generations, erased) in enumerate(drawn)])


def log_of(lives: Sequence[Life]) -> Log:
    """Offsets in the order of each account's life; generations have names that no order can be read from."""
    log, offset = Log([], []), 0
    for life in lives:
        for number, (last, owner) in enumerate(life.generations):
            born = f"{('profiles', 'orders', 'interactions')[(number * 2) % 3]}:0:{9 - number}"
            for sequence in range(last + 1):
                offset += 1
                log.tiers.append(entries.tiers(publishing.tiers(life.account_id, sequence, born, owner), offset))
                if sequence:
                    log.said.append(entries.transition(publishing.transition(life.account_id, sequence, born, owner), quiet=False))
                    log.said.append(entries.lead(publishing.lead(life.account_id, sequence, born, owner), EXPIRES_AT_MS))
            if number + 1 < len(life.generations) or life.erased:
                offset += 1
                log.tiers.append(entries.erasure(life.account_id, offset))
    return log


def write(store: Store, log: Log, seed: int) -> None:
    """Everything, some of it twice, in an order of its own, a few at a time; what is said about accounts after all that makes them."""
    own = random.Random(seed)
    for part in log:
        mixed = [*part, *own.choices(part, k=len(part) // 2)] if part else []
        own.shuffle(mixed)
        while mixed:
            some, mixed = mixed[: (size := own.randint(1, 7))], mixed[size:]
            store.apply(Batch(0, 0, ALL, ALL, 0, False, some))


@settings(max_examples=15)
@given(LIVES, st.integers(0, 2**32))
def test_whatever_eight_writers_do_redis_ends_as_the_newest_says(valkey: Valkey, lives: list[Life], seed: int) -> None:
    end_as_the_newest(*fresh(valkey), lives, seed)


PLANTED = {
    "revisions are not compared": ("return revision < entry[5] or", "return true or"),
    "an erasure is not remembered": ("return number(call('GET', prefix .. ':erased:' .. entry[2])) < entry[3]", "return true"),
    "generations are not told apart": ("if old[1] ~= entry[4] then return number(old[3]) < entry[3] end", ""),
    "an older explanation is taken": ("or known > entry[5]", ""),
    "a lead is added again": ("or call('EXISTS', mark) == 1", ""),
    "an account stays on its former board": ("if old[4] and (old[4] ~= placed or old[5] ~= owner) then", "if false then"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_law_objects_to_a_bug_in_the_script(valkey: Valkey, bug: str) -> None:
    store, keys = fresh(valkey)
    right, wrong = PLANTED[bug]
    assert store._source.count(right) == 1
    store._source = store._source.replace(right, wrong)
    lives = [Life(f"a{n}", ((6, "kim"), (5, "lee")), erased=n % 2 == 0) for n in range(8)]
    with pytest.raises(AssertionError):
        end_as_the_newest(store, keys, lives, seed=7)


def end_as_the_newest(store: Store, keys: Any, lives: Sequence[Life], seed: int) -> None:
    """Eight writers at once; then nothing may tell that there were more than one."""
    log = log_of(lives)
    writers = [threading.Thread(target=write, args=(store, log, seed + number)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for life in lives:
        assert_is_newest(keys, life)
    assert_boards_say_what_the_accounts_say(keys, lives)


def fresh(valkey: Valkey) -> tuple[Store, Any]:
    """An empty Redis that is projected to."""
    keys = redis.Redis.from_url(valkey.url, decode_responses=True, socket_timeout=60)
    for key in keys.scan_iter("laws:*"):
        keys.delete(key)
    store = Store(load_settings({"redis_url": valkey.url, "redis_prefix": "laws"}))
    store.begin(0, ALL)
    return store, keys


def assert_is_newest(keys: Any, life: Life) -> None:
    """The account as its last generation left it; leads once each, and of this generation alone."""
    said = keys.hgetall(f"laws:account:{life.account_id}")
    leads = [fields["lead_id"] for _, fields in keys.xrange("laws:leads") if fields["account_id"] == life.account_id]
    if life.erased:
        assert said == {}
        assert leads == []
        return
    (last, owner), number = life.generations[-1], len(life.generations) - 1
    assert said[f"{SCHEME}:tier"] == tier_at(last)
    assert int(said[f"{SCHEME}:sequence"]) == last
    assert float(said[f"{SCHEME}:score"]) * 1e6 == score_micro_at(last)
    assert said["owner_id"] == owner
    assert said["generation"].endswith(f":{9 - number}")
    assert int(said.get(f"{SCHEME}:why_sequence", 0)) == last
    if last:
        assert json.loads(said[f"{SCHEME}:why"])["to_tier"] == tier_at(last)
    assert sorted(leads) == sorted(f"lead-{life.account_id}-{said['generation']}-{sequence}" for sequence in range(1, last + 1))


def assert_boards_say_what_the_accounts_say(keys: Any, lives: Sequence[Life]) -> None:
    """Every account on its boards and on no other."""
    wanted: dict[str, dict[str, float]] = {}
    for life in lives:
        if not life.erased:
            last, owner = life.generations[-1]
            board = f"laws:top:{SCHEME}"
            own = [f"{board}:owner:{owner}", f"{board}:owner:{owner}:tier:{tier_at(last)}"] if owner else []
            for name in [board, f"{board}:tier:{tier_at(last)}", *own]:
                wanted.setdefault(name, {})[life.account_id] = score_micro_at(last) / 1e6
    assert {name: dict(keys.zrange(name, 0, -1, withscores=True)) for name in keys.scan_iter("laws:top:*")} == wanted
