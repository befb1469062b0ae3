"""What the kinds of clock have in common: what may follow when one runs out, for which tiers, and what the fold asks of a clock.

A clock that warns announces a breach once, and what ends the breach resolves it; whether a breach was announced is part of the state
(`remember`), so that only what was announced is resolved. Time in the tier counts where the limit differs by tier.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, Protocol

from pydantic import Discriminator, Field, StringConstraints, Tag

from schemas.records import CauseKind, Event
from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Names, Opener, Problem, Row, Spec, unknown
from streams.units import DAY_MS, UNBOUNDED, PositiveDurationMs, duration_text
from streams.words import both, length, spaced

ActionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class WarningSpec(Spec):
    """An action is announced, once for each breach; so is its end."""

    action: ActionName = Field(description="the action's name, as `actions` says it")
    contact: bool | None = Field(
        default=None,
        description="whether it asks to contact the customer, so that do_not_contact keeps it back (default: as the kind of clock says)",
    )


def _demands(entry: Any) -> str:
    return "<follows>" if isinstance(entry, str) else "<action>"


def _one_or_each(entry: Any) -> str:
    return "<each>" if isinstance(entry, dict) and "action" not in entry else "<one>"


Follows = Literal["demote", "recycle"]
Consequence = Annotated[
    Annotated[Follows, Tag("<follows>")] | Annotated[WarningSpec, Tag("<action>")],
    Discriminator(_demands),
]
Limits = Annotated[
    Annotated[PositiveDurationMs, Tag("<one>")] | Annotated[dict[str, PositiveDurationMs], Tag("<each>")], Discriminator(_one_or_each)
]
"""One duration, or tier -> duration."""

Consequences = Annotated[
    Annotated[Consequence, Tag("<one>")] | Annotated[dict[str, Consequence], Tag("<each>")], Discriminator(_one_or_each)
]
Warnings = Annotated[Annotated[WarningSpec, Tag("<one>")] | Annotated[dict[str, WarningSpec], Tag("<each>")], Discriminator(_one_or_each)]


class TieredSpec(Spec):
    """Base of the specs: the scheme whose tier counts."""

    scheme: str | None = Field(default=None, description="the scheme whose tier counts; may be left out where there is only one")
    reads: Literal["earned", "published"] | None = Field(
        default=None, description="which tier counts: a clock that only warns reads the published one, any other the earned one"
    )

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """The parts that may differ by tier, by name."""
        raise NotImplementedError

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the scheme and its tiers."""
        schemes = names.ladders
        scheme = self.scheme or (next(iter(schemes)) if len(schemes) == 1 else "")
        if scheme not in schemes:
            yield "scheme", unknown("scheme", self.scheme, frozenset(schemes)) if self.scheme else "must name one of several schemes"
            return
        limits, *followed = self.tiered()
        for part, said in (limits, *followed):
            for tier in said if isinstance(said, dict) else ():
                if tier not in schemes[scheme]:
                    yield f"{part}.{tier}", unknown("tier", tier, schemes[scheme])
        watched = set(limits[1]) if isinstance(limits[1], dict) else set(schemes[scheme])
        for part, said in followed:
            if isinstance(said, dict) and (missing := sorted(watched - set(said))):
                yield part, f"must say what follows for every watched tier, got none for {', '.join(missing)}"


def of_tier(said: Any, tier: str, missing: Any = None) -> Any:
    """What is said for one tier."""
    return said.get(tier, missing) if isinstance(said, dict) else said


def limits_of(said: Any, tiers: tuple[str, ...]) -> list[int]:
    """The limit of each tier, UNBOUNDED where it is not watched."""
    return [of_tier(said, tier, UNBOUNDED) for tier in tiers]


def business_day_problems(business_days: bool, limits: Any) -> Iterator[Problem]:
    """Business days are counted whole."""
    for tier, limit_ms in limits.items() if isinstance(limits, dict) else [(None, limits)]:
        if business_days and limit_ms % DAY_MS:
            yield f"after.{tier}" if tier else "after", f"must be whole days where business_days count, got {duration_text(limit_ms)}"


def limit_text(limit_ms: int, business_days: bool) -> str:
    """`7d`, or `7 business days`."""
    return f"{limit_ms // DAY_MS} business days" if business_days else duration_text(limit_ms)


_FOLLOWS = {"demote": "one tier down", "recycle": "to the public pool"}


def limits_said(said: Any, business_days: bool) -> str:
    """`60 days`, `7 business days in S and 14 business days in A`."""
    each = [f"{_length(limit, business_days)} in {tier}" for tier, limit in said.items()] if isinstance(said, dict) else []
    return both(each) if each else _length(said, business_days)


def _length(limit_ms: int, business_days: bool) -> str:
    return f"{limit_ms // DAY_MS} business days" if business_days else length(limit_ms)


def consequences_said(then: Any, limits: Any) -> str:
    """`A and B one tier down, C to the public pool`; an action by its name."""
    tiers = then if isinstance(then, dict) else limits if isinstance(limits, dict) else ["every tier"]
    follows: dict[str, list[str]] = {}
    for tier in tiers:
        consequence = then[tier] if isinstance(then, dict) else then
        what = f"the action {spaced(consequence.action)}" if isinstance(consequence, WarningSpec) else _FOLLOWS[consequence]
        follows.setdefault(what, []).append(tier)
    return ", ".join(f"{both(tiers)} {what}" for what, tiers in follows.items())


class Breach(NamedTuple):
    """A clock ran out: at which instant, in which tier, about what (empty: the account), and why in words."""

    due_ms: int
    tier: int
    subject: str
    said: str


class Ended(NamedTuple):
    """A breach that was announced is over, and why in words."""

    due_ms: int
    tier: int
    subject: str
    said: str


NOT_WARNED = "the policy does not warn of it any more"


def same_tier(tiers: tuple[str, ...], before: tuple[str, ...], tier: int) -> int | None:
    """The tier that has the name which another had in the ladder before; None: there is none."""
    name = before[tier] if tier < len(before) else None
    return tiers.index(name) if name in tiers else None


class Ran(NamedTuple):
    """What a clock that ran out leads to: a demotion or a recycling, or warnings."""

    follows: Follows | None
    breaches: list[Breach]


class Clock(Protocol):
    """A compiled clock, as the fold uses it."""

    name: str
    scheme: str
    tiers: tuple[str, ...]
    cause: CauseKind
    topics: tuple[str, ...]
    columns: list[Column]
    warns_only: bool
    """Whether it never moves a tier."""

    def fold(self, row: Row, record: Event, event: int, dossier: Opener, *, first: bool) -> bool:
        """Take a record; False if it does not concern the clock. `first`: the account's first record."""

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Bring columns that start anew under this layout up to the dossier and the account's clock."""

    def tier(self, row: Row) -> int:
        """The tier that counts for it."""

    def due_ms(self, row: Row) -> int:
        """When it runs out; UNBOUNDED: never as things are."""

    def since_ms(self, row: Row) -> int:
        """Since when the present period runs."""

    def ceiling(self, row: Row) -> int:
        """The highest tier that it leaves."""

    def fire(self, row: Row, dossier: Opener, at_ms: int) -> Ran:
        """It has run out at `at_ms`."""

    def contacts(self, tier: int) -> bool:
        """Whether the warning of a tier asks to contact the customer."""

    def remember(self, row: Row, dossier: Opener, breach: Breach) -> None:
        """The breach was announced."""

    def take_ended(self, row: Row, dossier: Opener) -> list[Ended]:
        """The announced breaches that are over since the last call."""

    def owned_again(self, row: Row) -> None:
        """The account has left the pool at its clock: somebody has it."""

    def hush(self, row: Row) -> None:
        """Warn no more (of a copy, on which only tiers matter)."""

    def consequence(self, tier: int) -> "Follows | WarningSpec | None":
        """What follows for an account in this tier; None: nothing."""

    def limit_ms(self, tier: int) -> int:
        """The limit for a tier, in ms."""

    def limit_text(self, tier: int) -> str:
        """The limit for a tier as people write it."""

    def breached(self, row: Row, dossier: Callable[[], Dossier]) -> list[Breach]:
        """The breaches that last, announced or not."""
