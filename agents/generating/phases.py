"""How does an account behave in each phase of its life with us? Figures as data; `lives` draws from them.

A phase lasts a number of days, says how likely the account is to do anything when its turn comes, prices its acts by weight
and names what may follow. Days are days of the account's life; `lives` divides them by its pace.
"""

from itertools import accumulate
from typing import NamedTuple

DAY_MS = 86_400_000


class Phase(NamedTuple):
    """`awake`: share of turns that are used; `acts` with `cumulative` weights; `next_phases` likewise; days drawn evenly."""

    name: str
    days: tuple[float, float]
    awake: float
    acts: tuple[str, ...]
    cumulative: tuple[float, ...]
    next_phases: tuple[str, ...]
    next_cumulative: tuple[float, ...]
    birth_share: float
    interest: float


def _phase(
    name: str, days: tuple[float, float], awake: float, interest: float, born: float, acts: dict[str, float], after: dict[str, float]
) -> Phase:
    return Phase(
        name, days, awake, tuple(acts), tuple(accumulate(acts.values())), tuple(after), tuple(accumulate(after.values())), born, interest
    )


PHASES: dict[str, Phase] = {
    phase.name: phase
    for phase in (
        _phase("prospect", (10, 50), 0.6, 0.25, 0.50,
               {"VISIT": 55, "EMAIL_OPEN": 30, "DOWNLOAD": 6, "EVENT_CHECKIN": 2, "CALL": 5, "WECOM_MESSAGE": 2},
               {"evaluating": 45, "quiet": 40, "prospect": 15}),
        _phase("evaluating", (10, 40), 1.0, 0.70, 0.15,
               {"VISIT": 45, "DOWNLOAD": 18, "PRICE_INQUIRY": 9, "EVENT_CHECKIN": 5, "EMAIL_OPEN": 8, "CALL": 6, "MEETING": 4,
                "TRIAL_START": 2, "ORDER": 3},
               {"customer": 45, "quiet": 40, "evaluating": 15}),
        _phase("customer", (60, 300), 0.8, 0.60, 0.20,
               {"FEATURE_USE": 40, "VISIT": 22, "EMAIL_OPEN": 12, "DOWNLOAD": 5, "PRICE_INQUIRY": 3, "CALL": 6, "MEETING": 3,
                "EXECUTIVE_VISIT": 1, "ORDER": 8},
               {"quiet": 45, "customer": 55}),
        _phase("quiet", (40, 200), 0.08, 0.05, 0.13,
               {"EMAIL_OPEN": 50, "CALL": 40, "VISIT": 10},
               {"returning": 40, "quiet": 60}),
        _phase("returning", (10, 30), 0.9, 0.80, 0.02,
               {"VISIT": 40, "DOWNLOAD": 20, "PRICE_INQUIRY": 14, "EVENT_CHECKIN": 8, "MEETING": 6, "CALL": 6, "ORDER": 6},
               {"customer": 60, "evaluating": 20, "quiet": 20}),
    )
}  # fmt: skip
