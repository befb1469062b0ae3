"""The table of limits, asked for everything that is wrong."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Reason
from schemas.limits import breaches, quick_checks, shown
from tests.strategies import INPUT_RECORDS, event


def test_all_breaches_are_listed_and_each_names_field_rule_and_value() -> None:
    found = list(breaches({"account_id": "", "score": 101.0, "dwell_seconds": float("inf"), "custom": {"fit": float("nan")}}))
    assert [breach.message for breach in found] == [
        "account_id must not be empty, got ''",
        "score must be from 0 to 100 points, got 101.0",
        "dwell_seconds must be a finite number, got inf",
        "custom.'fit' must be a finite number, got nan",
    ]
    assert [breach.reason for breach in found] == [Reason.OUT_OF_RANGE, Reason.OUT_OF_RANGE, Reason.NOT_FINITE, Reason.NOT_FINITE]


def test_none_is_unknown_and_breaks_nothing() -> None:
    assert list(breaches({"satisfaction": None, "account_id": None})) == []


def test_integers_beyond_64_bits_and_lone_surrogates_fit_no_field() -> None:
    messages = [breach.message for breach in breaches({"lag_ms": 2**63, "amount_minor": 2**63, "asset": "\ud800"})]
    assert [message.partition(",")[0] for message in messages] == [
        "lag_ms must fit in 64 bits",
        "amount_minor must fit in 64 bits",
        "asset must be Unicode text without lone surrogates",
    ]


def test_a_value_is_shown_no_longer_than_a_person_reads() -> None:
    assert shown("a" * 60) == repr("a" * 60)
    assert shown("a" * 61) == repr("a" * 60) + "..."
    assert len(shown(list(range(10_000)))) < 70
    assert len(shown("\x00" * 10_000)) < 70


@settings(max_examples=300)
@given(st.data())
def test_what_passes_the_quick_checks_breaks_no_limit(data: st.DataObject) -> None:
    """Whatever stands in a field that a limit names: the quick checks may be too strict, never too lax."""
    record_type = data.draw(st.sampled_from(INPUT_RECORDS))
    record = msgspec.structs.asdict(data.draw(event(record_type)))
    wild = st.one_of(st.none(), st.text(max_size=300), st.just("户" * 86), st.integers(-(2**63), 2**63 - 1), st.floats())
    for name in data.draw(st.sets(st.sampled_from(sorted(record)), max_size=3)):
        drawn = data.draw(wild)
        if type(drawn) is type(record[name]) or (isinstance(drawn, float) and name in ("dwell_seconds", "renewal_rate", "score")):
            record[name] = drawn
    if all(fits(record[name]) for name, fits in quick_checks(record_type)):
        assert list(breaches(record)) == []


def test_what_a_field_about_people_holds_is_in_no_message() -> None:
    held = {"contact_id": "Zhang Wei" * 10_000, "custom": {"boss": "Zhang" * 20_000}, "phone": "13800\ud800"}
    messages = [breach.message for breach in breaches(held)]
    assert [message for message in messages if "Zhang" in message or "13800" in message] == []
    assert [message.rpartition(", ")[2] for message in messages] == ["got a value that is not shown"] * 3
