"""What the tiers of a ladder follow from, apart from the ladder itself: so that several models can stand on one ladder, a track each.

A model gives the rating of an account and the rungs of that rating; the scheme adds names of tiers, stay, steps, triggers and risks.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from streams.kinds import Names, Problem, Spec, unknown
from streams.parts import Parts
from streams.schemes.ladder import Ladder, Rung
from streams.schemes.rating import Rating
from streams.schemes.spec import LadderSpec
from streams.units import MICRO, micro, points_text
from streams.words import Said, Words, as_written, both


class Rungs(NamedTuple):
    """Where each tier but the lowest begins and ends, and whether distances between them say anything to people."""

    each: list[Rung]
    in_points: bool


def places(tiers: Sequence[str]) -> Rungs:
    """The rungs of a model that names tiers outright."""
    return Rungs([Rung(place * MICRO, place * MICRO) for place in range(1, len(tiers))], in_points=False)


class Model(Spec):
    """What tiers follow from."""

    @abstractmethod
    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References: to the policy's names and to the tiers of the ladder."""

    def model_said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What the tiers follow from; in the words of the file where a kind has none of its own."""
        return [Said("lifts", as_written(self, (*LadderSpec.model_fields, "kind")))]

    @abstractmethod
    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Where the tiers begin."""

    @abstractmethod
    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> Rating:
        """The rating that works on rows; `place` begins the names of its columns."""


class ModelledSpec(LadderSpec, Model):
    """A scheme that is a ladder and one model."""

    def problems(self, names: Names) -> Iterator[Problem]:
        """What is wrong with the model, and with the ladder."""
        yield from self.model_problems(names, self.names())
        yield from super().problems(names)

    def way_up(self, words: Words) -> list[Said]:
        """What the model says."""
        return self.model_said(words)

    def ladder(self) -> Ladder:
        """The ladder over the model's rating."""
        rungs = self.rungs(self.names())
        return Ladder(self, rungs.each, in_points=rungs.in_points)

    def rating(self, name: str, parts: Parts) -> Rating:
        """The model's rating."""
        return self.rated(f"schemes.{name}", self.names(), parts)


class PointedSpec(ModelledSpec):
    """A scheme whose model gives points to compare: a tier may be kept for some points below where it begins."""

    leave_below: dict[str, float] | None = Field(
        default=None, description="tier -> points below which it is lost (default: where it begins); hysteresis, as `score` has it"
    )

    @model_serializer(mode="wrap")
    def _decides_as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A policy that says nothing of it keeps its digest."""
        said: dict[str, Any] = written(self)
        return {name: part for name, part in said.items() if name != "leave_below" or part is not None}

    def problems(self, names: Names) -> Iterator[Problem]:
        """Besides the model's: where tiers are lost is not above where they begin, and rises with them."""
        found = list(super().problems(names))
        yield from found
        if self.leave_below is not None:
            yield from tier_problems("leave_below", list(self.leave_below), self.names()[1:])
            yield from () if found else (("leave_below", what) for what in self._order_problems())

    def _order_problems(self) -> Iterator[str]:
        before = 0
        for tier, rung in zip(self.names()[1:], self.ladder_rungs(), strict=True):
            if rung.leave_micro > rung.enter_micro:
                yield f"must not be above where {tier} begins, {points_text(rung.enter_micro)}, got {points_text(rung.leave_micro)}"
            if not before < rung.leave_micro:
                yield f"must rise from tier to tier, got {points_text(rung.leave_micro)} for {tier}"
            before = rung.leave_micro

    def ladder_rungs(self) -> list[Rung]:
        """Where each tier but the lowest begins, and below what it is lost."""
        leaves = self.leave_below or {}
        begins = zip(self.names()[1:], self.rungs(self.names()).each, strict=True)
        return [rung._replace(leave_micro=micro(leaves[tier])) if tier in leaves else rung for tier, rung in begins]

    def ladder(self) -> Ladder:
        """The ladder over the model's points."""
        return Ladder(self, self.ladder_rungs())

    def way_down(self, words: Words) -> list[Said]:
        """Where tiers are lost, where that is not where they begin."""
        lost = [f"{tier} is lost below {points:g}" for tier, points in (self.leave_below or {}).items()]
        return [*([Said("lowers", f"{both(lost)} points")] if lost else []), *super().way_down(words)]


def tier_problems(place: str, named: Sequence[str], tiers: Sequence[str]) -> Iterator[Problem]:
    """Each must be a tier of the ladder."""
    yield from ((f"{place}.{name}", unknown("tier", name, tuple(tiers))) for name in named if name not in tiers)
