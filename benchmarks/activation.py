"""A change of policy under load: how long until every account was decided again, and what do ingestion and latency do meanwhile?

Accounts are known: an interaction each, one in `PROFILED` with a profile. Then, run after run, events come in an open loop as `latency` has
them, and after a while the other one of two policies is ordered, as `tierstream policy activate` does it: other weights, so that every
score is another, and other thresholds, by which about one account in ten moves. The span is from the order's append to the commit of
the last slice, both by the broker's append times. Before each order it is computed who would move, which is refused while accounts are
left over from the change before; after the last, everything that was published is compared with an offline replay of the log.
"""

import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from agents.activating import Activation
from agents.clocks import wall_clock
from agents.generating.poison import Framed
from agents.reading import committed_records
from agents.replaying import LiveReplay
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.latency import LEADS, WARM_UP_S, Observed, Schedule, observed, percentiles, scheduled
from benchmarks.stand import Stand, preload
from benchmarks.workload import account_id, profiles, top_accounts
from schemas.codec import Codec
from schemas.records import FoldOrder, Interaction, TierTransition
from streams.policy import load_policy

PROFILED = 20
ORDERED_AFTER_S = WARM_UP_S + 5
CHANGED = {
    "version: 2026.11.1": "version: 2027.1.1",
    "score: { attributes: 0.30, behaviour: 0.40, ai: 0.30 }": "score: { attributes: 0.30, behaviour: 0.45, ai: 0.25 }",
    "enter_at: 60, leave_below: 55": "enter_at: 17, leave_below: 16",
}
"""What the other policy says otherwise: of those without a profile, who asked for a price is at B then."""
_QUIET_MS, _DECIDED_S = 3_000, 180.0


class Slice(NamedTuple):
    """What one transaction folded: in which partition, how many records, whether accounts were decided again in it, and when."""

    partition: int
    records: int
    decides: bool
    appended_at_ms: int


def measured(stand: Stand, policy: Path, *, accounts: int, seconds: int, rate: int, every: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each change of policy, there and back and there again."""
    settings, other = stand.settings("activation", "bench"), _other(policy, stand.directory)
    now_ms = wall_clock()
    made = chain(_known(accounts, now_ms), profiles(accounts // PROFILED, now_ms), top_accounts(LEADS, now_ms))
    known = preload(settings, made, lambda tally: tell("activation: making accounts", tally.records / (accounts + accounts / PROFILED)))
    with stand.worker(settings, policy) as worker:
        worker.await_folded(known, partial(tell, "activation: folding them"))
        for number in range(runs):
            said = f"activation: run {number + 1} of {runs}"
            schedule = partial(scheduled, accounts, seconds, rate, every, number)
            yield _run(settings, policy if number % 2 else other, schedule, partial(tell, said))
        tell("activation: checking")
        _previewed(settings, other if runs % 2 == 0 else policy)
    if found := next(LiveReplay(settings, load_policy(policy)).differences(), None):
        raise RuntimeError(f"a replay of the log must say what was published, differs first in {found}")


def _other(policy: Path, directory: Path) -> Path:
    """The changed policy, as a file."""
    text, path = policy.read_text(), directory / "changed.yaml"
    for before, after in CHANGED.items():
        if text.count(before) != 1:
            raise RuntimeError(f"{policy} must say {before!r} once")
        text = text.replace(before, after)
    path.write_text(text)
    return path


def _known(accounts: int, at_ms: int) -> Iterator[Framed]:
    """An interaction of each account; one in `PROFILED` asks for a price."""
    codec = Codec()
    for number in range(accounts):
        kind = "PRICE_INQUIRY" if number % PROFILED == 1 else "DOWNLOAD"
        event = Interaction(event_id=f"first-{number}", account_id=account_id(number), occurred_at=at_ms, kind=kind)
        yield Framed("interactions", event.account_id.encode(), codec.encode(event))


def _previewed(settings: Settings, policy: Path) -> tuple[Activation, Run]:
    """A change with its preview, and how long that took. Refused while accounts are left of the change before."""
    activation, began_at = Activation(settings, load_policy(policy), "benchmark", ""), time.monotonic()
    movement = activation.movement(wall_clock(), lambda _: None, lambda _: None)
    return activation, {"preview_s": time.monotonic() - began_at, "movers": movement.movers, "accounts": movement.accounts}


def _run(settings: Settings, policy: Path, schedule: "partial[Schedule]", tell: "partial[None]") -> Run:
    tell(0.0)
    activation, preview = _previewed(settings, policy)
    sends, began_at_ms = schedule(), wall_clock()
    ordering = threading.Timer(ORDERED_AFTER_S, lambda: activation.order(wall_clock()))
    ordering.start()
    seen = observed(settings, sends, tell)
    ordering.join()
    slices = _decided_everywhere(settings, began_at_ms)
    ordered_at_ms = min(raw.appended_at_ms for raw in committed_records(settings, "policies") if raw.appended_at_ms >= began_at_ms)
    ends_at_ms = max(each.appended_at_ms for each in slices if each.decides)
    meanwhile = sum(each.records for each in slices if ordered_at_ms < each.appended_at_ms <= ends_at_ms)
    return {
        **preview,
        "again_s": (ends_at_ms - ordered_at_ms) / 1000,
        "moved": _moved(settings, began_at_ms),
        "rate": sends.rate,
        "events_per_s": 1000 * meanwhile / (ends_at_ms - ordered_at_ms),
        **_latencies(seen, sends, ordered_at_ms, ends_at_ms),
    }


def _decided_everywhere(settings: Settings, since_ms: int) -> list[Slice]:
    """The transactions since an instant, once accounts were decided again in every partition and none is any more."""
    give_up_at = time.monotonic() + _DECIDED_S
    while True:
        slices = [each for each in _slices(settings) if each.appended_at_ms >= since_ms]
        decided = [each for each in slices if each.decides]
        everywhere = len({each.partition for each in decided}) == settings.partitions
        if everywhere and wall_clock() - max(each.appended_at_ms for each in decided) > _QUIET_MS:
            return slices
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"accounts must be decided again in {settings.partitions} partitions within {_DECIDED_S:g} s")
        time.sleep(1.0)


def _slices(settings: Settings) -> Iterator[Slice]:
    codec = Codec()
    for raw in committed_records(settings, "fold-order"):
        order = codec.decode_as(FoldOrder, raw.payload)
        records = sum(folded.to_offset - folded.from_offset for folded in order.ranges)
        yield Slice(raw.partition, records, order.decided_to is not None, raw.appended_at_ms)


def _moved(settings: Settings, since_ms: int) -> int:
    """How many transitions the change caused."""
    codec, recent = Codec(), (raw for raw in committed_records(settings, "tier-transitions") if raw.appended_at_ms >= since_ms)
    return sum(codec.decode_as(TierTransition, raw.payload).cause.kind == "POLICY" for raw in recent)


def _latencies(seen: Observed, schedule: Schedule, ordered_at_ms: int, ends_at_ms: int) -> Run:
    """From append to readable, before the order and while accounts were decided again."""
    at_ms = seen.sent.appended_at_ms
    before = [place for place in schedule.causes if place >= schedule.rate * WARM_UP_S and at_ms[place] < ordered_at_ms]
    meanwhile = [place for place in schedule.causes if ordered_at_ms <= at_ms[place] <= ends_at_ms]
    found = {"before": percentiles(seen.from_append_ms(before)), "meanwhile": percentiles(seen.from_append_ms(meanwhile))}
    return {f"{when}_{name}_ms": span for when, spans in found.items() for name, span in spans.items()}
