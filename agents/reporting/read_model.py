"""What reports are asked of: the topics as tables of SQLite, filled in one pass.

One file knows these tables. Rules:
- a record that repeats counts once: orders by order and status, touches by event, tiers by revision, actions and leads by their ids;
- what the newest record says of a profile field, a risk or an opportunity stands;
- amounts are in minor units of one currency; what cannot be converted is kept out of sums and counted;
- an account that was erased is in no table.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import RecordRejected, SettingsError
from schemas.records import (
    AccountProfile,
    AccountTiers,
    Action,
    HotLead,
    Interaction,
    Order,
    RiskSignal,
    StageChange,
    TierTransition,
)  # fmt: skip

TABLES = """
CREATE TABLE standing (scheme TEXT, account_id TEXT, tier TEXT, earned_tier TEXT, sequence INT, since_at INT, score_micro INT,
    owner_id TEXT, pooled INT, revision INT, PRIMARY KEY (scheme, account_id)) WITHOUT ROWID;
CREATE TABLE transition (scheme TEXT, account_id TEXT, sequence INT, at INT, from_tier TEXT, to_tier TEXT, direction TEXT, cause TEXT,
    because TEXT, PRIMARY KEY (scheme, account_id, sequence)) WITHOUT ROWID;
CREATE TABLE touch (account_id TEXT, at INT, event_id TEXT, kind TEXT, actor TEXT, channel TEXT, campaign_id TEXT,
    PRIMARY KEY (account_id, at, event_id)) WITHOUT ROWID;
CREATE TABLE purchase (account_id TEXT, order_id TEXT, status TEXT, at INT, amount_minor INT, currency TEXT, own_minor INT,
    campaign_id TEXT, PRIMARY KEY (account_id, order_id, status)) WITHOUT ROWID;
CREATE TABLE action (action_id TEXT PRIMARY KEY, account_id TEXT, at INT, kind TEXT, name TEXT, scheme TEXT, tier TEXT, reason TEXT,
    resolves TEXT) WITHOUT ROWID;
CREATE TABLE lead (lead_id TEXT PRIMARY KEY, account_id TEXT, at INT, scheme TEXT, to_tier TEXT, campaign_id TEXT) WITHOUT ROWID;
CREATE TABLE field (account_id TEXT, name TEXT, content TEXT, at INT, PRIMARY KEY (account_id, name)) WITHOUT ROWID;
CREATE TABLE risk (account_id TEXT, risk_id TEXT, kind TEXT, severity TEXT, status TEXT, at INT,
    PRIMARY KEY (account_id, risk_id)) WITHOUT ROWID;
CREATE TABLE opportunity (account_id TEXT, opportunity_id TEXT, stage TEXT, status TEXT, process TEXT, amount_minor INT, at INT,
    PRIMARY KEY (account_id, opportunity_id)) WITHOUT ROWID;
CREATE TABLE known (name TEXT PRIMARY KEY, content TEXT) WITHOUT ROWID;
"""

_NEWEST = "WHERE excluded.at >= at"
_INSERTS = {
    "standing": "INSERT INTO standing VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET tier = excluded.tier, "
    "earned_tier = excluded.earned_tier, sequence = excluded.sequence, since_at = excluded.since_at, score_micro = excluded.score_micro, "
    "owner_id = excluded.owner_id, pooled = excluded.pooled, revision = excluded.revision WHERE excluded.revision >= revision",
    "transition": "INSERT OR IGNORE INTO transition VALUES (?,?,?,?,?,?,?,?,?)",
    "touch": "INSERT OR IGNORE INTO touch VALUES (?,?,?,?,?,?,?)",
    "purchase": "INSERT OR IGNORE INTO purchase VALUES (?,?,?,?,?,?,?,?)",
    "action": "INSERT OR IGNORE INTO action VALUES (?,?,?,?,?,?,?,?,?)",
    "lead": "INSERT OR IGNORE INTO lead VALUES (?,?,?,?,?,?)",
    "field": f"INSERT INTO field VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET content = excluded.content, at = excluded.at {_NEWEST}",
    "risk": "INSERT INTO risk VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET kind = excluded.kind, severity = excluded.severity, "
    f"status = excluded.status, at = excluded.at {_NEWEST}",
    "opportunity": "INSERT INTO opportunity VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET stage = excluded.stage, "
    f"status = excluded.status, process = excluded.process, amount_minor = excluded.amount_minor, at = excluded.at {_NEWEST}",
}
_OF_ACCOUNTS = tuple(_INSERTS)
_AT_ONCE = 20_000
_NO_FIELDS = frozenset({"event_id", "account_id", "occurred_at", "custom", "cleared"})

PURCHASE = "account_id", "order_id", "status", "occurred_at", "amount_minor", "currency", "campaign_id"
"""What a row of `purchase` is made of, of an order."""
TOUCH = "account_id", "occurred_at", "event_id", "kind", "actor", "channel", "campaign_id"
"""A row of `touch`, of an interaction."""

Row = tuple[Any, ...]
Decode = Callable[[str, bytes | None], msgspec.Struct]
"""The record of a topic in a payload. Raises RecordRejected."""
OwnMinor = Callable[[int, str, int], int | None]
"""An amount (in minor units of a currency, at an instant) in the report's currency; None where it cannot be converted."""


_purchase, _touch = attrgetter(*PURCHASE), attrgetter(*TOUCH)


class ReadModel:
    """The tables. A new one lives in a temporary file of SQLite's own."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.database.row_factory = sqlite3.Row

    @classmethod
    def empty(cls) -> "ReadModel":
        """A new one, private to this process, on disk where it does not fit into memory."""
        database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = FILE"):
            database.execute(f"PRAGMA {pragma}")
        database.executescript(TABLES)
        return cls(database)

    @classmethod
    def opened(cls, path: Path) -> "ReadModel":
        """One that was saved. Raises SettingsError if it is none of ours."""
        try:
            model = cls(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))
            names = {row["name"] for row in model.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError as fault:
            raise SettingsError(f"file {path} is no read model of `tierstream report --save`: {fault}") from fault
        if not names.issuperset(_OF_ACCOUNTS):
            raise SettingsError(f"file {path} is no read model of `tierstream report --save`: make it anew")
        model.database.execute("PRAGMA temp_store = MEMORY")
        return model

    def save(self, path: Path) -> None:
        """Keep it as a file, in place of what is there."""
        path.unlink(missing_ok=True)
        try:
            self.database.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.OperationalError as fault:
            raise SettingsError(f"file {path} cannot be written: {fault}") from fault

    def fill(self, said: Iterable[tuple[str, Row]]) -> None:
        """Put rows into their tables, in order within each table."""
        rows = iter(said)
        while block := list(islice(rows, _AT_ONCE)):
            self.database.execute("BEGIN")
            by_table: dict[str, list[Row]] = {}
            for table, row in block:
                by_table.setdefault(table, []).append(row)
            for table, its in by_table.items():
                self.database.executemany(_INSERTS[table], its)
            self.database.execute("COMMIT")

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows into one table, in order."""
        self.database.execute("BEGIN")
        self.database.executemany(_INSERTS[table], rows)
        self.database.execute("COMMIT")

    def forget(self, account_id: str) -> None:
        """An account was erased: nothing of it stays."""
        for table in _OF_ACCOUNTS:
            self.database.execute(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))

    def note(self, name: str, content: str) -> None:
        """Remember something about the model itself."""
        self.database.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (name, content))

    def noted(self, name: str) -> str | None:
        """What was noted under a name."""
        row = self.database.execute("SELECT content FROM known WHERE name = ?", (name,)).fetchone()
        return row["content"] if row else None

    def latest_ms(self) -> int:
        """The latest instant of anything in it, 0 if it is empty."""
        parts = " UNION ALL ".join(f"SELECT max(at) AS at FROM {table}" for table in ("transition", "touch", "purchase", "action"))
        found = self.database.execute(f"SELECT max(at) AS at FROM ({parts} UNION ALL SELECT max(since_at) FROM standing)").fetchone()["at"]
        return found or 0


class Rows:
    """From records to rows. `tally` counts what was read, by topic, and what cannot be summed."""

    def __init__(self, own_minor: OwnMinor) -> None:
        self._own_minor = own_minor
        self.tally: Counter[str] = Counter()

    def taken(self, decode: Decode, topic: str, payload: bytes | None) -> msgspec.Struct | None:
        """The record in a payload; None where it is refused, which is counted."""
        try:
            return decode(topic, payload)
        except RecordRejected as rejection:
            self.tally[f"records refused ({rejection.reason.value})"] += 1
            return None

    def of(self, record: msgspec.Struct) -> Iterator[tuple[str, Row]]:
        """The rows of one record; none of a record that no report asks for."""
        match record:
            case Interaction():
                yield "touch", _touch(record)
            case Order():
                yield "purchase", self.purchase(_purchase(record))
            case AccountProfile():
                yield from self._fields(record)
            case RiskSignal():
                known_risk = record.kind, record.severity, record.status, record.occurred_at
                yield "risk", (record.account_id, record.risk_id, *known_risk)
            case StageChange():
                moved = record.stage, record.status, record.process, record.amount_minor, record.occurred_at
                yield "opportunity", (record.account_id, record.opportunity_id, *moved)
            case _:
                yield from self._published(record)

    def _published(self, record: msgspec.Struct) -> Iterator[tuple[str, Row]]:
        match record:
            case AccountTiers():
                for each in record.standings:
                    place = each.scheme, record.account_id, each.tier, each.earned_tier, each.sequence, each.effective_at, each.score_micro
                    yield "standing", (*place, record.owner_id, int(record.pool is not None), record.revision)
            case TierTransition():
                because = record.trail[0].because if record.trail else ""
                kind = record.cause.kind if record.cause.detail is None else f"{record.cause.kind} {record.cause.detail}"
                move = record.from_tier, record.to_tier, record.direction, kind, because
                yield "transition", (record.scheme, record.account_id, record.sequence, record.effective_at, *move)
            case Action():
                what = record.kind, record.name, record.scheme, record.tier, record.reason, record.resolves
                yield "action", (record.action_id, record.account_id, record.due_at, *what)
            case HotLead():
                yield "lead", (record.lead_id, record.account_id, record.effective_at, record.scheme, record.to_tier, record.campaign_id)

    def purchase(self, said: Row) -> Row:
        """The row of an order, of its fields as PURCHASE names them."""
        *what, occurred_at_ms, amount_minor, currency, campaign_id = said
        own_minor = self._own_minor(amount_minor, currency, occurred_at_ms)
        if own_minor is None:
            self.tally[f"orders in {currency}"] += 1
        return (*what, occurred_at_ms, amount_minor, currency, own_minor, campaign_id)

    @staticmethod
    def _fields(profile: AccountProfile) -> Iterator[tuple[str, Row]]:
        said = {name: getattr(profile, name) for name in profile.__struct_fields__ if name not in _NO_FIELDS}
        said |= {f"custom.{name}": content for name, content in profile.custom.items()}
        for name, content in said.items():
            if content is not None:
                text = ", ".join(content) if isinstance(content, list) else str(content)
                yield "field", (profile.account_id, name, text, profile.occurred_at)
        for name in profile.cleared:
            yield "field", (profile.account_id, name, None, profile.occurred_at)
