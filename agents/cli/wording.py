"""Words for people who sell: facts counted, instants and points as one says them.

Points are shown in hundredths, and what is shown adds up: a total is cut (79.999 is not shown as the 80 that it has not reached), its
parts are apportioned to it, and what is missing is rounded up. The JSON has every millionth.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from streams.rounding import apportioned
from streams.words import plural

HUNDREDTH = 10_000
"""In micro-points."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_NOUN = re.compile(r"[A-Z][A-Z0-9_]*(, [A-Z][A-Z0-9_]*)*")
_PLAIN_NOUNS = frozenset({"interaction", "order", "invoice", "ticket", "risk", "opportunity", "prediction"})


class Clock:
    """Says instants in one time zone; to the second where they are within an hour of `now_ms`."""

    def __init__(self, timezone: str, now_ms: int) -> None:
        self.timezone, self._zone, self._now_ms = timezone, ZoneInfo(timezone), now_ms

    def on(self, at_ms: int) -> str:
        """`12 March 2026, 14:02`."""
        at = datetime.fromtimestamp(at_ms / 1000, self._zone)
        return f"{at.day} {at:%B %Y, %H:%M:%S}" if abs(at_ms - self._now_ms) < HOUR_MS else f"{at.day} {at:%B %Y, %H:%M}"

    def stamp(self, at_ms: int) -> str:
        """`2026-03-12 14:02:07`, for columns."""
        return f"{datetime.fromtimestamp(at_ms / 1000, self._zone):%Y-%m-%d %H:%M:%S}"


def counted(label: str, count: int) -> str:
    """`3 downloads` for a kind of record that has a name of its own; `days with order ×3` for everything else that is counted."""
    if _NOUN.fullmatch(label) or label in _PLAIN_NOUNS:
        nouns = ", ".join(plural(noun.lower().replace("_", " "), count) for noun in label.split(", "))
        return f"{count:,} {nouns}"
    return f"{label.replace('_', ' ')} ×{count:,}"


def evidence_of(line: dict[str, Any], profile: dict[str, Any], clock: Clock) -> str:
    """What a line of the ledger stands on: `3 downloads, the last on 12 March 2026, 14:02`."""
    label, count, last_at = line["line"], line["count"], line["last_at"]
    if count is None and label in profile:
        said = f"{label.replace('_', ' ')}: {content_text(profile[label])}"
        return said if last_at is None else f"{said}, since {clock.on(last_at)}"
    said = label.replace("_", " ") if count is None else counted(label, count)
    if last_at is None:
        return said
    return f"{said}, on {clock.on(last_at)}" if count == 1 else f"{said}, the last on {clock.on(last_at)}"


def content_text(content: Any) -> str:
    """A profile field's content, a list as words with commas."""
    return ", ".join(map(str, content)) if isinstance(content, list) else str(content)


def hundredths(micro: int) -> int:
    """Micro-points cut to hundredths of a point."""
    return micro // HUNDREDTH


def parts(total: int, micros: Sequence[int]) -> list[int]:
    """Hundredths for the parts of a total in hundredths: what is shown adds up."""
    return apportioned(total, [micro / HUNDREDTH for micro in micros])


def points(hundredths: int) -> str:
    """`24.00`."""
    return f"{hundredths / 100:,.2f}"


def missing(micro: int) -> str:
    """Points that are still missing, rounded up."""
    return points(-(-micro // HUNDREDTH))


def duration(length_ms: int) -> str:
    """`30 days`, `1 hour`, `40 seconds`: rounded to the largest unit that fits."""
    units = (("day", DAY_MS), ("hour", HOUR_MS), ("minute", 60_000), ("second", 1_000))
    unit, unit_ms = next(((name, each) for name, each in units if length_ms >= each), ("millisecond", 1))
    count = round(length_ms / unit_ms)
    return f"{count:,} {plural(unit, count)}"
