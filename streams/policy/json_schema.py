"""The policy's JSON Schema, for editors: completion and a first check while a person writes."""

from typing import Any

from streams.policy.model import PolicyDocument


def policy_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a policy file. References between its parts are judged at loading only."""
    schema = PolicyDocument.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tierstream policy",
        **{k: v for k, v in schema.items() if k != "title"},
    }
