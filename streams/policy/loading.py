"""From YAML to a compiled policy, or to every problem at once, each with its path.

Structure is judged by the model, references by each kind's `problems`. When an entry of a section is wrong, the rest is
still judged without it, so that one run shows all there is to mend.
"""

from collections.abc import Hashable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.errors import PolicyError
from streams.kinds import Names, Problem, unknown
from streams.measures import kind_of
from streams.policy import playbooks
from streams.policy.compiled import CompiledPolicy
from streams.policy.model import PolicyDocument
from streams.policy.presets import extended

_SECTIONS = ("measures", "dimensions", "schemes", "clocks", "alerts")


def load_policy(path: Path) -> CompiledPolicy:
    """The policy in a YAML file. Raises PolicyError with every problem."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy {path}: cannot be read: {error}") from error
    return load_policy_text(text, str(path))


def load_policy_text(text: str, source: str = "policy") -> CompiledPolicy:
    """The policy in a YAML text; `source` names it in problems."""
    unnamed: list[Problem] = []
    raw = extended(_named(_parsed(text, source), "", unnamed))
    problems, document = _validated(raw)
    problems = unnamed + problems
    if problems:
        raise PolicyError([f"{source}: {path}: {what}" for path, what in problems])
    return CompiledPolicy(document, text)


class _Loader(yaml.SafeLoader):
    """YAML without the traps: repeated keys are refused; names such as `on` or `no`, and dates, stay text."""


_STAYS_TEXT = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"}

_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in resolvers if entry[0] not in _STAYS_TEXT or (entry[0].endswith("bool") and first in "tTfF")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
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
        raise PolicyError(f"{source}: must be a mapping with policy, version, reviewed_on and schemes, got {type(raw).__name__}")
    return raw


def _named(part: Any, path: str, problems: list[Problem]) -> Any:
    """The part with all keys as text; what YAML took for a number, a date or a truth value is a problem."""
    if isinstance(part, list):
        return [_named(entry, f"{path}{place}.", problems) for place, entry in enumerate(part)]
    if not isinstance(part, dict):
        return part
    problems += [(f"{path}{key}", f"a key must be text (put it in quotes), got {key!r}") for key in part if not isinstance(key, str)]
    return {str(key): _named(entry, f"{path}{key}.", problems) for key, entry in part.items()}


def _validated(raw: dict[str, Any]) -> tuple[list[Problem], PolicyDocument]:
    problems: list[Problem] = []
    rest = deepcopy(raw)
    while True:
        try:
            document = PolicyDocument.model_validate(rest)
            break
        except ValidationError as error:
            fresh = [(_path(entry["loc"]), _text(entry)) for entry in error.errors()]
            problems += [problem for problem in fresh if problem not in problems]
            before = deepcopy(rest)
            _prune(rest, error)
            assert rest != before, f"nothing was pruned: {problems}"
    return problems + _reference_problems(document, raw), document


def _path(location: tuple[int | str, ...]) -> str:
    """Where in the policy; without the tags by which pydantic tells kinds apart."""
    return ".".join(str(part) for part in location if not (isinstance(part, str) and part[:1] + part[-1:] in ("<>", "[]")))


def _text(entry: Any) -> str:
    text: str = entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        return f"unknown key {entry['loc'][-1]!r}"
    if entry["type"] == "missing":
        return "is missing"
    if entry["type"] == "string_type":
        return f"must be text (put it in quotes), got {entry['input']!r}"
    if entry["type"] == "too_short":
        return f"must have at least {entry['ctx']['min_length']}, got {entry['ctx']['actual_length']}"
    got = entry.get("input")
    return text if "got" in text or isinstance(got, dict | list) else f"{text[:1].lower()}{text[1:]}, got {got!r}"


_STAND_INS: dict[str, Any] = {
    "policy": "stand_in",
    "version": "0",
    "reviewed_on": "2000-01-01",
    "schemes": {"stand_in": {"kind": "score", "tiers": [{"name": "low"}, {"name": "high", "enter_at": 50}]}},
}
"""What takes the place of a required part that is wrong, so that the others can still be judged."""


def _prune(rest: dict[str, Any], error: ValidationError) -> None:
    """Take out what is wrong: an entry of a section, else the whole part."""
    for entry in error.errors():
        part, *inner = (str(step) for step in entry["loc"])
        section = rest.get(part)
        if inner and part in _SECTIONS and isinstance(section, dict):
            section.pop(inner[0], None)
        else:
            rest.pop(part, None)
        if part in _STAND_INS and not rest.get(part):
            rest[part] = deepcopy(_STAND_INS[part])


def _reference_problems(document: PolicyDocument, raw: dict[str, Any]) -> list[Problem]:
    """What each part says of the others; a name whose own entry is wrong still counts as declared."""
    measures = _part(raw, "measures")
    kinds = {name: kind_of(entry) for name, entry in measures.items()}
    dimensions, ladders = frozenset(_part(raw, "dimensions")), _ladders(document)
    names = Names(frozenset(measures), dimensions, kinds, bool(_part(raw, "score")), _tracks(raw), ladders)
    problems: list[Problem] = []
    for section in ("tracks", *_SECTIONS, "health"):
        for path, spec in _specs(document, raw, section):
            problems += [(f"{path}.{within}", what) for within, what in spec.problems(names)]
    for dimension in _part(raw, "score"):
        if dimension not in names.dimensions:
            problems.append((f"score.{dimension}", unknown("dimension", str(dimension), names.dimensions)))
    problems += [(f"playbooks.{path}", what) for path, what in playbooks.problems(document.playbooks, ladders)]
    problems += _target_problems(document, ladders)
    if document.lateness >= document.act_within:
        problems.append(("act_within", "must be longer than lateness: what a tick decides would never be young enough to act on"))
    if document.currency in document.rates:
        problems.append((f"rates.{document.currency}", "is the policy's own currency: it needs no rate"))
    return problems


def _specs(document: PolicyDocument, raw: dict[str, Any], section: str) -> Iterator[tuple[str, Any]]:
    """The entries of a section that the file has, by path; a section may be one entry, or may not be there."""
    content = getattr(document, section)
    if isinstance(content, dict):
        yield from ((f"{section}.{name}", spec) for name, spec in content.items() if name in _part(raw, section))
    elif content is not None:
        yield section, content


def _tracks(raw: dict[str, Any]) -> tuple[str, ...]:
    """The tracks that the policy names, whatever else is wrong with them; the default first."""
    rules = _part(raw, "tracks").get("rules")
    named = [rule.get("track") for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return tuple(dict.fromkeys(str(track) for track in [_part(raw, "tracks").get("default"), *named] if track))


def _target_problems(document: PolicyDocument, ladders: Mapping[str, frozenset[str]]) -> list[Problem]:
    problems: list[Problem] = []
    for scheme, spec in document.targets.items():
        if scheme not in ladders:
            problems.append((f"targets.{scheme}", unknown("scheme", scheme, frozenset(ladders))))
            continue
        problems += [(f"targets.{scheme}.{path}", what) for path, what in spec.tier_problems(ladders[scheme])]
    return problems


def _ladders(document: PolicyDocument) -> dict[str, frozenset[str]]:
    return {name: frozenset(tier.name for tier in spec.tiers) for name, spec in document.schemes.items()}


def _part(raw: dict[str, Any], section: str) -> dict[str, Any]:
    part = raw.get(section)
    return part if isinstance(part, dict) else {}
