"""A policy as two arrays: what compiled code knows of it. Every policy has the same types, so compiled code serves them all.

The plan begins with a header of fixed places. What follows is a list for each kind of thing; a measure, a dimension, a scheme, a clock
is known by the place at which its list begins, and each thing said of it has a fixed distance from there. Where a list varies in length
(one entry for each kind of interaction), what is said is the place of its first entry. A number of a row is said by its place in the
row (`streams/forward/cells.py`), a real number by its place in `numbers`; NOWHERE stands for nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# -- header ---------------------------------------------------------------------------------------------------------------
CLOCK, DEADLINE, RECORDS, LAST_TOPIC, LAST_OFFSET, LAST_AT, IDS, IDS_FILL, IDS_NEXT = range(9)
ACCOUNT_COLUMNS = (
    "account.clock_ms", "account.deadline_ms", "account.records", "account.last_topic", "account.last_offset", "account.last_at_ms",
    "ids.recent", "ids.fill", "ids.next",
)  # fmt: skip
MEASURES, MEASURE_END, DIMENSIONS, DIMENSION_END, SCHEMES, SCHEME_END, CLOCKS, CLOCK_END, WINDOWS, WINDOW_END, ZONES, ZONE_END = range(
    9, 21
)
MAX_AHEAD, TOPIC, FORESEEN, JUMPS = range(21, 25)
REVISION = 25
HEADER = 26

# -- a measure: what it is, whether and of which actors (as bits) interactions are folded into it, its slot for each kind --------
KIND, FOLDED, ACTORS, SLOTS = range(4)
DECAYED, COUNT, OTHER = range(3)
TOTAL, TIMES, STANDS_AT, LAST, KINDS, HALF_LIVES, PRICES, PER_SECOND = range(4, 12)  # decayed
CAP_DAY, CAP_USED, CAPPED_KINDS, CAPPED, CAPS = range(12, 17)
CONTACT_TODAY, CONTACT, CONTACT_DAY, CONTACT_USED, CONTACTS, CONTACT_CAP = range(17, 23)
BURSTS, BURST_AT, BURST_SEEN, BURST_WITHIN, BURST_COUNTS = range(23, 28)
AT, NUMBER, FILL, HOLDS, WINDOW, PLACES, EXACT = range(4, 11)  # count
MEASURE_WIDTH = 28

# -- a window, of any measure: its instants, what they are, how many the row has room for -----------------------------------------
WINDOW_AT, WINDOW_HOLDS, WINDOW_PLACES = range(3)
WINDOW_WIDTH = 3

# -- a dimension: its kind, the place of its number or the measure, of whether it is known, of what it is worth -------------------
SOURCE, KNOWN, WORTH, WEIGHT, FROM, FACTOR, FALLBACK = range(1, 8)
KEPT, PREDICTED, LINEAR = range(3)
DIMENSION_WIDTH = 8

# -- a scheme, its triggers and their conditions ---------------------------------------------------------------------------------
SCORE, LOW, HIGH, SINCE, PENDING, EARNED, SEATED, GATED, CEILING, LIFT, CLOCK_CEILING = range(11)
STEPPED, PUBLISHED, SEQUENCE, EFFECTIVE, TOP, STEP, RUNGS, ANNOUNCES, TRIGGERS, TRIGGER_END = range(11, 21)
OVERRIDE, OVERRIDE_UNTIL, BEATS_RISK = range(21, 24)  # NOWHERE: the scheme allows none
SCHEME_COLUMNS = (
    "score_micro", "low_micro", "high_micro", "since_ms", "pending_ms", "earned", "seated", "gated", "ceiling", "lift", "clock_ceiling",
    "stepped_ms", "published", "sequence", "effective_at_ms",
)  # fmt: skip
SCHEME_WIDTH = 24
ENTER, LEAVE, STAY, PAUSE, HOT = range(5)  # of a tier
RUNG_WIDTH = 5
TIER, CONDITIONS, CONDITION_END = range(3)
TRIGGER_WIDTH = 3
ASKED, AT_LEAST, AT_MOST = range(3)
CONDITION_WIDTH = 3

# -- a clock: its scheme, its columns, what resets it, whether its limit differs by tier, its limit for each tier, what follows ------
OF_SCHEME, RESET, FIRED, CLOCK_HOLDS, RESTING, RESET_ACTOR, RESET_KIND, BY_TIER, LIMITS, CONSEQUENCES = range(10)
NONE_FOLLOWS, DEMOTES, RECYCLES = range(3)
CLOCK_WIDTH = 10
ANY = -1

# -- a change of the time zone's offset ------------------------------------------------------------------------------------------
ZONE_START, ZONE_OFFSET = range(2)
ZONE_WIDTH = 2


class Plan(NamedTuple):
    """The arrays, and the names of the kinds that the policy speaks of: kind k is `kind_text[kind_begin[k] : kind_begin[k + 1]]`."""

    plan: NDArray[np.int64]
    numbers: NDArray[np.float64]
    kind_text: NDArray[np.uint8]
    kind_begin: NDArray[np.int64]
