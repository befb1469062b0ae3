"""A policy in plain words: what each part of it says, in sentences that a person who sells can read.

Every spec says itself (`Spec.said`): a measure what it is, a dimension what it is made of, a scheme and a clock what they do. A kind
that says nothing of its own is told in the words of the file, so that nothing is left out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from streams.units import UNIT_MS

Effect = Literal["is", "lifts", "lowers", "follows"]
"""What a sentence is about: what something is; what lifts an account; what lowers it or holds it down; what is done."""

_UNITS = (("week", "w"), ("day", "d"), ("hour", "h"), ("minute", "m"), ("second", "s"))
_MONEY = ("amount", "cost")


class Said(NamedTuple):
    """One sentence, or a phrase where a measure says what it is."""

    effect: Effect
    text: str


class Words:
    """What sentences need of the rest of the policy: its measures and its currency."""

    def __init__(self, measures: Mapping[str, Any], currency: str) -> None:
        self._measures, self._currency = measures, currency

    def measure(self, name: str) -> str:
        """What a measure is, as a phrase; its name where it is not known."""
        said = self._measures[name].said(self) if name in self._measures else []
        return said[0].text if said else spaced(name)

    def called(self, name: str) -> str:
        """A measure by its name, and what it is."""
        return f"{spaced(name)} ({self.measure(name)})"

    def is_time(self, name: str) -> bool:
        """Whether a measure of this name is a time, not a number."""
        return getattr(self._measures.get(name), "is_time", False)

    def number(self, measure: str, number: float) -> str:
        """A number of a measure with its unit: a time, an amount of money, or neither."""
        spec = self._measures.get(measure)
        if self.is_time(measure):
            return length(round(number))
        if is_money(spec, self._measures):
            return f"{number:,.10g} {self._currency}"
        return f"{number:,.10g}"

    def condition(self, measure: str, at_least: float | None, at_most: float | None) -> str:
        """`the number of downloads in the last 14 days is 3 or more`."""
        phrase = self.measure(measure)
        if at_least is not None and at_most is not None:
            return f"{phrase} is {self.number(measure, at_least)} to {self.number(measure, at_most)}"
        if at_least is not None:
            return f"{phrase} is {self.number(measure, at_least)} or more"
        return f"{phrase} is {self.number(measure, at_most or 0.0)} or less"


def is_money(spec: Any, measures: Mapping[str, Any]) -> bool:
    """Whether a measure is an amount of money; a change or a weighting of one is, a ratio is not."""
    if any(getattr(spec, part, None) in _MONEY for part in ("sum", "maximum", "mean", "yearly_weighted")):
        return True
    of = getattr(spec, "change", None)
    return isinstance(of, str) and is_money(measures.get(of), measures)


def length(length_ms: int) -> str:
    """A duration, exactly: `30 days`, `90 minutes`."""
    for unit, letter in _UNITS[1:]:
        if length_ms and length_ms % UNIT_MS[letter] == 0:
            count = length_ms // UNIT_MS[letter]
            return f"{count:,} {plural(unit, count)}"
    return f"{length_ms:,} {plural('millisecond', length_ms)}"


def spaced(name: str) -> str:
    """A name of the file as words."""
    return name.replace("_", " ")


def kinds(named: Iterable[str]) -> str:
    """Kinds of records: `downloads`, `calls or meetings`."""
    return either([plural(spaced(kind).lower(), 2) for kind in named])


def either(parts: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return _joined(parts, "or")


def both(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return _joined(parts, "and")


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def plural(noun: str, count: int) -> str:
    """`1 visit`, `3 price inquiries`."""
    if count == 1:
        return noun
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


def as_written(spec: Any, leave_out: tuple[str, ...] = ()) -> str:
    """A part of the policy in the words of the file, on a line."""
    said = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return _inline({name: entry for name, entry in said.items() if name not in leave_out})


def _inline(said: Any) -> str:
    if isinstance(said, dict):
        return ", ".join(f"{key} {f'({_inline(inner)})' if isinstance(inner, dict) else _inline(inner)}" for key, inner in said.items())
    if isinstance(said, list):
        return ", ".join(f"({_inline(inner)})" if isinstance(inner, dict | list) else _inline(inner) for inner in said)
    return f"{said:g}" if isinstance(said, float) else str(said)
