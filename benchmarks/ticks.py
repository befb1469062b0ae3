"""What the passing of time costs: ticks over a million accounts, a policy that scores everybody anew, a look at one account.

In memory, one partition, no broker and no threads; processor time. Some lives are folded as they are lived and their rows are then copied
under many names, as a restore copies them, so that every row, deadline and change is the engine's own. Four kinds of account:

    resting     nothing is due for longer than is measured
    early       500 that decay alone takes from B to C before the first tick
    late        10,000 that decay alone takes from B to C before the last tick
    recalled    9,500 whose row another version of the policy wrote: due at the first tick, and nothing changes

What each tick looked at and changed is checked: the rows it touched, the transitions it gave.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.figures import Run, Tell
from schemas import changelog
from schemas.records import AccountProfile, Event, Interaction, Prediction, TierTransition
from streams.account import Output
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy, load_policy_text

DAY_MS = 86_400_000
START_AT_MS = 1_760_000_000_000
FIRST_TICK_MS, LAST_TICK_MS = START_AT_MS + 29 * DAY_MS, START_AT_MS + 59 * DAY_MS
MINUTE_MS = 60_000
LIVES, IDLE_TICKS, VIEWS = 50, 20, 500

Change = tuple[bytes, bytes]
Changes = Sequence[Change]


def measured(policy_file: Path, *, accounts: int, early: int, late: int, recalled: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run of the same ticks over the same accounts."""
    policy, before = load_policy_text(policy_file.read_text()), _another_version(policy_file)
    moving = [
        *_copies("early", early, _lived(policy, _fading, START_AT_MS)),
        *_copies("late", late, _lived(policy, _fading, START_AT_MS + 30 * DAY_MS)),
        *_copies("recalled", recalled, _lived(before, _quiet, START_AT_MS)),
    ]
    partition = Partition(0, None, "benchmark", policy)
    resting = accounts - early - late - recalled
    for number, change in enumerate(_copies("resting", resting, _lived(policy, _quiet, START_AT_MS + 30 * DAY_MS))):
        partition.restore(*change)
        if number % 100_000 == 0:
            tell("ticks: making accounts", number / resting)
    for run in range(1, runs + 1):
        tell(f"ticks: run {run} of {runs}")
        for change in moving:
            partition.restore(*change)
        partition.restore(changelog.TICK_KEY, changelog.tick_payload(START_AT_MS))
        partition.restored()
        yield _ticked(partition, early, late, recalled) | _viewed(partition, early)


def _ticked(partition: Partition, early: int, late: int, recalled: int) -> Run:
    """The first tick, ticks without anything due, the last tick."""
    spent: Run = {}
    with _timed(spent, "few_ms"):
        few = partition.fold_tick(FIRST_TICK_MS, "LIVE", FIRST_TICK_MS)
    _checked(partition, few, looked_at=early + recalled, changed=early)
    idle: list[float] = []
    for number in range(1, IDLE_TICKS + 1):
        one: Run = {}
        with _timed(one, "idle_ms"):
            partition.fold_tick(FIRST_TICK_MS + number * MINUTE_MS, "LIVE", FIRST_TICK_MS)
        idle.append(one["idle_ms"])
    _checked(partition, [], looked_at=0, changed=0)
    with _timed(spent, "all_ms"):
        everyone = partition.fold_tick(LAST_TICK_MS, "LIVE", LAST_TICK_MS)
    with _timed(spent, "changelog_ms"):
        _checked(partition, everyone, looked_at=late, changed=late)
    return spent | {"idle_ms": float(np.median(idle)), "due": early + recalled, "changed": early, "changed_last": late}


def _checked(partition: Partition, outputs: Sequence[Output], *, looked_at: int, changed: int) -> None:
    """The rows that a tick touched are those of the accounts that it looked at; each change is one transition."""
    rows = sum(changelog.classify(key) is changelog.Kind.ROW for key, _ in partition.take_changes())
    moved = sum(isinstance(output.record, TierTransition) for output in outputs)
    if (rows, moved) != (looked_at, changed):
        raise RuntimeError(f"a tick must look at {looked_at} accounts and change {changed}, got {rows} and {moved}")


def _viewed(partition: Partition, early: int) -> Run:
    """What `tierstream explain` asks of the lane."""
    each: list[float] = []
    for number in range(VIEWS):
        one: Run = {}
        with _timed(one, "ms"):
            found = partition.view(f"early-{number % early:07d}")
        if found is None:
            raise RuntimeError("an account that was folded must be found")
        each.append(one["ms"])
    return {"view_ms": float(np.median(each)), "view_p99_ms": float(np.percentile(each, 99))}


# -- the case of the source document ---------------------------------------------------------------------------------------------------


def rescored(policy_file: Path, *, accounts: int, runs: int, tell: Tell) -> Iterator[Run]:
    """Accounts whose rows an older version of the policy wrote are scored anew, and then decided."""
    tell("rescore: making accounts")
    before = Partition(0, None, "benchmark", _another_version(policy_file))
    fold = _Folding(before)
    for number in range(accounts):
        fold(_fading(f"case-{number:07d}", number % LIVES, START_AT_MS))
    changes, policy = before.take_changes(), load_policy_text(policy_file.read_text())
    for number in range(runs + 1):  # the first one loads compiled code and is not counted
        tell(f"rescore: run {number} of {runs}")
        after = Partition(0, None, "benchmark", policy)
        for change in changes:
            after.restore(*change)
        spent: Run = {}
        with _timed(spent, "rescore_ms"):
            after.restored()
        with _timed(spent, "decide_ms"):
            after.fold_tick(START_AT_MS + DAY_MS, "LIVE", START_AT_MS + DAY_MS)
        _checked(after, [], looked_at=accounts, changed=0)
        if number:
            yield spent


# -- lives ---------------------------------------------------------------------------------------------------------------------------

Life = Callable[[str, int, int], list[Event]]


def _fading(who: str, number: int, at_ms: int) -> list[Event]:
    """In B by what the customer did, more or less deep; without anything new it fades to C between the 16th and the 28th day."""
    events: list[Event] = [
        AccountProfile(event_id=f"{who} p", account_id=who, occurred_at=at_ms, industry="manufacturing", size="large", region="core"),
        Prediction(event_id=f"{who} s", account_id=who, occurred_at=at_ms, model="conversion", score=69.0 + 7 * number / LIVES),
    ]
    for place, kind in enumerate(("DOWNLOAD", "EVENT_CHECKIN", "DOWNLOAD", "EVENT_CHECKIN", "PRICE_INQUIRY", "EMAIL_OPEN", "VISIT")):
        events.append(Interaction(
            event_id=f"{who} {place}", account_id=who, occurred_at=at_ms + place * MINUTE_MS, kind=kind, contact_id=f"{who}-{place % 3}",
            dwell_seconds=200.0 + number if kind == "VISIT" else None,
        ))  # fmt: skip
    return events


def _quiet(who: str, number: int, at_ms: int) -> list[Event]:
    """In C: a few looks, and nothing is due before two months of silence."""
    return [
        Interaction(event_id=f"{who} {n}", account_id=who, occurred_at=at_ms + n * MINUTE_MS, kind="VISIT", dwell_seconds=9.0 + number)
        for n in range(1 + number % 3)
    ]


class _Folding:
    """Folds lives into a partition; offsets count up."""

    def __init__(self, partition: Partition) -> None:
        self._partition, self._offset = partition, 0

    def __call__(self, events: Sequence[Event]) -> None:
        topics = {Interaction: "interactions", AccountProfile: "profiles", Prediction: "predictions"}
        for event in events:
            raw = RawRecord(topics[type(event)], 0, self._offset, event.occurred_at, event.account_id.encode(), None)  # type: ignore[index]
            self._partition.fold(raw, event, "LIVE", event.occurred_at)
            self._offset += 1


def _lived(policy: CompiledPolicy, life: Life, at_ms: int) -> list[Changes]:
    """The changelog of `LIVES` accounts, each with the layout in front."""
    lived: list[Changes] = []
    for number in range(LIVES):
        partition = Partition(0, None, "benchmark", policy)
        _Folding(partition)(life("life", number, at_ms))
        lived.append(partition.take_changes())
    return lived


def _copies(kind: str, count: int, lived: Sequence[Changes]) -> Iterator[Change]:
    """Rows and dossiers of so many accounts, life after life; the layout in front of them."""
    of_account = (changelog.Kind.ROW, changelog.Kind.DOSSIER)
    own = [[change for change in changes if changelog.classify(change[0]) in of_account] for changes in lived]
    yield from (change for change in lived[0] if changelog.classify(change[0]) is changelog.Kind.LAYOUT)
    for number in range(count):
        name = f"{kind}-{number:07d}".encode()
        for key, payload in own[number % len(own)]:
            yield key[:1] + name, payload


def _another_version(policy_file: Path) -> CompiledPolicy:
    """The same policy as it was before: what it wrote is read by meaning, and every score is computed anew."""
    return load_policy_text(re.sub(r"(?m)^version: .*$", "version: before", policy_file.read_text()))


@contextmanager
def _timed(spent: Run, what: str) -> Iterator[None]:
    """Milliseconds of processor time."""
    began_at = time.process_time()
    yield
    spent[what] = 1e3 * (time.process_time() - began_at)
