"""What does a ladder stand on? The measures, profile fields and models that decide its tiers, found in whatever a policy says.

A factor is what is looked at, not what is made of it: of a ratio or a change, the measures behind it. Specs are walked as data, so a kind
that this module has never heard of has its factors found too: a name of a measure or a field of the profile, wherever it stands.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.dossier import PROFILE_FIELDS
from streams.kinds import Spec
from streams.policy.model import PolicyDocument
from streams.profile_fields import CONTENTS, content_of
from streams.words import is_money

_MADE_OF = ("ratio", "to", "change")
"""Where a measure names the measures that it is made of."""

_FIELDS = frozenset({*PROFILE_FIELDS, *CONTENTS}) - {"name"}
_WORDS_OF_A_SCHEME = frozenset({"name", "kind", "treatment", "description"})


class Factor(NamedTuple):
    """One thing that is looked at, and whether it is an amount of money."""

    name: str
    money: bool


def factors_of(document: PolicyDocument, scheme: str) -> frozenset[Factor]:
    """Everything that a scheme's tiers depend on, but for what only holds an account down."""
    spec = document.schemes[scheme]
    found = set(_walked(document, spec.model_dump(exclude={"risk", "hot"}, by_alias=True)))
    if stands_on_score(spec):
        for name in document.score:
            found |= set(_of_dimension(document, name))
    return frozenset(found)


def stands_on_score(spec: Any) -> bool:
    """Whether the weighted score decides the ladder."""
    return getattr(spec, "kind", None) == "score"


def named_in(spec: Spec) -> set[str]:
    """Every name that a scheme's own rules speak of; its list of tiers is no rule."""
    return set(_texts(spec.model_dump(exclude={"tiers", "hot", "risk"}, by_alias=True)))


def used(document: PolicyDocument) -> frozenset[str]:
    """The names of measures and dimensions that some other part of the policy speaks of."""
    whole = document.model_dump(by_alias=True)
    names = frozenset(document.measures) | frozenset(document.dimensions)
    found = set(document.score)
    for section, content in whole.items():
        parts = content.items() if section in ("measures", "dimensions") else [("", content)]
        for own, part in parts:
            found |= {name for name in _texts(part) if name in names and name != own}
    return frozenset(found)


def _of_dimension(document: PolicyDocument, name: str) -> Iterator[Factor]:
    spec = document.dimensions[name]
    if (model := getattr(spec, "prediction", None)) is not None:
        yield Factor(f"model {model}", money=False)
    for text in _texts(spec.model_dump(by_alias=True)):
        yield from _named(document, text)


def _walked(document: PolicyDocument, part: Any) -> Iterator[Factor]:
    """Everything that a part of the policy names."""
    for text in _texts(part):
        if text in document.dimensions:
            yield from _of_dimension(document, text)
        yield from _named(document, text)


def _named(document: PolicyDocument, text: str) -> Iterator[Factor]:
    """The measure or the profile field of this name, if there is one."""
    if text in document.measures:
        yield from _of_measure(document, text)
    elif text in _FIELDS or text.startswith("custom."):
        yield Factor(text, content_of(text.removesuffix("_minor")) == "money")


def _of_measure(document: PolicyDocument, name: str) -> Iterator[Factor]:
    spec: Spec = document.measures[name]
    behind = [of for part in _MADE_OF if isinstance(of := getattr(spec, part, None), str) and of in document.measures]
    if not behind:
        yield Factor(name, is_money(spec, document.measures))
    for of in behind:
        yield from _of_measure(document, of)


def _texts(part: Any) -> Iterator[str]:
    """Every key and every text in a part, but for words that name nothing."""
    if isinstance(part, dict):
        for key, inner in part.items():
            yield str(key)
            if key not in _WORDS_OF_A_SCHEME:
                yield from _texts(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _texts(inner)
    elif isinstance(part, str):
        yield part
