"""Columns against the codec: what both read is equal, the columns never take what the codec refuses, and no bytes do harm."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue, records
from schemas.codec import Codec
from schemas.interaction_columns import InteractionDecoder
from tests import builders as make
from tests.columns import expected, rows, taken, told
from tests.house.tree import ROOT
from tests.mutations import mutant
from tests.properties.test_codec_laws import CODEC, LATER, PROJECTING, STEP, later_versions
from tests.strategies import event

TODAY = catalogue.shipped()
PROJECTED = catalogue.SchemaCatalogue([*TODAY.all(), *later_versions()], reading={each.record: each.version for each in TODAY.all()})
DECODER, PROJECTING_DECODER = InteractionDecoder(TODAY), InteractionDecoder(PROJECTED)
FRAMES = [b"\0" + (TODAY.followed("Interaction").id + step).to_bytes(4, "big") for step in (0, STEP)]
MUTANTS_OF_ONE = 60

interactions = event(records.Interaction)


def assert_harmless(decoder: InteractionDecoder, codec: Codec, payloads: Sequence[bytes | None]) -> None:
    """What is fit the codec takes too, and says the same of it."""
    for payload, row in zip(payloads, rows(decoder, payloads), strict=True):
        assert row is None or row == taken(codec, payload), payload


@settings(max_examples=200)
@given(st.lists(interactions, max_size=20))
def test_whatever_the_codec_writes_is_fit_and_comes_back(written: list[records.Interaction]) -> None:
    assert rows(DECODER, [CODEC.encode(record) for record in written]) == [expected(record) for record in written]
    assert rows(PROJECTING_DECODER, [LATER.encode(record) for record in written]) == [expected(record) for record in written]


@settings(max_examples=200)
@given(st.lists(interactions, min_size=1, max_size=5), st.integers(0, 2**32))
def test_a_mutated_payload_is_read_as_the_codec_reads_it_or_left_to_it(written: list[records.Interaction], seed: int) -> None:
    """200 lists, and of each 60 mutants of today's payloads and 60 of a later version's: 24,000 in all."""
    chance = random.Random(seed)
    for decoder, codec, writer in ((DECODER, CODEC, CODEC), (PROJECTING_DECODER, PROJECTING, LATER)):
        payloads = [writer.encode(record) for record in written]
        assert_harmless(decoder, codec, [mutant(chance.choice(payloads), chance) for _ in range(MUTANTS_OF_ONE)])


@settings(max_examples=500)
@given(st.lists(st.none() | st.binary(max_size=64), max_size=8))
def test_random_bytes_are_read_as_the_codec_reads_them_or_left_to_it(noise: list[bytes | None]) -> None:
    assert_harmless(DECODER, CODEC, noise)
    for frame in FRAMES:
        assert_harmless(PROJECTING_DECODER, PROJECTING, [frame + (each or b"") for each in noise])


@settings(max_examples=60)
@given(interactions)
def test_a_truncated_payload_is_unfit_at_every_length(record: records.Interaction) -> None:
    payload = CODEC.encode(record)
    assert rows(DECODER, [payload[:length] for length in range(len(payload))]) == [None] * len(payload)


@given(st.lists(interactions | st.binary(max_size=40), max_size=12), st.integers(0, 12))
def test_batch_boundaries_do_not_matter(given_: list[records.Interaction | bytes], cut: int) -> None:
    payloads = [each if isinstance(each, bytes) else CODEC.encode(each) for each in given_]
    whole = rows(DECODER, payloads)
    assert rows(DECODER, payloads[:cut]) + rows(DECODER, payloads[cut:]) == whole
    assert [rows(DECODER, [payload])[0] for payload in payloads] == whole


def corpus(size: int) -> Iterator[bytes]:
    """Payloads and mutants of them, the same ones in every run."""
    chance = random.Random(20_240_110)
    for number in range(size):
        record = make.interaction(
            chance.choice(["acme", "户-7", "a" * 255]),
            chance.choice(["VISIT", "下载"]),
            make.NOON + number,
            event_id=f"e-{number}",
            actor=chance.choice(["CUSTOMER", "OWNER", "SYSTEM"]),
            contact_id=chance.choice([None, "联系人", "lin@example.org"]),
            dwell_seconds=chance.choice([None, 0.0, 1e300, chance.random()]),
            asset=chance.choice([None, "白皮书\U0001f4c4"]),
        )
        payload = CODEC.encode(record)
        yield payload if number % 4 == 0 else mutant(payload, chance)


@pytest.mark.parametrize(
    ("settings_", "size"), [({"NUMBA_BOUNDSCHECK": "1"}, 6_000), ({"NUMBA_DISABLE_JIT": "1"}, 2_000)], ids=["bounds checked", "uncompiled"]
)
def test_the_same_source_run_otherwise_says_the_same(settings_: dict[str, str], size: int, tmp_path: Path) -> None:
    """With every access checked against its array, each payload being a buffer of its own; and as plain Python, warnings being errors."""
    payloads = list(corpus(size))
    lines = tmp_path / "payloads"
    lines.write_text("\n".join(payload.hex() for payload in payloads))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.columns", str(lines)],
        cwd=ROOT,
        env={**os.environ, **settings_, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    here = told(payloads, TODAY)
    assert done.stdout.splitlines() == here
    assert size / 5 < sum(line != "None" for line in here) < size * 4 / 5
