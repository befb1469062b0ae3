"""The comparison with other engines is fair: the oracle finds every fault, the rate counts what it says, the programs do the job."""

import importlib.util
import json
from itertools import pairwise
from types import ModuleType

import msgspec
import pytest

from benchmarks.peers import engine, environments, load, oracle
from benchmarks.peers.oracle import Change, Event, Expected
from benchmarks.peers.progress import Progress
from schemas.codec import Codec
from schemas.records import Interaction
from streams.partitioning import partition_for

ACCOUNTS, RECORDS, PARTITIONS = 200, 4_000, 2
END_AT_MS = 1_760_000_000_000


def the_input() -> list[Event]:
    codec, offsets, events = Codec(), [0] * PARTITIONS, []
    for framed in load.records(ACCOUNTS, RECORDS, END_AT_MS):
        record = codec.decode("interactions", framed.payload)
        assert isinstance(record, Interaction)
        partition = partition_for(framed.key or b"", PARTITIONS)
        events.append(Event(partition, offsets[partition], record))
        offsets[partition] += 1
    return events


EVENTS = the_input()
WANTED = oracle.expected(EVENTS, PARTITIONS, ACCOUNTS)
ALL = [due.change for due in WANTED.due.values()]
TO_THE_END = dict(enumerate(WANTED.ends))


def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("job", engine.PROGRAMS / "job.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_input_changes_tiers_in_both_directions() -> None:
    assert {(change.from_tier, change.to_tier) for change in ALL} >= {("C", "B"), ("B", "A"), ("A", "B"), ("B", "C")}


def test_what_is_right_passes() -> None:
    oracle.check(ALL, WANTED, TO_THE_END)


def test_what_time_does_later_may_be_published_or_not() -> None:
    later = [Change(name, number, *step, 0) for (name, number), step in WANTED.later.items()]
    assert later
    oracle.check([*ALL, *later], WANTED, TO_THE_END)


@pytest.mark.parametrize(
    ("published", "says"),
    [
        (ALL[1:], "missing"),
        ([*ALL, ALL[0]], "twice"),
        ([*ALL, Change("nobody", 1, "C", "A", 0)], "must not be"),
        ([ALL[0]._replace(to_tier="A" if ALL[0].to_tier == "B" else "B"), *ALL[1:]], "must be"),
        ([ALL[0]._replace(score_micro=ALL[0].score_micro + 3), *ALL[1:]], "must be"),
    ],
)
def test_what_is_wrong_is_found(published: list[Change], says: str) -> None:
    with pytest.raises(RuntimeError, match=says):
        oracle.check(published, WANTED, TO_THE_END)


def test_an_engine_that_was_stopped_answers_for_what_it_read() -> None:
    half = {number: end // 2 for number, end in enumerate(WANTED.ends)}
    seen = [due.change for due in WANTED.due.values() if due.offset < half[due.partition]]
    oracle.check(seen, WANTED, half)
    with pytest.raises(RuntimeError, match="missing"):
        oracle.check(seen[:-1], WANTED, half)


def test_the_python_peers_do_the_job() -> None:
    job = program()
    event_of = job.event_reader(engine.SCHEMA)
    accounts: dict[str, list[object]] = {}
    found = []
    codec = Codec()
    for event in EVENTS:
        account = accounts.setdefault(event.record.account_id, job.entered())
        found += job.folded(account, event_of(codec.encode(event.record)))
    published = [msgspec.json.decode(payload, type=dict) for payload in found]
    changes = [Change(p["account"], p["sequence"], p["from_tier"], p["to_tier"], p["score_micro"]) for p in published]
    oracle.check(changes, WANTED, TO_THE_END)


def test_the_rate_is_of_the_span_after_the_warm_up() -> None:
    wanted = Expected({}, {}, warm_to=[10, 10], ends=[1_000, 1_000])
    for number, offset in enumerate(range(0, 1_000, 10)):
        for partition in range(2):
            change = Change(f"p{partition}", number + 1, "C", "B", 0)
            wanted.due[change.key] = oracle.Due(change, partition, offset)
    progress = Progress(wanted)
    progress.add((1_000 + due.offset / 100, due.change) for due in wanted.due.values())
    assert progress.complete
    assert progress.warm_at_s == pytest.approx(1_000.1)
    assert progress.span(progress.latest_at_s).events_per_s == pytest.approx(200, rel=0.05)


def test_an_engine_that_never_warms_up_has_no_rate() -> None:
    with pytest.raises(RuntimeError, match="past its warm-up"):
        Progress(WANTED).span(0.0)


def test_the_input_is_out_of_order() -> None:
    times = [event.record.occurred_at for event in EVENTS]
    assert sum(after < before for before, after in pairwise(times)) > len(times) // 10


def test_every_package_of_a_peer_is_pinned() -> None:
    for file in sorted(environments.REQUIREMENTS.glob("*.txt")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        assert [line for line in lines if line.count("==") != 1] == [], file.name


def test_a_program_is_told_where_its_work_is() -> None:
    from agents.settings import load_settings

    work = engine.Work(load_settings({"topic_prefix": "x-", "bootstrap_servers": "b:1"}), "peer-1", engine.PROGRAMS)
    told = json.loads(work.told(recovery=True))
    assert (told["input"], told["output"], told["bootstrap"], told["recovery"]) == ("x-interactions", "peer-1-changes", "b:1", True)
