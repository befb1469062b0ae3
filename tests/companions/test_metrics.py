"""A worker's page as Prometheus' own tools and server see it."""

import json
import re
from pathlib import Path
from urllib.parse import quote

from agents.embedded.broker import Broker
from agents.metric_catalogue import METRICS, PROJECTION
from agents.projecting.counting import ProjectionCounters
from agents.projecting.metrics import exposition
from tests.builders import interaction
from tests.companions.conftest import Start
from tests.companions.programs import Program, Server
from tests.house.documents import METRIC_PAGE
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish


def asked(server: Server, query: str) -> list[tuple[dict[str, str], float]]:
    """The samples that a query returns now."""
    status, body = server.get(f"/api/v1/query?query={quote(query)}")
    assert status == 200, body
    return [(found["metric"], float(found["value"][1])) for found in json.loads(body)["data"]["result"]]


def queries() -> list[str]:
    """What the page of the metrics tells people to ask."""
    points = re.findall(r"^- \*\*.*(?:\n  .*)*", METRIC_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = [told for point in points for told in re.findall(r"`([^`]+)`", point)]
    return [" ".join(query.split()) for query in told if re.search(r"\b(tierstream|kafka)_", query)]


def test_the_page_asks_for_metrics_that_there_are() -> None:
    named = {name for query in queries() for name in re.findall(r"\b(?:tierstream|kafka)_\w+", query)}
    assert {name.removesuffix("_bucket") for name in named} <= METRICS.keys() | PROJECTION.keys()
    assert len([query for query in queries() if "tierstream_projection_" in query]) >= 8


def test_a_real_prometheus_reads_a_real_worker_and_promtool_finds_no_fault(
    kafka: Broker, prefix: str, prometheus: Start, promtool: Program, tmp_path: Path
) -> None:
    settings = deployment(kafka.bootstrap, prefix, partitions=1, policy="sabc")
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(1, 120)
        publish(settings, "interactions", [interaction(event_id=f"e{number}", at=1_700_000_000_000) for number in range(20)])
        target = worker.url.removeprefix("http://")
        (tmp_path / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: tierstream, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        server = prometheus(tmp_path)
        lag = f'kafka_consumergroup_group_lag{{topic="{prefix}interactions",group="{prefix}tierstream"}}'
        eventually(lambda: [folded for _, folded in asked(server, "tierstream_events_total")] == [20], 60, "20 records folded")
        eventually(lambda: asked(server, f"{lag} == 0 and on (topic) kafka_partition_latest_offset > 19"), 60, "an input without lag")
        promtool.says("check", "metrics", stdin=worker.get("/metrics")[1])
        known = {name for name in METRICS if asked(server, f'count({{__name__=~"{name}(_count)?"}})')}
        dull = set(METRICS) - known
        for query in queries():
            asked(server, query)  # Prometheus understands it
    assert dull <= {
        "tierstream_deadline_lateness_seconds",
        "tierstream_transitions_total",
        "tierstream_hot_leads_total",
        "tierstream_actions_total",
        "tierstream_dead_letters_total",
        "tierstream_handed_over_total",
        "tierstream_restore_remaining_records",
    }, "what is there when something has happened"


def test_promtool_finds_no_fault_in_what_a_projection_shows(promtool: Program) -> None:
    page = exposition({0: ProjectionCounters()}).decode()
    assert [name for name in PROJECTION if f"# TYPE {name} " not in page] == []
    promtool.says("check", "metrics", stdin=page)
