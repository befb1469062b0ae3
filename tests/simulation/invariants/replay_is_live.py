"""Replay is backtest: folding again what `fold-order` names gives what was published, record by record, but for when it was decided.

A row of another layout is looked at sooner than need be, which may put accounts that a tick decides into another order: then only the order
of each account's own records counts.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from tests.simulation.evidence import CODEC, PUBLISHED, Evidence

WHEN_NOT_WHAT = ("decided_at", "lag_ms")


def broken(evidence: Evidence) -> Iterator[str]:
    for topic, kind in PUBLISHED.items():
        live = [_what(r.key, CODEC.decode_as(kind, r.payload) if r.payload is not None else None) for r in evidence.written(topic)]
        again = [_what(output.key, output.record) for each in evidence.again for output in each.outputs if output.topic == topic]
        if evidence.moved:
            live, again = sorted(live, key=_account), sorted(again, key=_account)
        if live == again:
            continue
        place = next((n for n, (one, other) in enumerate(zip(live, again, strict=False)) if one != other), min(len(live), len(again)))
        here, there = (records[place] if place < len(records) else {} for records in (live, again))
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        yield f"{topic} {place} of {len(live)} and {len(again)}: {[(name, here.get(name), there.get(name)) for name in names[:3]]}"


def _account(record: dict[str, Any]) -> bytes:
    return bytes(record["key"] or b"")


def _what(key: bytes | None, record: msgspec.Struct | None) -> dict[str, Any]:
    """What it says; that of an erased account is its key alone."""
    if record is None:
        return {"key": key}
    return {"key": key} | {name: held for name, held in msgspec.structs.asdict(record).items() if name not in WHEN_NOT_WHAT}
