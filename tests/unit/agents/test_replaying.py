"""What the log says and what was published, compared: whatever is forged, lost, doubled or out of order is named."""

from typing import Any

import msgspec
import pytest

from agents.replaying import Shelf
from schemas.codec import Codec
from schemas.records import AccountTiers, TierTransition
from tests.builders import NOON, transition

CODEC = Codec()


def tiers(account_id: str, revision: int, **more: Any) -> AccountTiers:
    named: Any = {
        "application": "tierstream", "policy": "test", "policy_version": "1", "policy_digest": "0", "generation": "g", "standings": [],
        "effective_at": NOON, "decided_at": NOON, "mode": "LIVE", **more,
    }  # fmt: skip
    return AccountTiers(account_id=account_id, revision=revision, **named)


def found(topic: str, published: list[Any], again: list[Any], must: bool = True) -> list[tuple[int | None, str]]:
    shelf = Shelf(topic, 0, [(offset, CODEC.encode(record), record) for offset, record in enumerate(published)], CODEC)
    differences = [difference for record in again for difference in shelf.compared(record, must)]
    return [(difference.offset, difference.message) for difference in [*differences, *shelf.left_over()]]


LOG = [transition(sequence=1), transition(sequence=2), transition("b", sequence=1)]


def test_the_same_records_in_the_same_order_are_no_difference_whenever_they_were_decided() -> None:
    assert found("tier-transitions", LOG, LOG) == []
    assert found("tier-transitions", [msgspec.structs.replace(each, decided_at=NOON + 7, lag_ms=7) for each in LOG], LOG) == []


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ([LOG[0], LOG[2]], [(None, "sequence 2 of abc follows from the log, but was not published")]),
        ([*LOG, LOG[0]], [(3, "sequence 1 of abc was published, but the log does not say so")]),
        ([LOG[1], LOG[0], LOG[2]], [(0, "sequence 2 of abc lies before offset 1, which the log says earlier")]),
        ([LOG[0], transition(sequence=2, to_tier="S"), LOG[2]], [(1, "to_tier is 'S', the log says 'B'")]),
    ],
    ids=["lost", "doubled", "out of order", "changed"],
)
def test_a_fault_is_named_once_where_it_is(published: list[TierTransition], said: list[tuple[int | None, str]]) -> None:
    assert found("tier-transitions", published, LOG) == said


def test_what_the_engine_has_done_since_the_reading_is_not_missed() -> None:
    assert found("tier-transitions", LOG[:1], LOG, must=False) == []


def test_compaction_may_take_what_a_later_record_of_the_account_replaces_and_not_the_last() -> None:
    log = [tiers("a", 1), tiers("b", 1), tiers("a", 2), tiers("a", 3)]
    assert found("account-tiers", log[1:], log) == []
    assert found("account-tiers", [log[1], log[3]], log) == []
    assert found("account-tiers", log[:3], log) == [(None, "revision 3 follows from the log, but was not published")]
    assert found("account-tiers", [log[0], *log[2:]], log) == [(None, "revision 1 follows from the log, but was not published")]
