"""Input of any kind, made from sound input: payloads, keys, lines of JSON and of CSV, mutated and random, the same for the same seed.

`raw_batch` makes records as they lie in an input; `json_line` and `csv_lines` make what files hold.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Literal, get_origin

import msgspec

from agents.json_lines import line_of
from agents.order_lines import OPTIONAL, REQUIRED
from schemas import catalogue
from schemas.codec import Codec
from schemas.limits import YEAR_2200_MS
from schemas.records import Event, PolicyActivated, Tick
from schemas.shapes import field_types
from schemas.topics import TOPICS
from streams.batches import RecordBatch
from streams.intake import RawRecord
from streams.partitioning import partition_for
from tests import builders as make
from tests.builders import DAY, MINUTE, NOON

CODEC = Codec()
PARTITION, PARTITIONS = 1, 4
_NAMES = ["acme", "户-7", "a" * 255, "x y", *(f"acct-{number}" for number in range(400))]
HERE = [name for name in _NAMES if partition_for(name.encode(), PARTITIONS) == PARTITION]
ELSEWHERE = [name for name in _NAMES if name not in HERE]
KINDS = ("VISIT", "DOWNLOAD", "PRICE_INQUIRY", "EVENT_CHECKIN", "EMAIL_OPEN", "下载", "NEVER PRICED")
ODD: dict[type, tuple[Any, ...]] = {
    str: ("", "\0", "a" * 70_000, "\U0001f4c4", "XXX", "EUR", "-"),
    int: (-1, 0, 1, 2**63 - 1, -(2**63), YEAR_2200_MS - 1, NOON + 400 * DAY, NOON - 400 * DAY),
    float: (float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 1e308, 5e-324, 100.00001),
}


def _common(chance: Random, at_ms: int) -> dict[str, Any]:
    account = chance.choice(ELSEWHERE if chance.random() < 0.02 else HERE)
    return {
        "account_id": account,
        "at": at_ms - chance.choice((0, 0, 0, MINUTE, DAY, 40 * DAY)),
        "event_id": f"e-{chance.randrange(10**9)}",
    }


SOUND: dict[str, Callable[[Random, dict[str, Any]], Event]] = {
    "interactions": lambda chance, common: make.interaction(
        kind=chance.choice(KINDS),
        actor=chance.choice(("CUSTOMER", "OWNER", "SYSTEM")),
        contact_id=chance.choice((None, "lin@example.org", "联系人")),
        dwell_seconds=chance.choice((None, 0.0, 30.5, 1e6)),
        **common,
    ),
    "orders": lambda chance, common: make.order(
        status=chance.choice(("PLACED", "PAID", "REFUNDED", "CANCELLED")),
        amount_minor=chance.randrange(10**7),
        order_id=f"o-{chance.randrange(500)}",
        currency=chance.choice(("CNY", "CNY", "CNY", "USD", "XXX")),
        **common,
    ),
    "invoices": lambda chance, common: make.invoice(status=chance.choice(("ISSUED", "PAID", "OVERDUE")), **common),
    "tickets": lambda chance, common: make.ticket(satisfaction=chance.choice((None, 1, 5)), **common),
    "risks": lambda chance, common: make.risk(
        risk_id=f"r-{chance.randrange(3)}",
        kind=chance.choice(("LAWSUIT", "TAX_ARREARS")),
        status=chance.choice(("RAISED", "WITHDRAWN")),
        **common,
    ),
    "profiles": lambda chance, common: make.profile(
        industry=chance.choice((None, "manufacturing", "finance")), size=chance.choice((None, "large", "small")), **common
    ),
    "opportunities": lambda _chance, common: make.stage_change(**common),
    "predictions": lambda chance, common: make.prediction(score=chance.random() * 100, **common),
    "commands": lambda _chance, common: make.command(**common),
}


def sound(topic: str, chance: Random, at_ms: int) -> Event | PolicyActivated | Tick:
    """A record that its topic takes."""
    if topic == "policies":
        return make.policy_activated(at=at_ms, text=chance.choice(("", "policy: small", "{")))
    return make.tick(at_ms) if topic == "ticks" else SOUND[topic](chance, _common(chance, at_ms))


def mutant(payload: bytes, chance: Random) -> bytes:
    """The payload with one to three bytes changed, put in, taken out, repeated or set to a telling value."""
    changed = bytearray(payload)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(changed)) if changed else 0
        end = min(len(changed), place + chance.randint(1, 6))
        telling = bytes(chance.choice((0, 1, 2, 127, 128, 255)) for _ in range(chance.randint(1, 9)))
        match chance.randrange(5):
            case 0:
                changed[place:end] = chance.randbytes(end - place)
            case 1:
                changed[place:place] = telling
            case 2:
                del changed[place:end]
            case 3:
                changed.extend(changed[place:end])
            case 4:
                changed[place : place + len(telling)] = telling
    return bytes(changed)


def odd(record: Event | PolicyActivated | Tick, chance: Random) -> Event | PolicyActivated | Tick:
    """The record with one field at the edge of its type or beyond what is allowed."""
    fields = msgspec.structs.asdict(record)
    symbols = {name for name, kind in field_types(type(record)).items() if get_origin(kind) is Literal}  # no Avro writer takes another one
    name = chance.choice([name for name, held in fields.items() if type(held) in ODD and name not in symbols])
    return msgspec.structs.replace(record, **{name: chance.choice(ODD[type(fields[name])])})


def payload_of(topic: str, record: Event | PolicyActivated | Tick, topics: Sequence[str], chance: Random) -> bytes | None:
    """A record's payload, spoilt in some way more often than not."""
    draw = chance.random()
    if draw < 0.25:
        return CODEC.encode(record)
    if draw < 0.70:
        return mutant(CODEC.encode(record), chance)
    if draw < 0.80:
        return CODEC.encode(odd(record, chance))
    if draw < 0.90:
        return _frame(topic) + chance.randbytes(chance.randrange(60))
    if draw < 0.94:
        return chance.randbytes(chance.randrange(60))
    if draw < 0.96:
        return chance.choice((None, b""))
    if draw < 0.98:
        return b"\0" + chance.randbytes(4) + CODEC.encode(record)[5:]
    return CODEC.encode(sound(chance.choice(topics), chance, NOON))


def _frame(topic: str) -> bytes:
    record = TOPICS[topic].record
    assert record is not None
    return b"\0" + catalogue.shipped().followed(record.__name__).id.to_bytes(4, "big")


def key_of(record: Event | PolicyActivated | Tick, chance: Random) -> bytes | None:
    """The record's key, wrong now and then."""
    if not isinstance(record, Event):
        return None
    right = record.account_id.encode()
    return right if chance.random() < 0.96 else chance.choice((None, b"\xff\xfe" + right, b"not-" + right, b""))


def raw_batch(topics: Sequence[str], size: int, chance: Random, offset: int = 0) -> RecordBatch:
    """Records of one partition, from this offset on, a second apart."""
    raws = []
    for number in range(offset, offset + size):
        topic, at_ms = chance.choice(topics), NOON + number * 1_000
        record = sound(topic, chance, at_ms)
        raws.append(RawRecord(topic, PARTITION, number, at_ms, key_of(record, chance), payload_of(topic, record, topics, chance)))
    return RecordBatch.of(raws)


_TELLING = (
    b"null",
    b"{}",
    b"[]",
    b"1e999",
    b"-1",
    b'""',
    b"\xff",
    b"\\u0000",
    b"\\ud800",
    b"9" * 30,
    b"{" * 40,
    b"1969-01-01T00:00:00Z",
    b"true",
)


def json_line(topics: Sequence[str], chance: Random) -> bytes:
    """A line of a file of records, spoilt more often than not."""
    topic = chance.choice(topics)
    line = line_of(topic, sound(topic, chance, NOON)).encode()
    draw = chance.random()
    if draw < 0.2:
        return line
    if draw < 0.6:
        place = chance.randrange(len(line))
        return line[:place] + chance.choice(_TELLING) + line[place + chance.randrange(12) :]
    if draw < 0.9:
        return mutant(line, chance)
    return chance.randbytes(chance.randrange(80)).replace(b"\n", b" ")


_CELLS = (
    "",
    "acme",
    "户",
    "2024-01-10",
    "2024-13-01",
    "0001-01-01",
    "9999-12-31",
    "1e5",
    "12.50",
    "-3",
    "12.345",
    "١٢",
    "PAID",
    "CNY",
    "\0",
    "x" * 300,
)


def csv_lines(count: int, chance: Random) -> bytes:
    """A file of orders with a sound header, its lines spoilt more often than not."""
    names = (*REQUIRED, *OPTIONAL)
    lines = [",".join(names).encode()]
    for number in range(count):
        cells = ["acme", "2024-01-10T08:00:00Z", "12.50", f"o-{number}", "PAID", "CNY", "3", "hardware", "spring"]
        draw = chance.random()
        if draw > 0.3:
            cells[chance.randrange(len(cells))] = chance.choice(_CELLS)
        line = ",".join(cells).encode()
        lines.append(mutant(line, chance) if draw > 0.6 else line)
    return b"\n".join(lines) + b"\n"
