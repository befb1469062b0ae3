"""What the tiers of a ladder follow from, apart from the ladder itself: so that several models can stand on one ladder, a track each.

A model gives the rating of an account and the rungs of that rating; the scheme adds names of tiers, stay, steps, triggers and risks.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.kinds import Names, Problem, Spec, unknown
from streams.parts import Parts
from streams.schemes.ladder import Ladder, Rung
from streams.schemes.rating import Rating
from streams.schemes.spec import LadderSpec
from streams.units import MICRO
from streams.words import Said, Words, as_written


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


def tier_problems(place: str, named: Sequence[str], tiers: Sequence[str]) -> Iterator[Problem]:
    """Each must be a tier of the ladder."""
    yield from ((f"{place}.{name}", unknown("tier", name, tuple(tiers))) for name in named if name not in tiers)
