"""Laws of the threads around lanes, with logs in memory. The process ends only in a child."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.lane import Lane
from agents.lanes import FairLock, Lanes
from agents.obituary import EndsTheProcess, obituary
from agents.partition_log import Fatal, Fenced, PositionLost, Retriable, TopicLost
from agents.patience import GivenUp
from agents.settings import load_settings
from agents.watchdog import Watchdog
from schemas.errors import SettingsError
from streams.cycle import FoldFailed
from streams.intake import RawRecord
from tests.folding import shipped
from tests.memory_broker import MemoryBroker
from tests.memory_log import MemoryLog
from tests.tallying import tallying_lane
from tests.waiting import eventually


class Bench:
    """Lanes on one memory broker (every lane has its own), and the logs they made."""

    def __init__(self) -> None:
        self.brokers: dict[int, MemoryBroker] = {}
        self.logs: dict[int, MemoryLog] = {}
        self.prepare: Callable[[MemoryLog], None] = lambda _log: None
        self.lanes = Lanes(load_settings(), shipped("sabc"), wall_clock, make_lane=self._make)

    def _make(self, number: int, counters: LaneCounters) -> Lane:
        self.logs[number] = log = MemoryLog(self.brokers.setdefault(number, MemoryBroker(["interactions"])))
        self.prepare(log)
        lane, _ = tallying_lane(log, ["interactions"], counters=counters)
        return lane

    def started(self, *numbers: int) -> Lanes:
        self.lanes.start(numbers)
        assert all(lane.ready.wait(30) for lane in self.lanes.by_number.values())
        return self.lanes


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.lanes.stop()


def test_a_lane_reads_accounts_between_units_of_work(bench: Bench) -> None:
    lanes = bench.started(0)
    bench.brokers[0].append("interactions", "a", at_ms=1)
    assert eventually(lambda: lanes.by_number[0].read("a")) == {"records": 1}
    assert lanes.by_number[0].read("nobody") is None


def test_a_lane_counts_its_tiers_while_it_runs(bench: Bench) -> None:
    lane = bench.started(0).by_number[0]
    assert eventually(lambda: lane.counters.population) == {("counted", "seen"): 0}


def test_a_paused_lane_commits_nothing_and_goes_on_with_its_memory(bench: Bench) -> None:
    lanes = bench.started(0, 1)
    assert lanes.pause(5)
    eventually(lambda: {lane.state for lane in lanes.by_number.values()} == {"paused"})
    bench.brokers[0].append("interactions", "a", at_ms=1)
    assert lanes.by_number[0].read("a") is None
    lanes.resume()
    assert eventually(lambda: lanes.by_number[0].read("a")) == {"records": 1}
    assert bench.logs[0].calls.count("open") == 1


def test_a_lost_lane_closes_its_clients_and_drops_its_rows_but_keeps_its_counts(bench: Bench) -> None:
    lanes = bench.started(0)
    bench.brokers[0].append("interactions", "a", at_ms=1)
    lane = lanes.by_number[0]
    eventually(lambda: lane.counters.commits)
    lanes.end([0])
    assert lanes.by_number == {}
    assert bench.logs[0].calls[-1] == "close"
    assert (lane.state, lane.accounts) == ("stopped", 0)
    with pytest.raises(TimeoutError, match="has ended"):
        lane.read("a")
    assert bench.started(0).by_number[0].counters is lane.counters
    assert lanes.counters[0].commits == 1


def test_a_lane_that_is_here_is_not_started_twice(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match=r"got \[0\]"):
        bench.started(0).start([0, 1])


def test_a_lane_can_be_ended_while_it_waits_for_a_broker(bench: Bench) -> None:
    bench.prepare = lambda log: log.refuse("open", Retriable("no broker"))
    bench.lanes.start([0])
    lane = bench.lanes.by_number[0]
    assert not lane.ready.is_set()
    bench.lanes.end([0])
    assert not lane.thread.is_alive()
    assert bench.logs[0].calls[-1] == "close"


def test_a_pause_waits_for_a_lane_that_is_fencing_the_former_owner(bench: Bench) -> None:
    bench.prepare = lambda log: log.refuse("open", Retriable("no broker"))
    bench.lanes.start([0])
    eventually(lambda: "open" in bench.logs[0].calls)
    assert not bench.lanes.pause(0.2)
    bench.logs[0].refuse("open", None)
    assert bench.lanes.pause(5)


def test_a_lane_that_is_lost_while_paused_fences_nobody(bench: Bench) -> None:
    made, go_on = threading.Event(), threading.Event()

    def hold_up(_log: MemoryLog) -> None:
        made.set()
        assert go_on.wait(30)

    bench.prepare = hold_up
    bench.lanes.start([0])
    assert made.wait(30)
    assert bench.lanes.pause(5)
    go_on.set()
    bench.lanes.end([0])
    assert "open" not in bench.logs[0].calls


def test_a_lost_lane_may_be_fenced_quietly() -> None:
    with EndsTheProcess(3, lambda: True):
        raise Fenced("by the next owner")
    with EndsTheProcess(3, lambda: True):
        raise GivenUp("interrupted")


def test_a_waiting_reader_goes_before_the_loop_that_wants_the_lock_again() -> None:
    lock, entered = FairLock(), threading.Event()
    lock.acquire()

    def reader() -> None:
        lock.acquire()
        entered.set()
        lock.release()

    thread = threading.Thread(target=reader)
    thread.start()
    eventually(lock._way_in.locked)
    lock.release()
    lock.acquire()
    assert entered.is_set()
    lock.release()
    thread.join()


RAW = RawRecord("orders", 3, 1234, 0, b"acme", b"")


def _fold_failed() -> FoldFailed:
    failed = FoldFailed(RAW)
    failed.__cause__ = ValueError("two\nlines")
    return failed


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingsError(["first", "second"]), 2, "lane 3: first; second"),
        (
            _fold_failed(),
            70,
            "lane 3: folding orders:3:1234 (key b'acme') failed with ValueError: two lines; "
            "`tierstream worker --quarantine orders:3:1234` dead-letters this record unread",
        ),
        (Fenced("epoch"), 70, "lane 3: fenced, another worker has taken partition 3 (epoch)"),
        (PositionLost("gone"), 2, "lane 3: gone; records were deleted before they were folded: start under another application id"),
        (TopicLost("gone"), 2, "lane 3: gone: start under another application id (TIERSTREAM_APPLICATION_ID) to rebuild from the inputs"),
        (Fatal("no"), 70, "lane 3: the log failed: no"),
        (KeyError("x"), 70, "lane 3: unexpected KeyError: 'x'"),
    ],
)
def test_every_end_has_its_code_and_one_line_of_coordinates(error: Exception, code: int, said: str) -> None:
    words = obituary(3, error)
    assert words.code == code
    assert words.line.startswith(said)
    assert "\n" not in words.line


def test_leaving_prints_one_line_and_ends_the_process_whatever_its_threads_do() -> None:
    script = (
        "import threading, time; from agents.dying import leave\n"
        "threading.Thread(target=time.sleep, args=(60,)).start(); leave(70, 'lane 3: the end')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (70, "lane 3: the end\n")


def watched(bench: Bench) -> tuple[Watchdog, list[str]]:
    said: list[str] = []
    return Watchdog(bench.lanes, 10.0, lambda code, line: said.append(f"{code} {line}")), said


def test_the_watchdog_is_content_with_a_lane_that_has_nothing_to_do(bench: Bench) -> None:
    dog, _ = watched(bench)
    lane = bench.started(0).by_number[0]
    assert dog.fault(lane, lane.progressed_at_s + 9) is None
    assert dog.fault(lane, lane.progressed_at_s + 9) is None


def test_the_watchdog_ends_a_worker_whose_input_waits_without_a_commit(bench: Bench) -> None:
    bench.prepare = lambda log: log.refuse("commit", Retriable("no broker"))
    bench.lanes.start([0])
    lane = bench.lanes.by_number[0]
    assert lane.ready.wait(30)
    bench.brokers[0].append("interactions", "a", at_ms=1)
    eventually(lambda: "commit" in bench.logs[0].calls)
    dog, _ = watched(bench)
    assert dog.fault(lane, lane.progressed_at_s + 11) == "has input waiting and has committed nothing for 11 s"
    bench.logs[0].refuse("commit", None)


def test_the_watchdog_ends_a_worker_that_does_not_read_what_is_there(bench: Bench) -> None:
    lane = bench.started(0).by_number[0]
    dog, _ = watched(bench)
    bench.brokers[0].silent.add("interactions")
    bench.brokers[0].append("interactions", "a", at_ms=1)
    now_s = lane.progressed_at_s
    assert dog.fault(lane, now_s) is None
    eventually(lambda: lane.progressed_at_s > now_s)
    lane.progressed_at_s = now_s + 11
    assert dog.fault(lane, now_s + 11) == "reads nothing of interactions for 11 s though there is more"


def test_the_watchdog_ends_a_worker_whose_restore_stands_still(bench: Bench) -> None:
    bench.prepare = lambda log: log.refuse("changelog_end", Retriable("no broker"))
    bench.lanes.start([0])
    lane = bench.lanes.by_number[0]
    eventually(lambda: "changelog_end" in bench.logs[0].calls)
    assert "has restored nothing for 11 s" in (watched(bench)[0].fault(lane, lane.progressed_at_s + 11) or "")


def test_the_watchdog_ends_a_worker_with_a_dead_lane(bench: Bench) -> None:
    lane = bench.started(0).by_number[0]
    lane.end()
    lane.thread.join()
    assert "is dead" in (watched(bench)[0].fault(lane, lane.progressed_at_s) or "")


def test_a_scrape_learns_how_far_a_lane_has_folded_and_only_of_what_is_committed(bench: Bench) -> None:
    lanes = bench.started(0)
    counters, broker = lanes.counters[0], bench.brokers[0]
    broker.append("interactions", "a", at_ms=1)
    eventually(lambda: counters.folded_to == {"interactions": 1})
    bench.logs[0].refuse("commit", Retriable("no broker"))
    broker.append("interactions", "b", at_ms=2)
    eventually(lambda: bench.logs[0].calls.count("commit") > 3)
    assert counters.folded_to == {"interactions": 1}, "what is read and folded is not committed"
    bench.logs[0].refuse("commit", None)
    eventually(lambda: counters.folded_to == {"interactions": 2})
    lanes.end([0])
    assert (counters.folded_to, counters.fences, counters.overdue) == ({}, 1, 0)
