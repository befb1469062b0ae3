"""Compiled code reads nested records to the same values as the codec, and refuses what that refuses, in the same words."""

import random
from functools import cache
from typing import Any

import pytest

from schemas import avro_reading
from schemas.avro_reading import NestedReader
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.pieces import Pieces
from schemas.records import AccountTiers, HotLead, TierTransition
from tests import publishing

TYPES = (AccountTiers, HotLead, TierTransition)


def examples() -> list[Any]:
    """Records with texts of all lengths, numbers of all sizes, nothing and something."""
    made: list[Any] = []
    for number, owner in enumerate(("kim", None, "锐" * 12, "")):
        for sequence in (1, 2**40, 127, 128):
            names = (f"acct-{number}" * (1 + 3 * number), sequence, "profiles:0:1", owner)
            made += [publishing.tiers(*names), publishing.transition(*names), publishing.lead(*names)]
    return made


@cache
def readers() -> dict[type, NestedReader[Any]]:
    codec = Codec()
    return {kind: NestedReader(kind, codec) for kind in TYPES}


def by_codec(codec: Codec, kind: type, payload: bytes) -> Any:
    try:
        return codec.decode_as(kind, payload)
    except RecordRejected as refused:
        return refused.reason, str(refused)


def read(reader: NestedReader[Any], payloads: list[bytes | None]) -> list[Any]:
    found = reader.read_all(Pieces.of(payloads))
    return [(each.reason, str(each)) if isinstance(each, RecordRejected) else each for each in found]


@pytest.mark.parametrize("kind", TYPES)
def test_a_record_is_read_as_the_codec_reads_it_and_quickly(kind: type) -> None:
    codec, reader = Codec(), readers()[kind]
    records = [record for record in examples() if isinstance(record, kind)]
    payloads = Pieces.of([codec.encode(record) for record in records])
    assert list(reader.quickly(payloads)) == records


@pytest.mark.parametrize("kind", TYPES)
def test_a_spoilt_payload_is_taken_or_refused_as_by_the_codec(kind: type) -> None:
    codec, reader, own = Codec(), readers()[kind], random.Random(7)
    for record in (record for record in examples() if isinstance(record, kind)):
        payload = codec.encode(record)
        spoilt = [payload[: own.randrange(len(payload))] for _ in range(20)] + [payload + b"\0"]
        for _ in range(60):
            changed = bytearray(payload)
            changed[own.randrange(len(payload))] = own.randrange(256)
            spoilt.append(bytes(changed))
        for each in spoilt:
            assert read(reader, [each]) == [by_codec(codec, kind, each)]


def test_many_at_once_are_read_as_each_alone_however_little_room_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    codec, reader = Codec(), readers()[TierTransition]
    good = [codec.encode(record) for record in examples() if isinstance(record, TierTransition)]
    payloads = [each for payload in good for each in (payload, None, payload[:9], b"", payload[:-1] + b"\xff", b"\0\0\0\0\x63")]
    monkeypatch.setattr(avro_reading, "_AT_ONCE_BYTES", 3 * 24 * max(map(len, good)))
    alone = [None if each is None else by_codec(codec, TierTransition, each) for each in payloads]
    assert read(reader, payloads) == alone
