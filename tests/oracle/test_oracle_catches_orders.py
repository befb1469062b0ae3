"""The oracle can fail where people order: faults planted into a log that has commands, and into the engine that carries them out."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.codec import Codec
from schemas.records import AccountTiers, Action, TierTransition
from streams import overrides
from streams.commands import assigning, overriding
from streams.commands.known import Known
from streams.dossier import Dossier
from tests.oracle.judging import Left, judged
from tests.oracle.recording import APPLICATION
from tests.oracle.test_oracle_agrees import left_under_orders
from tests.simulation.policies import OVERRIDDEN, document_of

CODEC = Codec()
GOOD = "fading"
RISKY = 4
"""A seed of lives in which an account with an open risk is overridden."""
Plant = Callable[[Left], Left]


@pytest.fixture(scope="module")
def good() -> Left:
    left = left_under_orders(GOOD, 3)
    assert names(left) == set()
    return left


def names(left: Left) -> set[str]:
    return {anomaly.name for anomaly in judged(left, document_of(GOOD + OVERRIDDEN), APPLICATION, 1)}


def transition(fits: Callable[[TierTransition], bool], **changes: Any) -> Plant:
    """The first transition of an override that fits, changed; taken out if nothing is said of it."""

    def plant(left: Left) -> Left:
        records = [CODEC.decode_as(TierTransition, payload) for _, payload in left.transitions]
        place = next(place for place, each in enumerate(records) if each.cause.kind == "OVERRIDE" and fits(each))
        edited = {name: change(getattr(records[place], name)) for name, change in changes.items()}
        edit = [(left.transitions[place][0], CODEC.encode(msgspec.structs.replace(records[place], **edited)))] if changes else []
        return left._replace(transitions=[*left.transitions[:place], *edit, *left.transitions[place + 1 :]])

    return plant


def expired(record: TierTransition) -> bool:
    return record.cause.detail == "expired"


def another_tier_under_it(trail: list[Any]) -> list[Any]:
    other = next(tier for tier in "ABC" if tier != trail[2].tier)
    return [*trail[:2], msgspec.structs.replace(trail[2], tier=other), trail[3]]


def answer(which: str, **changes: Any) -> Plant:
    """The first answer of a kind, changed; taken out if nothing is said of it."""

    def plant(left: Left) -> Left:
        records = [CODEC.decode_as(Action, payload) for _, payload in left.actions]
        place = next(place for place, each in enumerate(records) if each.kind == which)
        edit = [(left.actions[place][0], CODEC.encode(msgspec.structs.replace(records[place], **changes)))] if changes else []
        return left._replace(actions=[*left.actions[:place], *edit, *left.actions[place + 1 :]])

    return plant


def answered_again(left: Left) -> Left:
    return left._replace(actions=[*left.actions, left.actions[-1]])


def shadow_tier_hidden(left: Left) -> Left:
    """`account-tiers` says that an account has earned what it was ordered to."""
    for place, (key, payload) in enumerate(left.standings):
        record = CODEC.decode_as(AccountTiers, payload)
        held = record.standings[0]
        if held.tier != held.earned_tier:
            edited = msgspec.structs.replace(record, standings=[msgspec.structs.replace(held, earned_tier=held.tier)])
            return left._replace(standings=[*left.standings[:place], (key, CODEC.encode(edited)), *left.standings[place + 1 :]])
    raise AssertionError("no account stands in another tier than it has earned")


def who_asked_forgotten(left: Left) -> Left:
    """A dossier without the override that was ordered."""
    newest = {key: payload for key, payload in left.changelog if key.startswith(b"d") and payload is not None}
    for key, payload in newest.items():
        dossier = msgspec.msgpack.decode(payload[1:], type=Dossier)
        if dossier.overrides:
            dossier.overrides = {}
            return left._replace(changelog=[*left.changelog, (key, payload[:1] + msgspec.msgpack.encode(dossier))])
    raise AssertionError("no dossier has an override")


PLANTS: dict[str, tuple[Plant, set[str]]] = {
    "an order does nothing": (transition(lambda each: not expired(each)), {"LOST"}),
    "an override never ends": (transition(expired), {"LOST"}),
    "it ends a millisecond late": (transition(expired, effective_at=lambda at_ms: at_ms + 1), {"WRONG_TIME"}),
    "it leads elsewhere": (transition(expired, trail=another_tier_under_it), {"WRONG_LEDGER"}),
    "it is no override": (transition(expired, cause=lambda cause: msgspec.structs.replace(cause, kind="DECAY")), {"WRONG_CAUSE"}),
    "no answer": (answer("DONE"), {"ACTION_DIFFERS"}),
    "refused, and said to be done": (answer("REFUSED", kind="DONE"), {"ACTION_DIFFERS"}),
    "answered again": (answered_again, {"ACTION_DIFFERS"}),
    "the tier under it is hidden": (shadow_tier_hidden, {"STANDING_WRONG"}),
    "who asked is forgotten": (who_asked_forgotten, {"STATE_DIFFERS"}),
}


@pytest.mark.parametrize("what", PLANTS)
def test_a_fault_planted_into_what_orders_leave_is_caught(good: Left, what: str) -> None:
    plant, caught = PLANTS[what]
    assert caught <= names(plant(good))


def _risk_does_not_hold(scheme: Any, row: Any) -> int:
    in_force = overrides.until_ms(scheme, row) < overrides.UNBOUNDED
    return int(row[scheme.column("override" if in_force else "gated")])


def _no_end_is_too_far(command: Any, allowed: Any, row: Any) -> int:
    return _expiry(command, allowed.model_copy(update={"at_most": overrides.UNBOUNDED}), row)


_expiry, _put, _calm = overriding._expiry, overrides.put, overrides.UNBOUNDED
BUGS: dict[str, tuple[Any, str, Any]] = {
    "two eyes are enough": (overriding, "_approver", lambda command, _: command.approved_by),
    "no end is too far": (overriding, "_expiry", _no_end_is_too_far),
    "an open risk does not hold against it": (overrides, "published", _risk_does_not_hold),
    "it lasts a millisecond longer": (
        overrides, "put", lambda scheme, row, tier, at_ms: _put(scheme, row, tier, at_ms + (at_ms < _calm)),
    ),
    "every order is a new one": (Known, "is_new", lambda *_: True),
    "no reason is needed": (overriding, "said", lambda _, text: (text or "").strip()),
    "nobody is an owner too": (assigning, "said", lambda _, text: text or ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BUGS)
def test_a_bug_of_the_engine_with_orders_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the code that runs as Python: the orders themselves always do."""
    place, name, wrong = BUGS[what]
    assert names(left_under_orders(GOOD, RISKY)) == set()
    monkeypatch.setattr(place, name, wrong)
    assert names(left_under_orders(GOOD, RISKY)) != set()
