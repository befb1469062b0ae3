"""Marketing automation: enrols an account in a campaign once for each live change of tier, whatever is repeated or restarted.

What it has done and how far each chain has come are one SQLite transaction; Kafka's offset is committed after it. So a crash between
the two repeats records, and repeated records change nothing. A sequence that skips is a lost record: it says so and ends with 1.

    python marketing.py marketing.sqlite
"""

import sqlite3
import sys
from collections.abc import Mapping
from typing import Any

import records
from confluent_kafka import Consumer

TABLES = """
CREATE TABLE IF NOT EXISTS chain (
    application TEXT, account_id TEXT, generation TEXT, scheme TEXT, sequence INTEGER NOT NULL,
    PRIMARY KEY (application, account_id, generation, scheme)
);
CREATE TABLE IF NOT EXISTS enrolment (transition_id TEXT PRIMARY KEY, account_id TEXT, campaign TEXT, because TEXT);
"""


class Gap(Exception):
    """A transition is missing before this one."""


class Automation:
    """The campaigns and the memory of what they were started for."""

    def __init__(self, path: str) -> None:
        self._store = sqlite3.connect(path)
        self._store.executescript(TABLES)

    def take(self, transition: Mapping[str, Any]) -> bool:
        """Act on a transition; False if it was known. Raises Gap if one before it never came."""
        chain = tuple(transition[name] for name in ("application", "account_id", "generation", "scheme"))
        with self._store:  # one transaction: all of it or nothing
            before = self._store.execute(
                "SELECT sequence FROM chain WHERE (application, account_id, generation, scheme) = (?, ?, ?, ?)", chain
            ).fetchone()
            expected = (before[0] if before else 0) + 1
            if transition["sequence"] < expected:
                return False
            if transition["sequence"] > expected:
                raise Gap(f"{chain}: {transition['sequence']} came where {expected} was due")
            self._store.execute("INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?)", (*chain, expected))
            if transition["mode"] == "LIVE":  # a replay, a backfill, a shadow policy: known, and not acted on
                self._enrol(transition)
        return True

    def _enrol(self, transition: Mapping[str, Any]) -> None:
        campaign = f"{transition['direction'].lower()} to {transition['to_tier']}"
        because = f"{transition['cause']['kind']} {transition['cause']['detail'] or ''}".strip()
        enrolled = (transition["transition_id"], transition["account_id"], campaign, because)
        self._store.execute("INSERT INTO enrolment VALUES (?, ?, ?, ?)", enrolled)


def run(automation: Automation) -> None:
    """Until somebody stops it."""
    consumer = Consumer(
        {
            "bootstrap.servers": records.KAFKA,
            "group.id": records.group("marketing"),
            "isolation.level": "read_committed",  # what was aborted never happened
            "auto.offset.reset": "earliest",  # chains are proved from their first link
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([records.topic("tier-transitions")])
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            print(message.error(), file=sys.stderr)
            continue
        transition = records.record(message.value())
        news = automation.take(transition)
        consumer.commit(message, asynchronous=False)
        print("acted" if news else "known", transition["account_id"], transition["sequence"], transition["to_tier"], flush=True)


if __name__ == "__main__":
    try:
        run(Automation(sys.argv[1]))
    except Gap as gap:
        sys.exit(f"gap: {gap}")
