"""What an owner restores is what the one before it had in memory; what the changelog holds at the end is what the last one has."""

from collections.abc import Iterator

from schemas.changelog import PROGRESS_PREFIX
from streams.partition import Partition
from tests.memory_log import MemoryLog
from tests.simulation.evidence import Evidence
from tests.simulation.memory import difference, memory_of
from tests.simulation.owners import APPLICATION


def broken(evidence: Evidence) -> Iterator[str]:
    for name, before, restored in evidence.world.takeovers:
        if name.endswith(f" of {evidence.number}") and (differing := difference(before, restored, moved=evidence.moved)):
            yield f"{name} restored another state than the owner before had: {differing}"
    owner = evidence.world.owners[evidence.number][-1]
    partition = Partition(evidence.number, evidence.schedule.partitions, APPLICATION, owner.partition.policy)
    log = MemoryLog(evidence.world.broker, evidence.number, "afterwards")
    for batch in log.restore(log.changelog_end()):
        partition.restore_batch([record for record in batch if not record[0].startswith(PROGRESS_PREFIX)])
    partition.restored()
    if owner.memory is None or (differing := difference(owner.memory, memory_of(partition), moved=evidence.moved)):
        yield f"the changelog holds another state than the last owner has: {differing}"
