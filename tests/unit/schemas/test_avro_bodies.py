"""Compiled code writes the bytes that fastavro writes, or leaves the record to it."""

from io import BytesIO

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue
from schemas.codec import Codec
from schemas.records import AccountProfile, AccountTiers, Action, FoldedRange, FoldOrder, HotLead, Pool, Standing, TierTransition
from schemas.writing_programs import Unknown, program_of
from tests.strategies import event

CODEC = Codec()
WRITTEN = (TierTransition, AccountTiers, Action, HotLead, FoldOrder)

EDGES = [edge + by for bits in (0, 5, 6, 7, 8, 13, 14, 15, 16, 31, 32, 33, 62) for edge in (2**bits, -(2**bits)) for by in (-1, 0, 1)]
LONGS = [*EDGES, 2**63 - 1, -(2**63)]


def by_fastavro(record: msgspec.Struct) -> bytes:
    followed, body = catalogue.shipped().followed(type(record).__name__), BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(dict(followed.definition)), msgspec.to_builtins(record))
    return b"\0" + followed.id.to_bytes(4, "big") + body.getvalue()


def standings(*scores: int, tier: str = "A") -> AccountTiers:
    return AccountTiers(
        account_id="acme", generation="profiles:0:0", application="test", policy="p", policy_version="1", policy_digest="d", decided_at=0,
        mode="LIVE", revision=1, effective_at=0, pool=Pool(since_at=1, reason="quiet", previous_owner_id=None),
        standings=[
            Standing(scheme="s", tier=tier, earned_tier=tier, sequence=1, effective_at=score, score_micro=score) for score in scores
        ],
    )  # fmt: skip


@settings(max_examples=80)
@given(st.one_of([event(record_type) for record_type in WRITTEN]))
def test_what_is_written_is_what_fastavro_writes(record: msgspec.Struct) -> None:
    assert CODEC._writer(type(record)).body(record) is not None
    assert CODEC.encode(record) == by_fastavro(record)


def test_every_size_of_number_text_and_array_is_written_so() -> None:
    records = [standings(*LONGS), *(standings(*range(size)) for size in (0, 1, 15, 16, 17, 300))]
    records += [standings(1, tier="é" * size) for size in (0, 1, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 40_000)]
    for record in records:
        assert CODEC._writer(AccountTiers).body(record) is not None
        assert CODEC.encode(record) == by_fastavro(record)


@settings(max_examples=20)
@given(st.lists(st.one_of([event(record_type) for record_type in (*WRITTEN, AccountProfile)]), max_size=8))
def test_what_is_written_together_is_what_is_written_one_by_one(records: list[msgspec.Struct]) -> None:
    assert CODEC.encode_all(records) == [CODEC.encode(record) for record in records]


def test_a_value_that_does_not_fit_leaves_its_neighbours_alone() -> None:
    records = [standings(1), standings(2**64 - 1), standings(2)]
    first, refused, last = CODEC._writer(AccountTiers).bodies(records)
    assert refused is None
    assert [first, last] == [CODEC.encode(record)[5:] for record in (standings(1), standings(2))]


def test_what_no_program_knows_is_left_to_fastavro() -> None:
    profile = AccountProfile(event_id="e", account_id="a", occurred_at=0, custom={"fit": 0.5, "name": "x"})
    with pytest.raises(Unknown):
        program_of(catalogue.shipped().followed("AccountProfile").definition, AccountProfile)
    assert CODEC.encode(profile) == by_fastavro(profile)


def test_a_value_that_does_not_fit_is_refused_in_fastavros_words() -> None:
    ranges = [FoldedRange(topic="orders", from_offset=0, to_offset=2**63)]
    order = FoldOrder(partition=0, ranges=ranges, tick=None, quarantined=[], mode="LIVE", policy_digest="d")
    assert CODEC._writer(FoldOrder).body(order) is None
    with pytest.raises(OverflowError):
        CODEC.encode(order)
