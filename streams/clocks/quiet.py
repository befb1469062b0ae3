"""`quiet`: a clock that runs while nothing resets it: silence of the customer, no update by the owner.

It starts with the account's first record and again with every record that resets it. When it has run for as long as the account's
earned tier allows, its consequence follows, and it starts its next period from there. `demote`: a ceiling one tier below the earned
one, lifted by the next reset. `recycle`: the account goes to the pool, once until the next reset; the tier stays. Where the limit
differs by tier, time in the tier counts: an account that has just become A has A's full time.
Source: facts 002-13, 002-25, questions Q5, Q6.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from schemas.records import Actor, CauseKind, Event
from streams.columns import Column, identity
from streams.kinds import Problem, Row, Spec, unknown
from streams.units import UNBOUNDED, PositiveDurationMs
from streams.words import Said, Words, both, length, spaced

Consequence = Literal["demote", "recycle"]
_FOLLOWS: dict[str, str] = {"demote": "one tier down", "recycle": "to the public pool"}


def _one_or_each(entry: Any) -> str:
    return "<each>" if isinstance(entry, dict) else "<one>"


class ResetSpec(Spec):
    """Which interactions reset the clock: all that are named must fit."""

    actor: Actor | None = None
    kind: str | None = None

    def phrase(self) -> str:
        """`an interaction of the customer`, `a call of the owner`."""
        what = f"an interaction ({spaced(self.kind).lower()})" if self.kind else "an interaction"
        return f"{what} of the {self.actor.lower()}" if self.actor else what


class QuietSpec(Spec):
    """How long may nothing happen, and what follows."""

    resets_on: ResetSpec
    after: Annotated[
        Annotated[PositiveDurationMs, Tag("<one>")] | Annotated[dict[str, PositiveDurationMs], Tag("<each>")], Discriminator(_one_or_each)
    ] = Field(description="the limit, or tier -> limit; a tier without one is not watched")
    then: Annotated[
        Annotated[Consequence, Tag("<one>")] | Annotated[dict[str, Consequence], Tag("<each>")], Discriminator(_one_or_each)
    ] = Field(description="demote or recycle, or tier -> one of them")
    scheme: str | None = Field(default=None, description="the scheme whose earned tier counts; may be left out where there is only one")

    def problems(self, schemes: dict[str, frozenset[str]]) -> Iterator[Problem]:
        """References: the scheme and its tiers. `schemes`: name -> tiers."""
        scheme = self.scheme or (next(iter(schemes)) if len(schemes) == 1 else None)
        if scheme not in schemes:
            yield "scheme", unknown("scheme", self.scheme, frozenset(schemes)) if self.scheme else "must name one of several schemes"
            return
        for part in ("after", "then"):
            for tier in _tiers(getattr(self, part)):
                if tier not in schemes[scheme]:
                    yield f"{part}.{tier}", unknown("tier", tier, schemes[scheme])
        if isinstance(self.then, dict) and (missing := sorted(_watched(self.after, schemes[scheme]) - set(self.then))):
            yield "then", f"must say what follows for every watched tier, got none for {', '.join(missing)}"

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What it waits for, how long, and what follows."""
        follows: dict[str, list[str]] = {}
        for tier in _tiers(self.then) or _tiers(self.after) or ["every tier"]:
            follows.setdefault(self.then[tier] if isinstance(self.then, dict) else self.then, []).append(tier)
        if isinstance(self.after, dict):
            limit = both([f"{length(after)} in {tier}" for tier, after in self.after.items()])
        else:
            limit = length(self.after)
        then = ", ".join(f"{both(tiers)} {_FOLLOWS.get(what, spaced(what))}" for what, tiers in follows.items())
        return [Said("lowers", f"without {self.resets_on.phrase()} for {limit}: {then}")]

    def compile(self, name: str, scheme: str, tiers: tuple[str, ...]) -> "QuietClock":
        """The clock that works on rows."""
        return QuietClock(name, self, scheme, tiers)


def _tiers(part: Any) -> list[str]:
    return list(part) if isinstance(part, dict) else []


def _watched(after: Any, tiers: frozenset[str]) -> set[str]:
    return set(after) if isinstance(after, dict) else set(tiers)


class QuietClock:
    """The compiled clock."""

    def __init__(self, name: str, spec: QuietSpec, scheme: str, tiers: tuple[str, ...]) -> None:
        self.name, self.scheme, self.tiers = name, scheme, tiers
        self.cause: CauseKind = "SILENCE" if spec.resets_on.actor == "CUSTOMER" else "CLOCK"
        self._resets = spec.resets_on
        self._by_tier = isinstance(spec.after, dict)
        self._after = [spec.after.get(tier, UNBOUNDED) if isinstance(spec.after, dict) else spec.after for tier in tiers]
        self._then: list[Consequence | None] = [spec.then.get(tier) if isinstance(spec.then, dict) else spec.then for tier in tiers]
        self._since = f"schemes.{scheme}.since_ms"
        self._reset, self._fired, self._ceiling, self._resting = (
            f"clocks.{name}.{part}" for part in ("reset_ms", "fired_ms", "ceiling", "resting")
        )
        meaning = identity(["quiet", spec.model_dump(mode="json"), scheme, tiers])
        self.columns = [
            Column(self._reset, "<i8", meaning, start=-1),
            Column(self._fired, "<i8", meaning, start=-1),
            Column(self._ceiling, "<u1", meaning, start=len(tiers) - 1),
            Column(self._resting, "<u1", meaning),
        ]

    def fold(self, row: Row, record: Event, *, first: bool) -> bool:
        """Start with the first record, start again with one that resets; False if the record does not concern the clock.

        An older reset than the last one changes nothing.
        """
        resets = self._is_reset(record)
        if not (first or resets) or record.occurred_at <= int(row[self._reset]):
            return resets
        row[self._reset] = record.occurred_at
        if int(row[self._fired]) >= 0:
            row[self._fired], row[self._ceiling], row[self._resting] = -1, len(self.tiers) - 1, 0
        return resets

    def _is_reset(self, record: Event) -> bool:
        wanted = self._resets
        return (
            hasattr(record, "actor")
            and wanted.actor in (None, record.actor)
            and (wanted.kind is None or wanted.kind == getattr(record, "kind", None))
        )

    def due_ms(self, row: Row, earned: int) -> int:
        """When the consequence follows for an account that has earned this tier; UNBOUNDED: never as things are.

        While a demotion waits (minimum stay, steps), running out again would change nothing: those periods are passed over.
        """
        after_ms, fired_ms, in_tier_ms = self._after[earned], int(row[self._fired]), int(row[self._since])
        waits = int(row[self._ceiling]) < earned
        if row[self._resting] or waits or after_ms >= UNBOUNDED or self._then[earned] is None:
            return UNBOUNDED
        begins = max(int(row[self._reset]), fired_ms, in_tier_ms if self._by_tier else -1)
        passed_over = max(in_tier_ms - begins, 0) // after_ms if fired_ms >= 0 else 0
        return begins + (passed_over + 1) * after_ms

    def since_ms(self, row: Row) -> int:
        """Since when the present period runs."""
        return max(int(row[self._reset]), int(row[self._fired]))

    def ceiling(self, row: Row) -> int:
        """The highest tier that this clock leaves."""
        return int(row[self._ceiling])

    def fire(self, row: Row, earned: int, at_ms: int) -> Consequence:
        """The consequence of having run out at `at_ms`; the next period begins."""
        consequence = self._then[earned]
        assert consequence is not None, "a clock without a consequence is never due"
        row[self._fired] = at_ms
        if consequence == "recycle":
            row[self._resting] = 1
        else:
            row[self._ceiling] = min(max(earned - 1, 0), int(row[self._ceiling]))
            row[self._resting] = earned == 0
        return consequence

    def consequence(self, earned: int) -> Consequence | None:
        """What follows for an account that has earned this tier when the clock runs out; None: nothing."""
        return self._then[earned]

    def limit_ms(self, earned: int) -> int:
        """The limit for a tier, in ms."""
        return self._after[earned]
