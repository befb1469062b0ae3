"""The projection on a real broker and a real Redis: whatever is killed, emptied or doubled, Redis ends as the topics say."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from agents import clients
from agents.clocks import wall_clock
from agents.doctor import projected
from agents.doctor.findings import Ground, State
from agents.embedded.broker import Broker
from agents.embedded.valkey import Valkey
from agents.projecting.process import ready_store
from agents.projecting.projections import Projections
from agents.settings import Settings, load_settings
from schemas.errors import SettingsError
from tests import workers
from tests.house.documents import fences
from tests.house.tree import ROOT
from tests.publishing import SCHEME, entered, erased, moved, publish, score_micro_at, tier_at
from tests.waiting import eventually
from tests.workers import Worker

PROJECT = [sys.executable, "-m", "agents.cli", "project"]
PATIENCE_S = 90.0
REDIS = ROOT / "docs" / "redis.md"


class World:
    """A deployment whose engine is made up, a Redis, and what it must say: the last transition of each account, None once erased."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings, self.directory = settings, directory
        self.last: dict[str, int | None] = {}
        self.keys: Any = redis.Redis.from_url(settings.redis_url, decode_responses=True, socket_timeout=60)

    def live(self, accounts: int, to: int, since: int = 0) -> None:
        """Accounts up to a transition: they enter, unless they have."""
        names = [f"acct-{number:03}" for number in range(accounts)]
        units = [entered(name) for name in names if name not in self.last]
        units += [moved(name, sequence) for sequence in range(since + 1, to + 1) for name in names]
        publish(self.settings, [[each for unit in units[at : at + 50] for each in unit] for at in range(0, len(units), 50)])
        self.last |= dict.fromkeys(names, to)

    def erase(self, account_id: str) -> None:
        """One account is forgotten."""
        publish(self.settings, [erased(account_id)])
        self.last[account_id] = None

    @contextmanager
    def projecting(self, *, rebuild: bool = False) -> Iterator[Projections]:
        """What `tierstream project` does, in this process, and without a group: every partition is its own."""
        store = ready_store(self.settings, rebuild=rebuild)
        projections = Projections(self.settings, store, wall_clock)
        projections.start(range(self.settings.partitions))
        try:
            yield projections
        finally:
            projections.stop()

    def process(self, *arguments: str, name: str = "p", **more: str) -> Worker:
        """One process as an operator starts it."""
        there = {"TIERSTREAM_REDIS_URL": self.settings.redis_url, "TIERSTREAM_REDIS_PREFIX": self.settings.redis_prefix}
        return Worker(self.settings, self.directory / f"{name}.log", *arguments, command=PROJECT, more=there | more)

    @property
    def head(self) -> str:
        """What every key begins with."""
        return self.settings.redis_prefix

    def agrees(self) -> bool:
        """Whether Redis says what the topics say."""
        return self.said() == {account: last for account, last in self.last.items() if last is not None}

    def said(self) -> dict[str, int]:
        """The sequence of each account in Redis whose tier, score, board and explanation all fit it."""
        head, found = f"{self.settings.redis_prefix}:account:", {}
        board = dict(self.keys.zrange(f"{self.settings.redis_prefix}:top:{SCHEME}", 0, -1, withscores=True))
        for key in self.keys.scan_iter(f"{head}*", count=1000):
            said, account = self.keys.hgetall(key), key.removeprefix(head)
            last = int(said.get(f"{SCHEME}:sequence", -1))
            explained = json.loads(said[f"{SCHEME}:why"])["to_tier"] == tier_at(last) if f"{SCHEME}:why" in said else last == 0
            if explained and said[f"{SCHEME}:tier"] == tier_at(last) and board.get(account) == score_micro_at(last) / 1e6:
                found[account] = last
        return found if set(board) == set(found) else {}

    def leads(self) -> list[str]:
        """The leads in the stream of all."""
        return [fields["lead_id"] for _, fields in self.keys.xrange(f"{self.settings.redis_prefix}:leads")]

    def await_leads(self, accounts: int, to: int) -> list[str]:
        """The leads in the stream of all, once it has each of these accounts up to this sequence: they come behind the tiers."""
        all_of_them = {
            f"lead-acct-{number:03}-profiles:0:1-{sequence}"
            for number in range(accounts)
            for sequence in range(1, to + 1)
            if tier_at(sequence) in "AS"
        }
        eventually(lambda: set(self.leads()) == all_of_them, PATIENCE_S, "the leads")
        return self.leads()

    def haunt(self, number: str) -> None:
        """An account that is in Redis and in no topic."""
        self.keys.hset(f"{self.head}:account:ghost", mapping={"partition": number, "epoch": 0, "placed": "[]", "generation": "g"})

    def await_exorcism(self) -> None:
        """It is gone."""
        eventually(lambda: not self.keys.exists(f"{self.head}:account:ghost"), PATIENCE_S, "the ghost is swept away")

    def await_agreement(self) -> None:
        """Redis catches up, however slow the machine is."""
        eventually(self.agrees, PATIENCE_S, "Redis saying what the topics say")


@pytest.fixture
def world(kafka: Broker, valkey: Valkey, prefix: str, tmp_path: Path) -> World:
    """With the shared Redis."""
    return World(workers.deployment(kafka.bootstrap, prefix, redis_url=valkey.url, redis_prefix=prefix), tmp_path)


@pytest.fixture
def frail(kafka: Broker, prefix: str, tmp_path: Path) -> Iterator[tuple[World, Valkey]]:
    """With a Redis of its own, which keeps nothing."""
    server = Valkey(tmp_path / "own-valkey")
    server.start()
    yield World(workers.deployment(kafka.bootstrap, prefix, redis_url=server.url), tmp_path), server
    server.stop()


def total(projections: Projections, name: str) -> int:
    """What the projections of a process have counted, over all partitions."""
    counted = [getattr(each, name) for each in projections.projected.values()]
    return sum(each if isinstance(each, int) else each.total() for each in counted)


def applied(projections: Projections) -> int:
    """How many records changed something in Redis."""
    return sum(each.changed.total() for each in projections.projected.values())


def test_what_is_published_is_in_redis_told_to_who_listens_and_a_stop_is_quick(world: World) -> None:
    notices = world.keys.pubsub()
    notices.subscribe(f"{world.head}:changes")
    with world.process() as projection:
        projection.await_lanes(4, PATIENCE_S)
        world.live(40, to=6)
        world.await_agreement()
        heard = [json.loads(said["data"]) for said in iter(lambda: notices.get_message(timeout=2), None) if said["type"] == "message"]
        assert sorted((each["account_id"], each["sequence"]) for each in heard) == [
            (f"acct-{number:03}", sequence) for number in range(40) for sequence in range(1, 7)
        ]
        assert len(leads := world.await_leads(40, to=6)) == len(set(leads))
        world.erase("acct-007")
        eventually(lambda: world.agrees() and not any("acct-007" in each for each in world.leads()), PATIENCE_S, "the account is gone")
        eventually(lambda: projection.metric("tierstream_projection_read_timestamp_seconds") > 4 * (time.time() - 60), PATIENCE_S)
        assert projection.metric("tierstream_projection_changes_total", kind="explanations") == 40 * 6
        assert projection.metric("tierstream_projection_unreadable_total") == 0
        began_s = time.monotonic()
        assert projection.stop() == 0
        assert time.monotonic() - began_s < 10


def test_two_that_do_the_same_work_write_it_once(world: World) -> None:
    records = 50 + 50 * 8 + 50 * 8 + 50 * 4
    with world.projecting() as first, world.projecting() as second:
        # who begins later begins where the other is, and reads less
        begun = [lane for each in (first, second) for lane in each.by_number.values()]
        eventually(lambda: all(lane.ready.is_set() for lane in begun), PATIENCE_S, "both having begun")
        world.live(50, to=8)
        world.await_agreement()
        read = lambda: total(first, "events") + total(second, "events")  # noqa: E731
        eventually(lambda: read() == 2 * records, PATIENCE_S, "both having read all")
        assert applied(first) + applied(second) <= records
        assert len(leads := world.await_leads(50, to=8)) == len(set(leads))
    assert world.agrees()


def test_a_redis_that_is_emptied_restarted_or_away_is_filled_again_by_itself(frail: tuple[World, Valkey]) -> None:
    world, server = frail
    world.live(30, to=2)
    with world.projecting() as projections:
        world.await_agreement()
        world.keys.flushall()
        world.await_agreement()
        server.kill()
        world.live(30, to=5, since=2)
        eventually(lambda: total(projections, "repeats") > 2, PATIENCE_S, "it waits")
        server.start()
        world.await_agreement()
        assert total(projections, "rebuilds") >= 3 * 4


def test_what_is_written_again_after_a_flush_is_no_news_to_who_listens(world: World) -> None:
    world.live(10, to=3)
    with world.projecting():
        world.await_agreement()
        notices = world.keys.pubsub()
        notices.subscribe(f"{world.head}:changes")
        for key in world.keys.scan_iter(f"{world.head}:*"):
            world.keys.delete(key)
        world.await_agreement()
        world.live(10, to=4, since=3)
        world.await_agreement()
        heard = [json.loads(said["data"]) for said in iter(lambda: notices.get_message(timeout=2), None) if said["type"] == "message"]
        assert sorted(each["sequence"] for each in heard) == [4] * 10


def test_one_command_rebuilds_and_takes_out_what_is_no_more(world: World) -> None:
    world.live(30, to=4)
    with world.projecting():
        world.await_agreement()
        leads = world.await_leads(30, to=4)
    number = world.keys.hget(f"{world.head}:account:acct-003", "partition")
    world.haunt(number)
    world.keys.hset(f"{world.head}:account:acct-003", f"{SCHEME}:tier", "nonsense")
    with world.projecting(rebuild=True):
        world.await_agreement()
        world.await_exorcism()
        assert world.leads() == leads


def test_who_was_away_for_a_day_begins_again_for_deletions_may_be_gone(world: World) -> None:
    world.live(10, to=2)
    with world.projecting():
        world.await_agreement()
        eventually(lambda: world.keys.hget(f"{world.head}:progress", "read_at:0"), PATIENCE_S, "having read to the end")
    for number in range(world.settings.partitions):
        world.keys.hset(f"{world.head}:progress", f"read_at:{number}", int(time.time() * 1000) - 21 * 3_600_000)
    world.haunt("0")
    with world.projecting():
        world.await_exorcism()
        world.await_agreement()


def test_topics_that_were_made_again_are_refused_until_it_is_told_to_begin_anew(world: World) -> None:
    world.live(5, to=1)
    with world.projecting():
        world.await_agreement()
    world.keys.hset(f"{world.head}:topics", "account-tiers", "another id")
    with pytest.raises(SettingsError, match="--rebuild` begins anew"):
        ready_store(world.settings, rebuild=False)
    with world.projecting(rebuild=True):
        world.await_agreement()


def test_another_application_s_records_and_keys_are_left_alone(world: World) -> None:
    publish(world.settings, [[*entered("theirs", application="other"), *moved("theirs", 1, application="other")]])
    world.live(5, to=1)
    with world.projecting() as projections:
        world.await_agreement()
        assert total(projections, "unreadable") == 0
    with pytest.raises(SettingsError, match="belong to the application tierstream: set TIERSTREAM_REDIS_PREFIX"):
        ready_store(world.settings.model_copy(update={"application_id": "other"}), rebuild=False)


def test_a_record_that_nobody_can_read_is_counted_and_passed_over(world: World) -> None:
    producer = clients.idempotent_producer(world.settings)
    producer.produce(world.settings.topic_name("tier-transitions"), b"nonsense", b"acct-000", partition=1)
    assert producer.flush(30) == 0
    with world.projecting() as projections:
        world.live(10, to=2)
        world.await_agreement()
        eventually(lambda: total(projections, "unreadable") == 1, PATIENCE_S)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:sesame@127.0.0.1:1", "no Redis answers at 127.0.0.1:1/0 (ConnectionError"),
        ("http://:sesame@127.0.0.1:1", "TIERSTREAM_REDIS_URL must be redis://"),
    ],
)
def test_a_redis_that_is_not_there_is_a_sentence_with_its_fix(world: World, url: str, said: str) -> None:
    with world.process(TIERSTREAM_REDIS_URL=url) as refused:
        assert refused.process.wait(60) == 2
    assert said in refused.said
    assert "sesame" not in refused.said


def test_the_doctor_looks_at_the_redis_that_was_named(world: World) -> None:
    ground = Ground(world.settings, None, clients.admin_client(world.settings), wall_clock)
    assert [finding.state for finding in projected.redis(ground)] == [State.FINE]
    gone = ground._replace(settings=world.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"}))
    (finding,) = projected.redis(gone)
    assert (finding.state, finding.mend.startswith("set TIERSTREAM_REDIS_URL")) == (State.WRONG, True)
    assert [finding.said for finding in projected.redis(ground._replace(settings=load_settings()))] == [
        "there is none: nothing is projected"
    ]


def test_a_redis_that_throws_keys_away_or_wants_a_password_is_refused(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    server = Valkey(tmp_path / "strict", options=("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", "--requirepass", "sesame"))
    server.start()
    try:
        settings = workers.deployment(kafka.bootstrap, prefix, redis_url=server.url)
        with pytest.raises(SettingsError, match="redis://:password@host for a password"):
            ready_store(settings, rebuild=False)
        knowing = settings.model_copy(update={"redis_url": f"redis://:sesame@127.0.0.1:{server.port}/0"})
        with pytest.raises(SettingsError, match="set maxmemory-policy to noeviction") as refused:
            ready_store(knowing, rebuild=False)
        assert "sesame" not in str(refused.value)
    finally:
        server.stop()


@pytest.mark.faults
def test_kill_9_in_the_middle_and_two_at_once_lose_and_double_nothing(world: World) -> None:
    world.live(60, to=3)
    with world.process(name="first") as first, world.process(name="second") as second:
        eventually(lambda: len(world.said()) > 5, PATIENCE_S, "the first accounts")
        world.live(60, to=9, since=3)
        first.process.kill()
        world.live(60, to=12, since=9)
        world.await_agreement()
        assert len(second.await_lanes(4, PATIENCE_S)) == 4
        assert len(leads := world.await_leads(60, to=12)) == len(set(leads))


def test_what_the_page_says_to_type_works_as_it_stands_there(kafka: Broker, valkey: Valkey, prefix: str, tmp_path: Path) -> None:
    url = valkey.url.removesuffix("/0") + "/5"  # the page's keys begin with the default prefix
    world = World(workers.deployment(kafka.bootstrap, prefix, redis_url=url), tmp_path)
    said = []
    with world.projecting() as projections:
        world.live(12, to=6)
        world.await_agreement()
        world.await_leads(12, to=6)
        eventually(lambda: all(each.read_at_ms for each in projections.projected.values()), PATIENCE_S, "freshness of all partitions")
        for program in fences(REDIS, "python run"):
            run = [sys.executable, "-c", program]
            ended = subprocess.run(run, env={**os.environ, "TIERSTREAM_REDIS_URL": url}, text=True, capture_output=True, timeout=60)
            assert ended.returncode == 0, ended.stderr
            said.append(ended.stdout)
    best, fresh, calls = said
    assert "A 43.800006 kim" in best
    assert "behaviour VISIT +43.8" in best
    assert fresh.startswith("as of 1")
    assert calls.count("call acct-") == 10
