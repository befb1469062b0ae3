"""Laws of a log in a file: what is written comes back, any Avro reader opens it, and no bytes do harm."""

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.log_files import MAGIC, NOWHERE, SCHEMA, LogFileError, LoggedRecord, read_log, write_log
from schemas.topics import INPUTS
from tests.house.tree import ROOT

LONG = st.integers(0, 2**62 - 1)
RECORDS = st.lists(
    st.builds(
        LoggedRecord, st.sampled_from(list(INPUTS)), st.integers(0, 2**31 - 1), st.just(NOWHERE) | LONG, LONG,
        st.none() | st.binary(max_size=30), st.binary(max_size=200),
    ),
    max_size=30,
)  # fmt: skip
TWO = [LoggedRecord("interactions", 3, 41, 1_700_000_000_000, b"acme", b"\0abc"), LoggedRecord("ticks", 3, NOWHERE, 5, None, b"\0t")]


def written(records: list[LoggedRecord]) -> bytes:
    file = io.BytesIO()
    write_log(file, records)
    return file.getvalue()


def read(file: bytes) -> list[LoggedRecord]:
    found = []
    for block in read_log(io.BytesIO(file)):
        topics = [block.topics[number] for number in block.topic.tolist()]
        columns = block.partition.tolist(), block.offset.tolist(), block.appended_at_ms.tolist(), block.keys, block.payloads
        found += [LoggedRecord(*each) for each in zip(topics, *columns, strict=True)]  # type: ignore[arg-type]
    return found


@settings(max_examples=200)
@given(RECORDS)
def test_what_was_written_comes_back(records: list[LoggedRecord]) -> None:
    assert read(written(records)) == records


def test_many_blocks_come_back_in_order() -> None:
    records = [LoggedRecord("orders", number % 4, number, number, b"a" * 20, bytes(300)) for number in range(20_000)]
    file = written(records)
    assert len(list(read_log(io.BytesIO(file)))) > 2
    assert read(file) == records


def test_any_avro_reader_opens_it() -> None:
    file = written(TWO)
    assert file.startswith(MAGIC)
    first, second = fastavro.reader(io.BytesIO(file))
    assert (first["topic"], first["offset"], first["key"], first["payload"]) == ("interactions", 41, b"acme", b"\0abc")  # type: ignore[index,call-overload]
    assert (second["topic"], second["offset"], second["key"]) == ("ticks", None, None)  # type: ignore[index,call-overload]


def test_a_file_that_was_cut_is_refused_at_every_length() -> None:
    file = written(TWO)
    begin = next(iter(fastavro.block_reader(io.BytesIO(file)))).offset
    for length in range(len(file)):
        if length == begin:  # a header alone is a log of nothing
            assert read(file[:length]) == []
            continue
        with pytest.raises(LogFileError):
            read(file[:length])


@settings(max_examples=60)
@given(RECORDS.filter(len), st.integers(0, 2**32))
def test_changed_bytes_are_read_or_refused_and_never_read_past_the_end(records: list[LoggedRecord], seed: int) -> None:
    chance, file = random.Random(seed), bytearray(written(records))
    for _ in range(chance.randrange(1, 4)):
        file[chance.randrange(len(file))] = chance.randrange(256)
    try:
        found = read(bytes(file))
    except LogFileError:
        return
    assert sum(len(each.key or b"") + len(each.payload) for each in found) <= len(file)


@pytest.mark.parametrize("claimed", [10**3, 10**11, 2**60, 2**62])
@pytest.mark.parametrize("what", ["records", "bytes"])
def test_a_block_that_claims_more_than_any_file_has_is_refused(claimed: int, what: str, tmp_path: Path) -> None:
    content = written(TWO)
    begin = next(iter(fastavro.block_reader(io.BytesIO(content)))).offset + (what == "bytes")  # each claim is one byte long
    file = tmp_path / "log.avro"
    file.write_bytes(content[:begin] + varint(2 * claimed) + content[begin + 1 :])
    with file.open("rb") as opened, pytest.raises(LogFileError):
        list(read_log(opened))


def varint(number: int) -> bytes:
    return bytes([number & 0x7F]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def test_a_compressed_log_is_read_and_refused_where_it_is_damaged() -> None:
    into = io.BytesIO()
    records = [
        each._asdict() | {"appended_at": each.appended_at_ms, "offset": None if each.offset == NOWHERE else each.offset} for each in TWO
    ]
    fastavro.writer(into, dict(SCHEMA), records, codec="deflate")
    content = into.getvalue()
    assert read(content) == TWO
    begin = next(iter(fastavro.block_reader(io.BytesIO(content)))).offset + 2
    with pytest.raises(LogFileError):
        read(content[:begin] + b"\xff\xff" + content[begin + 2 :])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "cannot read header"),
        (b"{}\n", "cannot read header"),
        (b"other schema", "tierstream.LoggedRecord"),
        (b"other topic", "record 1"),
    ],
    ids=["empty", "JSON", "other schema", "other topic"],
)
def test_another_file_is_refused_by_what_it_is(file: bytes, said: str) -> None:
    if file == b"other schema":
        into = io.BytesIO()
        fastavro.writer(into, {"type": "record", "name": "Other", "fields": []}, [{}])
        file = into.getvalue()
    elif file == b"other topic":
        file = written([TWO[0], TWO[1]._replace(topic="tier-transitions")])
    with pytest.raises(LogFileError, match=said):
        read(file)


@pytest.mark.parametrize("way", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_the_same_laws_hold_uncompiled_and_with_bounds_checked(way: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", "not uncompiled"],
        cwd=ROOT, env=os.environ | {way: "1"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
