"""What is promised of the scoring lag, and how fast its error budget burns: the figure that alerts and dashboards share."""

from ops.alerts.table import OBJECTIVE, WITHIN_S
from ops.dashboards.queries import series

LAG = "tierstream_scoring_lag_seconds"
BURN = (
    f"Share of events scored later than {WITHIN_S:g} s, over the share that may be: {1 - OBJECTIVE:.1%}. At 1 the budget lasts exactly as "
    "long as it has to, at 14.4 a month's budget is gone in two days."
)


def burn(window: str) -> str:
    """How fast the error budget burns, over a window."""
    in_time, all_events = series(LAG, f'le="{WITHIN_S}"', of="bucket"), series(LAG, of="count")
    return f"(1 - sum(rate({in_time}[{window}])) / sum(rate({all_events}[{window}]))) / {1 - OBJECTIVE:g}"
