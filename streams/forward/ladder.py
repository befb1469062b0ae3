"""The earned tier in compiled code, as `streams/earned.py` has it: what score, triggers, clocks and patience together give."""

from typing import NamedTuple

from schemas.compiling import compiled
from streams.earned import Claim, Standing
from streams.forward.cells import State
from streams.forward.plan import ENTER, LEAVE, PAUSE, RUNG_WIDTH, RUNGS, STAY, STEP, TOP
from streams.units import UNBOUNDED


class Move(NamedTuple):
    """The tier to have now, the one aimed at, and when a pending move may go on."""

    tier: int
    aim: int
    pending_ms: int


@compiled
def rung(state: State, scheme: int, tier: int, part: int) -> int:
    """What a ladder says of a tier."""
    return state.plan[state.plan[scheme + RUNGS] + tier * RUNG_WIDTH + part]


@compiled
def reached(state: State, scheme: int, score_micro: int) -> int:
    """The highest tier that the score reaches from below."""
    tier = 0
    while tier < state.plan[scheme + TOP] and score_micro >= rung(state, scheme, tier + 1, ENTER):
        tier += 1
    return tier


@compiled
def _kept(state: State, scheme: int, score_micro: int, tier: int) -> int:
    while score_micro < rung(state, scheme, tier, LEAVE):
        tier -= 1
    return tier


@compiled
def _aim(state: State, scheme: int, tier: int, claim: Claim, score_micro: int) -> int:
    """The tier that the account would have without patience, at a score."""
    held = max(reached(state, scheme, score_micro), claim.lift, _kept(state, scheme, score_micro, tier))
    return min(held, claim.ceiling)


@compiled
def move(state: State, scheme: int, at: Standing, claim: Claim, now_ms: int) -> Move:
    """One decision."""
    step, target = state.plan[scheme + STEP], _aim(state, scheme, at.tier, claim, claim.number_micro)
    if target == at.tier:
        return Move(at.tier, target, UNBOUNDED)
    waits_until_ms = _patience(state, scheme, at, target)
    if now_ms < waits_until_ms:
        return Move(at.tier, target, waits_until_ms)
    tier = min(target, at.tier + step) if target > at.tier else max(target, at.tier - step)
    return Move(tier, target, UNBOUNDED if tier == target else now_ms + rung(state, scheme, tier, PAUSE))


@compiled
def _patience(state: State, scheme: int, at: Standing, target: int) -> int:
    """Until when the move to `target` has to wait."""
    waits_until_ms = 0
    if target < at.tier:
        waits_until_ms = at.since_ms + rung(state, scheme, at.tier, STAY)
    if state.plan[scheme + STEP] <= state.plan[scheme + TOP] and at.stepped_ms >= 0:
        waits_until_ms = max(waits_until_ms, at.stepped_ms + rung(state, scheme, at.tier, PAUSE))
    return waits_until_ms


@compiled
def band(state: State, scheme: int, tier: int, claim: Claim) -> tuple[int, int]:
    """The guard band: the nearest thresholds on either side at which the aim is another."""
    target, low, high = _aim(state, scheme, tier, claim, claim.number_micro), -UNBOUNDED, UNBOUNDED
    for each in range(1, state.plan[scheme + TOP] + 1):
        for part in (ENTER, LEAVE):
            threshold = rung(state, scheme, each, part)
            if part == LEAVE and each > tier:
                continue
            if claim.number_micro < threshold < high and _aim(state, scheme, tier, claim, threshold) != target:
                high = threshold
            if low < threshold <= claim.number_micro and _aim(state, scheme, tier, claim, threshold - 1) != target:
                low = threshold
    return low, high
