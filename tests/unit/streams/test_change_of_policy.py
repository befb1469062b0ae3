"""A change of policy in one partition: what goes over, who moves, and that it does not matter when anybody looks."""

from typing import Any

import msgspec
import pytest
import yaml

from schemas.records import Action, PolicyActivated, TierTransition
from streams.activation import Ordered, judged
from streams.again import LAST
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy, load_policy_text
from tests.builders import DAY, NOON, interaction, prediction, risk, stage_change
from tests.folding import SMALL, Folding, policy_of, shipped

ACCOUNTS = [f"acct-{number}" for number in range(12)]
SAID = [prediction(account, 40 + 5 * number) for number, account in enumerate(ACCOUNTS)]
NEXT = {"version": "2"}


def ladder(*tiers: tuple[str, float], **more: Any) -> dict[str, Any]:
    """A ladder of tiers by where they begin; the first one has no beginning."""
    named = [{"name": name, **({"enter_at": enter_at} if place else {})} for place, (name, enter_at) in enumerate(tiers)]
    return {"abc": {"kind": "score", "tiers": named, **more}}


LOWER = policy_of(**NEXT, schemes=ladder(("C", 0), ("B", 50), ("A", 70)))


def order(before: CompiledPolicy, after: CompiledPolicy, **other: Any) -> PolicyActivated:
    """The order of a change."""
    said: dict[str, Any] = {
        "event_id": "change-1", "occurred_at": NOON, "application": "test", "replaces": before.digest, "digest": after.digest,
        "text": after.text, "requested_by": "ops", "reason": "a new year",
    }  # fmt: skip
    return PolicyActivated(**{**said, **other})


def activate(f: Folding, after: CompiledPolicy, **other: Any) -> list[Any]:
    """Fold the order of a change; what is published at once."""
    raw = RawRecord("policies", 0, 7, NOON + DAY, None, None)
    outputs = f.partition.activate(Ordered(raw, order(f.partition.policy, after, **other), "LIVE", NOON + DAY))
    f._publish(outputs)
    return outputs


def decide(f: Folding, cursor: int = LAST) -> list[TierTransition]:
    """Decide a slice."""
    before = len(f.published)
    f._publish(f.partition.decide_up_to(cursor, "LIVE", NOON + DAY))
    return f.published[before:]


def graded(policy: CompiledPolicy) -> Folding:
    """A dozen accounts, worth 40 to 95 points in fives."""
    f = Folding(policy)
    f.fold(*SAID)
    f.keep()
    return f


def moves(found: list[TierTransition]) -> dict[str, tuple[str | None, str, int]]:
    return {each.account_id: (each.from_tier, each.to_tier, each.sequence) for each in found}


def test_lower_thresholds_lift_whom_they_reach_and_chains_go_on() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    assert moves(decide(f)) == {
        "acct-2": ("C", "B", 1), "acct-3": ("C", "B", 1), "acct-6": ("B", "A", 2), "acct-7": ("B", "A", 2),
    }  # fmt: skip
    assert f.partition.undecided == 0


def test_each_transition_names_the_order_as_its_cause_and_the_policy_it_was_decided_under() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    for each in decide(f):
        cause = each.cause
        assert (cause.kind, cause.topic, cause.offset, cause.event_id, cause.detail) == ("POLICY", "policies", 7, "change-1", "small 2")
        assert (each.policy_digest, each.policy_version) == (LOWER.digest, "2")


def test_a_change_makes_no_leads_and_no_actions_but_its_answer() -> None:
    f = graded(policy_of())
    hot = policy_of(**NEXT, schemes=ladder(("C", 0), ("B", 50), ("A", 70), hot=["A", "B"]))
    answer = activate(f, hot)
    assert [(each.record.kind, each.record.name) for each in answer] == [("DONE", "POLICY")]
    decide(f)
    assert f.records("hot-leads") == []
    assert len(f.records("actions")) == 1


def told(f: Folding) -> dict[str, list[Any]]:
    """What was published of each account, in its order."""
    found: dict[str, list[Any]] = {}
    for output in f.outputs:
        if not isinstance(output.record, Action):
            said = msgspec.to_builtins(output.record)
            said.get("cause", {}).pop("event_id", None)
            found.setdefault(output.key.decode(), []).append(said)
    return found


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_slices_do_not_matter(size: int) -> None:
    whole, cut = graded(policy_of()), graded(policy_of())
    activate(whole, LOWER)
    decide(whole)
    activate(cut, LOWER)
    while (cursor := cut.partition.slice_of(size)) is not None:
        decide(cut, cursor)
    assert told(cut) == told(whole)


def test_an_account_that_a_record_touches_is_decided_first() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    f._publish(f.partition.decide_touched([b"acct-2", b"nobody", None], "LIVE", NOON + DAY))
    assert moves(f.published[-1:]) == {"acct-2": ("C", "B", 1)}
    assert f.partition.undecided == 11
    assert "acct-2" not in moves(decide(f))


def restored(f: Folding, policy: CompiledPolicy) -> Folding:
    back = Folding(policy)
    back.partition = Partition(0, None, "test", policy)
    back.partition.restore_batch(list(f.changelog.items()))
    back.partition.restored()
    return back


@pytest.mark.parametrize("done", [0, 1, 7, 12])
def test_a_crash_amid_the_slices_loses_and_repeats_nothing(done: int) -> None:
    whole, cut = graded(policy_of()), graded(policy_of())
    for f in (whole, cut):
        activate(f, LOWER)
    decide(whole)
    first = decide(cut, cut.partition.slice_of(done)) if done else []  # type: ignore[arg-type]
    cut.keep()
    back = restored(cut, LOWER)
    assert back.partition.undecided == 12 - done
    assert moves(first) | moves(decide(back)) == moves(whole.published[-4:])
    whole.keep()
    back.keep()
    assert {**cut.changelog, **back.changelog} == whole.changelog


def test_a_partition_restored_under_another_policy_starts_over_under_the_one_in_force() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    decide(f)
    f.keep()
    other = Partition(0, None, "test", policy_of())
    other.restore_batch(list(f.changelog.items()))
    assert (other.kept_digest, other.policy_digest) == (LOWER.digest, policy_of().digest)
    other.start_over()
    other.restore_batch(list(f.changelog.items()))
    other.restored()
    assert other.policy_digest == LOWER.digest
    assert other.undecided == 0
    assert (other.view("acct-2") or {})["schemes"]["abc"]["published"] == "B"


def test_an_account_still_to_be_decided_is_shown_as_it_will_be() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    view = f.partition.view("acct-2")
    assert view is not None
    assert (view["schemes"]["abc"]["published"], view["policy"]["version"]) == ("B", "2")
    assert f.partition.undecided == 12


def test_a_tier_of_another_name_is_left_by_a_transition_from_the_old_name() -> None:
    f = graded(policy_of())
    activate(f, policy_of(**NEXT, schemes=ladder(("C", 0), ("B", 60), ("gold", 80))))
    assert moves(decide(f)) == dict.fromkeys(ACCOUNTS[8:], ("A", "gold", 2))


def test_a_new_ladder_is_entered_silently_and_one_that_is_gone_is_told_by_the_standings() -> None:
    f = graded(policy_of())
    both = policy_of(
        **NEXT, schemes=SMALL["schemes"] | {"two": {"kind": "score", "tiers": [{"name": "low"}, {"name": "high", "enter_at": 90}]}}
    )
    activate(f, both)
    assert {(each.scheme, each.from_tier, each.to_tier, each.sequence) for each in decide(f)} == {("two", "low", "high", 1)}
    assert len(f.records("account-tiers")) == len(ACCOUNTS) + len(ACCOUNTS)
    activate(f, policy_of(version="3"))
    assert decide(f) == []
    assert {tuple(standing.scheme for standing in each.standings) for each in f.records("account-tiers")[-12:]} == {("abc",)}


def test_a_second_change_decides_first_what_is_left_of_the_first() -> None:
    f = graded(policy_of())
    activate(f, LOWER)
    activate(f, policy_of(version="3"))
    decide(f)
    chain = [(each.policy_version, each.from_tier, each.to_tier, each.sequence) for each in f.published if each.account_id == "acct-2"]
    assert chain == [("2", "C", "B", 1), ("3", "B", "C", 2)]


def test_a_risk_that_the_new_policy_heeds_is_heeded_at_once_and_time_goes_on_under_it() -> None:
    gate = {"LAWSUIT": {"ceiling": "C"}}
    before = policy_of(schemes=ladder(("C", 0), ("B", 60), ("A", 80), risk=gate))
    f = graded(before)
    f.fold(risk("acct-11", "RAISED", kind="LAWSUIT"))
    f.keep()
    activate(f, policy_of(**NEXT, schemes=ladder(("C", 0), ("B", 60), ("A", 80), risk={"LAWSUIT": {"ceiling": "B"}})))
    assert moves(decide(f)) == {"acct-11": ("C", "B", 3)}


QUIET = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": "demote"}}


def silent(days: int) -> Folding:
    """Accounts at A that have been silent for so long."""
    parts = {"measures": {"m": {"from": "interactions", "points": {"VISIT": 90}}}, "score": {"d": 1.0}, "clocks": QUIET}
    f = Folding(policy_of(**parts, dimensions={"d": {"linear": {"measure": "m", "from": 0, "to": 100}}}))
    f.fold(interaction("a", "VISIT", at=NOON))
    f.tick(NOON + days * DAY)
    f.keep()
    return f


def changed_clock(f: Folding, **clock: Any) -> list[tuple[str | None, str]]:
    document = yaml.safe_load(f.policy.text)
    document["version"], document["clocks"]["silence"] = "2", {**QUIET["silence"], **clock}
    activate(f, load_policy_text(yaml.safe_dump(document)))
    return [(each.from_tier, each.to_tier) for each in decide(f)]


def test_a_shorter_silence_that_has_passed_already_demotes_at_the_instant_of_the_change() -> None:
    f = silent(45)
    assert changed_clock(f, after="30d") == [("A", "B")]
    assert (f.published[-1].effective_at, f.published[-1].cause.kind) == (NOON + 45 * DAY, "POLICY")


def test_a_longer_silence_lifts_whom_it_would_not_have_demoted() -> None:
    f = silent(70)
    assert changed_clock(f, after="90d") == [("B", "A")]
    assert [(each.from_tier, each.to_tier, each.effective_at) for each in f.tick(NOON + 90 * DAY)] == [("A", "B", NOON + 90 * DAY)]


def test_a_clock_of_another_reset_starts_at_the_change() -> None:
    f = silent(45)
    assert changed_clock(f, resets_on={"actor": "OWNER"}, after="30d") == []
    assert [each.effective_at for each in f.tick(NOON + 75 * DAY)] == [NOON + 75 * DAY]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"replaces": "0" * 16}, "the policy in force is"),
        ({"digest": "0" * 16}, "the text is of the policy"),
        ({"text": "policy: small"}, "version: is missing"),
    ],
)
def test_an_order_that_cannot_be_obeyed_is_refused_and_changes_nothing(other: dict[str, str], said: str) -> None:
    f = graded(policy_of())
    (answer,) = activate(f, LOWER, **other)
    assert (answer.record.kind, answer.record.name) == ("REFUSED", "POLICY")
    assert said in answer.record.reason
    assert (f.partition.policy.digest, f.partition.undecided, f.partition.take_changes()) == (policy_of().digest, 0, [])


def test_a_breach_that_a_change_ends_is_resolved_for_somebody_waits_for_it() -> None:
    def worth_all_after(time: str, **more: Any) -> CompiledPolicy:
        since = {"linear": {"measure": "quiet", "from": 0, "to": time}}
        return policy_of(
            measures={"quiet": {"from": "interactions", "since": "last"}},
            dimensions={"ai": {"prediction": "conversion", "fallback": 0}, "distance": since},
            alerts={"far": {"when": {"distance": {"at_least": 50}}, "then": {"action": "call"}}},
            **more,
        )

    f = Folding(worth_all_after("60d"))
    f.fold(interaction())
    for at in (NOON + 30 * DAY - 1, NOON + 30 * DAY):
        f.tick(at)
    activate(f, worth_all_after("90d", **NEXT))
    decide(f)
    breach, over = (each for each in f.records("actions") if each.name == "call")
    assert (over.kind, over.resolves, over.cause.kind) == ("RESOLVED", breach.action_id, "POLICY")


def stays(tiers: list[tuple[str, float]], *warned: str, **more: Any) -> CompiledPolicy:
    """A stay of more than a week in one stage is warned of in these tiers, each by an action of the tier's own."""
    named = {tier: {"action": tier.lower()} for tier in warned}
    clock = {"of": "opportunities", "after": dict.fromkeys(warned, "7d"), "then": named}
    return policy_of(schemes=ladder(*tiers), clocks={"stays": clock}, **more)


CBA = [("C", 0), ("B", 60), ("A", 80)]


def overdue(before: CompiledPolicy) -> Folding:
    """An account at the top, with a stay that is too long, announced."""
    f = Folding(before)
    f.fold(prediction(score=90.0), stage_change(at=NOON))
    for at in (NOON + 7 * DAY, NOON + 7 * DAY + 1):
        f.tick(at)
    f.keep()
    return f


@pytest.mark.parametrize(
    ("tiers", "warned", "over_at_once"),
    [
        (CBA, ("C", "B", "A"), False),
        (CBA, ("C", "B"), True),
        ([("C", 0), ("A", 80)], ("C", "A"), False),
        ([("C", 0), ("gold", 80)], ("C", "gold"), True),
        ([("gold", 0), ("silver", 99)], ("silver",), True),
    ],
)
def test_a_stay_that_was_announced_is_resolved_once_by_the_change_if_its_tier_is_not_warned_any_more(
    tiers: list[tuple[str, float]], warned: tuple[str, ...], over_at_once: bool
) -> None:
    f = overdue(stays(CBA, "B", "A"))
    (breach,) = f.records("actions")
    activate(f, stays(tiers, *warned, **NEXT))
    decide(f)
    over = [each for each in f.records("actions") if each.kind == "RESOLVED"]
    assert bool(over) == over_at_once
    f.fold(stage_change(at=NOON + 9 * DAY, stage="CONTRACT"))
    (resolved,) = (each for each in f.records("actions") if each.kind == "RESOLVED")
    assert (resolved.name, resolved.tier, resolved.resolves) == ("a", "A", breach.action_id)
    assert resolved.cause.kind == ("POLICY" if over_at_once else "STAGE")


def test_a_silence_that_was_announced_is_resolved_by_the_change_if_its_tier_is_not_warned_any_more() -> None:
    def warns(*tiers: str, **more: Any) -> CompiledPolicy:
        after, then = dict.fromkeys(tiers, "7d"), {tier: {"action": "call"} for tier in tiers}
        return policy_of(clocks={"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": after, "then": then}}, **more)

    f = Folding(warns("A", "B"))
    f.fold(prediction(score=90.0))
    for at in (NOON + 7 * DAY - 1, NOON + 7 * DAY):
        f.tick(at)
    activate(f, warns("B", **NEXT))
    decide(f)
    breach, over = (each for each in f.records("actions") if each.name == "call")
    assert (breach.kind, over.kind, over.tier, over.resolves, over.cause.kind) == ("BREACHED", "RESOLVED", "A", breach.action_id, "POLICY")


def test_an_order_for_another_application_is_none_of_ours() -> None:
    f = graded(policy_of())
    assert activate(f, LOWER, application="other") == []
    assert f.partition.policy.digest == policy_of().digest


def test_a_measure_that_counts_otherwise_and_an_input_that_was_not_read_are_named() -> None:
    before = shipped("sabc")
    document = yaml.safe_load(before.text)
    document["measures"]["engagement"]["points"]["VISIT"] = 7
    document["measures"]["bills"] = {"from": "invoices", "points": {"PAID": 5}}
    after = load_policy_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    problems = judged(before, order(before, after))
    assert isinstance(problems, list)
    assert [problem.partition(":")[0] for problem in problems] == [
        "measures.engagement", "measures.bills", "reads invoices, which the policy in force does not",
    ]  # fmt: skip
