"""The earned tier: what score, triggers, clocks and patience together give an account, before seats, gates and overrides.

    ladder -> triggers -> clock ceiling -> hysteresis -> minimum stay -> step

Triggers lift to at least their tier; a clock's ceiling beats both; hysteresis keeps what a falling score has not yet lost; a tier
is kept for its minimum stay; a move goes at most one step, and the next one waits its time. What waits is `pending`, a deadline.
"""

from typing import NamedTuple

from streams.schemes.ladder import Ladder
from streams.units import UNBOUNDED, points_text


class Standing(NamedTuple):
    """Where the account stands on the ladder: earned tier, since when, last step."""

    tier: int
    since_ms: int
    stepped_ms: int


class Claim(NamedTuple):
    """What speaks for a tier now: the scheme's number, the highest trigger's tier (0: none), the lowest clock ceiling."""

    number_micro: int
    lift: int
    ceiling: int


class Verdict(NamedTuple):
    """The tier to have now, the one aimed at, when a pending move may go on (UNBOUNDED: nothing is pending), and why."""

    tier: int
    aim: int
    pending_ms: int
    because: str


def aim(ladder: Ladder, tier: int, claim: Claim) -> int:
    """The tier that the account would have without patience (stay and step)."""
    held = max(ladder.reached(claim.number_micro), claim.lift, ladder.kept(claim.number_micro, tier))
    return min(held, claim.ceiling)


def verdict(ladder: Ladder, at: Standing, claim: Claim, now_ms: int, says: str | None = None) -> Verdict:
    """One decision. With steps of no duration it is to be repeated until nothing changes.

    `says`: what the number is, in words; without them it is the score.
    """
    target = aim(ladder, at.tier, claim)
    if target == at.tier:
        return Verdict(at.tier, target, UNBOUNDED, _reason(ladder, at.tier, target, claim, says))
    waits_until_ms, what = _patience(ladder, at, target)
    if now_ms < waits_until_ms:
        return Verdict(at.tier, target, waits_until_ms, f"{what} keeps {ladder.tiers[at.tier]}; {ladder.tiers[target]} is due after it")
    tier = min(target, at.tier + ladder.step) if target > at.tier else max(target, at.tier - ladder.step)
    pending_ms = UNBOUNDED if tier == target else now_ms + ladder.pause_ms(tier)
    reason = _reason(ladder, at.tier, target, claim, says)
    return Verdict(tier, target, pending_ms, reason if tier == target else f"{reason}; one step now, the next is due")


def _patience(ladder: Ladder, at: Standing, target: int) -> tuple[int, str]:
    """Until when the move to `target` has to wait, and for what."""
    stay_until_ms = at.since_ms + ladder.stay_ms[at.tier] if target < at.tier else 0
    step_until_ms = at.stepped_ms + ladder.pause_ms(at.tier) if ladder.step < len(ladder.tiers) and at.stepped_ms >= 0 else 0
    return max((stay_until_ms, "minimum stay"), (step_until_ms, "the pause between steps"))


def _reason(ladder: Ladder, before: int, target: int, claim: Claim, says: str | None) -> str:
    points = says or f"score {points_text(claim.number_micro)}"
    if target == claim.ceiling < max(ladder.reached(claim.number_micro), claim.lift, ladder.kept(claim.number_micro, before)):
        return f"a clock ran out: at most {ladder.tiers[target]} until it is reset ({points})"
    if target == claim.lift and claim.lift > ladder.kept(claim.number_micro, before) and claim.lift > ladder.reached(claim.number_micro):
        return f"a trigger lifts to {ladder.tiers[target]} ({points})"
    if not ladder.in_points:
        return f"{points}: {ladder.tiers[target]}"
    if target > before:
        return f"{points} reaches {ladder.tiers[target]} (from {points_text(ladder.enter_at_micro(target))})"
    if target < before:
        return f"{points} is below {points_text(ladder.leave_below_micro(before))}, where {ladder.tiers[before]} ends"
    return f"{points} keeps {ladder.tiers[target]}"


def band(ladder: Ladder, tier: int, claim: Claim) -> tuple[int, int]:
    """The guard band [low, high) in micro-points: inside it, with lift and ceiling as they are, the aim stays what it is.

    The aim is a staircase over the score, so its next change on each side lies at a threshold.
    """
    target = aim(ladder, tier, claim)
    thresholds = ladder.thresholds(tier)
    low, high = -UNBOUNDED, UNBOUNDED
    for threshold in thresholds:
        if threshold > claim.number_micro and aim(ladder, tier, claim._replace(number_micro=threshold)) != target:
            high = threshold
            break
    for threshold in reversed(thresholds):
        if threshold <= claim.number_micro and aim(ladder, tier, claim._replace(number_micro=threshold - 1)) != target:
            low = threshold
            break
    return low, high
