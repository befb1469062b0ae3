"""The rules as Prometheus reads them: promtool checks and tries all of them at full scale."""

from pathlib import Path

import pytest
import yaml

from ops.alerts.files import SHIPPED, write
from tests.companions.conftest import Start
from tests.companions.programs import Program


@pytest.mark.parametrize("name", sorted(path.name for path in (SHIPPED / "tests").glob("*.yml")))
def test_every_alert_fires_when_it_should_and_no_other_does(promtool: Program, name: str) -> None:
    promtool.says("test", "rules", SHIPPED / "tests" / name, timeout_s=240)


def test_prometheus_and_its_rules_are_in_order_at_every_scale(promtool: Program, tmp_path: Path) -> None:
    promtool.says("check", "config", SHIPPED / "prometheus.yml")
    write(tmp_path, scale=60)
    promtool.says("check", "rules", *sorted((tmp_path / "rules").iterdir()))


def test_alertmanager_takes_its_configuration(alertmanager: Start, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text((SHIPPED / "alertmanager.yml").read_text())
    status, body = alertmanager(tmp_path).get("/api/v2/receivers")
    assert (status, {each["name"] for each in yaml.safe_load(body)}) == (200, {"now", "tomorrow"})
