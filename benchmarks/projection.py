"""How many transitions a second does one `tierstream project` on one core bring to Redis, and what does one cost, here and in Redis?

The projection starts on empty topics and is halted (SIGSTOP) while transitions, each with its account's record and in transactions as a
lane's, are put into the topics; then it goes on. The measured span is from the first look at Redis' own progress that finds something
applied to the first that finds all of it; what was applied by the first look does not count. Processor time is that of all of them.
Redis is Valkey, out of the wheel, beside the broker. In the end every account, its places on the boards and its explanation are held
against the compacted topic.
"""

import signal
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import redis
from confluent_kafka import TopicPartition

from agents import clients
from agents.clocks import wall_clock
from agents.embedded.valkey import Valkey
from agents.projecting.source import TIERS, TRANSITIONS
from agents.reading import committed_records
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.processes import cpu_s
from benchmarks.published import Unit, units
from benchmarks.stand import PARTITIONS, Stand, Worker
from schemas.codec import Codec
from schemas.records import AccountTiers
from streams.partitioning import partition_for

_SESSION_S, _FLUSH_S, _APPLIED_S = 300.0, 60.0, 600.0
_UNITS_OF_A_TRANSACTION = 500
_BOTH = (TRANSITIONS, TIERS)
_LOOK_S = 0.02
_ASKED_AT_ONCE = 1_000
_PROJECT = ("-m", "agents.cli", "project")


class Progress(NamedTuple):
    """How many offsets of both topics Redis had at an instant (seconds since the epoch): accounts' records come before transitions."""

    at_s: float
    offsets: int


def measured(stand: Stand, *, accounts: int, transitions: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run, each on a Redis and topics of its own."""
    for number in range(1, runs + 1):
        said = f"projection: run {number} of {runs}"
        tell(said)
        server = Valkey(stand.directory / f"valkey-{number}")
        server.start()
        try:
            settings = stand.settings(
                f"projection-{number}", "bench", session_timeout_s=_SESSION_S, redis_url=server.url, redis_prefix="bench"
            )
            yield _run(stand, settings, server, accounts, transitions, partial(tell, said))
        finally:
            server.stop()


def _run(stand: Stand, settings: Settings, server: Valkey, accounts: int, transitions: int, on_share: Any) -> Run:
    keys = redis.Redis.from_url(settings.redis_url, decode_responses=True, socket_timeout=60)
    with stand.worker(settings, stand.directory, _PROJECT) as projection:
        _await_begun(projection)
        projection.process.send_signal(signal.SIGSTOP)
        _publish(settings, units(settings.application_id, accounts, transitions, wall_clock()), on_share, transitions)
        end, used_s, used_there_s = _ends(settings), projection.cpu_s(), cpu_s(server.pid)
        projection.process.send_signal(signal.SIGCONT)
        first, last = _followed(keys, projection, end, on_share)
        used_s, used_there_s = projection.cpu_s() - used_s, cpu_s(server.pid) - used_there_s
        found = _inside(projection, transitions)
    spanned = transitions * (1 - first.offsets / last.offsets)
    _check(settings, keys, accounts)
    return found | {
        "transitions_per_s": spanned / (last.at_s - first.at_s),
        "cpu_us": used_s / transitions * 1e6,
        "redis_us": used_there_s / transitions * 1e6,
    }


def _await_begun(projection: Worker) -> None:
    """Every partition is the projection's, and Redis knows how fresh it is."""
    since_s = time.time()
    read = "tierstream_projection_read_timestamp_seconds"
    projection.await_metrics(lambda found: found.get(read, 0.0) > PARTITIONS * since_s, 120.0, "every partition read to its end")


def _publish(settings: Settings, published: Iterator[Unit], on_share: Any, total: int) -> None:
    producer, codec, sent = clients.transactional_producer(settings, f"{settings.topic_prefix}published"), Codec(), 0
    producer.init_transactions(_FLUSH_S)
    while batch := list(islice(published, _UNITS_OF_A_TRANSACTION)):
        producer.begin_transaction()
        for unit in batch:
            key = unit.tiers.account_id.encode()
            number = partition_for(key, settings.partitions)
            for topic, record in ((TRANSITIONS, unit.transition), (TIERS, unit.tiers)):
                producer.produce(settings.topic_name(topic), codec.encode(record), key, number)
        producer.commit_transaction(_FLUSH_S)
        on_share((sent := sent + len(batch)) / total)


def _ends(settings: Settings) -> int:
    """Where all partitions of both topics end, added up."""
    asked = clients.reading_consumer(settings)
    places = [TopicPartition(settings.topic_name(topic), number) for topic in _BOTH for number in range(settings.partitions)]
    try:
        return sum(asked.get_watermark_offsets(place, _FLUSH_S)[1] for place in places)
    finally:
        asked.close()


def _followed(keys: Any, projection: Worker, end: int, on_share: Any) -> tuple[Progress, Progress]:
    """The first progress there is, and the whole."""
    first, give_up_at = None, time.monotonic() + _APPLIED_S
    while (now := _progress(keys)).offsets < end:
        first = first or (now if now.offsets else None)
        projection.require_alive()
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"Redis must have {end} offsets within {_APPLIED_S:g} s, has {now.offsets}: {projection.last_words()}")
        on_share(now.offsets / end)
        time.sleep(_LOOK_S)
    if first is None:
        raise ValueError("all was applied between two looks: give the projection more transitions")
    return first, now


def _progress(keys: Any) -> Progress:
    said = keys.hgetall("bench:progress")
    return Progress(time.time(), sum(int(offset) for name, offset in said.items() if name.partition(":")[0] in _BOTH))


def _inside(projection: Worker, transitions: int) -> Run:
    """What the projection counted."""
    found = projection.metrics()
    if (unreadable := found["tierstream_projection_unreadable_total"]) or found["tierstream_projection_repeats_total"]:
        raise RuntimeError(f"every record must be read and taken the first time, {unreadable:g} were unreadable: {projection.last_words()}")
    return {"records": found["tierstream_projection_records_total"], "transitions": transitions}


def _check(settings: Settings, keys: Any, accounts: int) -> None:
    """Redis says of each account what the last record of the compacted topic says; and explains it by its last transition."""
    codec = Codec()
    last = {raw.key: codec.decode_as(AccountTiers, raw.payload) for raw in committed_records(settings, TIERS)}
    if len(last) != accounts:
        raise RuntimeError(f"{TIERS} must tell of {accounts} accounts, tells of {len(last)}")
    records = iter(last.values())
    while some := list(islice(records, _ASKED_AT_ONCE)):
        with keys.pipeline(transaction=False) as pipe:
            for record in some:
                standing = record.standings[0]
                pipe.hgetall(f"bench:account:{record.account_id}")
                for board in ("", f":tier:{standing.tier}", *([f":owner:{record.owner_id}"] if record.owner_id else ())):
                    pipe.zscore(f"bench:top:{standing.scheme}{board}", record.account_id)
            answers = iter(pipe.execute())
        for record in some:
            _agrees(record, next(answers), [next(answers) for _ in range(3 if record.owner_id else 2)])
    if (there := keys.zcard("bench:top:sabc")) != accounts:
        raise RuntimeError(f"{accounts} accounts must be on the board, {there} are")


def _agrees(record: AccountTiers, said: dict[str, str], scores: list[float | None]) -> None:
    standing = record.standings[0]
    points, scheme = (standing.score_micro or 0) / 1e6, standing.scheme
    wanted = {
        "revision": str(record.revision), "generation": record.generation, "owner_id": record.owner_id or "",
        f"{scheme}:tier": standing.tier, f"{scheme}:sequence": str(standing.sequence), f"{scheme}:why_sequence": str(standing.sequence),
    }  # fmt: skip
    explained = msgspec.json.decode(said.get(f"{scheme}:why", "{}"))
    if wanted.items() - said.items() or scores != [points] * len(scores) or explained.get("to_tier") != standing.tier:
        raise RuntimeError(f"Redis must say {wanted} of {record.account_id}, with {points} points; says {said}, {scores}")
