"""The common job, for the peers that are written in Python: what each of their programs has in common.

It runs in a peer's own environment and knows nothing of tierstream. One JSON argument says where the work is (`benchmarks.peers.engine`).
An account is [score, clock in ms, tier, sequence]; tiers are 0 (C), 1 (B), 2 (A).
"""

import io
import json
import sys

import fastavro

FRAME_BYTES = 5
HALF_LIFE_MS = 7 * 86_400_000.0
POINTS = {"VISIT": 1.0, "DOWNLOAD": 4.0, "PRICE_INQUIRY": 12.0, "EVENT_CHECKIN": 20.0}
TIERS = "CBA"
LEAVE_BELOW = (float("-inf"), 55_000_000, 75_000_000)


def told():
    """What the benchmark said."""
    return json.loads(sys.argv[1])


def event_reader(schema_file):
    """Payload to event. Instants stay integers: the logical type would cost every peer a datetime it does not need."""
    with open(schema_file, encoding="utf-8") as file:
        schema = json.load(file)
    for field in schema["fields"]:
        if field["name"] == "occurred_at":
            field["type"] = "long"
    parsed, read = fastavro.parse_schema(schema), fastavro.schemaless_reader

    def event_of(payload):
        return read(io.BytesIO(payload[FRAME_BYTES:]), parsed, None)

    return event_of


def entered():
    """An account of which nothing is known."""
    return [0.0, None, 0, 0]


def folded(account, event):
    """Fold an event into the account, in place; returns the changes as they are published, mostly none."""
    at_ms, clock_ms = event["occurred_at"], account[1]
    points, changes = POINTS[event["kind"]], None
    if clock_ms is None or at_ms >= clock_ms:
        if clock_ms is not None:
            account[0] *= 2.0 ** ((clock_ms - at_ms) / HALF_LIFE_MS)
        account[1] = at_ms
        while round(account[0] * 1e6) < LEAVE_BELOW[account[2]]:
            changes = [*(changes or ()), _moved(account, account[2] - 1, event)]
        account[0] += points
    else:
        account[0] += points * 2.0 ** ((at_ms - clock_ms) / HALF_LIFE_MS)
    micro = round(account[0] * 1e6)
    reached = 2 if micro >= 80_000_000 else 1 if micro >= 60_000_000 else 0
    if reached > account[2]:
        changes = [*(changes or ()), _moved(account, reached, event)]
    return changes or ()


def _moved(account, tier, event):
    account[3] += 1
    change = {
        "account": event["account_id"],
        "sequence": account[3],
        "from_tier": TIERS[account[2]],
        "to_tier": TIERS[tier],
        "score_micro": round(account[0] * 1e6),
        "event_id": event["event_id"],
    }
    account[2] = tier
    return json.dumps(change).encode()
