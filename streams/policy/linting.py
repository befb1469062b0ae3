"""What is allowed, and yet goes wrong in practice? Small rules over a whole policy, each with the source fact that it comes from.

A finding is a warning with a path, a fact and the way to mend it: a policy with warnings runs. A rule is one function and one entry in
`RULES`; it says nothing of kinds that it does not know. Limits that the documents leave open are ours and stand here by name.
"""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from streams.policy.attainable import attainable_micro, rating_of
from streams.policy.factors import factors_of, named_in, stands_on_score, used
from streams.policy.model import PolicyDocument
from streams.units import micro, points_text

REVIEW_DAYS = 183
"""A standard is reviewed twice a year (001-21)."""

MOST_TIERS, MOST_FACTORS, FEWEST_TIERS = 6, 12, 3
"""Ours: the largest ladder of the documents has five rungs (003-07), the widest model eight indicators."""


_NO_RULER = frozenset({"lifecycle"})
"""Kinds that say where a customer is, not what he is worth: one indicator may do."""


class Finding(NamedTuple):
    """What is odd. `path`: where in the policy; `fact`: the source fact behind the rule; `mend`: what to do about it."""

    path: str
    fact: str
    text: str
    mend: str
    severity: str = "warning"


Rule = Callable[[PolicyDocument, date], Iterator[Finding]]


def findings(document: PolicyDocument, today: date) -> list[Finding]:
    """Everything that the rules find, in their order."""
    return [finding for rule in RULES for finding in rule(document, today)]


# -- what a ladder stands on -------------------------------------------------------------------------------------------


def _one_ruler(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """Revenue alone, or anything else alone."""
    for name in document.schemes:
        factors = factors_of(document, name)
        if factors and all(factor.money for factor in factors):
            amounts = ", ".join(sorted(factor.name for factor in factors))
            text = f"is decided by amounts of money alone ({amounts}): thin profit and fast growth are not seen"
            yield Finding(f"schemes.{name}", "000-14", text, "add recency, growth, behaviour or position")
        elif len(factors) == 1 and getattr(document.schemes[name], "kind", None) not in _NO_RULER:
            text = f"is decided by {next(iter(factors)).name} alone"
            yield Finding(f"schemes.{name}", "004-10", text, "add a second indicator, or weigh its results of two or three years (003-04)")


def _too_fine(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """More than people can act on."""
    for name, spec in document.schemes.items():
        tiers = _tier_names(spec)
        if len(tiers) > MOST_TIERS:
            text = f"has {len(tiers)} tiers: nobody treats so many classes of customers differently"
            yield Finding(f"schemes.{name}.tiers", "001-29", text, f"join tiers that are treated alike, to {MOST_TIERS} or fewer")
        factors = factors_of(document, name)
        if len(factors) > MOST_FACTORS:
            text = f"depends on {len(factors)} indicators: nobody can say why a customer is where it is"
            yield Finding(
                f"schemes.{name}", "004-10", text, f"begin with the few that matter ({MOST_FACTORS} or fewer) and refine step by step"
            )


def _too_coarse(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """So few tiers that effort is not steered."""
    for name, spec in document.schemes.items():
        tiers = _tier_names(spec)
        if 0 < len(tiers) < FEWEST_TIERS:
            text = f"has {len(tiers)} tiers: effort is spread too evenly within them"
            yield Finding(f"schemes.{name}.tiers", "001-29", text, f"tell at least {FEWEST_TIERS} classes of customers apart")


def _never_falls(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """Time passing changes nothing: the grading goes stale."""
    fading = [spec for spec in document.measures.values() if _fades(spec)]
    if not document.clocks and not fading:
        text = "time changes nothing: no clock runs, no points fade, no window ends, so who was good once stays so"
        yield Finding("clocks", "004-10", text, "add a clock for silence, half-lives, or measures of the last n days")


def _fades(spec: Any) -> bool:
    lasting = not hasattr(spec, "points") or getattr(spec, "half_life", None) is None
    return not lasting or any(hasattr(spec, part) for part in ("window", "since", "change", "yearly_weighted"))


# -- tiers that nobody is in -------------------------------------------------------------------------------------------


def _unreachable(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """No score gets there, or no score is low enough."""
    lowest, highest = attainable_micro(document)
    for name, spec in document.schemes.items():
        if not stands_on_score(spec):
            continue
        lifted = {trigger.lift_to for trigger in spec.triggers}
        for place, tier in enumerate(spec.tiers[1:], 1):
            if micro(tier.enter_at or 0.0) > highest and tier.name not in lifted:
                text = f"nobody can reach {tier.name}: it takes {tier.enter_at:g} points, and the score is at most {points_text(highest)}"
                yield Finding(f"schemes.{name}.tiers.{place}.enter_at", "002-08", text, "lower it, or let the dimensions give more points")
        if lowest >= micro(spec.tiers[1].enter_at or 0.0):
            text = f"nobody stays in {spec.tiers[0].name}: the score is never below {points_text(lowest)}"
            yield Finding(f"schemes.{name}.tiers.0", "002-08", text, f"raise enter_at of {spec.tiers[1].name}, or lower the least score")


def _no_way_in(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """A tier of a ladder with a rating of its own that begins beyond it, or that nothing in its model names."""
    for name, spec in document.schemes.items():
        tiers = _tier_names(spec)
        begins, most = rating_of(document, spec) or ({}, 0.0)
        for tier, begin in begins.items():
            if micro(begin) > micro(most):
                text = f"nobody can reach {tier}: it takes {begin:g} points, and there are at most {points_text(micro(most))}"
                yield Finding(f"schemes.{name}.tiers.{tiers.index(tier)}", "001-06", text, "let it begin lower, or give more points")
        named = named_in(spec) if not stands_on_score(spec) else set()
        unnamed = [tier for tier in tiers[1:] if tier not in named]
        if len(unnamed) < len(tiers) - 1:  # a model that names none goes by their places
            for tier in unnamed:
                text = f"nothing leads to {tier}: no rule of the scheme names it"
                yield Finding(f"schemes.{name}.tiers.{tiers.index(tier)}", "003-09", text, "give it a rule, or take it out")


def _does_nothing(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """A lift to where everybody starts, a ceiling that holds nobody down."""
    for name, spec in document.schemes.items():
        tiers = _tier_names(spec)
        for place, trigger in enumerate(getattr(spec, "triggers", None) or []):
            if tiers and trigger.lift_to == tiers[0]:
                text = f"lifts to {tiers[0]}, where every account starts"
                yield Finding(f"schemes.{name}.triggers.{place}.lift_to", "002-30", text, "name a higher tier, or take it out")
        for kind, risk in (getattr(spec, "risk", None) or {}).items():
            if tiers and risk.ceiling == tiers[-1]:
                text = f"a ceiling at {tiers[-1]}, the highest tier, holds nobody down"
                yield Finding(f"schemes.{name}.risk.{kind}.ceiling", "002-13", text, "name a lower tier, or take it out")


# -- bands -------------------------------------------------------------------------------------------------------------


def _bands_turn(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """Points that rise and fall again, or a border at which nothing changes: a band in the wrong place."""
    for path, steps in _steps(document):
        points = [step.points for step in steps]
        rises = [two > one for one, two in pairwise(points) if one != two]
        if len(set(rises)) > 1:
            text = f"points go {', '.join(f'{each:g}' for each in points)}: they rise and fall again"
            yield Finding(path, "001-06", text, "order the bands so that more is always better, or always worse")
        for place, (one, two) in enumerate(pairwise(steps)):
            if one.points == two.points:
                text = f"the bands below and above {one.below:g} overlap: both are worth {one.points:g}"
                yield Finding(f"{path}.{place}", "001-06", text, "join them, or give them points of their own")


def _steps(document: PolicyDocument) -> Iterator[tuple[str, Any]]:
    for name, spec in document.dimensions.items():
        if (part := getattr(spec, "bands", None)) is not None and hasattr(part, "steps"):
            yield f"dimensions.{name}.bands.steps", part.steps
        if (three := getattr(spec, "rfm", None)) is not None:
            yield from ((f"dimensions.{name}.rfm.{part}.steps", each.bands().steps) for part, each in three.named().items())


# -- the file ----------------------------------------------------------------------------------------------------------


def _unused(document: PolicyDocument, today: date) -> Iterator[Finding]:  # noqa: ARG001
    """Computed for every account, asked by nobody."""
    known = used(document)
    for section in ("measures", "dimensions"):
        for name in getattr(document, section):
            if name not in known:
                yield Finding(f"{section}.{name}", "004-10", "is computed, and nothing in the policy asks for it", "use it, or take it out")


def _review_due(document: PolicyDocument, today: date) -> Iterator[Finding]:
    """Twice a year somebody looks at the standard."""
    age = (today - document.reviewed_on).days
    if age > REVIEW_DAYS:
        text = f"was {document.reviewed_on}, {age} days ago: a review is due every {REVIEW_DAYS} days"
        yield Finding("reviewed_on", "001-21", text, "go through the policy with those concerned, then write the day here")
    elif age < 0:
        yield Finding("reviewed_on", "001-21", f"is {document.reviewed_on}, in the future", "write the day of the last review")


RULES: tuple[Rule, ...] = (
    _one_ruler, _too_fine, _too_coarse, _never_falls, _unreachable, _no_way_in, _does_nothing, _bands_turn, _unused, _review_due,
)  # fmt: skip


def _tier_names(spec: Any) -> list[str]:
    """A ladder's tiers, lowest first; none of a kind that has no such list."""
    tiers = getattr(spec, "tiers", None)
    return [getattr(tier, "name", str(tier)) for tier in tiers] if isinstance(tiers, list | tuple) else []
