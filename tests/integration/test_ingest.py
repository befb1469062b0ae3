"""`ingest` on a real broker: every good line exactly once, however it was interrupted; every refused line reported."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import TopicPartition

from agents import clients
from agents.embedded.broker import Broker
from agents.generating.lives import Lives
from agents.generating.working_hours import steady
from agents.ingesting import digest_of, progress_of
from agents.json_lines import line_of
from agents.reading import committed_records
from schemas.codec import Codec
from schemas.records import Event, Tick
from schemas.topics import INPUTS
from streams.partitioning import partition_for
from tests.builders import DAY, NOON, interaction, tick
from tests.integration.commands import Commands
from tests.waiting import eventually

SECOND_COMMIT = 4  # a progress record and its transaction marker, twice


@pytest.fixture
def commands(kafka: Broker, prefix: str) -> Commands:
    return Commands(kafka.bootstrap, prefix).with_topics()


def written(path: Path, lines: list[str]) -> str:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def history(count: int) -> list[str]:
    lives = Lives(Random(9), 200, start_at_ms=NOON, pace=86_400)
    return [line_of(*happening) for happening in [*lives.births(), *lives.stream(steady(NOON, count / 60, 60))]]


def in_kafka(commands: Commands) -> Counter[str]:
    """Event ids on all input topics."""
    codec = Codec()
    events = (codec.decode(raw.topic, raw.payload) for topic in INPUTS for raw in committed_records(commands.settings, topic))
    return Counter(event.event_id for event in events if isinstance(event, Event))


def test_a_killed_ingest_is_repeated_and_every_record_is_there_once(commands: Commands, tmp_path: Path) -> None:
    lines = history(60_000)
    file = written(tmp_path / "history.jsonl", lines)
    digest, codec = digest_of(Path(file)), Codec()

    progress = TopicPartition(commands.settings.topic_name("ingest-progress"), 0)
    reader = clients.reading_consumer(commands.settings)
    killed = commands.start("ingest", file)
    eventually(lambda: reader.get_watermark_offsets(progress, 5.0)[1] >= SECOND_COMMIT, what="the second commit")
    killed.kill()
    reader.close()
    killed.wait()
    done = progress_of(commands.settings, codec, digest)
    assert 0 < done.lines_done < len(lines), "it was killed in the middle"

    answer = commands.json("ingest", file)
    assert answer["resumed_after"] >= done.lines_done
    assert (answer["accepted"], answer["refused"]) == (len(lines), 0)
    found = in_kafka(commands)
    assert len(found) == len(lines)
    assert set(found.values()) == {1}


def test_a_file_ingested_again_under_another_name_adds_nothing(commands: Commands, tmp_path: Path) -> None:
    lines = history(500)
    commands.json("ingest", written(tmp_path / "one.jsonl", lines))
    again = commands.json("ingest", written(tmp_path / "two.jsonl", lines))
    assert again["resumed_after"] == again["lines"] == len(lines)
    assert in_kafka(commands).total() == len(lines)


def test_refused_lines_are_reported_by_number_each_time_and_the_others_go_in(commands: Commands, tmp_path: Path) -> None:
    good = [line_of("interactions", interaction(f"acct-{number}")) for number in range(3)]
    file = written(tmp_path / "mixed.jsonl", [good[0], "nonsense", good[1], "", '{"topic": "visits", "value": {}}', good[2]])
    for _ in range(2):
        answer = commands.json("ingest", file, exit_code=1)
        assert [(line["line"], line["reason"]) for line in answer["refused_lines"]] == [(2, "UNDECODABLE"), (5, "WRONG_RECORD")]
        assert (answer["lines"], answer["accepted"], answer["refused"]) == (6, 3, 2)
    assert in_kafka(commands).total() == 3


def test_records_lie_where_their_keys_belong(commands: Commands, tmp_path: Path) -> None:
    commands.json("ingest", written(tmp_path / "history.jsonl", history(500)))
    records = [raw for topic in INPUTS for raw in committed_records(commands.settings, topic)]
    assert {raw.partition for raw in records} == set(range(4))
    assert all(raw.key is not None and raw.partition == partition_for(raw.key, 4) for raw in records)


def test_a_tick_reaches_every_partition_after_everything_before_it_and_before_everything_after(commands: Commands, tmp_path: Path) -> None:
    before = [line_of("interactions", interaction(f"acct-{number}")) for number in range(50)]
    after = [line_of("orders", _order(number)) for number in range(50)]
    commands.json("ingest", written(tmp_path / "ticks.jsonl", [*before, line_of("ticks", tick(NOON + DAY)), *after]))
    ticks = list(committed_records(commands.settings, "ticks"))
    assert sorted(raw.partition for raw in ticks) == [0, 1, 2, 3]
    assert {Codec().decode_as(Tick, raw.payload).at for raw in ticks} == {NOON + DAY}
    earlier = [raw.appended_at_ms for raw in committed_records(commands.settings, "interactions")]
    later = [raw.appended_at_ms for raw in committed_records(commands.settings, "orders")]
    assert max(earlier) <= min(raw.appended_at_ms for raw in ticks)
    assert max(raw.appended_at_ms for raw in ticks) < min(later)


def _order(number: int) -> Event:
    from tests.builders import order

    return order(f"acct-{number}", order_id=f"o-{number}")
