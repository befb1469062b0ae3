"""Reports of a running engine: what they say is what the topics hold, whether asked of the broker or of an export."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.embedded.broker import Broker
from agents.reading import committed_records
from schemas.codec import Codec
from schemas.records import AccountTiers, Order, TierTransition
from streams.policy import load_policy
from tests.house.tree import ROOT
from tests.integration.commands import Commands
from tests.integration.test_audit_and_replay import folded
from tests.waiting import eventually

SABC = load_policy(ROOT / "policies" / "sabc.yaml")


@pytest.fixture
def worked(kafka: Broker, prefix: str, tmp_path: Path) -> Commands:
    """An engine that has folded a few thousand records and was stopped."""
    commands = Commands(kafka.bootstrap, prefix).with_topics()
    with commands.running("worker", "--policy", "sabc", log=tmp_path / "worker.log"):
        told = commands.json("generate", "--accounts", "60", "--seed", "7", "--rate", "1500", "--seconds", "2", "--pace", "20")
        expected = sum(told["topics"].get(topic, 0) for topic in SABC.inputs)
        eventually(lambda: folded(commands) == expected, 60, "everything is folded")
    return commands


def records(commands: Commands, topic: str, kind: type[Any]) -> list[Any]:
    return [Codec().decode_as(kind, raw.payload) for raw in committed_records(commands.settings, topic)]


def test_reports_say_what_the_topics_hold(worked: Commands, tmp_path: Path) -> None:
    held = {record.account_id: record.standings[0].tier for record in records(worked, "account-tiers", AccountTiers)}
    pyramid = worked.json("report", "pyramid", "--policy", "sabc", "--target", "A=10,B=25,C=65")
    counts = Counter(held.values())
    assert {row["tier"]: row["accounts"] for row in pyramid["rows"]} == {tier: counts[tier] for tier in ("A", "B", "C")}

    last = {record.account_id: record.to_tier for record in records(worked, "tier-transitions", TierTransition)}
    movement = worked.json("report", "movement", "--policy", "sabc", "--last", "3650d")
    moved = {row["to_tier"]: 0 for row in movement["rows"]}
    for row in movement["rows"]:
        moved[row["to_tier"]] += row["accounts"]
    assert moved == {tier: counts[tier] for tier in ("A", "B", "C")}
    assert last
    assert sum(row["accounts"] for row in movement["rows"] if row["from_tier"] != row["to_tier"]) > 0

    revenue = Counter[str]()
    for order in {(each.order_id, each.status): each for each in records(worked, "orders", Order)}.values():
        if order.status in ("PAID", "REFUNDED"):
            revenue[order.account_id] += order.amount_minor if order.status == "PAID" else -order.amount_minor
    assert len(revenue) > 3
    picture = tmp_path / "top.svg"
    arguments = ("report", "top", "-n", "3", "--policy", "sabc", "--last", "3650d")
    top = worked.json(*arguments, "--picture", str(picture))
    assert [row["revenue_minor"] for row in top["rows"]] == sorted(revenue.values(), reverse=True)[:3]
    assert top["rows"][0]["account_id"] in picture.read_text(encoding="utf-8")
    told = list(csv.DictReader(io.StringIO(worked.run(*arguments, "--csv").stdout)))
    assert [row["account_id"] for row in told] == [row["account_id"] for row in top["rows"]]

    exported = tmp_path / "log.avro"
    assert worked.run("export", "--avro", "--out", str(exported)).returncode == 0
    of_file = worked.json("report", "top", "-n", "3", "--policy", "sabc", "--last", "3650d", "--from", str(exported))["rows"]
    assert of_file == [row | {"tier": None} for row in top["rows"]]  # it does not fold a million orders for the sake of a column
    folded_again = worked.json("report", "pyramid", "--policy", "sabc", "--from", str(exported))
    assert {row["tier"]: row["accounts"] for row in folded_again["rows"]} == {row["tier"]: row["accounts"] for row in pyramid["rows"]}
