"""Nothing is lost, doubled or invented: the oracle (`tests/oracle/`) recomputes everything and finds no anomaly.

It has the inputs, `fold-order` and an arithmetic of its own. It understands the policies of `tests/policies/`; for the shipped ones,
and where the policy changes, `replay_is_live` has to do.
"""

from collections.abc import Iterator

from tests.memory_broker import Record
from tests.oracle.judging import Left, judged
from tests.oracle.recomputing import Logged
from tests.simulation.evidence import Evidence
from tests.simulation.owners import APPLICATION
from tests.simulation.policies import OVERRIDDEN, UNDERSTOOD, document_of


def broken(evidence: Evidence) -> Iterator[str]:
    if evidence.schedule.policy.removesuffix(OVERRIDDEN) not in UNDERSTOOD or evidence.schedule.changes:
        return
    left = Left(
        partition=evidence.number,
        inputs={topic: [Logged(topic, r.offset, r.at_ms, r.key, r.payload) for r in records] for topic, records in evidence.inputs.items()},
        begins={},
        transitions=_pairs(evidence.written("tier-transitions")),
        dead_letters=[(r.key, r.payload, {name: held or b"" for name, held in r.headers}) for r in evidence.written("dead-letters")],
        orders=[record.payload or b"" for record in evidence.written("fold-order")],
        changelog=[(record.key or b"", record.payload) for record in evidence.written("accounts-changelog")],
        standings=_pairs(evidence.written("account-tiers")),
        actions=_pairs(evidence.written("actions")),
    )
    for anomaly in judged(left, document_of(evidence.schedule.policy), APPLICATION, evidence.schedule.partitions):
        yield f"{anomaly.name}: {anomaly.what}"


def _pairs(records: list[Record]) -> list[tuple[bytes | None, bytes]]:
    return [(record.key, record.payload or b"") for record in records]
