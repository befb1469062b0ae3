"""The comparison: in each round every engine once, the order turned by one from round to round, all from the same topic.

An engine runs until every change that must come has come, or until it has been measured for so many seconds; slow ones do not finish,
and need not: the rate is of what they did. What they published is checked against the oracle as far as they came.
"""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka.admin import NewTopic

from agents import clients
from agents.clocks import wall_clock
from agents.reading import committed_records
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.peers import bytewax, kafka_streams, load, oracle, quix, stock_faust
from benchmarks.peers.engine import Engine, Process, Work
from benchmarks.peers.observing import Observer
from benchmarks.peers.oracle import Change, Event, Expected
from benchmarks.peers.progress import Progress
from benchmarks.peers.tierstream import Tierstream
from benchmarks.processes import CpuLog
from benchmarks.stand import PARTITIONS, Stand, preload
from schemas.codec import Codec

RIVALS = ("kafka-streams", "kafka-streams-tuned", "quix", "faust")
_PREFIX = "peers"
_WARM_S, _LOOK_S, _ANSWER_S = 300.0, 0.2, 30.0


class Contest(NamedTuple):
    """What all runs have in common."""

    stand: Stand
    settings: Settings
    wanted: Expected
    seconds: float


def engines() -> list[Engine]:
    """Who takes part, in the order of the report."""
    return [
        Tierstream(),
        kafka_streams.exactly_once(),
        kafka_streams.exactly_once_tuned(),
        kafka_streams.at_least_once_tuned(),
        bytewax.in_memory(),
        bytewax.recovering(),
        quix.exactly_once(),
        stock_faust.at_least_once(),
    ]


def measured(stand: Stand, *, accounts: int, records: int, seconds: int, runs: int, tell: Tell) -> Iterator[Run]:
    """A result for each round: of every engine its events a second and what an event costs it, and by how much tierstream is faster."""
    taking_part = engines()
    for engine in taking_part:
        engine.prepare(tell)
    settings = stand.settings(_PREFIX, "input")
    total = accounts + records
    preload(settings, load.records(accounts, records, wall_clock()), lambda tally: tell("peers: preloading", tally.records / total))
    tell("peers: recomputing what must come out")
    wanted = oracle.expected(_events(settings), PARTITIONS, accounts)
    if wanted.total != total:
        raise RuntimeError(f"the input must hold {total} records, holds {wanted.total}")
    contest = Contest(stand, settings, wanted, seconds)
    for number in range(runs):
        turn = number % len(taking_part)
        results = {}
        for engine in (*taking_part[turn:], *taking_part[:turn]):
            results[engine.name] = _run(engine, contest, number, partial(tell, f"peers: round {number + 1} of {runs}, {engine.title}"))
        yield _as_run(results)


def _events(settings: Settings) -> Iterator[Event]:
    codec = Codec()
    for raw in committed_records(settings, "interactions"):
        yield Event(raw.partition, raw.offset, codec.decode("interactions", raw.payload))


def _as_run(results: dict[str, Run]) -> Run:
    run = {f"{name} {what}": figure for name, result in results.items() for what, figure in result.items()}
    for rival in RIVALS:
        run[f"over {rival}"] = results["tierstream"]["events_per_s"] / results[rival]["events_per_s"]
    return run


def _run(engine: Engine, contest: Contest, number: int, tell: Any) -> Run:
    """One engine, once. Its topics are gone afterwards, so that no run is slowed by what another left."""
    name = f"{engine.name}-{number + 1}"
    work = Work(contest.settings.model_copy(update={"application_id": name}), name, contest.stand.directory / name)
    work.directory.mkdir()
    admin = clients.admin_client(contest.settings)
    before = set(admin.list_topics(timeout=_ANSWER_S).topics)
    output = engine.output(work)
    if output not in before:
        admin.create_topics([NewTopic(output, PARTITIONS, 1)])[output].result()
    try:
        return _measured(engine, contest, work, tell)
    finally:
        own = [topic for topic in admin.list_topics(timeout=_ANSWER_S).topics if topic not in before and not topic.startswith("__")]
        for answer in (admin.delete_topics(own) if own else {}).values():
            answer.result()


def _measured(engine: Engine, contest: Contest, work: Work, tell: Any) -> Run:
    with Observer(contest.settings, engine.output(work), PARTITIONS) as observer:
        reader = _Reader(engine, work, observer, Progress(contest.wanted))
        with engine.running(contest.stand, work) as process, CpuLog(process.pid) as used:
            _await_end(reader, contest, work, process, tell)
        ends_at_s = reader.progress.latest_at_s
        observer.await_end()
        reader.catch_up()
    oracle.check(reader.published, contest.wanted, reader.progress.read_to)
    span = reader.progress.span(ends_at_s)
    return {
        "events_per_s": span.events_per_s,
        "cpu_us": used.between(span.begins_at_s, span.ends_at_s) / span.events * 1e6,
        "measured": span.events,
    }


class _Reader:
    """Decodes what the observer has, as it comes."""

    def __init__(self, engine: Engine, work: Work, observer: Observer, progress: Progress) -> None:
        self.progress, self.published = progress, list[Change]()
        self._engine, self._work, self._arrived = engine, work, observer.arrived
        self._read = 0

    def catch_up(self) -> None:
        """All that has come by now."""
        fresh = self._arrived[self._read :]
        self._read += len(fresh)
        changes = [(at_s, change) for at_s, payload in fresh for change in self._engine.changes(payload, self._work)]
        self.published += [change for _, change in changes]
        self.progress.add(changes)


def _await_end(reader: _Reader, contest: Contest, work: Work, process: Process, tell: Any) -> None:
    """Until the engine is done or its time is up. One that ends by itself or does not get started is an error with its last words."""
    give_up_at = time.time() + _WARM_S
    while not reader.progress.complete:
        if process.poll() is not None:
            raise RuntimeError(f"{work.name} ended with {process.poll()}: {process.last_words()}")
        begun_at_s = reader.progress.warm_at_s
        if begun_at_s is not None and time.time() > begun_at_s + contest.seconds:
            return
        if begun_at_s is None and time.time() > give_up_at:
            raise TimeoutError(f"{work.name} must be past its warm-up within {_WARM_S:g} s: {process.last_words()}")
        time.sleep(_LOOK_S)
        reader.catch_up()
        tell(reader.progress.events / contest.wanted.total)
