"""Bytewax: one worker. Without recovery its state is lost with the process; with it, changed state is kept in snapshots once a second
and the last second is done again after a crash, its output too."""

from functools import partial

from benchmarks.peers import environments
from benchmarks.peers.engine import PROGRAMS, Peer, Work

_NAME = "bytewax"


def in_memory() -> Peer:
    """State in memory alone."""
    return _peer("bytewax", "Bytewax, in memory", "none: state is lost with the process", recovery=False)


def recovering() -> Peer:
    """With snapshots on disk."""
    return _peer("bytewax-recovery", "Bytewax, recovery every second", "at least once, snapshots on local disk", recovery=True)


def _peer(name: str, title: str, durable: str, *, recovery: bool) -> Peer:
    return Peer(name, title, durable, partial(environments.prepare, _NAME), partial(_command, recovery=recovery))


def _command(work: Work, recovery: bool) -> list[str]:
    return [str(environments.python_of(_NAME)), str(PROGRAMS / "bytewax_job.py"), work.told(recovery=recovery)]
