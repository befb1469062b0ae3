"""A policy as arrays: what compiled code knows of it. Every policy has the same types, so compiled code serves them all.

A table has one row for each measure, dimension, scheme, condition or clock, and one named column for each thing said of it. A place is
a number as `streams/forward/cells.py` makes it, NOWHERE where there is nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

# -- account: places of the columns that every account has --------------------------------------------------------------
CLOCK, DEADLINE, RECORDS, LAST_TOPIC, LAST_OFFSET, LAST_AT, IDS, IDS_FILL, IDS_NEXT = range(9)
ACCOUNT_COLUMNS = (
    "account.clock_ms", "account.deadline_ms", "account.records", "account.last_topic", "account.last_offset", "account.last_at_ms",
    "ids.recent", "ids.fill", "ids.next",
)  # fmt: skip

# -- measures -------------------------------------------------------------------------------------------------------------
DECAYED, COUNT, OTHER = range(3)
KIND, FOLDED, ACTORS = range(3)
"""What it is; whether interactions are folded into it; of which actors, as bits."""
TOTAL, TIMES, STANDS_AT, LAST, KINDS, FIRST_PRICE = range(3, 9)  # decayed
CAP_DAY, CAP_USED, CAPPED_KINDS, FIRST_CAP = range(9, 13)
CONTACT_TODAY, CONTACT, CONTACT_DAY, CONTACT_USED, CONTACTS = range(13, 18)
BURST_AT, BURST_SEEN, BURST_WITHIN, BURST_COUNTS = range(18, 22)
AT, NUMBER, FILL, HOLDS, WINDOW = range(3, 8)  # windows
MEASURE_WIDTH = 22

# -- dimensions -----------------------------------------------------------------------------------------------------------
KEPT, PREDICTED, LINEAR = range(3)
# KIND is column 0
SOURCE, KNOWN, WORTH = range(1, 4)
"""The place of its number, or the measure; the place of whether it is known; the place of what it is worth."""
DIMENSION_WIDTH = 4
WEIGHT, FROM, FACTOR, FALLBACK = range(4)

# -- schemes --------------------------------------------------------------------------------------------------------------
SCORE, LOW, HIGH, SINCE, PENDING, EARNED, SEATED, GATED, CEILING, LIFT, CLOCK_CEILING, TOP, FIRST_TRIGGER, TRIGGERS = range(14)
SCHEME_COLUMNS = (
    "score_micro", "low_micro", "high_micro", "since_ms", "pending_ms", "earned", "seated", "gated", "ceiling", "lift", "clock_ceiling",
)  # fmt: skip
SCHEME_WIDTH = 14

# -- triggers: the tier, and a run of conditions ---------------------------------------------------------------------------
TIER, FIRST_CONDITION, CONDITIONS = range(3)

# -- clocks ---------------------------------------------------------------------------------------------------------------
OF_SCHEME, RESET, FIRED, CLOCK_HOLDS, RESTING, RESET_ACTOR, RESET_KIND, BY_TIER, FIRST_TIER = range(9)
CLOCK_WIDTH = 9
ANY = -1

UNBOUNDED = 1 << 62
"""As in `streams/units.py`."""


class Plan(NamedTuple):
    """The arrays. `half_lives`, `prices` and `per_second` are by priced kind, `slots[measure, kind]` says which of them."""

    account: Whole
    row_bytes: int
    max_ahead_ms: int
    topic: int
    seed: int
    kind_begin: Whole
    kind_text: NDArray[np.uint8]
    slots: Whole
    measures: Whole
    half_lives: Real
    prices: Real
    per_second: Real
    capped: Whole
    caps: Real
    contact_caps: Real
    bursts: Whole
    windows: Whole
    dimensions: Whole
    dimension_numbers: Real
    schemes: Whole
    triggers: Whole
    conditions: Whole
    bounds: Real
    clocks: Whole
    clock_limits: Whole
    zone_starts: Whole
    zone_offsets: Whole
