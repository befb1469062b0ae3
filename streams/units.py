"""Units that policies speak in: durations, micro-points, local days.

A duration is a number with a unit (`500ms`, `30s`, `5m`, `12h`, `30d`, `2w`); days are 24 hours.
A micro-point is a millionth of a point; decisions compare scores rounded to integer micro-points.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from math import floor
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

DAY_MS = 86_400_000
UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
MICRO = 1_000_000
UNBOUNDED = 1 << 62
"""Beyond every instant (ms) and every score (micro-points)."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.ASCII)


def micro(points: float) -> int:
    """`points` in integer micro-points, halves rounded up."""
    return floor(points * MICRO + 0.5)


def points_text(score_micro: int) -> str:
    """Micro-points as people write points, nothing rounded away: 29999999 is 29.999999, 80000000 is 80."""
    return f"{score_micro / MICRO:.6f}".rstrip("0").rstrip(".")


def duration_ms(text: Any) -> int:
    """A duration such as `30d` in milliseconds. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"must be a duration such as 500ms, 30s, 5m, 12h, 30d or 2w, got {text!r}")
    return round(float(match[1]) * UNIT_MS[match[2]])


def duration_text(length_ms: int) -> str:
    """The shortest way to write a duration: the inverse of `duration_ms`."""
    for unit in ("d", "h", "m", "s"):
        if length_ms and length_ms % UNIT_MS[unit] == 0:
            return f"{length_ms // UNIT_MS[unit]}{unit}"
    return f"{length_ms}ms"


def _positive_duration_ms(text: Any) -> int:
    if (length_ms := duration_ms(text)) <= 0:
        raise ValueError(f"must be positive, got {text}")
    return length_ms


def _half_life_ms(text: Any) -> int | None:
    return None if text is None or text == "none" else _positive_duration_ms(text)


_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$", "examples": ["30d", "12h", "5m"]})

DurationMs = Annotated[int, BeforeValidator(duration_ms), PlainSerializer(duration_text), _SCHEMA]
"""A policy field that is written as a duration and read as milliseconds."""

Quantity = Annotated[
    float,
    BeforeValidator(lambda entry: float(duration_ms(entry)) if isinstance(entry, str) else entry),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$"}]}),
]
"""A number to compare a measure with; for measures that are times a duration such as `90d`, read as milliseconds."""

PositiveDurationMs = Annotated[int, BeforeValidator(_positive_duration_ms), PlainSerializer(duration_text), _SCHEMA]


HalfLifeMs = Annotated[
    int | None,
    BeforeValidator(_half_life_ms),
    PlainSerializer(lambda length_ms: "none" if length_ms is None else duration_text(length_ms)),
    WithJsonSchema({"type": "string", "pattern": r"^none$|^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$", "examples": ["none", "30d"]}),
]
"""A half-life: a duration, or `none` (None) for points that do not fade."""


@cache
def local_day_in(zone: ZoneInfo) -> Callable[[int], int]:
    """A function from an instant (epoch ms) to the number of its local day in `zone` (days since 1970-01-01, local)."""
    starts_ms, offsets_ms = zone_offsets(zone.key)

    def local_day(at_ms: int) -> int:
        offset_ms = offsets_ms[max(bisect_right(starts_ms, at_ms) - 1, 0)]
        return (at_ms + offset_ms) // DAY_MS

    return local_day


@cache
def zone_offsets(name: str) -> tuple[list[int], list[int]]:
    """Where the zone's offset from UTC changes, to the minute, from 1970 to 2100: (starts, offsets), both in ms."""
    zone, step_ms, end_ms = ZoneInfo(name), 7 * DAY_MS, 131 * 365 * DAY_MS
    starts_ms, offsets_ms = [0], [_offset_ms(zone, 0)]
    for at_ms in range(0, end_ms, step_ms):
        if _offset_ms(zone, at_ms + step_ms) != offsets_ms[-1]:
            starts_ms.append(_change_between(zone, at_ms, at_ms + step_ms))
            offsets_ms.append(_offset_ms(zone, at_ms + step_ms))
    return starts_ms, offsets_ms


def _change_between(zone: ZoneInfo, low_ms: int, high_ms: int) -> int:
    before_ms = _offset_ms(zone, low_ms)
    while high_ms - low_ms > UNIT_MS["m"]:
        middle_ms = (low_ms + high_ms) // 2 // UNIT_MS["m"] * UNIT_MS["m"]
        if _offset_ms(zone, middle_ms) == before_ms:
            low_ms = middle_ms
        else:
            high_ms = middle_ms
    return high_ms


def _offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).utcoffset()
    assert offset is not None, "an aware datetime has an offset"
    return round(offset.total_seconds() * 1000)
