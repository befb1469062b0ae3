"""Real orders on a real broker: CDNOW through `ingest orders`, two workers under `clock: records`, against the oracle; and out again."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from agents import clients
from agents.embedded.broker import Broker
from agents.ingesting import digest_of, progress_of
from agents.reading import committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.json_values import to_json
from schemas.records import Order, Tick, TierTransition
from tests.integration.commands import Commands
from tests.oracle.orders_rfm import DAY, Change, changes
from tests.oracle.sales import FIGURES, History, history
from tests.waiting import eventually
from tests.workers import Worker, deployment

PARTITIONS = 4
MANY_COMMITS = 40  # a progress record and its transaction marker, twenty times
Tell = Callable[[str], None]
WHEN_NOT_WHAT = ("decided_at", "lag_ms")


@pytest.fixture
def commands(kafka: Broker, prefix: str) -> Commands:
    return Commands(kafka.bootstrap, prefix, PARTITIONS).with_topics()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says something to who runs the tests, whatever pytest captures."""

    def said(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return said


def told(tell: Tell, sold: History) -> History:
    """Says so where the orders are invented."""
    if not sold.real:
        tell("no CDNOW file: orders of its shape were invented")
    return sold


def orders_in(settings: Settings) -> list[Order]:
    return [Codec().decode_as(Order, raw.payload) for raw in committed_records(settings, "orders")]


def ticks_in(settings: Settings, partition: int) -> list[int]:
    return [Codec().decode_as(Tick, raw.payload).at for raw in committed_records(settings, "ticks", partitions=[partition])]


def transitions_in(settings: Settings) -> list[TierTransition]:
    return [Codec().decode_as(TierTransition, raw.payload) for raw in committed_records(settings, "tier-transitions")]


def as_changes(transitions: list[TierTransition]) -> dict[str, list[Change]]:
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for said in transitions:
        found[said.account_id].append(
            Change(
                said.account_id, said.sequence, str(said.from_tier), said.to_tier, said.effective_at, said.score_after_micro or 0,
                by_order=said.cause.kind == "ORDER", since=said.cause.occurred_at,
            )
        )  # fmt: skip
    return found


# -- in ------------------------------------------------------------------------------------------------------------------


def test_a_killed_import_is_repeated_and_every_order_is_there_once(commands: Commands, tmp_path: Path, tell: Tell) -> None:
    sold = told(tell, history(tmp_path, 2_000))
    progress = TopicPartition(commands.settings.topic_name("ingest-progress"), 0)
    reader = clients.reading_consumer(commands.settings)
    killed = commands.start("ingest", "orders", str(sold.path), *FIGURES)
    eventually(lambda: reader.get_watermark_offsets(progress, 5.0)[1] >= MANY_COMMITS, 60, "twenty commits")
    killed.kill()
    reader.close()
    killed.wait()
    done = progress_of(commands.settings, Codec(), digest_of(sold.path))
    assert 0 < done.accepted < len(sold.sales), "it was killed in the middle"

    answer = commands.json("ingest", "orders", str(sold.path), *FIGURES)
    assert answer["resumed_after"] >= done.accepted
    assert (answer["lines"], answer["accepted"], answer["refused"]) == (len(sold.sales) + 1, len(sold.sales), 0)
    again = commands.json("ingest", "orders", str(sold.path), *FIGURES)
    assert again["resumed_after"] == len(sold.sales)
    arrived = orders_in(commands.settings)
    assert Counter((order.account_id, order.occurred_at, order.amount_minor) for order in arrived) == Counter(sold.sales)
    assert len({order.event_id for order in arrived}) == len({order.order_id for order in arrived}) == len(arrived)


def test_days_pass_between_the_orders_in_every_partition(commands: Commands, tmp_path: Path, tell: Tell) -> None:
    sold = told(tell, history(tmp_path, 300))
    commands.json("ingest", "orders", str(sold.path), *FIGURES)
    days = sorted({sale.at for sale in sold.sales})
    ends = [*(day - 1 for day in days[1:]), days[-1] + DAY - 1]
    assert [ticks_in(commands.settings, partition) for partition in range(PARTITIONS)] == [ends] * PARTITIONS
    for partition in range(PARTITIONS):
        ticks = [
            (raw.appended_at_ms, 1, Codec().decode_as(Tick, raw.payload).at)
            for raw in committed_records(commands.settings, "ticks", partitions=[partition])
        ]
        sales = [
            (raw.appended_at_ms, 0, Codec().decode_as(Order, raw.payload).occurred_at)
            for raw in committed_records(commands.settings, "orders", partitions=[partition])
        ]
        assert all(earlier[2] <= later[2] for earlier, later in pairwise(sorted([*ticks, *sales]))), "time never goes back"


def test_another_reading_of_a_file_that_is_in_is_refused(commands: Commands, tmp_path: Path) -> None:
    sold = history(tmp_path, 100)
    commands.json("ingest", "orders", str(sold.path), *FIGURES)
    before = len(orders_in(commands.settings))
    refused = commands.run("ingest", "orders", str(sold.path), *FIGURES, "--status", "PLACED")
    assert refused.returncode == 2
    assert "repeat it with the same options" in refused.stderr
    assert len(orders_in(commands.settings)) == before


# -- through, against the oracle, and out again --------------------------------------------------------------------------


def test_two_workers_grade_real_orders_as_the_oracle_does_and_the_export_says_it_again(
    kafka: Broker, prefix: str, tmp_path: Path, tell: Tell
) -> None:
    """A slice of them; all of them go through kills in `faults/test_history.py`."""
    sold = told(tell, history(tmp_path, 400))
    expected = {account: its for account, its in changes(sold.sales, sold.ends).items() if its}
    settings = deployment(kafka.bootstrap, prefix, partitions=PARTITIONS, policy="orders-rfm", clock="records")
    commands = Commands(kafka.bootstrap, prefix, PARTITIONS)
    with Worker(settings, tmp_path / "one.log") as one, Worker(settings, tmp_path / "two.log") as two:
        one.await_lanes(PARTITIONS // 2)
        two.await_lanes(PARTITIONS // 2)
        began_at = time.monotonic()
        commands.json("ingest", "orders", str(sold.path), *FIGURES)
        records = len(sold.sales) + PARTITIONS * len({sale.at for sale in sold.sales})
        eventually(lambda: sum(worker.metric("tierstream_events_total") for worker in (one, two)) == records, 1_500, "every record folded")
        took_s = time.monotonic() - began_at
        tell(f"{len(sold.sales):,} orders from file to transitions in {took_s:.1f} s, {len(sold.sales) / took_s:,.0f}/s")
        assert [one.stop(), two.stop()] == [0, 0]

    published = transitions_in(settings)
    assert as_changes(published) == expected
    assert {said.mode for said in published} == {"BACKFILL"}
    assert not list(committed_records(settings, "dead-letters"))

    assert commands.json("replay", "--policy", "orders-rfm", "--live")["transitions"] == len(published)
    file = tmp_path / "log.jsonl"
    exported = commands.json("export", "--out", str(file))
    assert exported["written"] == {"orders": len(sold.sales), "ticks": records - len(sold.sales)}
    replayed = commands.run("replay", "--policy", "orders-rfm", "--mode", "BACKFILL", str(file), timeout_s=900)
    assert replayed.returncode == 0, replayed.stderr
    again = [line["value"] for line in map(json.loads, replayed.stdout.splitlines()) if line["topic"] == "tier-transitions"]
    assert by_chain(again) == by_chain([to_json(said) for said in published])


def by_chain(values: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Everything but when it was decided."""
    return {
        (value["account_id"], value["sequence"]): {name: held for name, held in value.items() if name not in WHEN_NOT_WHAT}
        for value in values
    }
