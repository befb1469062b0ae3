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
from tests.house.tree import ROOT

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
    named = {name for service in compose["services"].values() for name in service["environment"] if name.startswith(ENV_PREFIX)}
    assert named
    assert named | set(re.findall(rf"\b{ENV_PREFIX}\w+", DOCKERFILE)) <= SETTINGS


def test_its_settings_are_accepted(compose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("topics", "worker-1", "worker-2"):
        for name, value in compose["services"][service]["environment"].items():
            monkeypatch.setenv(name, value)
        assert Settings().bootstrap_servers == "kafka:19092"


def test_images_are_pinned_and_kafka_is_the_one_the_tests_run(compose: Any) -> None:
    images = {service["image"] for service in compose["services"].values()} | set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert [image for image in images if not re.fullmatch(r"\S+:\d+(\.\d+)+(-\w+)?", image)] == []
    assert f"apache/kafka:{KAFKA_VERSION}" in images


def test_what_runs_for_long_is_watched_and_started_again(compose: Any) -> None:
    services = compose["services"]
    assert {name: service["restart"] for name, service in services.items()} == {
        "kafka": "unless-stopped",
        "topics": "on-failure",
        "worker-1": "unless-stopped",
        "worker-2": "unless-stopped",
    }
    assert services["kafka"]["healthcheck"]["test"]
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/livez" in DOCKERFILE


def test_workers_wait_for_topics_and_topics_for_kafka(compose: Any) -> None:
    services = compose["services"]
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for worker in ("worker-1", "worker-2"):
        assert services[worker]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_the_image_copies_what_exists_and_runs_as_nobody_special() -> None:
    copied = [name for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["tierstream"]
