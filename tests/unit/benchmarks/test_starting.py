"""What the figures of restores and changes of policy stand on."""

from pathlib import Path

from benchmarks.activation import _other
from benchmarks.plans import POLICIES
from benchmarks.restore import _one_for_each_partition
from benchmarks.stand import PARTITIONS
from streams.changing import incompatible
from streams.partitioning import partition_for
from streams.policy import load_policy


def test_the_other_policy_of_a_change_is_another_and_may_be_put_in_force_both_ways(tmp_path: Path) -> None:
    first, other = load_policy(POLICIES / "sabc-live.yaml"), load_policy(_other(POLICIES / "sabc-live.yaml", tmp_path))
    assert first.digest != other.digest
    assert (incompatible(first, other), incompatible(other, first)) == ([], [])


def test_the_first_fold_after_a_restore_has_a_record_in_every_partition() -> None:
    records = list(_one_for_each_partition(1, 0))
    assert sorted(partition_for(record.key or b"", PARTITIONS) for record in records) == list(range(PARTITIONS))
