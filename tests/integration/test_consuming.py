"""The programs of docs/consuming.md, run as they stand there against what an engine published on a real Kafka."""

import json
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from agents.reading import committed_records
from tests.house.documents import fences
from tests.shops import EXAMPLES, Shop, opened
from tests.workers import ROOT

PAGE = ROOT / "docs" / "consuming.md"
OUTPUTS = ("tier-transitions", "account-tiers", "hot-leads", "actions", "dead-letters")


@pytest.fixture(scope="module")
def shop(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """For those who only read."""
    return opened(kafka, f"t{uuid.uuid4().hex[:8]}-", tmp_path_factory.mktemp("shop"))


@pytest.fixture
def own_shop(kafka: Broker, prefix: str, tmp_path: Path) -> Shop:
    """For those who forge."""
    return opened(kafka, prefix, tmp_path)


def lines_of(program: subprocess.Popen[str]) -> Iterator[str]:
    """What a program prints, line by line; it is ended with the reading."""
    assert program.stdout is not None
    try:
        for line in program.stdout:
            yield line.strip()
    finally:
        program.kill()
        program.wait()


def until(program: subprocess.Popen[str], last: str) -> list[str]:
    """The lines up to the one that begins so; the program is killed then, with SIGKILL."""
    seen: list[str] = []
    lines = lines_of(program)
    for line in lines:
        seen.append(line)
        if line.startswith(last):
            lines.close()
            return seen
    raise AssertionError(f"no line begins with {last!r}:\n" + "\n".join(seen))


def enrolments(store: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(store) as reading:
        return reading.execute("SELECT account_id, campaign, because FROM enrolment ORDER BY rowid").fetchall()


def test_marketing_acts_once_on_each_live_change_however_often_it_comes(own_shop: Shop, tmp_path: Path) -> None:
    store = tmp_path / "marketing.sqlite"
    own_shop.forge(transition_id="of a replay", sequence=3, mode="REBUILD", to_tier="B")
    first = until(own_shop.program("marketing", str(store)), "acted acme 3")
    assert first == ["acted acme 1 B", "acted acme 2 A", "acted gone 1 B", "acted acme 3 B"]
    acted = [("acme", "up to B", "TRIGGER DOWNLOAD"), ("acme", "up to A", "TRIGGER PRICE_INQUIRY"), ("gone", "up to B", "TRIGGER DOWNLOAD")]
    assert enrolments(store) == acted
    again = until(
        own_shop.program("marketing", str(store), GROUP=f"{own_shop.settings.topic_prefix}another, which begins anew"), "known acme 3"
    )
    assert again == [line.replace("acted", "known") for line in first]
    assert enrolments(store) == acted


def test_marketing_notices_a_transition_that_is_missing(own_shop: Shop, tmp_path: Path) -> None:
    store = tmp_path / "marketing.sqlite"
    own_shop.forge(transition_id="after one that was lost", sequence=4)
    program = own_shop.program("marketing", str(store))
    said = list(lines_of(program))
    assert program.returncode == 1, said
    assert said[-1].startswith("gap: ('tierstream', 'acme', ")
    assert said[-1].endswith(": 4 came where 3 was due")


def test_a_lead_says_who_why_and_until_when(shop: Shop) -> None:
    lines = lines_of(shop.program("leads"))
    cards = [json.loads(next(lines)) for _ in range(3)]
    lines.close()
    assert [(card["account"], card["tier"]) for card in cards] == [("acme", "C -> B"), ("acme", "B -> A"), ("gone", "C -> B")]
    assert cards[1]["because"] == ["fallback: 15", "DOWNLOAD: 4.8", "PRICE_INQUIRY: 4.8"]
    assert datetime.now(UTC) < datetime.fromisoformat(cards[1]["act_before"]) < datetime.now(UTC) + timedelta(hours=1)
    assert len({card["lead_id"] for card in cards}) == 3


def test_the_table_of_tiers_is_that_of_the_compacted_topic_and_has_no_erased_account(shop: Shop) -> None:
    program = shop.program("tiers")
    (table,) = map(json.loads, lines_of(program))
    assert table == {"acme": {"sabc": "A"}}


def test_confluents_deserializer_reads_every_transition_with_exported_schemas(shop: Shop) -> None:
    said = list(lines_of(shop.program("deserializer")))
    assert said == [f"{each.account_id} {each.sequence} {each.to_tier}" for each in shop.transitions()]


def test_the_official_sdk_reads_every_event_of_every_public_topic(shop: Shop) -> None:
    published = {topic: list(committed_records(shop.settings, topic)) for topic in OUTPUTS}
    assert [topic for topic, raws in published.items() if not any(raw.payload for raw in raws)] == []
    events = sum(raw.payload is not None for raws in published.values() for raw in raws)
    assert events < sum(len(raws) for raws in published.values()), "a tombstone is there, and is no event"
    lines = lines_of(shop.program("router", *OUTPUTS))
    seen = sorted(next(lines) for _ in range(events))
    lines.close()
    assert {line.split()[0] for line in seen} == {
        f"tierstream.{kind}.v1" for kind in ("tier-transition", "account-tiers", "hot-lead", "action", "dead-letter")
    }
    first = shop.transitions()[0]
    assert any(line.startswith(f"tierstream.tier-transition.v1 /tierstream/tierstream {first.transition_id} acme ") for line in seen)
    assert any(line.startswith("tierstream.dead-letter.v1 /tierstream/tierstream interactions/0/7 acme ") for line in seen)
    assert len({line.split()[2] for line in seen}) == len(seen), "no two events have one id"


def test_what_the_page_shows_of_the_programs_stands_in_them() -> None:
    programs = "".join(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.py")))
    shown = fences(PAGE, "python")
    assert len(shown) >= 3
    assert [part for part in shown if part not in programs] == []


def test_the_page_exports_the_schemas_as_these_tests_did() -> None:
    (command_line,) = fences(PAGE, "sh run")
    assert command_line.split() == ["tierstream", "schemas", "export", "schemas-by-id"]
