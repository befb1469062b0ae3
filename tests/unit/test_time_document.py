"""The table of docs/time.md is what the engine does: every row is computed again."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from schemas.records import Action, Interaction, Tick, TierTransition
from streams.policy import load_policy
from streams.replay import FileReplay, LoggedEvent, Refused
from streams.settling import Output

DOCS = Path(__file__).parents[2] / "docs"
ZONE = timezone(timedelta(hours=8))
BEGIN_MS = int(datetime(2026, 3, 1, 9, tzinfo=ZONE).timestamp() * 1000)
DAY_MS = 86_400_000
ARRIVALS = [
    (0, "DOWNLOAD"), (1, "DOWNLOAD"), (2, "DOWNLOAD"), (10, None), (15, None), (16, "EVENT_CHECKIN"),
    (15, "EVENT_CHECKIN"), (17, "DOWNLOAD"), (70, None), (77, None), (150, None), (200, None),
]  # fmt: skip


def shown(at_ms: int) -> str:
    fraction = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
    return datetime.fromtimestamp(at_ms / 1000, ZONE).strftime("%m-%d %H:%M:%S") + fraction


def arrival(number: int, day: float, kind: str | None) -> LoggedEvent:
    at_ms = BEGIN_MS + int(day * DAY_MS)
    if kind is None:
        return LoggedEvent("ticks", Tick(at=at_ms))
    return LoggedEvent("interactions", Interaction(event_id=str(number), account_id="acme", occurred_at=at_ms, kind=kind))


def what_follows(output: Output) -> str | None:
    match output.record:
        case TierTransition() as change:
            return f"{change.from_tier} → {change.to_tier} at {shown(change.effective_at)}, {change.cause.kind}"
        case Action() as action:
            return f"{action.kind}, due {shown(action.due_at)}"
    return None


def rows() -> list[str]:
    replay = FileReplay("docs", load_policy(DOCS / "examples" / "time.yaml"))
    table = []
    for number, (day, kind) in enumerate(ARRIVALS):
        event = arrival(number, day, kind)
        outputs = replay.fold(event)
        assert not isinstance(outputs, Refused)
        at_ms = event.record.at if isinstance(event.record, Tick) else event.record.occurred_at
        view = replay.partition(0).view("acme", 0)
        assert view is not None
        grade = view["schemes"]["grade"]
        follows = "; ".join(filter(None, map(what_follows, outputs))) or "-"
        name = {None: "tick", "DOWNLOAD": "download", "EVENT_CHECKIN": "check-in"}[kind]
        table.append(
            f"| {shown(at_ms)} | {name} | {shown(view['clock_at'])} | {view['score_micro'] / 1e6:.3f} | {grade['published']} | {follows} |"
        )
    return table


def test_the_table_of_time_is_what_the_engine_does() -> None:
    written = [line for line in (DOCS / "time.md").read_text(encoding="utf-8").splitlines() if line.startswith("| 0")]
    assert written == rows()
