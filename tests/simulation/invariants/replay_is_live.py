"""Replay is backtest: folding again what `fold-order` names gives what was published, record by record, but for when it was decided."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tests.simulation.evidence import CODEC, PUBLISHED, Evidence

WHEN_NOT_WHAT = ("decided_at", "lag_ms")


def broken(evidence: Evidence) -> Iterator[str]:
    for topic, kind in PUBLISHED.items():
        live = [_what(CODEC.decode_as(kind, record.payload)) for record in evidence.written(topic)]
        again = [_what(output.record) for each in evidence.again for output in each.outputs if output.topic == topic]
        if live == again:
            continue
        place = next((n for n, (one, other) in enumerate(zip(live, again, strict=False)) if one != other), min(len(live), len(again)))
        here, there = (records[place] if place < len(records) else {} for records in (live, again))
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        yield f"{topic} {place} of {len(live)} and {len(again)}: {[(name, here.get(name), there.get(name)) for name in names[:3]]}"


def _what(record: msgspec.Struct) -> dict[str, Any]:
    return {name: held for name, held in msgspec.structs.asdict(record).items() if name not in WHEN_NOT_WHAT}
