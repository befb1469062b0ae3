"""What time is it? The only place that asks the machine; everything else is handed a clock."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Epoch milliseconds, asked anew with each call."""


def wall_clock() -> int:
    """The machine's time in epoch milliseconds."""
    return time.time_ns() // 1_000_000
