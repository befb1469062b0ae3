"""What every scheme says, whatever it goes by: its tiers, what lifts and what holds down, how fast an account may move."""

from collections.abc import Iterator, Sequence

from pydantic import Field, field_validator

from streams.kinds import Names, Problem, Spec, unknown
from streams.schemes.override import OverrideSpec
from streams.triggers import TriggerSpec
from streams.units import DurationMs
from streams.words import Said, Words, as_written, both, length, spaced


class TierSpec(Spec):
    """One rung of the ladder."""

    name: str = Field(min_length=1, max_length=64)
    minimum_stay: DurationMs = Field(default=0, description="how long the tier is kept at least before it may be lost")
    treatment: str | None = Field(default=None, description="what the tier means for the people who work with it")


class CeilingSpec(Spec):
    """What an open risk does."""

    ceiling: str = Field(description="the highest tier while such a risk is open")


class StepsSpec(Spec):
    """How fast an account may move along the ladder."""

    at_most: int = Field(ge=1, description="tiers per step")
    every: DurationMs | None = Field(
        default=None, description="time between two steps (default: the minimum stay; 0s: one after the other at once)"
    )


class LadderSpec(Spec):
    """A ladder of tiers. Each kind adds `kind`, and what its tiers follow from."""

    announce_entry: bool = Field(default=False, description="publish the silent entry at the lowest tier, from_tier null")
    tiers: Sequence[TierSpec] = Field(min_length=2, max_length=64, description="lowest first")
    hot: list[str] = Field(default=[], description="tiers into which an upgrade makes a hot lead")
    steps: StepsSpec | None = None
    triggers: list[TriggerSpec] = Field(default=[], max_length=16, description="conditions that lift to a tier while they hold")
    risk: dict[str, CeilingSpec] = Field(default={}, description="risk kind -> ceiling while a risk of this kind is open")
    override: OverrideSpec | None = Field(default=None, description="people may override the tier, under these conditions (default: never)")

    @field_validator("tiers")
    @classmethod
    def _names_differ(cls, tiers: Sequence[TierSpec]) -> Sequence[TierSpec]:
        names = [tier.name for tier in tiers]
        if len(set(names)) < len(names):
            raise ValueError(f"tier names must differ, got {', '.join(names)}")
        return tiers

    def names(self) -> tuple[str, ...]:
        """The tiers, lowest first."""
        return tuple(tier.name for tier in self.tiers)

    def said(self, words: Words) -> list[Said]:
        """The way up, the way down, and what holds an account down."""
        said = [*self.way_up(words), *(each for trigger in self.triggers for each in trigger.said(words)), *self.way_down(words)]
        if self.steps is not None:
            pause = "the minimum stay" if self.steps.every is None else length(self.steps.every)
            tiers = f"at most {self.steps.at_most} of {len(self.tiers)} tiers at a time"
            said.append(Said("lowers", f"{tiers}, up or down, then a pause of {pause}"))
        said += [Said("lowers", f"at most {risk.ceiling} while a risk is open: {spaced(kind).lower()}") for kind, risk in self.risk.items()]
        said += self.override.said(words) if self.override is not None else []
        return [*said, Said("follows", f"coming into {both(self.hot)} makes a hot lead")] if self.hot else said

    def way_up(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What the tiers follow from; in the words of the file where a kind has none of its own."""
        own = {name for name in type(self).model_fields if name not in LadderSpec.model_fields and name != "kind"}
        left_out = tuple(name for name in type(self).model_fields if name not in own)
        return [Said("lifts", as_written(self, left_out))]

    def way_down(self, words: Words) -> list[Said]:  # noqa: ARG002
        """How long each tier is kept at least."""
        return [
            Said("lowers", f"{tier.name} is kept for {length(tier.minimum_stay)} at the least")
            for tier in reversed(self.tiers)
            if tier.minimum_stay
        ]

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: ceilings and lifts are tiers of this ladder, conditions are measures of the policy."""
        tiers = frozenset(self.names())
        for kind, risk in self.risk.items():
            if risk.ceiling not in tiers:
                yield f"risk.{kind}.ceiling", unknown("tier", risk.ceiling, tiers)
        for place, name in enumerate(self.hot):
            if name not in tiers:
                yield f"hot.{place}", unknown("tier", name, tiers)
        for place, trigger in enumerate(self.triggers):
            for path, what in trigger.problems(names, tiers):
                yield f"triggers.{place}.{path}", what
