"""The laws of the fast-forward: what compiled code folds is what Python folds, bit for bit, whatever the policy, the log and the batches.

The same tests run in processes of their own with compilation off, where the compiled functions' source itself is what runs, and with
every access to an array checked.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import Event, Interaction, TierTransition
from streams import deadlines, settling
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.forward import forwarder
from streams.forward.foresight import foresight
from streams.forward.powers import power_of_two
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy
from tests.builders import DAY, HOUR, NOON, command, interaction, order, prediction, profile, risk
from tests.folding import SHIPPED, TOPIC_OF, measured, shipped
from tests.properties.test_override_laws import overridable
from tests.worlds import policies_with_logs

CODEC = Codec()
World = tuple[CompiledPolicy, list[Event]]
FORWARDED = ["demo", "sabc", "sabc-live"]


@contextmanager
def python_alone() -> Iterator[None]:
    """Nothing of the fold is compiled code."""
    with patch.object(deadlines, "foresight", lambda _: None), patch.object(settling, "foresight", lambda _: None):
        yield


@contextmanager
def batches_of_any_size() -> Iterator[None]:
    """Even one record goes to compiled code."""
    with patch.object(forwarder, "FEWEST", 1):
        yield


def placed(log: list[Event]) -> list[RawRecord]:
    """The records in their topics, each appended when the latest one so far happened."""
    raws, offsets, appended_at_ms = [], dict.fromkeys(TOPIC_OF.values(), 0), 0
    for record in log:
        topic = TOPIC_OF[type(record)]
        appended_at_ms = max(appended_at_ms, record.occurred_at)
        raws.append(RawRecord(topic, 0, offsets[topic], appended_at_ms, record.account_id.encode(), CODEC.encode(record)))
        offsets[topic] += 1
    return raws


def folded(policy: CompiledPolicy, raws: list[RawRecord], cut: int, *, forward: bool) -> tuple[list[Folded], dict[bytes, bytes]]:
    """The log in cycles of `cut` records, each ending in a tick; and the changelog."""
    partition = Partition(0, None, "test", policy, forward=forward)
    read = [raw for raw in raws if raw.topic in policy.folded]
    cycles, kept = [], {}
    for begin in range(0, len(read), cut):
        batch = RecordBatch.of(read[begin : begin + cut])
        cycles.append(fold_cycle(partition, batch, CODEC, mode="LIVE", decided_at_ms=0, tick_ms=int(batch.appended_at_ms[-1])))
        kept.update(cycles[-1].changes)
    return cycles, kept


def published(cycles: list[Folded]) -> list[object]:
    return [output for each in cycles for output in each.outputs]


def busy_log(seed: int, records: int, accounts: int) -> list[Event]:
    """Sixty days of everything: many interactions, late ones, repeated ones, of many contacts, and what decides between them."""
    random, log = Random(seed), list[Event]()
    kinds, often = ["VISIT", "EMAIL_OPEN", "DOWNLOAD", "EVENT_CHECKIN", "PRICE_INQUIRY", "UNSUBSCRIBE", "MEETING"], [60, 16, 8, 4, 5, 2, 5]
    for number in range(records):
        who = f"客户-{int(accounts * random.random() ** 2)}"
        at_ms = NOON + number * 60 * DAY // records - (random.randrange(3 * DAY) if random.random() < 0.1 else 0)
        match random.choices(["interaction", "again", "profile", "prediction", "risk", "order"], [90, 2, 3, 3, 1, 3])[0]:
            case "again" if log:
                log.append(random.choice(log[-20:]))
            case "profile":
                industry = random.choice(["finance", "manufacturing", "farming"])
                log.append(profile(account_id=who, at=at_ms, event_id=f"p{number}", industry=industry, size="large", owner_id="li"))
            case "prediction":
                log.append(prediction(account_id=who, at=at_ms, event_id=f"q{number}", score=random.uniform(0, 100)))
            case "risk":
                status = random.choice(["RAISED", "WITHDRAWN"])
                log.append(risk(account_id=who, at=at_ms, event_id=f"r{number}", kind="LAWSUIT", status=status))
            case "order":
                status = random.choice(["PLACED", "PAID", "REFUNDED"])
                log.append(order(account_id=who, at=at_ms, event_id=f"o{number}", order_id=f"o{number}", status=status))
            case _:
                log.append(Interaction(
                    event_id=f"e{number}", account_id=who, occurred_at=at_ms, kind=random.choices(kinds, often)[0],
                    actor=random.choices(["CUSTOMER", "OWNER", "SYSTEM"], [8, 1, 1])[0],
                    contact_id=random.choice([None, f"联系人{random.randrange(7)}"]), campaign_id=[None, f"c{number}", "活动"][number % 3],
                    dwell_seconds=random.choice([None, random.lognormvariate(3, 1)]),
                ))  # fmt: skip
    return log


def test_time_and_a_record_at_the_same_instant_call_for_the_playbooks_that_python_calls_for() -> None:
    """Who falls silent is demoted at the very instant at which he speaks again: both tiers were come into, whoever looked between."""
    tiers = [{"name": "C"}, {"name": "A", "enter_at": 50}]
    policy = measured(
        {"from": "interactions", "points": {"VISIT": 60}, "half_life": "none"},
        schemes={"abc": {"kind": "score", "tiers": tiers}},
        clocks={"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": "demote"}},
        playbooks={"abc": {"A": {"process": "MCR"}, "C": {"channel": "mail"}}},
    )
    raws = placed([interaction(), interaction(at=NOON + 60 * DAY)])
    with batches_of_any_size():
        compiled, _ = folded(policy, raws, 2, forward=True)
    alone, _ = folded(policy, raws, 2, forward=False)
    assert sum(each.handed.total() for each in compiled) == 0
    assert published(compiled) == published(alone)
    played = [output.record.tier for output in published(alone) if output.topic == "actions"]
    assert played == ["A", "C", "A"]


@pytest.mark.parametrize("name", FORWARDED)
def test_the_fast_forward_gives_the_outputs_and_rows_of_the_fold_in_python(name: str) -> None:
    policy, raws = shipped(name), placed(busy_log(7, 2_000, 60))
    with python_alone():
        slow, slow_rows = folded(policy, raws, 400, forward=False)
    fast, fast_rows = folded(policy, raws, 400, forward=True)
    assert len(published(slow)) > 100
    assert published(fast) == published(slow)
    assert fast_rows == slow_rows
    assert [each.fates for each in fast] == [each.fates for each in slow]


@given(policies_with_logs(), st.integers(1, 40))
def test_over_any_policy_and_log_the_fast_forward_changes_nothing(world: World, cut: int) -> None:
    policy, log = world
    with python_alone():
        slow, slow_rows = folded(policy, placed(log), cut, forward=False)
    with batches_of_any_size():
        fast, fast_rows = folded(policy, placed(log), cut, forward=True)
    assert published(fast) == published(slow)
    assert fast_rows == slow_rows


def commanded(log: list[Event], seed: int) -> list[Event]:
    """The log, with orders among its records."""
    random, out = Random(seed), list[Event]()
    for number, record in enumerate(log):
        out.append(record)
        if random.random() < 0.06:
            kind = random.choice(["OVERRIDE", "OVERRIDE", "REVOKE_OVERRIDE", "ASSIGN_OWNER"])
            said = {"OVERRIDE": {"tier": random.choice("ABC")}, "ASSIGN_OWNER": {"owner_id": "wang"}}.get(kind, {})
            until_ms = record.occurred_at + random.choice([HOUR, DAY, 5 * DAY, 20 * DAY]) if kind == "OVERRIDE" else None
            how = {"arguments": said, "expires_at": until_ms, "approved_by": "lee", "event_id": f"c{number}"}
            out.append(command(record.account_id, kind, record.occurred_at, **how))
    return out


@pytest.mark.parametrize("beats_risk", [False, True])
@pytest.mark.parametrize("name", ["sabc", "sabc-live"])
def test_compiled_code_decides_under_overrides_and_ends_them_as_python_does(name: str, beats_risk: bool) -> None:
    policy, raws = overridable(shipped(name), beats_risk=beats_risk), placed(commanded(busy_log(5, 1_500, 30), 3))
    with python_alone():
        slow, slow_rows = folded(policy, raws, 400, forward=False)
    fast, fast_rows = folded(policy, raws, 400, forward=True)
    assert published(fast) == published(slow)
    assert fast_rows == slow_rows
    assert sum((each.handed for each in fast), Counter()) == Counter(), "compiled code did fold"
    causes = [output.record.cause for each in fast for output in each.outputs if isinstance(output.record, TierTransition)]
    assert sum(cause.detail == "expired" for cause in causes) > 10


@pytest.mark.parametrize("name", FORWARDED)
def test_guard_bands_off_gives_the_same_outputs(name: str) -> None:
    """Every record decided, against only those that compiled code hands over."""
    policy, raws = shipped(name), placed(busy_log(11, 1_200, 40))
    partition = Partition(0, None, "test", policy, guarded=False)
    read = [raw for raw in raws if raw.topic in policy.inputs]
    unguarded = [fold_cycle(partition, RecordBatch.of(read), CODEC, mode="LIVE", decided_at_ms=0)]
    guarded = [fold_cycle(Partition(0, None, "test", policy), RecordBatch.of(read), CODEC, mode="LIVE", decided_at_ms=0)]
    assert published(unguarded) == published(guarded)


def test_most_records_are_dull_and_stay_with_compiled_code() -> None:
    """Otherwise the laws above would compare Python with itself."""
    policy = shipped("sabc-live")
    raws = placed([interaction(account_id=f"a{n % 7}", event_id=f"e{n}", kind="VISIT", at=NOON + n * 60_000) for n in range(700)])
    partition = Partition(0, None, "test", policy)
    fold_cycle(partition, RecordBatch.of(raws[:7]), CODEC, mode="LIVE", decided_at_ms=0)
    assert not fold_cycle(partition, RecordBatch.of(raws[7:]), CODEC, mode="LIVE", decided_at_ms=0).handed


@pytest.mark.parametrize("name", ["sabc", "sabc-live"])
def test_what_compiled_code_decides_is_told_and_little_is_left_to_python(name: str) -> None:
    policy = shipped(name)
    records = [record for record in busy_log(3, 3_000, 40) if isinstance(record, Interaction)]
    cycles, _ = folded(policy, placed(records), 500, forward=True)
    handed: Counter[str] = sum((each.handed for each in cycles), Counter())
    assert handed.keys() <= {"DOSSIER", "RECYCLED"}
    assert handed.total() < len(records) // 20
    assert len(published(cycles)) > len(records) // 20


def test_the_shipped_policies_that_read_interactions_are_all_compiled() -> None:
    assert sorted(path.stem for path in SHIPPED if foresight(shipped(path.stem)) is not None) == FORWARDED


def test_a_power_of_two_is_within_two_units_in_the_last_place_and_exact_for_whole_numbers() -> None:
    exponents = np.random.default_rng(3).uniform(-60, 10, 2_000).tolist()
    assert all(abs(power_of_two(exponent) - 2.0**exponent) <= 2 * np.spacing(2.0**exponent) for exponent in exponents)
    assert [power_of_two(float(whole)) for whole in (-1074, -3, 0, 1023)] == [2.0**-1074, 0.125, 1.0, 2.0**1023]
    assert (power_of_two(-1e9), power_of_two(1e9)) == (0.0, float("inf"))


@pytest.mark.parametrize("how", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_the_source_uncompiled_and_with_bounds_checked_obeys_the_same_laws(how: str) -> None:
    mine = f"{__name__.replace('.', '/')}.py"
    selected = "outputs_and_rows and sabc-live or power_of_two or stay_with_compiled"
    quiet = ["-W", "ignore:overflow encountered:RuntimeWarning"]  # uncompiled, 64 bits wrap with a warning
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quiet, mine, "-k", selected]
    done = subprocess.run(command, env=os.environ | {how: "1"}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
