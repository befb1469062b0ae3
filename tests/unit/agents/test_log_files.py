"""Laws of a log in a file: lines or container, in blocks or one by one, it says the same; what is refused is named by its place."""

import io
import os
from collections.abc import Sequence
from typing import BinaryIO, cast

import pytest

from agents import log_files
from agents.json_lines import line_of, placed_line_of
from agents.log_files import Refusal, replayed
from schemas.codec import Codec
from schemas.errors import Reason, SettingsError
from schemas.log_files import NOWHERE, LoggedRecord, write_log
from schemas.records import Event, Tick
from streams.account import Output
from streams.intake import RawRecord
from streams.replay import FileReplay, LoggedEvent
from tests.builders import DAY, NOON, interaction, prediction
from tests.folding import shipped
from tests.properties.test_forward_laws import busy_log, placed

CODEC = Codec()
POLICY = shipped("sabc-live")
TICK = LoggedRecord("ticks", 0, NOWHERE, NOON + 400 * DAY, None, CODEC.encode(Tick(at=NOON + 400 * DAY)))


def opened(content: bytes) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(io.BytesIO(content)))  # type: ignore[arg-type]


def said(content: bytes) -> list[Output | Refusal]:
    return list(replayed(opened(content), FileReplay("test", POLICY)))


def container(records: Sequence[LoggedRecord]) -> bytes:
    file = io.BytesIO()
    write_log(file, records)
    return file.getvalue()


def lines(records: Sequence[LoggedRecord]) -> bytes:
    text = []
    for each in records:
        record = CODEC.decode(each.topic, each.payload)
        at = RawRecord(each.topic, each.partition, each.offset, each.appended_at_ms, each.key, each.payload)
        text.append(line_of(each.topic, record) if isinstance(record, Tick) else placed_line_of(at, record))
    return "".join(f"{line}\n" for line in text).encode()


def logged(number: int = 3, events: int = 1_500) -> list[LoggedRecord]:
    """A busy log of one partition, and a tick at its end that moves many."""
    raws = placed(busy_log(number, events, 40))
    return [*(LoggedRecord(r.topic, 0, r.offset, r.appended_at_ms, r.key, r.payload or b"") for r in raws), TICK]


def one_by_one(records: Sequence[LoggedRecord]) -> list[Output]:
    replay, outputs = FileReplay("test", POLICY), list[Output]()
    for each in records:
        found = replay.fold(
            LoggedEvent(each.topic, CODEC.decode(each.topic, each.payload), each.partition, each.offset, each.appended_at_ms)
        )
        assert isinstance(found, list)
        outputs += found
    return outputs


def test_lines_and_container_in_blocks_or_one_by_one_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    records = logged()
    expected = one_by_one(records)
    assert len(expected) > 100
    assert said(container(records)) == expected
    assert said(lines(records)) == expected
    monkeypatch.setattr(log_files, "BLOCK_LINES", 17)
    assert said(lines(records)) == expected


def test_a_pipe_says_what_a_file_says() -> None:
    records = logged(events=50)
    for content in (container(records), lines(records)):
        out, into = os.pipe()
        os.write(into, content)
        os.close(into)
        with open(out, "rb") as pipe:
            assert list(replayed(pipe, FileReplay("test", POLICY))) == said(content)


def test_what_partitions_say_keeps_the_order_of_the_file() -> None:
    records = [each._replace(partition=each.offset % 3) if each.offset != NOWHERE else each for each in logged()]
    assert said(lines(records)) == one_by_one(records)


def test_a_refused_line_is_told_by_its_number_where_it_stands_and_the_replay_goes_on() -> None:
    good = [line_of("predictions", prediction(score=score, at=NOON + at)) for at, score in enumerate((10.0, 90.0))]
    text = "\n".join([good[0], "junk", "", '{"topic":"risks"}', good[1]])
    refused = [each for each in said(text.encode()) if isinstance(each, Refusal)]
    assert [(each.place, each.rejection.reason) for each in refused] == [("2", Reason.UNDECODABLE), ("4", Reason.UNDECODABLE)]
    assert [each for each in said(text.encode()) if isinstance(each, Output)] == said("\n".join(good).encode())


def test_a_refused_record_of_a_container_is_told_by_where_it_lay() -> None:
    def record(offset: int, event: Event, appended_at_ms: int = NOON) -> LoggedRecord:
        return LoggedRecord("interactions", 2, offset, appended_at_ms, event.account_id.encode(), CODEC.encode(event))

    many = [record(100 + number, interaction(event_id=f"e{number}")) for number in range(40)]
    poison = [record(7, interaction(event_id="early"), appended_at_ms=0), many[0]._replace(offset=8, payload=b"\0junk!")]
    refused = [each for each in said(container([*many[:20], *poison, *many[20:]])) if isinstance(each, Refusal)]
    assert [(each.place, each.rejection.reason) for each in refused] == [
        ("interactions:2:7", Reason.TOO_FAR_AHEAD), ("interactions:2:8", Reason.UNKNOWN_SCHEMA),
    ]  # fmt: skip


def test_a_container_that_was_cut_ends_the_replay_with_a_sentence() -> None:
    with pytest.raises(SettingsError, match="log file must be an Avro object container"):
        said(container(logged())[:-9])


def test_reading_is_told_in_bytes() -> None:
    content = lines(logged(events=50))
    for whole in (content, container(logged(events=50))):
        read = list[int]()
        list(replayed(opened(whole), FileReplay("test", POLICY), read.append))
        assert sum(read) == len(whole)
