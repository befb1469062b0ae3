"""docker-compose.yml and the image are held to their formats and to the settings they name; they are not run here."""

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from agents.embedded.jars import KAFKA_VERSION
from agents.settings import ENV_PREFIX, Settings
from tests import apicurio
from tests.house.tree import ROOT

ONCE = {"topics": "on-failure", "demo-data": "no"}
"""Services that do one thing and end, and when they are started again."""
SETTINGS = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
DOCKERFILE = (ROOT / "ops" / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_it_follows_the_compose_specification(compose: Any) -> None:
    schema = json.loads(files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(compose, schema)


def test_a_misspelt_key_would_be_noticed(compose: Any) -> None:
    schema = json.loads(files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.validate({"services": {"kafka": {**compose["services"]["kafka"], "helthcheck": {}}}}, schema)


def test_every_setting_it_names_exists(compose: Any) -> None:
    said = [service.get("environment", {}) for service in compose["services"].values()]
    named = {name for each in said for name in each if name.startswith(ENV_PREFIX)}
    assert named
    assert named | set(re.findall(rf"\b{ENV_PREFIX}\w+", DOCKERFILE)) <= SETTINGS


def test_its_settings_are_accepted(compose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in (service for service in compose["services"].values() if "build" in service):
        for name, value in service["environment"].items():
            monkeypatch.setenv(name, value)
        assert Settings().bootstrap_servers == "kafka:19092"


def test_images_are_pinned_and_kafka_and_registry_are_those_the_tests_run(compose: Any) -> None:
    images = {service["image"] for service in compose["services"].values()} | set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert [image for image in images if not re.fullmatch(r"\S+:v?\d+(\.\d+)+(-\w+)?", image)] == []
    assert {f"apache/kafka:{KAFKA_VERSION}", f"apicurio/apicurio-registry:{apicurio.VERSION}"} <= images


def test_what_runs_for_long_is_watched_and_started_again(compose: Any) -> None:
    for name, service in compose["services"].items():
        once = name in ONCE
        assert service["restart"] == (ONCE[name] if once else "unless-stopped"), name
        assert service.get("healthcheck", {}).get("disable", False) == once, name
        assert "build" in service or service["healthcheck"]["test"], name
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/livez" in DOCKERFILE


def test_workers_wait_for_topics_and_topics_for_kafka_and_registry(compose: Any) -> None:
    services = compose["services"]
    assert services["topics"]["depends_on"] == {name: {"condition": "service_healthy"} for name in ("kafka", "registry")}
    for worker in ("worker-1", "worker-2", "demo-data"):
        assert services[worker]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_everything_is_reached_from_this_machine_alone_and_each_at_a_port_of_its_own(compose: Any) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_every_file_that_a_container_is_given_exists(compose: Any) -> None:
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service.get("volumes", [])]
    given = [source for source, *_ in mounts if source.startswith("./")]
    assert given
    assert [source for source in given if not (ROOT / source).exists()] == []
    assert {source for source, *_ in mounts if not source.startswith("./")} == set(compose["volumes"])


def test_prometheus_finds_whom_it_scrapes_and_whom_it_tells(compose: Any) -> None:
    prometheus = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    scraped = [target for job in prometheus["scrape_configs"] for each in job["static_configs"] for target in each["targets"]]
    assert {target.partition(":")[0] for target in scraped} == {
        name for name, service in compose["services"].items() if "build" in service and name not in ONCE
    }
    assert {target.partition(":")[2] for target in scraped} == set(re.findall(r"^EXPOSE (\d+)", DOCKERFILE, re.MULTILINE))
    assert prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]


def test_grafana_is_given_its_dashboards_where_it_looks_for_them_and_shows_one_at_once(compose: Any) -> None:
    mounts = dict(mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"])
    provisioning = ROOT / "ops" / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "tierstream.yml").read_text(encoding="utf-8"))["providers"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    scraping = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))["global"]
    assert mounts == {"./ops/grafana/provisioning": "/etc/grafana/provisioning", "./ops/grafana/dashboards": provider["options"]["path"]}
    assert (source["url"], source["jsonData"]["timeInterval"]) == ("http://prometheus:9090", scraping["scrape_interval"])
    home = compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/sre.json"


def test_the_image_copies_what_exists_and_runs_as_nobody_special() -> None:
    copied = [name for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["tierstream"]
