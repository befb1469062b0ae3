"""What a policy may ask of the profile: the fields by the names that policies use, what kind of content each has, and how to read it.

Money is written in whole units of the policy's currency and named without `_minor`; a date is asked as the time since; your own fields
are `custom.<name>` and may be numbers, truth values or texts.
"""

from typing import Any, Literal, get_args, get_origin

import msgspec

from schemas.records import AccountProfile
from streams.dossier import PROFILE_FIELDS, Dossier, FieldContent
from streams.kinds import unknown

Content = Literal["money", "date", "number", "flag", "list", "text", "any"]

_CUSTOM = "custom."


def _content(name: str, kind: Any) -> Content:
    within = {each for each in get_args(kind) if each is not type(None)} if get_origin(kind) is not Literal else {str}
    if int in within or float in within:
        return "money" if name.endswith("_minor") else "date" if name == "cooperation_since" else "number"
    return "flag" if bool in within else "list" if list[str] in within else "text"


_HELD_IN = {name.removesuffix("_minor"): name for name in PROFILE_FIELDS}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(AccountProfile)}
CONTENTS: dict[str, Content] = {name: _content(field, _TYPES[field]) for name, field in _HELD_IN.items()}
"""What each field of the profile holds, by the name that policies use."""

CHOICES: dict[str, tuple[str, ...]] = {
    name: choices
    for name, field in _HELD_IN.items()
    for choices in [tuple(text for each in get_args(_TYPES[field]) for text in get_args(each) if isinstance(text, str))]
    if choices
}
"""The contents of fields that can only have some."""

COMPARED: frozenset[Content] = frozenset({"money", "date", "number", "any"})
"""Contents that can be compared with limits."""


def content_of(field: str) -> Content | None:
    """What a field holds; None if there is no such field."""
    return "any" if field.startswith(_CUSTOM) and len(field) > len(_CUSTOM) else CONTENTS.get(field)


def field_problem(field: str) -> str | None:
    """What is wrong with the name of a field; None: nothing."""
    if content_of(field) is not None:
        return None
    return unknown("profile field", field, tuple(CONTENTS)) + "; your own fields are named custom.<name>"


def said(dossier: Dossier, field: str) -> FieldContent:
    """What the profile says, None if that is unknown."""
    return dossier.known(_HELD_IN.get(field, field))


def said_ms(dossier: Dossier, field: str) -> int | None:
    """Since when it says so."""
    known = dossier.profile.get(_HELD_IN.get(field, field))
    return None if known is None or known.content is None else known.at_ms


def number_said(dossier: Dossier, field: str, minor_per_unit: int) -> float | None:
    """The number that the profile says (a date in epoch ms), None if it says none."""
    content = said(dossier, field)
    if content is None or isinstance(content, bool | str | list):
        return None
    return float(content) / minor_per_unit if CONTENTS.get(field) == "money" else float(content)


def says_one_of(dossier: Dossier, field: str, wanted: frozenset[str]) -> bool:
    """Whether the profile says one of these; of a list, whether any entry is one of them."""
    content = said(dossier, field)
    entries = content if isinstance(content, list) else [] if content is None else [content]
    return any((str(each).lower() if isinstance(each, bool) else str(each)) in wanted for each in entries)
