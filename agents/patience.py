"""Repeat a call while the log says that it may be repeated. How long is decided elsewhere: by whoever gives up, or the watchdog."""

import logging
from collections.abc import Callable
from typing import TypeVar

from agents.partition_log import Retriable
from schemas.errors import TierstreamError

_log = logging.getLogger("tierstream.lane")
_Answer = TypeVar("_Answer")
_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 0.5

Wait = Callable[[float], object]
"""Waits so many seconds: the thread's way of sleeping, or the simulation's."""


class GivenUp(TierstreamError):
    """The lane was told to end while it waited; what it was doing is of no interest any more."""


def patiently(call: Callable[[], _Answer], wait: Wait, given_up: Callable[[], bool] = lambda: False) -> _Answer:
    """The call's answer, after as many Retriable errors as it takes. Raises GivenUp when `given_up` says so."""
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            return call()
        except Retriable as passing:
            if given_up():
                raise GivenUp(str(passing)) from passing
            _log.debug("repeating %s: %s", getattr(call, "__name__", "a call"), passing)
        wait(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
