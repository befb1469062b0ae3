"""When an account changes next if nothing arrives: the first instant at which a timer is due or the score leaves its guard band.

Timers (clocks, pending moves, triggers that last, overrides) are known exactly. Between now and the next timer a score that moves in
steps only is looked at where its steps are; any other, and the triggers, are searched by halves: a stretch over which their bounds allow no
change is skipped whole, so a monotone score costs two evaluations per halving, and the answer is exact to the millisecond. Where
bounds are too wide to be worth it, the search stops early and says so: a deadline may be early, never late. Where compiled code
knows the policy, it does the same search (`streams/forward/search.py`).
"""

from typing import NamedTuple

from streams import overrides
from streams.forward.foresight import foresight
from streams.forward.search import HORIZON_MS, MOST_LOOKS
from streams.kinds import Row, Span
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.steps import steps
from streams.triggers import lift_span
from streams.units import UNBOUNDED, micro

__all__ = ["HORIZON_MS", "Deadline", "next_change", "next_timer", "number_span", "score_span", "still_holds"]


class Deadline(NamedTuple):
    """`at_ms`: nothing changes before. `exact`: and there it does."""

    at_ms: int
    exact: bool


def next_change(policy: CompiledPolicy, row: Row, from_ms: int) -> Deadline:
    """The first change after `from_ms`; a timer that is overdue is given as it is."""
    if (compiled := foresight(policy)) is not None:
        return Deadline(*compiled.next_change(row, from_ms))
    timer_ms = next_timer(policy, row)
    if timer_ms <= from_ms:
        return Deadline(timer_ms, exact=True)
    fresh_until_ms = policy.fresh_until(row)
    until_ms = min(timer_ms, from_ms + HORIZON_MS, fresh_until_ms)
    found = _first_change(policy, row, from_ms, min(until_ms, fresh_until_ms - 1))
    return found or Deadline(until_ms, exact=until_ms == timer_ms)


def _first_change(policy: CompiledPolicy, row: Row, after_ms: int, until_ms: int) -> Deadline | None:
    """By steps where everything moves in steps, else by halves."""
    instants = None if any(scheme.triggers for scheme in policy.schemes) else steps(policy.movers, row, after_ms + 1)
    if instants is None:
        return _Search(policy, row).first_change(after_ms, until_ms)
    looks = (at_ms for at_ms in (after_ms + 1, *instants) if at_ms <= until_ms)
    return next((Deadline(at_ms, exact=True) for at_ms in looks if may_change(policy, row, at_ms, at_ms)), None)


def next_timer(policy: CompiledPolicy, row: Row) -> int:
    """The earliest clock, pending move, end of a trigger's time or of an override, UNBOUNDED if there is none."""
    if (compiled := foresight(policy)) is not None:
        return compiled.next_timer(row)
    due = [int(row[scheme.column("pending_ms")]) for scheme in policy.schemes]
    due += [overrides.until_ms(scheme, row) for scheme in policy.schemes]
    due += [trigger.ends_ms(row) for scheme in policy.schemes for trigger in scheme.lasting]
    due += [clock.due_ms(row) for clock in policy.clocks]
    return min(due, default=UNBOUNDED)


def still_holds(policy: CompiledPolicy, row: Row, from_ms: int, deadline_ms: int) -> bool:
    """Whether a deadline found earlier is still not late, after a record was folded at `from_ms`."""
    if (compiled := foresight(policy)) is not None:
        return compiled.still_holds(row, from_ms, deadline_ms)
    if deadline_ms > from_ms + HORIZON_MS or deadline_ms <= from_ms or next_timer(policy, row) < deadline_ms:
        return False
    return not may_change(policy, row, from_ms + 1, deadline_ms - 1) if deadline_ms > from_ms + 1 else True


def may_change(policy: CompiledPolicy, row: Row, from_ms: int, to_ms: int) -> bool:
    """Whether score, triggers or watches may ask for a decision within [from_ms, to_ms]; exact for one instant."""
    score = score_span(policy, row, from_ms, to_ms)
    return any(_scheme_may_change(scheme, row, score, from_ms, to_ms) for scheme in policy.schemes) or any(
        watch.may_turn(row, from_ms, to_ms) for watch in policy.watches
    )


def _scheme_may_change(scheme: Scheme, row: Row, score: Span, from_ms: int, to_ms: int) -> bool:
    number = score if scheme.rating is None else scheme.rating.span(row, from_ms, to_ms)
    if micro(number.low) < int(row[scheme.column("low_micro")]) or micro(number.high) >= int(row[scheme.column("high_micro")]):
        return True
    if any(trigger.may_turn(row, from_ms, to_ms) for trigger in scheme.lasting):
        return True
    held = int(row[scheme.column("lift")])
    return bool(scheme.triggers) and lift_span(scheme.triggers, row, from_ms, to_ms) != (held, held)


def number_span(policy: CompiledPolicy, scheme: Scheme, row: Row, from_ms: int, to_ms: int) -> Span:
    """Bounds of what the scheme goes by over a time in which nothing is folded."""
    return score_span(policy, row, from_ms, to_ms) if scheme.rating is None else scheme.rating.span(row, from_ms, to_ms)


def score_span(policy: CompiledPolicy, row: Row, from_ms: int, to_ms: int) -> Span:
    """Bounds of the score over a time in which nothing is folded."""
    low = high = 0.0
    for dimension, weight in zip(policy.dimensions, policy.weights, strict=True):
        span = dimension.span(row, from_ms, to_ms)
        low += weight * span.low
        high += weight * span.high
    return Span(low, high)


class _Search:
    """One search, with its budget of looks."""

    def __init__(self, policy: CompiledPolicy, row: Row) -> None:
        self._policy, self._row, self._looks = policy, row, MOST_LOOKS

    def first_change(self, after_ms: int, until_ms: int) -> Deadline | None:
        """The first change in (after_ms, until_ms]."""
        self._looks -= 1
        if after_ms >= until_ms or not may_change(self._policy, self._row, after_ms + 1, until_ms):
            return None
        if after_ms + 1 == until_ms:
            return Deadline(until_ms, exact=True)
        if self._looks <= 0:
            return Deadline(after_ms + 1, exact=False)
        middle_ms = (after_ms + until_ms) // 2
        return self.first_change(after_ms, middle_ms) or self.first_change(middle_ms, until_ms)
