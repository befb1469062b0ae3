"""Compiling before the lanes start, with a word to whoever waits for it."""

import logging
import time

from agents.bulk_consumer import rehearse
from schemas import compiling
from streams.forward.planning import NotPlanned, planned
from streams.policy import CompiledPolicy
from streams.preparing import prepare

SAY_EVERY_S = 3.0
_log = logging.getLogger("tierstream.worker")


class _Announcer:
    """Says that something is being compiled when the first function is, and how far it is every few seconds."""

    def __init__(self) -> None:
        self.functions = 0
        self._began_at_s = self._said_at_s = 0.0

    def compiling(self, name: str) -> None:
        """A function is about to be compiled."""
        now_s = time.monotonic()
        if not self.functions:
            self._began_at_s = self._said_at_s = now_s
            _log.info("compiling the fold for this machine: once, half a minute or so; the next start takes it from disk")
        elif now_s - self._said_at_s >= SAY_EVERY_S:
            self._said_at_s = now_s
            _log.info("compiling functions=%d seconds=%.0f now=%s", self.functions, now_s - self._began_at_s, name)
        self.functions += 1

    def done(self) -> None:
        """Say what it came to, if anything was compiled."""
        if self.functions:
            _log.info("compiled functions=%d seconds=%.1f", self.functions, time.monotonic() - self._began_at_s)


def prepare_to_fold(policy: CompiledPolicy) -> None:
    """Compile, or load, what the lanes will call. Code that cannot be kept on disk is one warning."""
    announcer = _Announcer()
    compiling.on_compiling(announcer.compiling)
    rehearse()
    prepare(policy)
    announcer.done()
    try:
        planned(policy)
    except NotPlanned as why_not:
        _log.info("policy %s is folded in Python alone, many times slower: %s", policy.name, why_not)
    if (why := compiling.cache_refused()) is not None:
        _log.warning("compiled code cannot be kept, every start compiles anew: %s (NUMBA_CACHE_DIR names another directory)", why)
