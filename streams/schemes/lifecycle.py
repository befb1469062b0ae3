"""`lifecycle`: has not bought yet, has just bought, buys, has stopped buying; each to the millisecond.

On the ladder, lowest first: potential (never bought), lost (bought before and stopped, to be won back), new (bought first a short while
ago), active. A purchase wins a lost account back. A seasonal buyer is lost only once its season has passed without a purchase, however
long its silence: the season is what it did in each of the last years (streams/measures/seasons.py). What keeps an account besides buying,
such as using the product, is a condition of the policy. Source: facts 004-01, 004-04.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from streams.columns import identity
from streams.conditions import Conditions, When, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Line, Names, Problem, Row, Span, Spec
from streams.measures.matching import Matching
from streams.measures.seasons import Habit, Purchases
from streams.parts import Parts
from streams.schemes.model import Model, ModelledSpec, Rungs, places
from streams.schemes.rating import Placing
from streams.units import UNBOUNDED, PositiveDurationMs, duration_text
from streams.words import Said, Words, length

POTENTIAL, LOST, NEW, ACTIVE = range(4)


class SeasonSpec(Spec):
    """What makes an account a seasonal buyer."""

    years: int = Field(default=2, ge=2, le=10, description="it bought in that month in each of so many years")
    months: int = Field(default=3, ge=1, le=11, description="and in no more than so many months of the calendar in these years")


class LifecycleModel(Model):
    """When an account is new, and when it is lost."""

    purchases: Matching = Field(description="which records are purchases, such as { from: orders, status: [PAID] }")
    new_for: PositiveDurationMs = Field(description="how long after its first purchase an account is new")
    lost_after: PositiveDurationMs = Field(description="how long after its last purchase it is lost, unless its season is still to come")
    seasonal: SeasonSpec | None = Field(default=None, description="who is a seasonal buyer; without, nobody is")
    kept_by: When | None = Field(default=None, description="conditions that keep a customer from being lost while they are fulfilled")

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References, and that there are four tiers."""
        if len(tiers) != 4:
            yield "tiers", f"must be four: the account has never bought, is lost, is new, is active; got {len(tiers)}"
        yield from ((f"purchases.{path}", what) for path, what in self.purchases.matching_problems())
        yield from when_problems(self.kept_by or {}, names, "kept_by")

    def model_said(self, words: Words) -> list[Said]:
        """What makes an account new, and what lost."""
        kept = [f"{when_said(self.kept_by, words)} keeps it"] if self.kept_by else []
        season = [f"bought in the same month in each of {self.seasonal.years} years, it waits for that month"] if self.seasonal else []
        lost = "; ".join([f"lost {length(self.lost_after)} after the last purchase", *season, *kept])
        return [Said("lifts", f"new for {length(self.new_for)} after the first purchase, then active"), Said("lowers", lost)]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by their place."""
        return places(tiers)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Lifecycle":
        """The rating that works on rows."""
        return Lifecycle(self, place, tiers, parts)


class LifecycleSpec(ModelledSpec, LifecycleModel):
    """A ladder of stages of life."""

    kind: Literal["lifecycle"]


class Lifecycle(Placing):
    """The compiled rating; it owns the measure that knows the purchases."""

    def __init__(self, spec: LifecycleModel, place: str, tiers: Sequence[str], parts: Parts) -> None:
        super().__init__(tiers)
        said = spec.purchases.model_dump(mode="json")
        habit = Habit(spec.seasonal.years, spec.seasonal.months) if spec.seasonal else None
        meaning = identity(["purchases", said, parts.locale.timezone, habit])
        self._bought = Purchases(f"{place}.bought", spec.purchases.from_, spec.purchases.matches(), parts.locale.local_day, habit, meaning)
        self.own_measures = (self._bought,)
        self._new_for_ms, self._lost_after_ms = spec.new_for, spec.lost_after
        self._kept = Conditions(spec.kept_by, f"{place}.kept", parts) if spec.kept_by else None
        self.columns = self._kept.columns if self._kept else []
        self.topics = ("profiles",) if self._kept and self._kept.from_profile else ()

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        if self._kept is not None:
            self._kept.recall(row, dossier)

    def _new_until_ms(self, row: Row) -> int:
        first_ms = self._bought.first_ms(row)
        return UNBOUNDED if first_ms is None else first_ms + self._new_for_ms

    def _lost_from_ms(self, row: Row) -> int:
        return max(self._bought.last_ms(row) + self._lost_after_ms, self._bought.season_ends_ms(row))

    def place(self, row: Row, at_ms: int) -> int:
        """The stage of life."""
        if self._bought.first_ms(row) is None:
            return POTENTIAL
        if at_ms < self._new_until_ms(row):
            return NEW
        if at_ms < self._lost_from_ms(row) or (self._kept is not None and self._kept.holds(row, at_ms)):
            return ACTIVE
        return LOST

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Among the stages at both ends, and at every change between."""
        if self._bought.first_ms(row) is None:
            return Span(float(POTENTIAL), float(POTENTIAL))
        looks = [from_ms, to_ms, *(at_ms for at_ms in self._timers(row) if from_ms < at_ms < to_ms)]
        found = [self.place(row, at_ms) for at_ms in looks]
        if self._kept is not None and from_ms < to_ms and to_ms >= self._lost_from_ms(row):
            surely, possibly = self._kept.may_hold(row, max(from_ms, self._lost_from_ms(row)), to_ms)
            past_new = to_ms >= self._new_until_ms(row)
            found += ([ACTIVE] if possibly and past_new else []) + ([LOST] if not surely and past_new else [])
        return Span(float(min(found)), float(max(found)))

    def _timers(self, row: Row) -> tuple[int, int]:
        return self._new_until_ms(row), self._lost_from_ms(row)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it is no longer new, when it is lost, when what kept it ends."""
        if self._bought.first_ms(row) is None:
            return []
        kept = self._kept.steps(row, from_ms) if self._kept is not None else []
        return None if kept is None else [*(at_ms for at_ms in self._timers(row) if at_ms > from_ms), *kept]

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line: the stage, how often it bought, and when last."""
        bought = self._bought.first_ms(row) is not None
        behind = (self._bought.times(row), self._bought.last_ms(row)) if bought else (None, None)
        return [Line(self.says(row, at_ms), self.points(row, at_ms), *behind)]

    def says(self, row: Row, at_ms: int) -> str:
        """What makes it this stage."""
        stage = self.place(row, at_ms)
        if stage == POTENTIAL:
            return "has bought nothing yet"
        if stage == NEW:
            return f"bought first less than {duration_text(self._new_for_ms)} ago"
        if stage == ACTIVE:
            return self._says_active(row, at_ms)
        silent = f"has bought nothing for {duration_text(self._lost_after_ms)}"
        return (
            silent if self._lost_from_ms(row) == self._bought.last_ms(row) + self._lost_after_ms else "its season passed without a purchase"
        )

    def _says_active(self, row: Row, at_ms: int) -> str:
        if at_ms < self._bought.last_ms(row) + self._lost_after_ms:
            return f"bought less than {duration_text(self._lost_after_ms)} ago"
        if at_ms < self._lost_from_ms(row):
            return "buys every year in the same season, and that is not over"
        assert self._kept is not None, "active for one of three reasons"
        return f"is kept: {self._kept.text}"
