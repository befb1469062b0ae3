"""`rubric`: each tier has criteria of its own, weighted; an account has the highest tier of which it fulfils enough.

The match of a tier is the sum of the weights, in percent, of its criteria that are fulfilled. The lowest tier asks for nothing. What
is shown as the score is the match of the tier that the account has; in a tier without criteria, of the next one that has some.
Source: facts 000-06..09, question Q8 (0.7: the budget and one other criterion of 40 / 30 / 30).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from streams.conditions import Conditions, When, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Line, Names, Problem, Row, Span, Spec
from streams.parts import Parts
from streams.schemes.model import Model, ModelledSpec, Rungs, places, tier_problems
from streams.schemes.rating import Placing
from streams.steps import steps
from streams.units import MICRO, micro, points_text
from streams.words import Said, Words, both


class CriterionSpec(Spec):
    """One thing that a tier asks for."""

    weight: float = Field(gt=0, le=100, description="share of the tier's match, in percent")
    when: When


class RubricModel(Model):
    """Criteria for each tier."""

    match_at_least: float = Field(default=0.7, gt=0, le=1, description="how much of its criteria an account must fulfil to have a tier")
    criteria: dict[str, dict[str, CriterionSpec]] = Field(
        min_length=1, description="tier -> criterion -> weight and conditions; the lowest tier needs none"
    )

    @field_validator("criteria")
    @classmethod
    def _weights(cls, criteria: dict[str, dict[str, CriterionSpec]]) -> dict[str, dict[str, CriterionSpec]]:
        for tier, each in criteria.items():
            if abs((total := sum(criterion.weight for criterion in each.values())) - 100) > 1e-9:
                raise ValueError(f"the weights of tier {tier} must sum to 100, got {total:g}")
        return criteria

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References: tiers, measures, profile fields. A tier above the lowest without criteria can never be had."""
        yield from tier_problems("criteria", list(self.criteria), tiers)
        for tier in tiers[1:]:
            if tier not in self.criteria:
                yield "criteria", f"tier {tier} needs criteria: only the lowest tier is had without"
        for tier, each in self.criteria.items():
            for name, criterion in each.items():
                yield from when_problems(criterion.when, names, f"criteria.{tier}.{name}.when")

    def model_said(self, words: Words) -> list[Said]:
        """What each tier asks for, and how much of it is enough."""
        asked = [
            Said("lifts", f"{tier} asks for {both([f'{n} {c.weight:g} ({when_said(c.when, words)})' for n, c in each.items()])}")
            for tier, each in self.criteria.items()
        ]
        return [Said("lifts", f"the highest tier of which {self.match_at_least:.0%} are met"), *asked]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by their place."""
        return places(tiers)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Rubric":
        """The rating that works on rows."""
        return Rubric(self, place, tiers, parts)


class RubricSpec(ModelledSpec, RubricModel):
    """A ladder whose tiers have criteria of their own."""

    kind: Literal["rubric"]


class Criterion(NamedTuple):
    """The compiled criterion."""

    name: str
    weight: float
    conditions: Conditions


class Rubric(Placing):
    """The compiled rating."""

    def __init__(self, spec: RubricModel, place: str, tiers: Sequence[str], parts: Parts) -> None:
        super().__init__(tiers)
        self._needed_micro = micro(100 * spec.match_at_least)
        self._criteria = [
            [
                Criterion(name, each.weight, Conditions(each.when, f"{place}.{tier}.{name}", parts))
                for name, each in spec.criteria.get(tier, {}).items()
            ]
            for tier in tiers
        ]
        every = [criterion.conditions for tier in self._criteria for criterion in tier]
        self.columns = [column for conditions in every for column in conditions.columns]
        self.topics = ("profiles",) if any(conditions.from_profile for conditions in every) else ()
        self._every = every

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        for conditions in self._every:
            conditions.recall(row, dossier)

    def place(self, row: Row, at_ms: int) -> int:
        """The highest tier of which enough is fulfilled."""
        return next((tier for tier in self._from_the_top() if self._match_micro(tier, row, at_ms) >= self._needed_micro), 0)

    def _from_the_top(self) -> range:
        return range(len(self.tiers) - 1, 0, -1)

    def _match_micro(self, tier: int, row: Row, at_ms: int) -> int:
        return sum(micro(each.weight) for each in self._criteria[tier] if each.conditions.holds(row, at_ms))

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The highest tier that is surely matched, and the highest that may be."""
        low = high = 0
        for tier in self._from_the_top():
            held = [(micro(each.weight), *each.conditions.may_hold(row, from_ms, to_ms)) for each in self._criteria[tier]]
            if sum(weight for weight, _, possibly in held if possibly) >= self._needed_micro:
                high = max(high, tier)
                if sum(weight for weight, surely, _ in held if surely) >= self._needed_micro:
                    low = tier
                    break
        return Span(float(low), float(high))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When a criterion may come true or end."""
        return steps(self._every, row, from_ms)

    def _shown(self, row: Row, at_ms: int) -> int:
        """The tier whose match is shown."""
        tier = self.place(row, at_ms)
        return next(each for each in range(tier, len(self.tiers)) if self._criteria[each])

    def points(self, row: Row, at_ms: int) -> float:
        """The match in points."""
        return self._match_micro(self._shown(row, at_ms), row, at_ms) / MICRO

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """What each criterion of that tier gave; those that are not met say so."""
        shown, lines = self._shown(row, at_ms), []
        for each in self._criteria[shown]:
            met = each.conditions.holds(row, at_ms)
            label = f"{self.tiers[shown]} {each.name}: {each.conditions.text}"
            last_ms = each.conditions.last_ms(row, dossier, at_ms) if met else None
            lines.append(Line(label if met else f"{label} (not met)", each.weight if met else 0.0, last_ms=last_ms))
        return lines

    def says(self, row: Row, at_ms: int) -> str:
        """How much of which tier is matched."""
        shown = self._shown(row, at_ms)
        match, needed = points_text(self._match_micro(shown, row, at_ms)), points_text(self._needed_micro)
        return f"{match} of 100 for {self.tiers[shown]}, {needed} needed"
