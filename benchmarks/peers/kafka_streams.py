"""Kafka Streams: the Processor API, one thread on the one core, RocksDB with its changelog behind the record cache.

Exactly once as it comes (a commit ten times a second, a record cache of 10 MB), and tuned for throughput, for which it pays in latency:
a commit once a second, a record cache that holds every account, so that the changelog gets one record for an account and commit, large
polls, writes in large batches. Compression is lz4 throughout, as tierstream's.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from agents.embedded import java
from benchmarks.figures import Tell
from benchmarks.peers import artifacts
from benchmarks.peers.engine import HOME, PROGRAMS, SCHEMA, Peer, Work

_SOURCE = PROGRAMS / "TierJob.java"
_HOME = HOME / "kafka-streams"
_FLAGS = ("-Xms1g", "-Xmx2g")
_COMMON = {
    "auto.offset.reset": "earliest",
    "replication.factor": "1",
    "num.stream.threads": "1",
    "producer.compression.type": "lz4",
}
_TUNED = {
    "commit.interval.ms": "1000",
    "statestore.cache.max.bytes": str(256 << 20),
    "consumer.max.poll.records": "10000",
    "consumer.fetch.min.bytes": "100000",
    "consumer.fetch.max.wait.ms": "20",
    "producer.linger.ms": "20",
    "producer.batch.size": "262144",
    "producer.buffer.memory": str(128 << 20),
}
_EXACTLY, _AT_LEAST = {"processing.guarantee": "exactly_once_v2"}, {"processing.guarantee": "at_least_once"}


def exactly_once() -> Peer:
    """With transactions, as it comes."""
    return _peer("kafka-streams", "Kafka Streams, exactly_once_v2, as it comes", "exactly once", _EXACTLY)


def exactly_once_tuned() -> Peer:
    """With transactions, tuned for throughput."""
    return _peer("kafka-streams-tuned", "Kafka Streams, exactly_once_v2, tuned for throughput", "exactly once", _TUNED | _EXACTLY)


def at_least_once_tuned() -> Peer:
    """Without transactions, tuned for throughput."""
    return _peer("kafka-streams-alo", "Kafka Streams, at least once, tuned for throughput", "at least once", _TUNED | _AT_LEAST)


def _peer(name: str, title: str, guarantee: str, options: Mapping[str, str]) -> Peer:
    return Peer(name, title, f"{guarantee}, RocksDB, changelog", prepare, partial(_command, options=options))


def prepare(tell: Tell) -> None:
    """Fetch the jars and compile the program."""
    _HOME.mkdir(parents=True, exist_ok=True)
    artifacts.compiled(_SOURCE, _jars(tell), _HOME / "classes")


def _jars(tell: Tell) -> list[Path]:
    return artifacts.fetched(_HOME, lambda said, *_: tell(said))


def _command(work: Work, options: Mapping[str, str]) -> list[str]:
    place = {"application.id": work.name, "bootstrap.servers": work.settings.bootstrap_servers, "state.dir": str(work.directory / "state")}
    file = work.directory / "streams.properties"
    file.write_text("".join(f"{name}={text}\n" for name, text in (_COMMON | place | dict(options)).items()), encoding="utf-8")
    jars = [_HOME / "classes", *_jars(lambda *_: None)]
    return java.command(jars, "TierJob", work.input, f"{work.name}-changes", str(SCHEMA), str(file), flags=_FLAGS)
