"""Stock Faust: an agent and a table as its documentation has them, at least once (its `exactly_once` loses and doubles data)."""

from functools import partial

from benchmarks.peers import environments
from benchmarks.peers.engine import PROGRAMS, Peer, Work

_NAME = "faust"


def at_least_once() -> Peer:
    """A table in memory with its changelog."""
    return Peer("faust", "stock Faust", "at least once, changelog", partial(environments.prepare, _NAME), _command)


def _command(work: Work) -> list[str]:
    return [str(environments.python_of(_NAME)), str(PROGRAMS / "faust_job.py"), work.told()]
