"""Several shipped policies as one, so that one worker grades by all of them: their schemes stand side by side under one policy's name.

Names of measures and dimensions are kept apart by the policy they come from. A scheme by score becomes one by a weighted sum of its own,
because a policy has one score.
"""

from typing import Any

import yaml

from streams.policy.presets import extended
from tests.folding import SHIPPED


def together(*names: str, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The policies of these names in one document, without the schemes that are left out; at most one of them has tracks."""
    whole: dict[str, Any] = {
        "policy": "together",
        "version": "1",
        "reviewed_on": "2026-11-22",
        "timezone": "Asia/Shanghai",
        "max_ahead": "5m",
    }
    whole |= {"measures": {}, "dimensions": {}, "schemes": {}}
    for path in [path for path in SHIPPED if path.stem in names]:
        said = extended(yaml.safe_load(path.read_text(encoding="utf-8")))
        own = {
            part: {name: f"{path.stem.replace('-', '_')}_{name}" for name in said.get(part) or {}} for part in ("measures", "dimensions")
        }
        renamed = own["measures"] | own["dimensions"]
        for part, names_of in own.items():
            whole[part] |= {names_of[name]: _renamed(entry, own["measures"]) for name, entry in (said.get(part) or {}).items()}
        schemes = {name: _by_itself(scheme, said) for name, scheme in said["schemes"].items() if name not in leave_out}
        whole["schemes"] |= {name: _renamed(scheme, renamed) for name, scheme in schemes.items()}
        whole |= {"tracks": said["tracks"]} if any(scheme["kind"] == "tracks" for scheme in schemes.values()) else {}
        whole |= {"rates": said["rates"]} if "rates" in said else {}
    return whole


def _by_itself(scheme: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """A scheme by score as one by a weighted sum of the same dimensions; without hysteresis."""
    if scheme["kind"] != "score":
        return scheme
    tiers = [{"name": tier["name"]} for tier in scheme["tiers"]]
    return {
        "kind": "weighted",
        "tiers": tiers,
        "weights": said["score"],
        "enter_at": {t["name"]: t["enter_at"] for t in scheme["tiers"][1:]},
    }


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {names.get(key, key): _renamed(entry, names) for key, entry in part.items()}
    if isinstance(part, list):
        return [_renamed(entry, names) for entry in part]
    return names.get(part, part) if isinstance(part, str) else part
