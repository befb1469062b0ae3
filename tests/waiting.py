"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def eventually(condition: Callable[[], Seen], timeout_s: float = 60.0, what: str = "") -> Seen:
    """What `condition` returns as soon as it is true; AssertionError with the last answer after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = condition()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"{what or 'the condition'} did not come true in {timeout_s} s; last seen: {seen!r}"
        time.sleep(0.02)
