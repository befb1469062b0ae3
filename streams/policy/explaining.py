"""What does a policy say? Every part in plain words, in the order in which people ask: the way up, the way down, what time does.

A sentence names the part it comes from, so that whoever reads it finds the line in the file. The parts say themselves (`Spec.said`);
kinds that this module has never heard of are told too.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.kinds import Spec
from streams.policy.model import PolicyDocument
from streams.words import Effect, Words, spaced

_NOT_PARTS = frozenset({"rates", "targets"})
"""Sections that are tables of numbers, told by nobody."""


class Sentence(NamedTuple):
    """One thing that a policy says. `path`: where; `subject`: the name that the policy gives it."""

    path: str
    subject: str
    effect: Effect
    text: str


def explained(document: PolicyDocument) -> list[Sentence]:
    """Every sentence, section by section in the order of the file's model."""
    words = Words(document.measures, document.currency)
    said = [
        Sentence(f"score.{name}", spaced(name), "is", f"{weight:.0%} of the score: {_phrase(document.dimensions[name], words)}")
        for name, weight in document.score.items()
    ]
    for section, subject, spec in _parts(document):
        if section == "dimensions" and subject in document.score:
            continue  # said with its weight
        said += [Sentence(f"{section}.{subject}", spaced(subject), each.effect, each.text) for each in spec.said(words)]
    return said


def _phrase(dimension: Spec, words: Words) -> str:
    return "; ".join(each.text for each in dimension.said(words))


def _entries(content: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """What stands in a section, also where its entries stand in groups."""
    for name, entry in content.items():
        if isinstance(entry, dict):
            yield from _entries(entry, f"{path}{name}.")
        else:
            yield f"{path}{name}", entry


def _parts(document: PolicyDocument) -> Iterator[tuple[str, str, Spec]]:
    """Every named part of every section, whatever sections there are; ladders first, measures last."""
    sections = [name for name in type(document).model_fields if name not in _NOT_PARTS]
    for section in sorted(sections, key=lambda name: (name == "measures", name != "schemes")):
        content = getattr(document, section)
        if isinstance(content, Spec):
            yield section, section, content
        elif isinstance(content, dict):
            yield from ((section, name, spec) for name, spec in _entries(content) if isinstance(spec, Spec))
        elif isinstance(content, list):
            yield from ((section, str(place), spec) for place, spec in enumerate(content) if isinstance(spec, Spec))
