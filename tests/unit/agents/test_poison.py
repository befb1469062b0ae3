"""Poison is refused, each for the reason it was made for; sound records pass through untouched."""

from collections import Counter
from random import Random

import pytest

from agents.generating.lives import Lives
from agents.generating.poison import Framed, Poisoner
from agents.generating.working_hours import steady
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from streams import intake
from streams.partitioning import partition_for
from tests.builders import MINUTE, NOON

PARTITIONS = 4
FAULTS = set(Reason) - {Reason.QUARANTINED, Reason.UNKNOWN_CURRENCY}
"""What a producer can do wrong under every policy: which currencies are known is for each policy to say."""


def framed(share: float) -> list[Framed]:
    codec, random = Codec(), Random(1)
    poisoner = Poisoner(random, share, PARTITIONS, codec)
    return [poisoner.frame(happening) for happening in Lives(random, 50, start_at_ms=NOON).stream(steady(NOON, 100, 20))]


def refusal(record: Framed) -> Reason | None:
    """What the intake says of a record in the partition where it lies."""
    partition = partition_for(record.key or b"", PARTITIONS) if record.partition is None else record.partition
    try:
        event = Codec().decode(record.topic, record.payload)
        intake.check_ahead(event, NOON + MINUTE, 5 * MINUTE)
        intake.check_partition(intake.check_key(record.key, event), partition, PARTITIONS)
    except RecordRejected as rejection:
        return rejection.reason
    return None


def test_every_fault_is_refused_for_its_own_reason() -> None:
    records = framed(share=0.5)
    assert [record for record in records if refusal(record) != record.fault] == []
    assert {record.fault for record in records} - {None} == FAULTS


def test_every_fault_is_as_frequent_as_the_others() -> None:
    faults = Counter(record.fault for record in framed(share=1.0) if record.fault is not None)
    assert max(faults.values()) < 4 * min(faults.values())


@pytest.mark.parametrize("share", [0.0])
def test_without_a_share_nothing_is_spoilt(share: float) -> None:
    assert all(record.fault is None for record in framed(share))
