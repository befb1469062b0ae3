"""The changelog is compacted while it is restored."""

from random import Random

import pytest

from agents.embedded.configuration import data_directory
from agents.unit_of_work import CHANGELOG
from schemas.changelog import Progress, progress_key, progress_payload, row_key
from tests.deployments import Deployment
from tests.integration.faults.conftest import Fragile
from tests.integration.faults.topics import altered
from tests.waiting import eventually

ACCOUNTS = 1_000
VERSIONS = 30
ABORTED = 5  # every fifth transaction
ROW_BYTES = 1_000  # in all three times what a client fetches ahead
SEGMENT_BYTES = str(1_048_576)


def cleaned_to(fragile: Fragile, there: Deployment) -> int:
    """Up to which offset the broker says that it has compacted the partition."""
    name = f"{there.settings.topic_name(CHANGELOG)} {there.number} "
    lines = (data_directory(fragile.broker.directory) / "cleaner-offset-checkpoint").read_text().splitlines()
    return next((int(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)


def written(there: Deployment) -> dict[bytes, bytes]:
    """Every account's row, again and again, each version in a transaction of its own, some aborted; gives the last ones committed."""
    random, last = Random(7), dict[bytes, bytes]()
    log = there.log()
    log.open()
    for version in range(VERSIONS):
        rows = [(row_key(b"%d" % account), random.randbytes(ROW_BYTES)) for account in range(ACCOUNTS)]
        rows.append((progress_key("interactions"), progress_payload(Progress(version, "digest-1", "id"))))
        log.begin()
        log.send(CHANGELOG, rows)
        if version % ABORTED:
            log.commit()
            last = dict(rows)
        else:
            log._producer.flush(20)  # an abort throws away what was not sent
            log.abort()
    log.close()
    return last


@pytest.mark.faults
def test_a_restore_that_compaction_overtakes_is_complete(fragile: Fragile, prefix: str) -> None:
    there = Deployment(fragile.broker.bootstrap, prefix)
    altered(there.settings, CHANGELOG, min_cleanable_dirty_ratio="0.99", segment_bytes=SEGMENT_BYTES)
    last = written(there)
    log = there.log()
    log.open()
    end, cleaned = log.changelog_end(), cleaned_to(fragile, there)
    batches = log.restore(end)
    seen = dict(next(batches))
    altered(there.settings, CHANGELOG, min_cleanable_dirty_ratio="0.01")
    eventually(lambda: cleaned_to(fragile, there) > max(cleaned, end * 3 // 4), 60, "compaction")
    read = len(seen)
    for batch in batches:
        read += len(batch)
        seen |= dict(batch)
    written_records = (VERSIONS - VERSIONS // ABORTED) * (ACCOUNTS + 1)
    print(f"{read} records of {written_records} were left to be read")
    assert read < written_records, "compaction must have taken records away before they were read"
    assert seen == last
