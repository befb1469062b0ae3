"""What is promised of the scoring lag, and how fast its error budget burns: the figure that alerts and dashboards share."""

from ops.dashboards.queries import series

LAG = "tierstream_scoring_lag_seconds"
PROMISED, PROMISE_S = 0.999, 1.0
"""So many of all events are scored within so many seconds."""
BURN = (
    f"Share of events scored later than {PROMISE_S:g} s, over the share that may be: {1 - PROMISED:.1%}. At 1 the budget lasts exactly as "
    "long as it has to, at 14.4 a month's budget is gone in two days."
)


def burn(window: str) -> str:
    """How fast the error budget burns, over a window."""
    in_time, all_events = series(LAG, f'le="{PROMISE_S}"', of="bucket"), series(LAG, of="count")
    return f"(1 - sum(rate({in_time}[{window}])) / sum(rate({all_events}[{window}]))) / {1 - PROMISED:g}"
