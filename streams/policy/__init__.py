"""The policy: what the business tunes, in one YAML file, typed and validated as a whole."""

from streams.policy.compiled import CompiledPolicy
from streams.policy.json_schema import policy_json_schema
from streams.policy.loading import load_policy, load_policy_text
from streams.policy.model import PolicyDocument

__all__ = ["CompiledPolicy", "PolicyDocument", "load_policy", "load_policy_text", "policy_json_schema"]
