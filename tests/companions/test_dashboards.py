"""Every panel of every dashboard has something to show: a real Prometheus that scrapes a real worker is asked what Grafana would ask."""

import json
import math
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from agents import clients
from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.embedded.valkey import Valkey
from agents.settings import Settings
from ops.dashboards.files import pages
from tests.builders import interaction, order
from tests.companions.conftest import Start
from tests.companions.programs import Server
from tests.folding import SMALL
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

BOARDS: dict[str, Any] = {path.stem: json.loads(page) for path, page in pages().items()}
CHOSEN = {"$job": "tierstream", "$topic": ".*", "$scheme": ".*", "$__rate_interval": "10s", "$__interval": "10s", "$__range": "2m"}
"""What Grafana puts in: everything chosen, short spans, because Prometheus scrapes every second here."""
POLICY: dict[str, Any] = SMALL | {
    "policy": "lively",
    "reviewed_on": "2020-01-01",
    "measures": {
        "engagement": {"from": "interactions", "points": {"VISIT": 5, "PRICE_INQUIRY": 90}, "half_life": "2s"},
        "bought": {"from": "orders", "points": {"PAID": 5}, "half_life": "2s"},
    },
    "dimensions": {
        "behaviour": {"linear": {"measure": "engagement", "from": 0, "to": 100}},
        "buying": {"linear": {"measure": "bought", "from": 0, "to": 100}},
    },
    "score": {"behaviour": 0.95, "buying": 0.05},
    "schemes": {
        "abc": {"kind": "score", "hot": ["A"], "tiers": [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80}]}
    },
    "clocks": {
        "cadence": {"resets_on": {"actor": "OWNER"}, "after": "1s", "then": {"action": "cadence_breached"}},
        "silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "3s", "then": "recycle"},
    },
}
"""Everything that a dashboard shows, in seconds: points fade, promises break, silence ends in the pool."""
PROJECT = [sys.executable, "-m", "agents.cli", "project"]
NOTHING_COUNTED = {
    "What should not be": "no transaction is aborted while nothing is broken",
    "Error budget burnt": "every event is scored in time, but on a machine that is too busy",
    "Error budget burnt, last hour": "the same",
    "Restored": "the same",
    "Read and not folded yet": "what is read is folded at once",
    "Records waiting": "the same",
    "Behind by": "the same",
    "Behind, by input": "the same",
    "Accounts overdue": "time passes",
    "Partitions nobody scores": "the only worker scores all",
    "Restarts, last hour": "it is not restarted",
    "Partitions taken from somebody else": "the worker takes its partitions before it is first scraped",
    "Redis is behind by": "it may be asked right after a record",
    "Records not in Redis yet": "what is read is projected at once",
    "Changes in Redis": "what Redis has already is not told again",
    "Unreadable records": "every record can be read",
    "Writes repeated": "Redis answers the first time",
    "Partitions begun anew": "they were begun before the first scrape",
    "Still to be restored": "a new application has nothing to restore",
}
"""Panels that may well show 0 all the time, and why."""


class Asked(NamedTuple):
    """A query of a panel, as Prometheus is asked it."""

    title: str
    expr: str
    instant: bool


@pytest.fixture
def settings(kafka: Broker, valkey: Valkey, prefix: str, tmp_path: Path) -> Settings:
    policy = tmp_path / "lively.yaml"
    policy.write_text(yaml.safe_dump(POLICY, sort_keys=False))
    redis = {"redis_url": valkey.url, "redis_prefix": prefix}
    return deployment(kafka.bootstrap, prefix, policy=str(policy), partitions=2, tick_every_s=0.2, **redis)


def test_every_panel_of_every_dashboard_has_something_to_show(settings: Settings, prometheus: Start, tmp_path: Path) -> None:
    waves = count()
    _wave(settings, next(waves))  # the worker finds accounts at once: it counts who stands where twice a minute
    with (
        Worker(settings, tmp_path / "worker.log") as worker,
        Worker(settings, tmp_path / "projection.log", command=PROJECT) as projection,
    ):
        worker.await_lanes(2, 60)
        projection.await_lanes(2, 60)
        (tmp_path / "prometheus.yml").write_text(json.dumps(_scraping({"tierstream": worker, "tierstream-projection": projection})))
        server, left = prometheus(tmp_path), set(_panels())

        def all_show() -> bool:
            """Whether every panel has shown something by now; one wave more for those that have not."""
            _wave(settings, next(waves))
            left.difference_update([asked for asked in left if _shows(server, asked)])
            return not left

        _until(all_show, left)
        for board in BOARDS.values():
            for variable in board["templating"]["list"]:
                assert variable["type"] == "datasource" or _choices(server, variable["query"]), variable["name"]
            for annotation in board["annotations"].get("list", []):
                _answers(server, Asked(annotation["name"], annotation["expr"], instant=False))


def test_panels_that_may_show_nothing_are_there() -> None:
    assert set(NOTHING_COUNTED) <= {asked.title for asked in _panels()}


def _until(condition: Callable[[], bool], left: set[Asked]) -> None:
    try:
        eventually(condition, 90)
    except AssertionError:
        pytest.fail(f"nothing to show: {sorted(left)}")


def _scraping(processes: dict[str, Worker]) -> Any:
    targets = {name: process.url.removeprefix("http://") for name, process in processes.items()}
    jobs = [{"job_name": name, "static_configs": [{"targets": [target]}]} for name, target in targets.items()]
    return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}


def _wave(settings: Settings, number: int) -> None:
    """Two accounts become hot; the owner sees to those of the wave before; a producer is wrong once."""
    now_ms = wall_clock()
    new, old = [f"acme-{number}-{one}" for one in range(2)], [f"acme-{number - 1}-{one}" for one in range(2)]
    visits = [interaction(who, kind, at=now_ms) for who in new for kind in ("VISIT", "PRICE_INQUIRY")]
    publish(settings, "interactions", [*visits, *(interaction(who, "CALL", at=now_ms, actor="OWNER") for who in old)])
    publish(settings, "orders", [order(who, at=now_ms) for who in new])
    producer = clients.idempotent_producer(settings)
    producer.produce(settings.topic_name("interactions"), b"no record", b"acme")
    assert producer.flush(30) == 0


def _panels() -> Iterator[Asked]:
    for board in BOARDS.values():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield Asked(panel["title"], target["expr"], not target.get("range", True))


def _shows(server: Server, asked: Asked) -> bool:
    """Whether there is an answer that is a number, and not 0 all the time where it need not be."""
    found = [number for number in _answers(server, asked) if math.isfinite(number)]
    return bool(found) and (asked.title in NOTHING_COUNTED or any(found))


def _answers(server: Server, asked: Asked) -> list[float]:
    """Every number of every answer."""
    now_s = wall_clock() / 1000
    span = {"time": now_s} if asked.instant else {"start": now_s - 30, "end": now_s, "step": 1}
    result = _api(server, "query" if asked.instant else "query_range", {"query": _filled(asked.expr)} | span)["result"]
    return [float(number) for each in result for _, number in ([each["value"]] if asked.instant else each["values"])]


def _choices(server: Server, query: str) -> list[str]:
    """What `label_values(series, label)` offers."""
    matched, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
    return list(_api(server, f"label/{label}/values", {"match[]": _filled(matched)}))


def _api(server: Server, path: str, asked: dict[str, Any]) -> Any:
    status, body = server.get(f"/api/v1/{path}?{urllib.parse.urlencode(asked)}")
    assert status == 200, f"{asked}: {body}"
    return json.loads(body)["data"]


def _filled(expr: str) -> str:
    for name, chosen in CHOSEN.items():
        expr = expr.replace(name, chosen)
    return expr
