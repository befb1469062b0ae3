"""Which values a field may have beyond its type. One table, by field name: a name means the same in every record.

Every string is bounded and every float is finite even where the table names no limit.
`breaches` lists what is wrong with a record's fields; the codec and the JSON reader both ask it.
"""

import math
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from schemas.errors import Reason
from schemas.shapes import alternatives, field_types, is_nullable, mentions

QuickChecks = tuple[tuple[str, Callable[[Any], bool]], ...]

MAX_TEXT_BYTES: Final = 65_536
YEAR_1900_MS: Final = -2_208_988_800_000
YEAR_2200_MS: Final = 7_258_118_400_000

_LARGEST: Final = sys.float_info.max
_LARGEST_LONG: Final = 2**63 - 1


class Text(msgspec.Struct, frozen=True):
    """A string of `shortest` to `longest` bytes of UTF-8; `nul` says whether it may hold U+0000."""

    shortest: int = 0
    longest: int = MAX_TEXT_BYTES
    nul: bool = True


class Number(msgspec.Struct, frozen=True):
    """A finite number from `least` to `most`, both included."""

    least: float = -_LARGEST
    most: float = _LARGEST
    unit: str = ""


class Instant(msgspec.Struct, frozen=True):
    """Epoch milliseconds in [`since`, `before`)."""

    since: int = 0
    before: int = YEAR_2200_MS


Limit = Text | Number | Instant

NAMED: Final = Text(shortest=1)
AMOUNT: Final = Number(0, _LARGEST_LONG, " in minor units")
COUNT: Final = Number(0, _LARGEST_LONG)
ANY_TEXT: Final = Text()

LIMITS: Final[Mapping[str, Limit]] = {
    # Identity. The account id is also the record's key and part of changelog keys, which use NUL as a mark.
    "event_id": NAMED,
    "account_id": Text(shortest=1, longest=255, nul=False),
    "kind": NAMED,
    "order_id": NAMED,
    "invoice_id": NAMED,
    "ticket_id": NAMED,
    "risk_id": NAMED,
    "opportunity_id": NAMED,
    "stage": NAMED,
    "process": NAMED,
    "model": NAMED,
    "currency": Text(shortest=3, longest=3, nul=False),
    # Time.
    "occurred_at": Instant(),
    "due_at": Instant(),
    "paid_at": Instant(),
    "expires_at": Instant(),
    "since_at": Instant(),
    "last_at": Instant(),
    "act_before": Instant(),
    "effective_at": Instant(),
    "decided_at": Instant(),
    "refused_at": Instant(),
    "returned_at": Instant(),
    "at": Instant(),
    "cooperation_since": Instant(since=YEAR_1900_MS),
    # Amounts and measures.
    "amount_minor": AMOUNT,
    "cost_minor": AMOUNT,
    "annual_budget_minor": AMOUNT,
    "registered_capital_minor": AMOUNT,
    "dwell_seconds": Number(0, _LARGEST, " seconds"),
    "satisfaction": Number(1, 5),
    "score": Number(0, 100, " points"),
    "industry_rank": Number(1, _LARGEST_LONG),
    "staffing": COUNT,
    "renewal_rate": Number(0, 1),
}


PERSONAL: Final = frozenset({"contact_id", "name", "phone", "tax_id", "custom", "requested_by", "approved_by"})
"""Fields about people: what they hold is in no message, which may end in a log. `custom` may be about anything."""


class Breach(msgspec.Struct, frozen=True):
    """One field whose value is outside its limit."""

    reason: Reason
    message: str


def shown(held: object, longest: int = 60) -> str:
    """A value for a message: never longer than a person reads."""
    text = repr(held[:longest] if isinstance(held, str | bytes) else held)
    whole = len(held) <= longest if isinstance(held, str | bytes) else len(text) <= longest
    return text if whole else f"{text[: longest + 2]}..."


def shown_of(name: str, held: object) -> str:
    """A field's value for a message; not shown where the field is about a person."""
    return "a value that is not shown" if name.partition(".")[0].partition(" ")[0] in PERSONAL else shown(held)


def breaches(fields: Mapping[str, object]) -> Iterator[Breach]:
    """Everything that is wrong with a record's fields, by the table and by the rule for every string and float."""
    for name, held in fields.items():
        if isinstance(held, Mapping):
            for key, inner in held.items():
                yield from _breach(f"{name} key", key, ANY_TEXT)
                yield from _breach(f"{name}.{shown(key, 40)}", inner, None)
        elif isinstance(held, list):
            for place, inner in enumerate(held):
                yield from _breach(f"{name}[{place}]", inner, None)
        else:
            yield from _breach(name, held, LIMITS.get(name))


def _breach(place: str, held: object, limit: Limit | None) -> Iterator[Breach]:
    """The breach of one value, if there is one. None is unknown and breaks no limit."""
    if isinstance(held, str):
        fault = _text_fault(held, limit if isinstance(limit, Text) else ANY_TEXT)
        if fault:
            yield Breach(Reason.OUT_OF_RANGE, f"{place} {fault}, got {shown_of(place, held)}")
    elif isinstance(held, float) and not math.isfinite(held):
        yield Breach(Reason.NOT_FINITE, f"{place} must be a finite number, got {held!r}")
    elif isinstance(held, int | float) and not isinstance(held, bool):
        fault = _number_fault(held, limit)
        if fault:
            yield Breach(Reason.OUT_OF_RANGE, f"{place} {fault}, got {shown_of(place, held)}")


def _text_fault(text: str, limit: Text) -> str | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "must be Unicode text without lone surrogates"
    if limit.shortest == limit.longest != size:
        return f"must have exactly {limit.longest} bytes of UTF-8"
    if size < limit.shortest:
        return "must not be empty" if limit.shortest == 1 else f"must have at least {limit.shortest} bytes of UTF-8"
    if size > limit.longest:
        return f"must have at most {limit.longest} bytes of UTF-8"
    if not limit.nul and "\0" in text:
        return "must not hold a NUL character"
    return None


def _number_fault(number: float, limit: Limit | None) -> str | None:
    if isinstance(number, int) and not -_LARGEST_LONG - 1 <= number <= _LARGEST_LONG:
        return "must fit in 64 bits"
    if isinstance(limit, Instant) and not limit.since <= number < limit.before:
        return f"must be epoch milliseconds in [{limit.since}, {limit.before})"
    if isinstance(limit, Number) and not limit.least <= number <= limit.most:
        bounds = f"at least {limit.least:g}" if limit.most >= _LARGEST_LONG else f"from {limit.least:g} to {limit.most:g}"
        return f"must be {bounds}{limit.unit}"
    return None


@cache
def quick_checks(record_type: type[msgspec.Struct]) -> QuickChecks:
    """Cheap tests that only harmless values pass, for records whose payload is no longer than `MAX_TEXT_BYTES`.

    A value that fails may still be legal: `breaches` has the last word. Fields that cannot break a limit have no test.
    """
    found = []
    for name, field_type in field_types(record_type).items():
        test = _quick_check(LIMITS.get(name), field_type)
        if test is not None:
            found.append((name, test))
    return tuple(found)


def _quick_check(limit: Limit | None, field_type: Any) -> Callable[[Any], bool] | None:
    if isinstance(limit, Text):
        return _quick_text(limit, is_nullable(field_type))
    if isinstance(limit, Number | Instant):
        least, most = (limit.least, limit.most) if isinstance(limit, Number) else (limit.since, limit.before - 1)
        return _quick_range(least, most, is_nullable(field_type))
    if float in alternatives(field_type):
        return _quick_range(-_LARGEST, _LARGEST, is_nullable(field_type))
    return operator.not_ if mentions(field_type, float) else None  # an empty list or map holds no such number


def _quick_text(limit: Text, nullable: bool) -> Callable[[Any], bool]:
    shortest, longest, nul = limit.shortest, limit.longest, limit.nul
    if shortest == 1 and longest >= MAX_TEXT_BYTES and nul:
        return bool  # the payload's own length bounds the text
    certain = longest // 4  # a character has at most four bytes
    return lambda held: (
        (nullable and held is None) or (shortest <= len(held) <= (longest if held.isascii() else certain) and (nul or "\0" not in held))
    )


def _quick_range(least: float, most: float, nullable: bool) -> Callable[[Any], bool]:
    if nullable:
        return lambda held: held is None or least <= held <= most
    return lambda held: least <= held <= most
