"""What a policy file says, as types. The kinds come from their rooms' tables, so that a new kind needs no line here."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator

from streams.calendars import CalendarSpec
from streams.clocks import CLOCK_KINDS
from streams.clocks.alert import AlertSpec
from streams.clocks.health import HealthSpec
from streams.dimensions import DIMENSION_KINDS
from streams.kinds import Spec
from streams.measures import MEASURE_KINDS
from streams.money import Currency, DatedRates
from streams.policy.playbooks import PlaybookSpec
from streams.policy.presets import PRESET_NAMES
from streams.policy.targets import TargetSpec
from streams.schemes import SCHEME_KINDS
from streams.tracks import TracksSection
from streams.units import DurationMs, PositiveDurationMs, duration_ms

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
PolicyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]


def _by_own_key(kinds: Mapping[str, type[Spec]], word: str) -> Any:
    """A union told apart by the key that only one kind has."""

    def kind_of(entry: Any) -> str | None:
        present = entry if isinstance(entry, dict) else getattr(type(entry), "model_fields", ())
        return next((key for key in kinds if key in present), None)

    return _told_apart(kinds, kind_of, f"{word} must have one of the keys {', '.join(kinds)}, which say its kind")


def _told_apart(kinds: Mapping[str, type[Spec]], kind_of: Callable[[Any], Any], otherwise: str) -> Any:
    """A union of the kinds; `otherwise`: what is wrong with an entry of none of them."""
    members = [Annotated[spec, Tag(f"<{key}>")] for key, spec in kinds.items()]
    discriminator = Discriminator(
        lambda entry: f"<{kind}>" if (kind := kind_of(entry)) in kinds else None,
        custom_error_type="unknown_kind",
        custom_error_message=otherwise,
    )
    return Annotated[reduce(or_, members), discriminator]


def _by_kind(kinds: Mapping[str, type[Spec]], word: str) -> Any:
    """A union told apart by what `kind` says."""
    return _told_apart(
        kinds,
        lambda entry: entry.get("kind") if isinstance(entry, dict) else getattr(entry, "kind", None),
        f"{word} must have a `kind`, one of {', '.join(kinds)}",
    )


if TYPE_CHECKING:
    MeasureSpec: TypeAlias = Any
    DimensionSpec: TypeAlias = Any
    SchemeSpec: TypeAlias = Any
    ClockSpec: TypeAlias = Any
else:  # made at run time from the tables
    MeasureSpec = _by_own_key(MEASURE_KINDS, "a measure")
    DimensionSpec = _by_own_key(DIMENSION_KINDS, "a dimension")
    SchemeSpec = _by_kind(SCHEME_KINDS, "a scheme")
    ClockSpec = _by_own_key(CLOCK_KINDS, "a clock")


class PolicyDocument(Spec):
    """One grading model. Every number that the business may want to change is here and nowhere else."""

    policy: PolicyName = Field(description="the policy's name")
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-]*$", max_length=64, description="its version, part of every transition")
    reviewed_on: date = Field(description="when people last reviewed it; older than 183 days is a warning (001-21)")
    description: str = Field(default="", description="what it is for, and which facts it follows")
    extends: list[Literal[PRESET_NAMES]] = Field(  # type: ignore[valid-type]  # the names of a table
        default=[], description="presets whose measures and other parts this policy has too, unless it says them itself"
    )
    timezone: str = Field(default="Asia/Shanghai", description="where a local day begins and ends")
    currency: Currency = Field(default="CNY", description="the currency that amounts are measured in")
    rates: dict[Currency, DatedRates] = Field(
        default={}, description="foreign currency -> day -> what one unit of it is worth from that day on; others are refused"
    )
    max_ahead: PositiveDurationMs = Field(
        default=duration_ms("5m"), description="records further ahead of their append time are dead letters"
    )
    lateness: DurationMs = Field(
        default=0, description="ticks decide deadlines so much later, for records that arrive late; effective_at stays exact"
    )
    act_within: PositiveDurationMs = Field(
        default=duration_ms("1h"), description="hot leads and actions are published only for changes younger than this"
    )
    forecast_horizon: PositiveDurationMs = Field(default=duration_ms("30d"), description="how far ahead `points to keep the tier` looks")
    calendar: CalendarSpec = Field(default=CalendarSpec(), description="business days, for clocks that count them")
    measures: dict[Name, MeasureSpec] = Field(default={}, description="rolling numbers per account")
    dimensions: dict[Name, DimensionSpec] = Field(default={}, description="numbers from 0 to 100")
    score: dict[Name, float] = Field(default={}, description="dimension -> weight; the weights sum to 1; only schemes by score need one")
    tracks: TracksSection | None = Field(
        default=None, description="what kind of customer an account is: schemes of kind tracks grade inside it"
    )
    schemes: dict[Name, SchemeSpec] = Field(min_length=1, description="ladders of tiers, side by side")
    playbooks: dict[Name, dict[str, PlaybookSpec]] = Field(default={}, description="scheme -> tier -> how its accounts are treated")
    alerts: dict[Name, AlertSpec] = Field(default={}, description="conditions, and what is asked for when they come true")
    health: HealthSpec | None = Field(default=None, description="how well an account is, and what wakes it up when it falls")
    clocks: dict[Name, ClockSpec] = Field(default={}, description="what follows from silence and delay")
    targets: dict[Name, TargetSpec] = Field(default={}, description="scheme -> the mixes that reports hold it against")

    @field_validator("timezone")
    @classmethod
    def _exists(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"must be an IANA time zone such as Asia/Shanghai, got {timezone!r}") from error
        return timezone

    @field_validator("score")
    @classmethod
    def _weights(cls, score: dict[str, float]) -> dict[str, float]:
        if wrong := [f"{name} {weight:g}" for name, weight in score.items() if not 0 < weight <= 1]:
            raise ValueError(f"weights must be above 0 and at most 1, got {', '.join(wrong)}")
        if score and abs((total := sum(score.values())) - 1) > 1e-9:
            raise ValueError(f"weights must sum to 1, got {total:g}")
        return score
