"""`alerts`: conditions on an account, and what is asked for when they come true: a repurchase, an order that fails to come, a debt.

An alert begins at the instant at which all its conditions hold, by a record or by time, and ends where one of them no longer does. It
is announced once, for the tier that the account has then. Source: facts 001-19, 001-04, 001-13.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from streams.clocks.common import Breach, TieredSpec, Warnings, consequences_said
from streams.clocks.watch import Watch
from streams.conditions import Conditions, When, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Names, Opener, Problem, Row
from streams.parts import Parts
from streams.words import Said, Words


class AlertSpec(TieredSpec):
    """When to speak, and of what."""

    when: When
    then: Warnings = Field(description="{ action: name }, or tier -> action; a tier without one is not watched")

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """The actions."""
        yield "then", self.then

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the scheme and its tiers, and those of the conditions."""
        yield from super().problems(names)
        yield from when_problems(self.when, names)

    def said(self, words: Words) -> list[Said]:
        """One sentence."""
        return [Said("follows", f"{consequences_said(self.then, self.then)}, when {when_said(self.when, words)}")]

    def watch(self, name: str, scheme: str, tiers: tuple[str, ...], parts: Parts) -> "Alert":
        """The watch that works on rows."""
        return Alert(name, self, scheme, tiers, parts)


class Alert(Watch):
    """The compiled alert."""

    def __init__(self, name: str, spec: AlertSpec, scheme: str, tiers: tuple[str, ...], parts: Parts) -> None:
        place = f"alerts.{name}"
        super().__init__(place, name, spec, scheme, tiers, spec.then, ["alert", spec.model_dump(mode="json")])
        self._conditions = Conditions(spec.when, place, parts)
        self.columns += self._conditions.columns
        self.topics = ("profiles",) if self._conditions.from_profile else ()

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        self._conditions.recall(row, dossier)

    def _may_turn(self, row: Row, from_ms: int, to_ms: int) -> bool:
        """Whether the conditions may come true or end."""
        surely, possibly = self._conditions.may_hold(row, from_ms, to_ms)
        return not surely if row[self._on] else possibly

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When the conditions may."""
        return self._conditions.steps(row, from_ms)

    def _observed(self, row: Row, dossier: Opener, at_ms: int) -> list[Breach]:  # noqa: ARG002
        """They came true, or they ended."""
        holds = self._conditions.holds(row, at_ms)
        if holds and not row[self._on]:
            return self._begin(row, at_ms)
        if not holds and row[self._on]:
            self._end(row)
        return []

    def said(self, row: Row) -> str:
        """The conditions."""
        return f"{self.name}: {self._conditions.text} in {self.tiers[int(row[self._breach_tier])]}; it ends when that is no longer so"
