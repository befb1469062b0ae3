"""The score, lifts and the search for the next change, compiled, for whoever has a row in Python: what the fast-forward itself uses."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.forward.cells import State
from streams.forward.plan import SCHEME_WIDTH, SCHEMES
from streams.forward.planning import NotPlanned, planned
from streams.forward.scoring import lift, next_timer, score
from streams.forward.search import next_change, still_holds
from streams.kinds import Row
from streams.policy.compiled import CompiledPolicy

_POLICIES = 64


class Foresight:
    """For rows of one policy."""

    def __init__(self, policy: CompiledPolicy) -> None:
        """Raises NotPlanned for a policy that compiled code does not know."""
        self.plan = planned(policy)
        first = int(self.plan.plan[SCHEMES])
        self._schemes = {scheme.name: first + number * SCHEME_WIDTH for number, scheme in enumerate(policy.schemes)}
        self._rows: NDArray[np.void] | None = None
        self._template = policy.template
        self._state = self._seen(self._template)

    def _seen(self, rows: NDArray[np.void]) -> State:
        words = rows.view(np.int64)
        return State(words, words.view(np.float64), self.plan.plan, self.plan.numbers)

    def _of(self, row: Row) -> State:
        """The state of a row that is lent: an account's rows are lent in the same memory again and again."""
        if row.base is not self._rows:
            assert isinstance(row.base, np.ndarray), "a row is a view"
            assert row.base.size == 1, "a row is lent in memory of its own"
            self._rows, self._state = row.base, self._seen(row.base)
        return self._state

    def blank(self) -> State:
        """Room for one row, in the hands of compiled code alone."""
        return self._seen(np.zeros_like(self._template))

    def score(self, row: Row, at_ms: int) -> int:
        """The score in micro-points; the row keeps what each dimension is worth."""
        return int(score(self._of(row), at_ms))

    def lift(self, row: Row, scheme: str, at_ms: int) -> int:
        """The highest tier that a trigger of a scheme lifts to, 0 if none holds."""
        return int(lift(self._of(row), self._schemes[scheme], at_ms))

    def next_timer(self, row: Row) -> int:
        """The earliest clock, pending move or end of an override (ms), UNBOUNDED if there is none."""
        return int(next_timer(self._of(row)))

    def next_change(self, row: Row, from_ms: int) -> tuple[int, bool]:
        """The first change after `from_ms`, and whether it is one for certain."""
        at_ms, exact = next_change(self._of(row), from_ms)
        return int(at_ms), bool(exact)

    def still_holds(self, row: Row, from_ms: int, deadline_ms: int) -> bool:
        """Whether a deadline is not late."""
        return bool(still_holds(self._of(row), from_ms, deadline_ms))

    def rehearse(self, row: Row) -> None:
        """Have everything compiled that may be asked."""
        self.score(row, 0)
        self.lift(row, next(iter(self._schemes)), 0)
        self.next_timer(row)
        self.next_change(row, 0)
        self.still_holds(row, 0, 1)


@lru_cache(_POLICIES)
def foresight(policy: CompiledPolicy) -> Foresight | None:
    """The compiled view of a policy; None if compiled code does not know it."""
    try:
        return Foresight(policy)
    except NotPlanned:
        return None
