"""`bands`: indicators that each say which tier an account looks like; their weighted points, between the tiers' own, decide.

Each tier has points that are typical of it (95, 80, 65, 50). An indicator gives the points of the highest tier whose band is reached
(lower bounds inclusive), and the composite is their weighted mean: an account that is A in everything has exactly A's points. Tiers begin
half-way between their points, or where the policy says. An indicator may leave neighbouring tiers unseparated (less than a year of
cooperation is C and D): there it goes along with the others, within what these tiers give. Source: facts 001-06..09, Q4, Q9.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from streams.columns import Column
from streams.conditions import Conditions, ConditionSpec, LimitsSpec, When, asked_of, limit_said, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec
from streams.parts import Parts
from streams.schemes.ladder import Rung
from streams.schemes.model import Model, PointedSpec, Rungs, tier_problems
from streams.steps import steps
from streams.units import Quantity, micro, points_text
from streams.words import Said, Words, both, spaced


class IndicatorSpec(Spec):
    """What an account looks like by one thing: limits of a number, or conditions, for each tier that they separate."""

    weight: float = Field(gt=0, le=100, description="share of the composite, in percent")
    of: str | None = Field(default=None, description="the measure, dimension or profile field that is compared")
    from_: dict[str, Quantity] | None = Field(default=None, alias="from", description="tier -> from which number on (inclusive)")
    up_to: dict[str, Quantity] | None = Field(default=None, description="tier -> up to which number (inclusive), where less is better")
    when: dict[str, When] | None = Field(default=None, description="tier -> conditions, where it is not one number")

    @model_validator(mode="after")
    def _one_way(self) -> "IndicatorSpec":
        ways = [way for way in (self.from_, self.up_to, self.when) if way is not None]
        if len(ways) != 1 or not ways[0]:
            raise ValueError("must have one of from, up_to (tier -> number) and when (tier -> conditions)")
        if (self.of is None) != (self.when is not None):
            raise ValueError("must say what is compared (`of`) with from and up_to, and not with when")
        return self

    def conditions(self) -> dict[str, dict[str, ConditionSpec]]:
        """Tier -> what an account must fulfil to look like it."""
        if self.when is not None:
            return self.when
        assert self.of is not None, "validated: of, with from or up_to"
        if self.from_ is not None:
            return {tier: {self.of: LimitsSpec(at_least=limit)} for tier, limit in self.from_.items()}
        return {tier: {self.of: LimitsSpec(at_most=limit)} for tier, limit in (self.up_to or {}).items()}

    def looked(self, words: Words) -> str:
        """What it looks at, and from where on it looks like which tier."""
        if self.of is None:
            return "; ".join(f"{tier} where {when_said(when, words)}" for tier, when in self.conditions().items())
        limits = self.from_ or self.up_to or {}
        bounds = [f"{tier} {'from' if self.from_ else 'up to'} {limit_said(self.of, limit, words)}" for tier, limit in limits.items()]
        return f"{asked_of(self.of, words)}: {', '.join(bounds)}"

    def problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References, and whether the limits rise (or fall) with the tiers."""
        way = "from" if self.from_ is not None else "up_to" if self.up_to is not None else "when"
        yield from tier_problems(way, list(self.conditions()), tiers)
        if tiers[0] in self.conditions():
            yield f"{way}.{tiers[0]}", f"the lowest tier {tiers[0]} is what is left: it has no limit"
        limits = self.from_ or self.up_to or {}
        ordered = [limits[tier] for tier in tiers if tier in limits]
        if any(two <= one if self.from_ else two >= one for one, two in pairwise(ordered)):
            yield way, f"limits must {'rise' if self.from_ else 'fall'} from tier to tier"
        for tier, when in self.conditions().items():
            found = list(when_problems(when, names, f"when.{tier}"))
            yield from found if self.when is not None else [("of", what) for _, what in found[:1]]
            if found and self.when is None:
                return


class BandsModel(Model):
    """Indicators, weighted."""

    points: dict[str, float] = Field(min_length=2, description="tier -> points that are typical of it, rising")
    cut_offs: Literal["midpoints"] | dict[str, float] = Field(
        description="where tiers begin: half-way between their points, or tier -> composite (inclusive)"
    )
    indicators: dict[str, IndicatorSpec] = Field(min_length=1, max_length=16, description="what is looked at; the weights sum to 100")

    @field_validator("indicators")
    @classmethod
    def _weights(cls, indicators: dict[str, IndicatorSpec]) -> dict[str, IndicatorSpec]:
        if abs((total := sum(each.weight for each in indicators.values())) - 100) > 1e-9:
            raise ValueError(f"weights must sum to 100, got {total:g}")
        return indicators

    def begins(self, tiers: Sequence[str]) -> list[float]:
        """Where each tier but the lowest begins."""
        if isinstance(self.cut_offs, dict):
            return [self.cut_offs.get(tier, 0.0) for tier in tiers[1:]]
        return [(self.points.get(below, 0.0) + self.points.get(above, 0.0)) / 2 for below, above in pairwise(tiers)]

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References; every tier has points and a beginning, and both rise."""
        for place, named in (("points", self.points), ("cut_offs", self.cut_offs)):
            if isinstance(named, dict):
                needed = tiers if place == "points" else tiers[1:]
                yield from tier_problems(place, list(named), tiers)
                yield from ((place, f"tier {tier} is missing") for tier in needed if tier not in named)
                ordered = [named[tier] for tier in needed if tier in named]
                if any(two <= one for one, two in pairwise(ordered)) or any(not 0 <= points <= 100 for points in ordered):
                    yield place, "must be 0 to 100 and rise from tier to tier"
        for name, indicator in self.indicators.items():
            yield from ((f"indicators.{name}.{path}", what) for path, what in indicator.problems(names, tiers))

    def model_said(self, words: Words) -> list[Said]:
        """What each indicator looks at, and where tiers begin."""
        looked = [Said("lifts", f"{spaced(name)}, {each.weight:g} %: {each.looked(words)}") for name, each in self.indicators.items()]
        tiers = sorted(self.points, key=lambda tier: self.points[tier])
        begins = both([f"{tier} from {begin:g} on" for tier, begin in zip(tiers[1:], self.begins(tiers), strict=True)])
        worth = ", ".join(f"{tier} {points:g}" for tier, points in self.points.items())
        return [Said("lifts", f"the composite of {len(looked)} indicators ({worth}): {begins}"), *looked]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by the composite."""
        return Rungs([Rung(micro(begin), micro(begin)) for begin in self.begins(tiers)], in_points=True)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Composite":
        """The rating that works on rows."""
        return Composite(self, place, tiers, parts)


class BandsSpec(PointedSpec, BandsModel):
    """A ladder over the composite of some indicators."""

    kind: Literal["bands"]


class Band(NamedTuple):
    """What an indicator says while it is in one band: the tiers that it may mean, and the points of the lowest and the highest of them."""

    tiers: str
    low: float
    high: float


class Indicator:
    """The compiled indicator."""

    def __init__(self, name: str, spec: IndicatorSpec, place: str, points: list[tuple[str, float]], parts: Parts) -> None:
        self.name, self.share = name, spec.weight / 100
        asked = spec.conditions()
        begins = [number for number, (tier, _) in enumerate(points) if tier in asked]
        self._rising = [Conditions(asked[points[number][0]], f"{place}.{name}.{points[number][0]}", parts) for number in begins]
        edges = [0, *begins, len(points)]
        self._bands = [_band(points[low:high]) for low, high in pairwise(edges)]
        self.columns = [column for conditions in self._rising for column in conditions.columns]
        self.from_profile = any(conditions.from_profile for conditions in self._rising)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        for conditions in self._rising:
            conditions.recall(row, dossier)

    def band(self, row: Row, at_ms: int) -> Band:
        """The highest band that is reached."""
        return next((self._bands[n] for n in self._from_the_top() if self._rising[n - 1].holds(row, at_ms)), self._bands[0])

    def _from_the_top(self) -> range:
        return range(len(self._rising), 0, -1)

    def reach(self, row: Row, from_ms: int, to_ms: int) -> tuple[Band, Band]:
        """The lowest and the highest band that may be reached over a time."""
        low = high = 0
        for n in self._from_the_top():
            surely, possibly = self._rising[n - 1].may_hold(row, from_ms, to_ms)
            high = max(high, n) if possibly else high
            if surely:
                low = n
                break
        return self._bands[low], self._bands[high]

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it may come into another band."""
        return steps(self._rising, row, from_ms)

    def last_ms(self, row: Row, dossier: Dossier, at_ms: int) -> int | None:
        """When the last thing behind it happened."""
        return max((last for each in self._rising if (last := each.last_ms(row, dossier, at_ms)) is not None), default=None)


def _band(tiers: list[tuple[str, float]]) -> Band:
    return Band(" or ".join(tier for tier, _ in tiers), tiers[0][1], tiers[-1][1])


class Composite:
    """The compiled rating."""

    own_measures: tuple[Measure, ...] = ()

    def __init__(self, spec: BandsModel, place: str, tiers: Sequence[str], parts: Parts) -> None:
        points = [(tier, spec.points[tier]) for tier in tiers]
        self._indicators = [Indicator(name, each, place, points, parts) for name, each in spec.indicators.items()]
        self.columns: list[Column] = [column for each in self._indicators for column in each.columns]
        self.topics: tuple[str, ...] = ("profiles",) if any(each.from_profile for each in self._indicators) else ()

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        for each in self._indicators:
            each.recall(row, dossier)

    def _given(self, row: Row, at_ms: int) -> list[tuple[Indicator, Band, float]]:
        """What each indicator says, and the points that it gives."""
        bands = [(each, each.band(row, at_ms)) for each in self._indicators]
        decided = [(each.share, band.low) for each, band in bands if band.low == band.high]
        others = sum(share * points for share, points in decided) / sum(share for share, _ in decided) if decided else 0.0
        return [(each, band, min(max(others, band.low), band.high)) for each, band in bands]

    def at(self, row: Row, at_ms: int) -> float:
        """The composite."""
        return sum(each.share * points for each, _, points in self._given(row, at_ms))

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The least and the most that the bands give which may be reached."""
        reached = [(each.share, *each.reach(row, from_ms, to_ms)) for each in self._indicators]
        if all(low == high for _, low, high in reached):
            return Span(self.at(row, from_ms), self.at(row, from_ms))
        return Span(sum(share * low.low for share, low, _ in reached), sum(share * high.high for share, _, high in reached))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When an indicator may come into another band."""
        return steps(self._indicators, row, from_ms)

    def points(self, row: Row, at_ms: int) -> float:
        """The composite."""
        return self.at(row, at_ms)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """What each indicator gave."""
        return [
            Line(f"{each.name}: {band.tiers}", each.share * points, last_ms=each.last_ms(row, dossier, at_ms))
            for each, band, points in self._given(row, at_ms)
        ]

    def says(self, row: Row, at_ms: int) -> str:
        """The composite in words."""
        return f"composite {points_text(micro(self.at(row, at_ms)))}"
