"""For marketing and sales: who stands where, who moves and why, which leads are hot, what is to be done and what was not."""

from grafana_foundation_sdk.builders import dashboard

from ops.dashboards.panels import Panel, bars, events, figure, graph
from ops.dashboards.queries import Query, about, each_step, grown, least, or_nothing, total
from ops.dashboards.scope import board, choice, manual

PYRAMID, MOVES, LEADS, ACTIONS = (
    "tierstream_tier_accounts",
    "tierstream_transitions_total",
    "tierstream_hot_leads_total",
    "tierstream_actions_total",
)
SCHEME = 'scheme=~"$scheme"'
UP, DOWN, MOVED = 'direction="UP"', 'direction="DOWN"', 'direction=~"UP|DOWN"'
BREACHED, RESOLVED, RECYCLED = 'kind="BREACHED"', 'kind="RESOLVED"', 'kind="RECYCLED"'
REVIEWED, REVIEW_DUE, DAY_S = "tierstream_policy_reviewed_timestamp_seconds", "tierstream_policy_review_due_timestamp_seconds", 86_400
_SHOWN = "In the time shown above. What a worker counts for the first time after its start is seen from the second on."


def business() -> dashboard.Dashboard:
    """The dashboard, without its rows."""
    made = board("tierstream-business", "tierstream: who stands where?", "The pyramid, what moves it, hot leads, what is to be done.")
    made.with_variable(choice("scheme", "Ladder", "Ladders of the policy to look at.", PYRAMID)).time("now-24h", "now").refresh("1m")
    return made.link(manual("Policies", "policies.md")).link(manual("Words", "glossary.md"))


def business_rows() -> dict[str, list[Panel]]:
    """What is on it, row by row."""
    return {"At a glance": _glance(), "The pyramid": _pyramid(), "Movement": _movement(), "Hot leads": _leads(), "To be done": _actions()}


def _glance() -> list[Panel]:
    """The figures of the time shown."""
    reviewed = Query(f"(time() - {least(REVIEWED)}) / {DAY_S}")
    due = Query(f"({least(REVIEW_DUE)} - time()) / {DAY_S}")
    return [
        figure("Accounts", about("tierstream_accounts"), Query(total("tierstream_accounts")), "short"),
        _counted("Moved up", MOVES, SCHEME, UP),
        _counted("Moved down", MOVES, SCHEME, DOWN),
        _counted("Hot leads", LEADS, SCHEME),
        _counted("Promises broken", ACTIONS, BREACHED),
        _counted("Put into the pool", ACTIONS, RECYCLED),
        figure("Policy reviewed, days ago", about(REVIEWED), reviewed, "none", decimals=0),
        figure("Next review in days", about(REVIEW_DUE), due, "none", limits=((0, "orange"), (14, "green")), decimals=0, least="red"),
    ]


def _pyramid() -> list[Panel]:
    """How many accounts stand in each tier."""
    now = Query(f"sort_desc({total(PYRAMID, SCHEME, by='scheme, tier')})", "{{scheme}} {{tier}}")
    shares = f"{total(PYRAMID, SCHEME, by='scheme, tier')} / on (scheme) group_left () {total(PYRAMID, SCHEME, by='scheme')}"
    return [
        bars("Accounts in each tier, now", about(PYRAMID), [now], "short"),
        graph("Accounts in each tier", about(PYRAMID), [Query(total(PYRAMID, SCHEME, by="scheme, tier"), "{{scheme}} {{tier}}")], "short"),
        graph("Share of each tier", about(PYRAMID), [Query(shares, "{{scheme}} {{tier}}")], "percentunit"),
    ]


def _movement() -> list[Panel]:
    """Who moved, and what moved them."""
    causes = Query(f"sort_desc({grown(MOVES, SCHEME, by='direction, cause')})", "{{direction}} {{cause}}")
    return [
        _steps("Up and down", MOVES, "direction", SCHEME, MOVED, below="DOWN", width=12),
        _steps("By cause: ups, and downs under the line", MOVES, "direction, cause", SCHEME, MOVED, below="DOWN.*", width=12),
        bars("What moved them", f"{about(MOVES)}\n\n{_SHOWN}", [causes], "short", width=12),
        _steps("All changes, by ladder", MOVES, "scheme, direction", SCHEME, width=12),
    ]


def _leads() -> list[Panel]:
    """Accounts that have just become hot."""
    triggers = Query(f"sort_desc({grown(LEADS, SCHEME, by='tier, trigger')})", "{{tier}} {{trigger}}")
    return [
        _steps("Hot leads by tier", LEADS, "scheme, tier", SCHEME, width=12),
        bars("What made them hot", f"{about(LEADS)}\n\n{_SHOWN}", [triggers], "short", width=12),
    ]


def _actions() -> list[Panel]:
    """What people and programs were told to do; promises broken, and kept after all."""
    broken = f"{grown(ACTIONS, BREACHED, by='rule')} - ({grown(ACTIONS, RESOLVED, by='rule')} or {grown(ACTIONS, BREACHED, by='rule')} * 0)"
    return [
        _steps("Promises broken, and made good under the line", ACTIONS, "kind, rule", 'kind=~"BREACHED|RESOLVED"', below="RESOLVED.*"),
        bars("Broken and not made good", f"{about(ACTIONS)}\n\n{_SHOWN}", [Query(f"sort_desc({broken})", "{{rule}}")], "short"),
        _steps("Everything announced", ACTIONS, "kind, rule"),
    ]


def _counted(title: str, metric: str, *where: str) -> Panel:
    """How many there were in the time shown."""
    return figure(title, f"{about(metric)}\n\n{_SHOWN}", Query(or_nothing(grown(metric, *where))), "short", decimals=0)


def _steps(title: str, metric: str, by: str, *where: str, below: str = "", width: int = 8) -> Panel:
    """How many there were in each step of the time shown."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return events(title, about(metric), [Query(each_step(metric, *where, by=by), legend)], below=below, width=width)
