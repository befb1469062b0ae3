"""Real orders folded in memory, without a broker: the same changes at the same milliseconds as the oracle's."""

from collections import defaultdict
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from agents.order_files import read_orders
from agents.order_import import history as with_days
from agents.order_lines import Reading
from schemas.records import TierTransition
from streams.policy import load_policy
from streams.replay import FileReplay, Refused
from tests.house.tree import ROOT
from tests.oracle import orders_rfm
from tests.oracle.orders_rfm import DAY, Change, changes
from tests.oracle.sales import history

POLICY = ROOT / "policies" / "orders-rfm.yaml"
READING = Reading(
    {"account_id": "customer_id", "occurred_at": "date", "amount": "dollar_value"}, "blanks", "%Y%m%d", "Asia/Shanghai", "USD"
)  # fmt: skip


def test_the_oracle_has_the_figures_of_the_policy() -> None:
    policy = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    parts = policy["dimensions"]["rfm"]["rfm"]
    assert [f"{younger // DAY}d" for younger, _ in orders_rfm.RECENCY] == parts["recency"]["breakpoints"]
    assert [fewer for fewer, _ in orders_rfm.FREQUENCY] == parts["frequency"]["breakpoints"]
    assert [fen // 100 for fen, _ in orders_rfm.MONETARY] == parts["monetary"]["breakpoints"]
    assert [parts[part]["weight"] for part in ("recency", "frequency", "monetary")] == [0.4, 0.3, 0.3]
    assert {tier["name"]: tier.get("enter_at", 0) for tier in policy["schemes"]["value"]["tiers"]} == dict(orders_rfm.LADDER)
    assert {policy["measures"][name]["window"] for name in ("orders_12m", "revenue_12m")} == {f"{orders_rfm.WINDOW // DAY}d"}


@pytest.mark.parametrize("ticks", [True, False], ids=["days pass", "only orders"])
def test_five_hundred_customers_change_when_the_oracle_says(tmp_path: Path, ticks: bool) -> None:
    sold = history(tmp_path, 500)
    orders = read_orders(sold.path, READING, on_refused=lambda line: pytest.fail(line.message)).orders
    assert [(order.account_id, order.occurred_at, order.amount_minor) for order in orders] == list(sold.sales)
    replay, found = FileReplay("tierstream", load_policy(POLICY), "BACKFILL"), defaultdict(list)
    days = list(with_days(orders, ZoneInfo("Asia/Shanghai")))
    for event in [event for event in days if ticks or event.topic == "orders"] + days[-1:]:
        outputs = replay.fold(event)
        assert not isinstance(outputs, Refused)
        for said in (output.record for output in outputs if isinstance(output.record, TierTransition)):
            found[said.account_id].append(
                Change(
                    said.account_id, said.sequence, str(said.from_tier), said.to_tier, said.effective_at, said.score_after_micro or 0,
                    by_order=said.cause.kind == "ORDER", since=said.cause.occurred_at,
                )
            )  # fmt: skip
    assert found == {account: its for account, its in changes(sold.sales, sold.ends).items() if its}
