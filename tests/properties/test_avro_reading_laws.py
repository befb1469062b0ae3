"""Compiled code reads nested records to the same values as the codec, and refuses what that refuses, in the same words."""

import random
from functools import cache
from typing import Any

import pytest

from schemas.avro_reading import NestedReader
from schemas.codec import Codec
from schemas.errors import RecordRejected
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


def outcome(read: Any, payload: bytes) -> Any:
    try:
        return read(payload)
    except RecordRejected as refused:
        return refused.reason, str(refused)


@pytest.mark.parametrize("kind", TYPES)
def test_a_record_is_read_as_the_codec_reads_it_and_quickly(kind: type) -> None:
    codec, reader = Codec(), readers()[kind]
    records = [record for record in examples() if isinstance(record, kind)]
    assert [reader._quickly(codec.encode(record)) for record in records] == records


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
            assert outcome(reader.read, each) == outcome(lambda said: codec.decode_as(kind, said), each)
