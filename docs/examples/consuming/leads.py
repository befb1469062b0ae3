"""An SDR tool: one line of JSON for each hot lead that can still be acted on, with why it is hot and what lifts it next.

`hot-leads` has live leads only. The tool behind it keeps them by lead_id, so one that comes twice is the same one.

    python leads.py
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import records
from confluent_kafka import Consumer


def card(lead: Mapping[str, Any]) -> dict[str, Any]:
    """What a sales person reads. Points are millionths of a point in the record."""
    strongest = sorted(lead["evidence"], key=lambda line: -line["micro"])[:3]
    return {
        "lead_id": lead["lead_id"],
        "owner": lead["owner_id"],
        "account": lead["account_id"],
        "tier": f"{lead['from_tier']} -> {lead['to_tier']}",
        "score": lead["score_micro"] / 1e6,
        "because": [f"{line['line']}: {line['micro'] / 1e6:g}" for line in strongest],
        "act_before": lead["act_before"].isoformat(),
        "next": {"tier": lead["next_tier"], "points": (lead["points_to_next_micro"] or 0) / 1e6} if lead["next_tier"] else None,
    }


def run() -> None:
    """Until somebody stops it."""
    consumer = Consumer(
        {
            "bootstrap.servers": records.KAFKA,
            "group.id": records.group("sdr-tool"),
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([records.topic("hot-leads")])
    while True:
        message = consumer.poll(1.0)
        if message is None or message.error():
            if message is not None:
                print(message.error(), file=sys.stderr)
            continue
        lead = records.record(message.value())
        if lead["act_before"] > datetime.fromtimestamp(time.time(), UTC):
            print(json.dumps(card(lead), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    run()
