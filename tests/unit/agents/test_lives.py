"""Generated lives: believable, in order, the same for the same seed, and legal on the wire."""

from collections import Counter
from random import Random

import pytest

from agents.generating.lives import Happening, Lives
from agents.generating.working_hours import in_working_hours, steady
from schemas.codec import Codec
from schemas.json_values import from_json, to_json
from schemas.records import Interaction, Order, RiskSignal
from tests.builders import DAY, HOUR, NOON

A_DAY_A_SECOND = 86_400.0


def lived(seed: int = 1, accounts: int = 60, seconds: int = 60, rate: int = 100) -> list[Happening]:
    lives = Lives(Random(seed), accounts, start_at_ms=NOON, pace=A_DAY_A_SECOND)
    return [*lives.births(), *lives.stream(steady(NOON, rate, seconds))]


def test_the_same_seed_gives_the_same_lives() -> None:
    assert lived(seed=4) == lived(seed=4)
    assert lived(seed=4) != lived(seed=5)


def test_there_is_one_record_for_each_instant_and_a_profile_for_each_account() -> None:
    topics = Counter(happening.topic for happening in lived(accounts=60, seconds=10, rate=100))
    assert topics["profiles"] == 60
    assert topics.total() == 60 + 1_000


def test_no_event_id_comes_twice() -> None:
    ids = [happening.record.event_id for happening in lived()]
    assert len(set(ids)) == len(ids)


def test_time_never_goes_back() -> None:
    times = [happening.record.occurred_at for happening in lived()]
    assert times == sorted(times)


@pytest.mark.parametrize("seed", range(3))
def test_every_record_survives_the_wire_and_json(seed: int) -> None:
    codec = Codec()
    for topic, record in lived(seed):
        assert codec.decode(topic, codec.encode(record)) == record
        assert from_json(topic, to_json(record)) == record


def test_the_first_account_is_sued_and_the_suit_is_withdrawn() -> None:
    risks = [happening.record for happening in lived() if happening.topic == "risks" and happening.record.account_id == "acct-000001"]
    suit = [risk for risk in risks if isinstance(risk, RiskSignal) and risk.kind == "LAWSUIT"][:2]
    assert [risk.status for risk in suit] == ["RAISED", "WITHDRAWN"]
    assert len({risk.risk_id for risk in suit}) == 1


def test_an_order_is_placed_before_it_is_paid_and_paid_before_it_is_refunded() -> None:
    stories: dict[str, list[str]] = {}
    for _, record in lived(seconds=120):
        if isinstance(record, Order):
            stories.setdefault(record.order_id, []).append(record.status)
    assert set(map(tuple, stories.values())) >= {("PLACED",), ("PLACED", "PAID"), ("PLACED", "CANCELLED")}
    assert all(
        story in (["PLACED"], ["PLACED", "PAID"], ["PLACED", "CANCELLED"], ["PLACED", "PAID", "REFUNDED"]) for story in stories.values()
    )


def test_a_few_accounts_are_busy_and_many_are_not() -> None:
    busy = Counter(happening.record.account_id for happening in lived(accounts=200, rate=200))
    counts = sorted(busy.values(), reverse=True)
    assert sum(counts[:20]) > 0.3 * sum(counts)
    assert len(busy) == 200


def test_people_and_owners_both_act() -> None:
    actors = Counter(record.actor for _, record in lived() if isinstance(record, Interaction))
    assert set(actors) == {"CUSTOMER", "OWNER"}
    assert actors["CUSTOMER"] > actors["OWNER"]


def test_history_is_dense_in_working_hours_and_quiet_at_night_and_on_sundays() -> None:
    monday_midnight_in_shanghai = 1_704_643_200_000  # 2024-01-07T16:00:00Z
    at = in_working_hours(Random(1), monday_midnight_in_shanghai, 7, 20_000)
    assert at == sorted(at)
    assert monday_midnight_in_shanghai <= at[0]
    assert at[-1] < monday_midnight_in_shanghai + 7 * DAY
    hours = Counter((instant - monday_midnight_in_shanghai) % DAY // HOUR for instant in at)
    days = Counter((instant - monday_midnight_in_shanghai) // DAY for instant in at)
    assert hours[10] > 10 * hours[3]
    assert days[1] > 4 * days[6]
