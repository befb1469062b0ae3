"""What is shipped in `policies/` is valid, and the JSON Schema beside it is the code's own."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streams.policy import load_policy, policy_json_schema
from tests.folding import SHIPPED

SCHEMA = Path(__file__).parents[2] / "policies" / "policy.schema.json"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_policy_is_valid_and_named_as_its_file(path: Path) -> None:
    assert load_policy(path).name == path.stem


def test_the_schema_is_the_one_that_the_code_exports() -> None:
    out_of_date = "policies/policy.schema.json is out of date: `tierstream policy schema` prints it"
    assert json.loads(SCHEMA.read_text()) == policy_json_schema(), out_of_date


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_editors_are_told_the_same(path: Path) -> None:
    document = json.loads(json.dumps(_with_text_keys(yaml.safe_load(path.read_text())), default=str))
    jsonschema.Draft202012Validator(policy_json_schema()).validate(document)
    assert path.read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")


def _with_text_keys(part: Any) -> Any:
    """Editors read dates that are keys as text."""
    return {str(key): _with_text_keys(entry) for key, entry in part.items()} if isinstance(part, dict) else part
