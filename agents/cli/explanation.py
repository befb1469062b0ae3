"""An account's view as a person reads it: where it stands and why, what would change it and when, and what its points are made of."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agents.cli import wording
from agents.cli.wording import Clock

FOLLOWS = {"demote": "takes it down a tier", "recycle": "puts it into the pool"}


def show(console: Console, view: dict[str, Any], asked_ms: int | None) -> None:
    """The whole explanation."""
    clock = Clock(view["policy"]["timezone"], view["as_of"])
    for part in (*_header(view, clock, asked_ms), *_standings(view, clock), *_ledger(view, clock), *_clocks(view, clock)):
        console.print(part)


def _header(view: dict[str, Any], clock: Clock, asked_ms: int | None) -> Sequence[RenderableType]:
    """Who it is, and as of when."""
    name, owner = view["profile"].get("name"), view["owner_id"]
    title = Text(f"{name} ({view['account_id']})" if name else view["account_id"], style="bold")
    title.append(f", owner {owner}" if owner else ", without an owner", style="not bold")
    said = [title, Text(f"as of {_as_of(view, clock)}", style="dim")]
    if asked_ms is not None and asked_ms < view["as_of"]:
        said.append(Text(_not_the_past(clock, asked_ms), style="yellow"))
    if pool := view["pool"]:
        whose = f" from {pool['previous_owner_id']}" if pool["previous_owner_id"] else ""
        said.append(Text(f"in the pool since {clock.on(pool['since_at'])}{whose}: {pool['reason']}", style="yellow"))
    if (health := view["health"]) is not None:
        fallen = f", fallen from {health['fallen_from']} on {clock.on(health['since_at'])}" if health["since_at"] is not None else ""
        said.append(Text(f"health {health['points']} of 100{fallen}", style="yellow" if fallen else "dim"))
    risks = [
        f"{risk['kind']} {risk['risk_id']} ({risk['severity']}) is open since {clock.on(risk['since_at'])}" for risk in view["open_risks"]
    ]
    return [*said, *(Text(risk, style="red") for risk in risks)]


def _as_of(view: dict[str, Any], clock: Clock) -> str:
    """The instant; one that lies ahead is said to be a forecast."""
    said = f"{clock.on(view['as_of'])} ({clock.timezone})"
    return said if view["as_of"] <= view["known_at"] else f"{said}, if nothing happens from {clock.on(view['known_at'])} until then"


def _not_the_past(clock: Clock, asked_ms: int) -> str:
    return (
        f"You asked for {clock.on(asked_ms)}. Only the present is kept, so this is the account as of its last event. "
        "What it was then: each change is in tier-transitions; `export` up to there and `replay` show the rest."
    )


def _standings(view: dict[str, Any], clock: Clock) -> Sequence[RenderableType]:
    return [part for scheme, standing in view["schemes"].items() for part in _standing(view, scheme, standing, clock)]


def _standing(view: dict[str, Any], scheme: str, standing: dict[str, Any], clock: Clock) -> Sequence[RenderableType]:
    """One ladder: the tier, each stage that had a say, the way up, the way down."""
    since = f" since {clock.on(standing['effective_at'])}, change {standing['sequence']}" if standing["sequence"] else ""
    title = Text.assemble(("\n" + standing["published"], "bold cyan"), f" on ladder {scheme}", (since, "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for said in (
        *_stages(standing),
        *_ordered(standing),
        *_rating(view, standing, clock),
        ("up", _way_up(standing)),
        *_ahead(view, standing, clock),
    ):
        table.add_row(*said)
    return [title, Padding(table, (0, 0, 0, 2), expand=False)]


def _stages(standing: dict[str, Any]) -> list[tuple[str, str]]:
    """The stages that decided the tier: the first and what lifts it, each that changed it; the others in one line."""
    said, idle, before = list[tuple[str, str]](), [], None
    for stage in standing["trail"]:
        if stage["tier"] == before:
            idle.append(stage["because"])
        else:
            said.append((stage["stage"], f"{stage['tier']}: {stage['because']}"))
            if before is None and (lift := standing["lift"]):
                said.append(("", f"trigger to {lift['tier']}: {lift['because'].replace('_', ' ')}"))
        before = stage["tier"]
    return [*said, ("besides", ", ".join(idle))] if idle else said


def _ordered(standing: dict[str, Any]) -> list[tuple[str, str]]:
    """Whose order the override is."""
    if (override := standing["override"]) is None:
        return []
    approved = f", approved by {override['approved_by']}" if override["approved_by"] else ""
    return [("ordered", f"by {override['requested_by']}{approved}")]


def _rating(view: dict[str, Any], standing: dict[str, Any], clock: Clock) -> list[tuple[str, str]]:
    """What a ladder goes by that does not go by the score, heaviest first."""
    lines = (standing["rating"] or {"contributions": []})["contributions"]
    parts = wording.parts(wording.hundredths(sum(line["micro"] for line in lines)), [line["micro"] for line in lines])
    said = _heaviest(list(zip(parts, lines, strict=True)))
    return [("", f"{wording.points(part)}  {wording.evidence_of(line, view['profile'], clock)}") for part, line in said]


def _way_up(standing: dict[str, Any]) -> str:
    above = standing["next_tier"]
    if above is None:
        return f"{standing['earned']} is the highest tier"
    if above["points_micro"] is None:
        return f"{above['tier']} comes next"
    if above["points_micro"] == 0:
        return f"it has the points for {above['tier']}"
    return f"{wording.missing(above['points_micro'])} more points earn {above['tier']}"


def _ahead(view: dict[str, Any], standing: dict[str, Any], clock: Clock) -> list[tuple[str, str]]:
    """What time alone will do, and why."""
    coming, tiers = standing["forecast"], standing["tiers"]
    if coming is None:
        return [("ahead", "nothing changes by time alone")]
    goes = "rises" if tiers.index(coming["to_tier"]) > tiers.index(standing["published"]) else "falls"
    said = f"{goes} to {coming['to_tier']} on {clock.on(coming['at'])} if nothing happens"
    if keep := coming["points_to_keep_micro"]:
        horizon = wording.duration(view["policy"]["forecast_horizon_ms"])
        said += f"; {wording.missing(keep)} more points keep {standing['published']} for {horizon}"
    return [("ahead", said), ("", coming["because"])]


def _ledger(view: dict[str, Any], clock: Clock) -> Sequence[RenderableType]:
    """The score, its dimensions and their lines, each set heaviest first; what is shown adds up."""
    if view["score_micro"] is None:
        return []
    total = wording.hundredths(view["score_micro"])
    title = Text.assemble((f"\n{wording.points(total)} points", "bold"), " of 100", (f", by {_policy(view)}", "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    of_dimension = {name: [line for line in view["contributions"] if line["dimension"] == name] for name in view["dimensions"]}
    shares = wording.parts(total, [sum(line["micro"] for line in lines) for lines in of_dimension.values()])
    for share, (name, lines) in _heaviest(list(zip(shares, of_dimension.items(), strict=True))):
        table.add_row(Text(wording.points(share), style="bold"), Text(name, style="bold"))
        for part, line in _heaviest(list(zip(wording.parts(share, [line["micro"] for line in lines]), lines, strict=True))):
            table.add_row(wording.points(part), f"  {wording.evidence_of(line, view['profile'], clock)}")
    return [title, Padding(table, (0, 0, 0, 2), expand=False)]


def _heaviest(parts: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    return sorted(parts, key=lambda part: -abs(part[0]))


def _policy(view: dict[str, Any]) -> str:
    return f"policy {view['policy']['name']} {view['policy']['version']}"


def _clocks(view: dict[str, Any], clock: Clock) -> Sequence[RenderableType]:
    """The clocks that run."""
    running = [each for each in view["clocks"] if each["due_at"] is not None]
    said = [
        f"Clock {each['name']} runs since {clock.on(each['since_at'])}; on {clock.on(each['due_at'])} it {_follows(each['then'])}"
        for each in running
    ]
    said += [f"Clock {each['name']}: {_breach(breach, clock)}" for each in view["clocks"] for breach in each["breaches"]]
    return ["", *said] if said else said


def _follows(then: str) -> str:
    """What a clock leads to, in words."""
    return FOLLOWS.get(then) or f"asks for {then.replace('_', ' ')}"


def _breach(breach: dict[str, Any], clock: Clock) -> str:
    of = f"{breach['of']}, " if breach["of"] else ""
    return f"{of}out since {clock.on(breach['due_at'])}: {breach['because']}"


def show_records(console: Console, records: list[dict[str, Any]], view: dict[str, Any] | None) -> None:
    """Every record of the account, oldest first, with where it lies; refused ones with the reason."""
    console.print(f"\n[bold]Every record[/] in the input topics: {len(records):,}")
    clock = Clock(view["policy"]["timezone"] if view else "UTC", view["as_of"] if view else 0)
    table = Table.grid(padding=(0, 2))
    for wraps in (False, True, False):
        table.add_column(no_wrap=not wraps, overflow="fold")
    for record in sorted(records, key=_occurred_ms):
        place = f"{record['topic']}:{record['partition']}:{record['offset']}"
        refused = f"refused, {record['refused']}: {record['message']}" if "refused" in record else None
        said = Text(refused, style="red") if refused else Text(_said(record["value"]))
        table.add_row(Text(clock.stamp(_occurred_ms(record)), style="dim"), said, Text(place, style="dim"))
    console.print(table)


def _occurred_ms(record: dict[str, Any]) -> int:
    """When it happened; of a record that cannot be read, when it was appended."""
    at_ms: int = record.get("value", {}).get("occurred_at", record["appended_at"])
    return at_ms


_PLACED = ("account_id", "event_id", "occurred_at")


def _said(value: dict[str, Any]) -> str:
    """What a record says beside whose it is and when: the kind first."""
    told = {
        field: wording.content_text(content) for field, content in value.items() if field not in _PLACED and content not in (None, [], {})
    }
    kind = told.pop("kind", None)
    rest = ", ".join(f"{field.replace('_', ' ')} {content}" for field, content in told.items())
    return rest if kind is None else f"{kind}{', ' if rest else ''}{rest}"
