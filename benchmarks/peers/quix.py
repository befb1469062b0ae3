"""Quix Streams, exactly once: a transaction for each checkpoint, every five seconds, its default."""

from functools import partial

from benchmarks.peers import environments
from benchmarks.peers.engine import PROGRAMS, Peer, Work

_NAME = "quix"
_COMMIT_S = 5.0


def exactly_once() -> Peer:
    """State in RocksDB with a changelog."""
    return Peer("quix", "Quix Streams, exactly once", "exactly once, RocksDB, changelog", partial(environments.prepare, _NAME), _command)


def _command(work: Work) -> list[str]:
    return [str(environments.python_of(_NAME)), str(PROGRAMS / "quix_job.py"), work.told(commit_s=_COMMIT_S)]
