"""The records of the comparison: one visit of each account, then interactions skewed as traffic is, in Confluent framing.

An event id begins with the record's number in hex, so that a change published anywhere says how far its engine has read. On average
an account has a record every `PACE_MS` (busy ones far more), and event times are out of order by up to `JITTER_MS`, as clocks of several
machines are. Pure: a seed gives the same bytes.
"""

from collections.abc import Iterator

import numpy as np

from agents.generating.accounts import popularity
from agents.generating.poison import Framed
from benchmarks.workload import SEED, account_id
from schemas.codec import Codec
from schemas.records import Interaction

KINDS = ("VISIT", "DOWNLOAD", "PRICE_INQUIRY", "EVENT_CHECKIN")
_SHARES = (0.7, 0.15, 0.1, 0.05)
_DWELL_SHARE = 0.6
PACE_MS, JITTER_MS = 3 * 86_400_000, 1_800_000


def number_of(event_id: str) -> int:
    """Which record this was, counted from 0."""
    return int(event_id[:8], 16)


def records(accounts: int, count: int, ends_at_ms: int, *, seed: int = SEED) -> Iterator[Framed]:
    """`accounts` first visits, then `count` interactions up to `ends_at_ms`."""
    random, codec = np.random.default_rng(seed), Codec()
    gap_ms = PACE_MS // accounts
    begins_at_ms = ends_at_ms - count * gap_ms - JITTER_MS
    for number in range(accounts):
        yield _framed(number, number, "VISIT", begins_at_ms - JITTER_MS, None, codec)
    cumulative = np.asarray(popularity(accounts, flattened_by=0.0))
    who = random.permutation(accounts)[np.searchsorted(cumulative, random.random(count) * cumulative[-1])]
    what = random.choice(len(KINDS), count, p=_SHARES)
    when = begins_at_ms + np.arange(count) * gap_ms + random.integers(-JITTER_MS, JITTER_MS, count)
    dwell = np.where(random.random(count) < _DWELL_SHARE, np.round(random.random(count) * 300, 1), -1.0)
    for number, (account, kind, at_ms, seconds) in enumerate(zip(who.tolist(), what.tolist(), when.tolist(), dwell.tolist(), strict=True)):
        yield _framed(accounts + number, account, KINDS[kind], at_ms, seconds if seconds >= 0 else None, codec)


def _framed(number: int, account: int, kind: str, at_ms: int, dwell_seconds: float | None, codec: Codec) -> Framed:
    event = Interaction(
        event_id=f"{number:08x}-0000-4000-8000-{number * 7919:012x}",
        account_id=account_id(account),
        occurred_at=at_ms,
        kind=kind,
        dwell_seconds=dwell_seconds,
    )
    return Framed("interactions", event.account_id.encode(), codec.encode(event))
