"""When do things happen? Instants for history (working hours, quiet nights and weekends) and for live running (a steady rate)."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SHANGHAI_OFFSET_MS = 8 * HOUR_MS

_BY_HOUR = (1, 1, 0.5, 0.5, 0.5, 1, 2, 5, 12, 22, 26, 22, 10, 16, 24, 25, 22, 16, 9, 7, 7, 6, 4, 2)
_WEEKEND = 0.15
_MONDAY_IN_EPOCH_DAYS = 4  # 1970-01-01 was a Thursday: day 4 of the epoch is the first Monday


def _weight(hour_at_ms: int) -> float:
    local = hour_at_ms + SHANGHAI_OFFSET_MS
    weekday = (local // DAY_MS - _MONDAY_IN_EPOCH_DAYS) % 7
    return _BY_HOUR[local // HOUR_MS % 24] * (_WEEKEND if weekday >= 5 else 1.0)


def in_working_hours(random: Random, start_at_ms: int, days: int, count: int) -> list[int]:
    """`count` sorted instants in [start, start + days), dense where people work."""
    hours = [start_at_ms + hour * HOUR_MS for hour in range(days * 24)]
    cumulative = list(accumulate(map(_weight, hours)))
    drawn = []
    for _ in range(count):
        hour = bisect_right(cumulative, random.random() * cumulative[-1])
        drawn.append(hours[min(hour, len(hours) - 1)] + int(random.random() * HOUR_MS))
    return sorted(drawn)


def steady(start_at_ms: int, rate: float, seconds: float) -> Iterator[int]:
    """Instants at an even rate: the n-th is exactly start + n / rate, so no drift builds up."""
    for number in range(int(rate * seconds)):
        yield start_at_ms + int(number * 1000 / rate)
