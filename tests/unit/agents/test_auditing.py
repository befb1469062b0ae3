"""The audit finds every kind of breach that is planted, and nothing in a whole chain."""

import msgspec
import pytest

from agents.auditing import Audit, Rule, audited
from schemas.codec import Codec
from schemas.records import Contribution, DimensionChange, Stage, TierTransition
from streams.intake import RawRecord
from streams.transitions import transition_id
from tests import builders
from tests.builders import NOON, SECOND


def link(sequence: int, from_tier: str | None, to_tier: str, **more: object) -> TierTransition:
    """A transition whose id is right and whose ledger sums up."""
    whole = builders.transition("acme", from_tier, to_tier, sequence, NOON + sequence * SECOND)
    ledger = {
        "score_after_micro": 12,
        "contributions": [
            Contribution(dimension="behaviour", line="VISIT", micro=7, count=2),
            Contribution(dimension="ai", line="score", micro=5),
        ],
        "dimensions": [
            DimensionChange(name="behaviour", before_micro=0, after_micro=14, weighted_micro=7),
            DimensionChange(name="ai", before_micro=0, after_micro=10, weighted_micro=5),
        ],
        "trail": [Stage(stage="published", tier=to_tier, because="no override")],
    }
    changed = msgspec.structs.replace(whole, **{**ledger, **more})
    own_id = transition_id(changed.application, changed.policy, changed.scheme, changed.account_id, changed.generation, changed.sequence)
    return msgspec.structs.replace(changed, transition_id=more.get("transition_id", own_id))


WHOLE = [link(1, "C", "B"), link(2, "B", "A"), link(3, "A", "C", direction="DOWN")]


def seen(*transitions: TierTransition, key: bytes = b"acme") -> Audit:
    audit = Audit()
    for offset, transition in enumerate(transitions):
        audit.see(0, offset, key, transition)
    return audit


def rules(audit: Audit) -> list[Rule]:
    return [breach.rule for breach in audit.breaches]


def test_a_whole_chain_has_no_breach() -> None:
    audit = seen(*WHOLE)
    assert audit.breaches == []
    assert (audit.transitions, audit.accounts, audit.chains) == (3, 1, 1)
    assert +audit.tiers == {("abc", "C"): 1}


def test_an_entry_has_no_tier_before() -> None:
    assert rules(seen(link(1, None, "C", direction="ENTRY"), link(2, "C", "B"))) == []
    assert rules(seen(link(1, None, "C"))) == [Rule.BROKEN_CHAIN]


def test_a_missing_transition_is_a_gap_and_breaks_the_chain() -> None:
    assert rules(seen(WHOLE[0], WHOLE[2])) == [Rule.GAP, Rule.BROKEN_CHAIN]


def test_a_doubled_transition_is_found() -> None:
    assert Rule.REPEATED_ID in rules(seen(WHOLE[0], WHOLE[0]))
    assert Rule.GAP in rules(seen(WHOLE[0], WHOLE[0]))


def test_a_chain_that_starts_late_is_a_gap() -> None:
    assert rules(seen(WHOLE[1])) == [Rule.GAP]


PLANTED = [
    (Rule.BROKEN_CHAIN, link(2, "C", "A")),
    (Rule.NO_CHANGE, link(2, "B", "B")),
    (Rule.NO_CHANGE, link(2, "B", "A", trail=[Stage(stage="published", tier="B", because="")])),
    (Rule.BACK_IN_TIME, link(2, "B", "A", effective_at=NOON)),
    (Rule.WRONG_SUM, link(2, "B", "A", score_after_micro=13)),
    (Rule.WRONG_ID, link(2, "B", "A", transition_id="0")),
    (Rule.GAP, link(3, "B", "A")),
]


@pytest.mark.parametrize(("rule", "planted"), PLANTED)
def test_each_planted_breach_is_found_alone_and_where_it_lies(rule: Rule, planted: TierTransition) -> None:
    audit = seen(WHOLE[0], planted)
    assert rules(audit) == [rule]
    assert (audit.breaches[0].partition, audit.breaches[0].offset, audit.breaches[0].account_id) == (0, 1, "acme")


def test_a_line_booked_on_the_wrong_dimension_is_found_for_both() -> None:
    moved = [Contribution(dimension="ai", line="VISIT", micro=7), Contribution(dimension="ai", line="score", micro=5)]
    assert rules(seen(link(1, "C", "B", contributions=moved))) == [Rule.WRONG_SUM, Rule.WRONG_SUM]


def test_a_foreign_key_is_found() -> None:
    assert rules(seen(WHOLE[0], key=b"other")) == [Rule.FOREIGN_KEY]


def test_a_chain_in_two_partitions_is_found() -> None:
    audit = Audit()
    audit.see(0, 0, b"acme", WHOLE[0])
    audit.see(1, 0, b"acme", WHOLE[1])
    assert rules(audit) == [Rule.SPLIT_CHAIN]


def test_a_record_that_is_no_transition_is_found_and_the_audit_goes_on() -> None:
    codec = Codec()
    raw = [
        RawRecord("tier-transitions", 0, 0, NOON, b"acme", b"junk"),
        RawRecord("tier-transitions", 0, 1, NOON, b"acme", codec.encode(WHOLE[0])),
    ]
    told: list[Rule] = []
    audit = audited(raw, codec, lambda breach: told.append(breach.rule))
    assert told == rules(audit) == [Rule.UNREADABLE]
    assert audit.transitions == 1


def test_accounts_and_schemes_have_chains_of_their_own() -> None:
    other = link(1, "C", "B", account_id="other")
    audit = Audit()
    audit.see(0, 0, b"acme", WHOLE[0])
    audit.see(0, 1, b"other", other)
    audit.see(0, 2, b"acme", link(1, "C", "B", scheme="pyramid"))
    assert (audit.breaches, audit.accounts, audit.chains) == ([], 2, 3)
