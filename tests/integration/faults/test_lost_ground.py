"""What was read, or kept, is not there any more: a topic made again, records gone before they were folded. Stop and say so, never guess."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from agents.kafka_log import KafkaLog
from agents.lane import Lane
from agents.partition_log import TopicLost
from agents.settings import Settings
from agents.unit_of_work import CHANGELOG, FOLD_ORDER
from schemas.changelog import progress_key, progress_payload
from schemas.errors import SettingsError
from schemas.records import FoldOrder
from streams.partitioning import partition_for
from tests.builders import interaction
from tests.deployments import Deployment, recovered, step_until
from tests.integration.faults.conftest import Fragile
from tests.integration.faults.topics import altered, expired, made_again
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

pytestmark = pytest.mark.faults
REBUILD = "start under another application id (TIERSTREAM_APPLICATION_ID) to rebuild from the inputs"


@pytest.fixture
def there(fragile: Fragile, prefix: str) -> Deployment:
    return Deployment(fragile.broker.bootstrap, prefix)


def worked(there: Deployment) -> Lane:
    """A lane that has folded three records."""
    there.append("interactions", "a", "b", "c")
    lane, tally = recovered(there)
    step_until(lane, tally, 3)
    return lane


def refusal(there: Deployment) -> str:
    """Why the next owner does not go on."""
    with pytest.raises((SettingsError, TopicLost)) as refused:
        recovered(there)
    return str(refused.value)


# -- the changelog -------------------------------------------------------------------------------------------------------


def test_an_empty_changelog_is_not_taken_for_a_beginning_where_work_was_done(there: Deployment) -> None:
    worked(there).log.close()
    made_again(there.settings, CHANGELOG)
    assert f"{CHANGELOG} partition 1 has no progress, though records were folded: it was deleted" in refusal(there)


def test_a_changelog_made_again_under_a_lane_stops_it(there: Deployment) -> None:
    lane = worked(there)
    made_again(there.settings, CHANGELOG)
    with pytest.raises(TopicLost, match=rf"{CHANGELOG} partition 1 was deleted and made again .* offsets mean other records"):
        eventually(lambda: lane.step(0.2) and None)


def test_what_a_lane_wrote_into_a_changelog_made_again_is_not_taken_for_all_of_it(there: Deployment) -> None:
    """Within the second in which a lane may not have noticed yet."""
    lane = worked(there)
    before = there.progress()["interactions"]
    made_again(there.settings, CHANGELOG)
    lane.log.close()
    log = there.log()
    log.open()
    late = msgspec.structs.replace(before, next_offset=4)
    commit(log, CHANGELOG, progress_key("interactions"), progress_payload(late))
    said = refusal(there)
    assert f"topic {CHANGELOG} partition 1 was deleted and made again" in said
    assert f"state is missing: {REBUILD}" in said


def test_a_changelog_whose_records_were_deleted_is_refused(there: Deployment) -> None:
    worked(there).log.close()
    altered(there.settings, CHANGELOG, cleanup_policy="delete")  # else the broker refuses
    there.delete_records(CHANGELOG, 2)
    assert "begins at offset 2: records were deleted from it" in refusal(there)


def test_a_first_transaction_that_was_aborted_is_no_work(there: Deployment) -> None:
    log = there.log()
    log.open()
    log.begin()
    log.send(FOLD_ORDER, [(b"1", b"x")])
    log.send(CHANGELOG, [(b"ra", b"1")])
    log._producer.flush(20)
    log.abort()
    made_again(there.settings, CHANGELOG)
    there.append("interactions", "a")
    lane, tally = recovered(there)
    step_until(lane, tally, 1)


def commit(log: KafkaLog, topic: str, key: bytes, payload: bytes) -> None:
    """One record, as an owner writes it."""
    log.begin()
    log.send(topic, [(key, payload)])
    log.commit()


# -- the inputs ----------------------------------------------------------------------------------------------------------


def test_progress_that_retention_has_passed_is_refused_by_place_and_offsets(there: Deployment) -> None:
    worked(there).log.close()
    there.append("interactions", "d", "e")
    expired(there.settings, "interactions", 1, 5)
    said = refusal(there)
    assert "topic interactions partition 1 begins at offset 5, the next record to fold had 3: records were deleted before" in said
    assert REBUILD in said


def test_an_input_that_is_empty_to_its_end_but_was_folded_is_fine(there: Deployment) -> None:
    worked(there).log.close()
    expired(there.settings, "interactions", 1, 3)
    there.append("interactions", "d")
    lane, tally = recovered(there)
    step_until(lane, tally, 1)
    assert tally.counts["d"] == 1


@contextmanager
def frozen_worker(settings: Settings, log: Path) -> Iterator[Worker]:
    """A worker that has folded one visit of acme, frozen; it wakes up when the context ends, and must end itself."""
    with Worker(settings, log) as worker:
        worker.await_lanes(4)
        visit(settings, 1)
        eventually(lambda: worker.metric("tierstream_events_total") == 1, what="the first visit folded")
        worker.process.send_signal(signal.SIGSTOP)
        yield worker
        worker.process.send_signal(signal.SIGCONT)
        assert worker.process.wait(120) == 2, worker.said


def visit(settings: Settings, times: int) -> None:
    publish(settings, "interactions", [interaction("acme") for _ in range(times)])


def folded(settings: Settings) -> list[FoldOrder]:
    """What the partition of acme has recorded."""
    return Deployment.of(settings, partition_for(b"acme", settings.partitions)).fold_orders()


def test_an_input_made_again_behind_a_frozen_worker_is_not_folded(fragile: Fragile, prefix: str, tmp_path: Path) -> None:
    settings = deployment(fragile.broker.bootstrap, prefix)
    with frozen_worker(settings, tmp_path / "worker.log") as worker:
        before = folded(settings)
        made_again(settings, "interactions")
        visit(settings, 3)  # past its position: there would be something to fold
    assert re.search(rf"lane (\d): topic {prefix}interactions partition \1 was deleted and made again", worker.said)
    assert REBUILD in worker.said
    assert folded(settings) == before


def test_records_that_expire_before_a_frozen_worker_has_read_them_are_not_skipped(fragile: Fragile, prefix: str, tmp_path: Path) -> None:
    settings = deployment(fragile.broker.bootstrap, prefix)
    number = partition_for(b"acme", 4)
    with frozen_worker(settings, tmp_path / "worker.log") as worker:
        visit(settings, 2)  # answers the fetch that is on its way; what comes now does not
        visit(settings, 2)
        expired(settings, "interactions", number, 5)
        visit(settings, 2)
    said = f"topic {prefix}interactions partition {number}, next offset "
    assert said in worker.said
    assert "records were deleted before they were folded" in worker.said
    assert REBUILD in worker.said
    assert all(part.to_offset <= 5 for order in folded(settings) for part in order.ranges)
