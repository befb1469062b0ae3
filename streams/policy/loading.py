"""From YAML to a compiled policy, or to every problem at once, each with its path.

Structure is judged by the model, references by each kind's `problems`. When an entry of a section is wrong, the rest is
still judged without it, so that one run shows all there is to mend.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.errors import PolicyError
from streams.kinds import Names, Problem, unknown
from streams.policy.compiled import CompiledPolicy
from streams.policy.model import PolicyDocument

_SECTIONS = ("measures", "dimensions", "schemes")


def load_policy(path: Path) -> CompiledPolicy:
    """The policy in a YAML file. Raises PolicyError with every problem."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy {path}: cannot be read: {error}") from error
    return load_policy_text(text, str(path))


def load_policy_text(text: str, source: str = "policy") -> CompiledPolicy:
    """The policy in a YAML text; `source` names it in problems."""
    raw = _parsed(text, source)
    problems, document = _validated(raw)
    if problems or document is None:
        raise PolicyError([f"{source}: {path}: {what}" for path, what in problems])
    return CompiledPolicy(document)


class _Loader(yaml.SafeLoader):
    """YAML without the two traps: repeated keys are refused, and names such as `on` or `no` stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in resolvers if entry[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands here twice", key_node.start_mark)
        seen.add(key)
    return dict(yaml.SafeLoader.construct_mapping(loader, node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        raw = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise PolicyError(f"{source}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise PolicyError(f"{source}: must be a mapping with policy, version, dimensions, score and schemes, got {type(raw).__name__}")
    return raw


def _validated(raw: dict[str, Any]) -> tuple[list[Problem], PolicyDocument | None]:
    problems: list[Problem] = []
    rest = deepcopy(raw)
    while True:
        try:
            document = PolicyDocument.model_validate(rest)
            break
        except ValidationError as error:
            fresh = [(_path(entry["loc"]), _text(entry)) for entry in error.errors()]
            problems += [problem for problem in fresh if problem not in problems]
            if not _prune(rest, error):
                return problems, None
    return problems + _reference_problems(document, raw), document


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(
        str(part)
        for part in location
        if not (isinstance(part, str) and part.startswith(("<", "function-", "literal", "int", "float", "dict")))
    )


def _text(entry: Any) -> str:
    text: str = entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        return f"unknown key {entry['loc'][-1]!r}"
    if entry["type"] == "missing":
        return "is missing"
    got = entry.get("input")
    return text if "got" in text or isinstance(got, dict | list) else f"{text[:1].lower()}{text[1:]}, got {got!r}"


def _prune(rest: dict[str, Any], error: ValidationError) -> bool:
    """Take the wrong entries out of the sections; False if a problem lies outside of them."""
    pruned = False
    for entry in error.errors():
        match entry["loc"]:
            case (section, name, *_) if section in _SECTIONS and isinstance(rest.get(section), dict):
                pruned = rest[section].pop(name, None) is not None or pruned
            case (key, *_) if entry["type"] == "extra_forbidden" or key not in PolicyDocument.model_fields or not _required(str(key)):
                pruned = rest.pop(str(key), None) is not None or pruned
    return pruned


def _required(key: str) -> bool:
    return PolicyDocument.model_fields[key].is_required()


def _reference_problems(document: PolicyDocument, raw: dict[str, Any]) -> list[Problem]:
    """What each part says of the others; a name whose own entry is wrong still counts as declared."""
    names = Names(*(frozenset(raw.get(section) or ()) for section in ("measures", "dimensions")))
    problems: list[Problem] = []
    for section in _SECTIONS:
        for name, spec in getattr(document, section).items():
            problems += [(f"{section}.{name}.{path}", what) for path, what in spec.problems(names)]
    for dimension in document.score:
        if dimension not in names.dimensions:
            problems.append((f"score.{dimension}", unknown("dimension", dimension, names.dimensions)))
    return problems
