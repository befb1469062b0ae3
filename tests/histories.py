"""Hypothesis strategies for what happens: logs of records that a policy has a use for, and looks at the clock between them.

A log is a list of records in order of arrival over a few accounts. Its times are made of the policy's own durations, a millisecond
more or less, so that windows, half-lives, stays and silences end in it and exactly at a record; about half the logs arrive in order
of time, in the others some records are late. Event ids are unique unless a test repeats records on purpose.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.records import Command, Event
from schemas.topics import INPUTS
from streams.policy import CompiledPolicy
from streams.units import duration_ms
from tests.builders import DAY, HOUR, NOON, command, interaction, invoice, order, prediction, profile, risk, stage_change, ticket

ACCOUNTS = ("acme", "云翔集团", "z")
INTERACTIONS = ("VISIT", "DOWNLOAD", "PRICE_INQUIRY", "UNSUBSCRIBE", "EMAIL_OPEN", "EVENT_CHECKIN", "NEVER_PRICED")
RISKS = ("LAWSUIT", "TAX_ARREARS", "GOSSIP")

# -- times -------------------------------------------------------------------------------------------------------------


def durations(policy: CompiledPolicy) -> list[int]:
    """Every duration (ms) in measures, dimensions, schemes and clocks of the policy; a day if there is none."""
    document = policy.document.model_dump(mode="json", include={"measures", "dimensions", "schemes", "clocks"})
    return sorted({length_ms for length_ms in _durations(document) if 0 < length_ms <= 366 * DAY}) or [DAY]


def _durations(part: Any) -> Iterator[int]:
    match part:
        case dict():
            for entry in part.values():
                yield from _durations(entry)
        case list():
            for entry in part:
                yield from _durations(entry)
        case str():
            try:
                yield duration_ms(part)
            except ValueError:
                return
        case float():
            yield round(part)  # a breakpoint of a measure that is a time; of another it does no harm


def gaps(policy: CompiledPolicy) -> st.SearchStrategy[int]:
    """Times (ms) between two happenings: none, a little, anything, or one of the policy's durations with a millisecond more or less."""
    known = durations(policy)
    meant = st.tuples(st.sampled_from(known), st.sampled_from([-1, 0, 0, 1])).map(sum)
    return st.one_of(st.sampled_from([0, 0, 1, HOUR]), st.integers(0, known[len(known) // 2]), meant)


def long_after(policy: CompiledPolicy, log: list[Event], looks: Iterable[int | None] = ()) -> int:
    """An instant, later than log and looks, by which most of what they lead to has happened."""
    latest_ms = max([record.occurred_at for record in log] + [look_ms for look_ms in looks if look_ms is not None])
    return latest_ms + 2 * durations(policy)[-1]


_GRADED: dict[str, st.SearchStrategy[Any]] = {
    "customer_kind": st.sampled_from([None, "BUSINESS", "GOVERNMENT", "CHANNEL", "CONSUMER"]),
    "track": st.sampled_from([None, None, "value", "price", "lighthouse"]),
    "annual_budget_minor": st.sampled_from([None, 10_000_000, 200_000_000, 500_000_000, 600_000_000]),
    "industry_rank": st.sampled_from([None, 1, 3, 5, 30]),
    "need": st.sampled_from([None, "urgent", "vague"]),
    "decision_level": st.sampled_from([None, "base", "middle"]),
    "executive_relation": st.sampled_from([None, True, False]),
    "cooperation_since": st.sampled_from([None, NOON - 1_100 * DAY, NOON - 364 * DAY, NOON + DAY]),
    "registered_capital_minor": st.sampled_from([None, 100_000_000, 5_000_000_000]),
    "staffing": st.sampled_from([None, 5, 50]),
    "renewal_rate": st.sampled_from([None, 0.5, 0.95]),
    "billing_cycle": st.sampled_from([None, "month", "year"]),
}
"""What rubrics, bands and tracks ask of a profile."""

# -- records -----------------------------------------------------------------------------------------------------------


def _records(topic: str, account: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    """Records of one topic, all at noon."""
    some = st.sampled_from
    made: dict[str, st.SearchStrategy[Event]] = {
        "interactions": st.builds(
            interaction,
            account,
            some(INTERACTIONS),
            actor=some(["CUSTOMER", "CUSTOMER", "CUSTOMER", "OWNER", "SYSTEM"]),
            dwell_seconds=st.none() | st.floats(0, 500) | some([0.0, 12.5, 1e308]),
            contact_id=some([None, "ann", "bob"]),
        ),
        "orders": st.builds(
            order,
            account,
            some(["PLACED", "PAID", "PAID", "REFUNDED", "CANCELLED"]),
            st.integers(0, 200_000) | some([2**53 + 1, 2**63 - 1]),
        ),
        "invoices": st.builds(invoice, account, some(["ISSUED", "PAID", "OVERDUE"])),
        "tickets": st.builds(ticket, account, some(["OPEN", "CLOSED"]), st.none() | st.integers(1, 5)),
        "risks": st.builds(risk, account, some(["RAISED", "WITHDRAWN"]), risk_id=some(["r1", "r2"]), kind=some(RISKS)),
        "profiles": st.builds(
            profile,
            account,
            industry=st.none() | some(["finance", "retail", "energy", "manufacturing", "manufacturing"]),
            size=st.none() | some(["large", "large", "medium", "small"]),
            region=st.none() | some(["core", "north"]),
            qualifications=st.none() | st.lists(some(["a", "b", "c", "d"]), max_size=4),
            owner_id=st.none() | some(["kim", "lee"]),
            **_GRADED,
            do_not_contact=some([None, None, True, False]),
            custom=st.dictionaries(some(["fit", "x"]), some(["good", "bad"])),
            cleared=some(
                [[], [], ["industry"], ["size", "custom.fit"], ["owner_id"], ["track", "annual_budget_minor", "cooperation_since"]]
            ),
        ),
        "opportunities": st.builds(
            stage_change,
            account,
            some(["NEGOTIATION", "CONTRACT"]),
            some(["OPEN", "OPEN", "OPEN", "WON", "LOST"]),
            opportunity_id=some(["one", "two"]),
            process=some(["standard", "L2C"]),
        ),
        "predictions": st.builds(
            prediction, account, some([0.0, 50.0, 90.0, 100.0]) | st.floats(0, 100), model=some(["conversion", "conversion", "churn"])
        ),
    }
    return made[topic]


def _commands(policy: CompiledPolicy, account: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    """Commands, all at noon, most of which can be carried out."""
    schemes = [scheme for scheme in policy.schemes if scheme.override is not None]
    tiers = st.sampled_from(schemes).flatmap(
        lambda scheme: st.fixed_dictionaries({"scheme": st.just(scheme.name), "tier": st.sampled_from(scheme.ladder.tiers)})
    )
    named = st.sampled_from(schemes).map(lambda scheme: {"scheme": scheme.name})
    expires = gaps(policy).map(lambda gap_ms: NOON + max(gap_ms, 1))
    owners = st.sampled_from(["kim", "lee"]).map(lambda owner: {"owner_id": owner})
    overriding = st.builds(command, account, st.just("OVERRIDE"), arguments=tiers, expires_at=expires, approved_by=st.just("lee"))
    revoking = st.builds(command, account, st.just("REVOKE_OVERRIDE"), arguments=named)
    return st.one_of(overriding, overriding, revoking, st.builds(command, account, st.just("ASSIGN_OWNER"), arguments=owners))


def _of_topic(topic: str, policy: CompiledPolicy, account: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    return _commands(policy, account) if topic == "commands" else _records(topic, account)


def _happened(record: Event, number: int, at_ms: int) -> Event:
    """The record, made at noon, as of another time, with an id of its own."""
    if isinstance(record, Command) and record.expires_at is not None:
        record = msgspec.structs.replace(record, expires_at=record.expires_at - NOON + at_ms)
    return msgspec.structs.replace(record, event_id=f"e{number}", occurred_at=at_ms)


@st.composite
def logs(draw: st.DrawFn, policy: CompiledPolicy, *, max_size: int = 40, repeating: bool = True, commanded: bool = True) -> list[Event]:
    """Records that the policy reads, in order of arrival; also commands, where it allows overrides."""
    orders = ["commands"] if commanded and any(scheme.override is not None for scheme in policy.schemes) else []
    topics = st.sampled_from([*(topic for topic in INPUTS if topic in policy.inputs), *orders])
    accounts = st.sampled_from(draw(st.sampled_from([ACCOUNTS[:1], ACCOUNTS])))
    least = draw(st.sampled_from([1, max_size // 4, max_size // 2]))
    drawn = draw(
        st.lists(
            st.tuples(topics.flatmap(lambda topic: _of_topic(topic, policy, accounts)), gaps(policy)), min_size=least, max_size=max_size
        )
    )
    late = gaps(policy) if draw(st.booleans()) else st.just(0)
    now_ms, log = NOON, list[Event]()
    for number, (record, gap_ms) in enumerate(drawn):
        now_ms += gap_ms
        at_ms = now_ms - (draw(late) if number % 3 == 2 else 0)
        log.append(_happened(record, number, at_ms))
    if repeating:
        for place in draw(st.lists(st.integers(0, len(log) - 1), max_size=4)):
            log.insert(draw(st.integers(place, len(log))), log[place])
    return log


@st.composite
def looks(draw: st.DrawFn, policy: CompiledPolicy, log: list[Event]) -> list[int | None]:
    """For each record of the log the instant of a tick that comes before it, or None: now and then, some time after a record before it."""
    after = st.none() | gaps(policy)
    found, latest_ms = list[int | None](), NOON - DAY
    for record in log:
        gap_ms = draw(after)
        found.append(None if gap_ms is None else latest_ms + gap_ms)
        latest_ms = max(latest_ms, record.occurred_at)
    return found
