"""The rule files are what the table says, every alert can be acted on, and none asks for a metric that nobody shows."""

import re

import pytest
import yaml

from agents.counters import LAG_BOUNDS_MS
from agents.metric_catalogue import METRICS, PROJECTION
from ops.alerts.files import SHIPPED, files
from ops.alerts.rules import RUNBOOKS, alerting_rules, at_scale, recording_rules
from ops.alerts.table import ALERTS, RECORDED, WITHIN_S, Alert
from ops.dashboards.scope import MANUAL
from tests.house.documents import OPERATIONS

EXPRESSIONS = [each.expression for each in (*RECORDED, *ALERTS)]
PARTS = ("**What it means.**", "**How to look.**", "**What to do.**")

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


@pytest.mark.parametrize("name", files())
def test_the_rule_files_are_what_the_table_says(name: str) -> None:
    assert (SHIPPED / name).read_text(encoding="utf-8") == files()[name], "`python -m ops.alerts` writes them"


@each_alert
def test_every_alert_says_what_it_means_how_to_look_and_what_to_do(alert: Alert) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
    assert alert.name in sections, f"docs/operations.md wants a section `### {alert.name}`"
    assert [part for part in PARTS if part not in sections[alert.name]] == []


@each_alert
def test_every_alert_links_to_its_section(alert: Alert) -> None:
    rules = {rule["alert"]: rule for rule in alerting_rules()["groups"][0]["rules"]}
    assert rules[alert.name]["annotations"]["runbook_url"] == f"{RUNBOOKS}#{alert.name.lower()}"
    assert rules[alert.name]["labels"]["severity"] in ("page", "ticket")


@each_alert
def test_every_alert_is_seen_to_fire_by_promtool(alert: Alert) -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in sorted((SHIPPED / "tests").glob("*.yml")))
    assert f'alertname="{alert.name}", alertstate="firing"' in told


def test_rules_ask_for_nothing_that_nobody_shows() -> None:
    parts = re.compile(r"(?<![\w:])((?:tierstream|kafka|process)_[a-z_]+?)(?:_bucket|_sum|_count)?(?![\w:])")
    asked = {name for expression in EXPRESSIONS for name in parts.findall(expression)}
    assert asked - set(METRICS | PROJECTION) == set()
    recorded = {each.name for each in RECORDED}
    assert {name for expression in EXPRESSIONS for name in re.findall(r"\bjob\w*:\w+:\w+", expression)} <= recorded


def test_alerts_and_dashboards_lead_to_the_same_manual() -> None:
    assert f"{MANUAL}/operations.md" == RUNBOOKS


def test_what_is_promised_is_a_bound_that_is_counted() -> None:
    assert WITHIN_S * 1000 in LAG_BOUNDS_MS


def test_only_spans_of_time_shrink() -> None:
    assert at_scale("rate(x_total[@5m]) * 60 > @=60s and y[@30s] > 0.5", 60) == "rate(x_total[5000ms]) * 60 > 1 and y[500ms] > 0.5"
    assert at_scale("rate(x_total[@5m]) > @=180s", 1) == "rate(x_total[5m]) > 180"


def test_no_span_of_time_is_left_unscaled() -> None:
    written = yaml.safe_dump(recording_rules(60)) + yaml.safe_dump(alerting_rules(60))
    assert re.findall(r"\[\d+[smhd]\]|for: \d+[smhd]\b|@", written) == []


def test_every_job_of_the_rules_is_scraped() -> None:
    scraped = {job["job_name"] for job in yaml.safe_load((SHIPPED / "prometheus.yml").read_text())["scrape_configs"]}
    assert scraped == {"tierstream", "tierstream-projection"}
