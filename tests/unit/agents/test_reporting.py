"""Every report over a small known log, with figures worked out by hand; and the read model's own rules."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.cli.option_texts import durations, shares
from agents.json_lines import line_of
from agents.reporting.asking import Answer, Asked, answered
from agents.reporting.filling import Filled, begun, of_files
from agents.reporting.pictures import draw
from agents.reporting.reports import REPORTS
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.log_files import MAGIC, LoggedRecord, write_log
from schemas.records import AccountTiers, Action, Order, Standing
from schemas.topics import TOPICS
from streams.policy import CompiledPolicy
from tests.builders import DAY, NOON, cause, interaction, order, prediction, profile, risk, stage_change, transition
from tests.folding import TOPIC_OF, policy_of

ABC = policy_of(
    currency="CNY",
    rates={"USD": {"2020-01-01": 7}},
    targets={"abc": {"accounts": {"A": 0.25, "B": 0.25, "C": 0.5}, "effort": {"A": 0.5, "B": 0.25, "C": 0.25}}},
)
"""Ladder abc: C, B from 60, A from 80; days in UTC."""


def tiers(account_id: str, tier: str, at: int = NOON, revision: int = 1, **more: Any) -> AccountTiers:
    standing = Standing(scheme="abc", tier=tier, earned_tier=tier, sequence=revision, effective_at=at, score_micro=0)
    named: Any = {
        "application": "tierstream", "policy": "small", "policy_version": "1", "policy_digest": "0", "generation": "g",
        "effective_at": at, "decided_at": at, "mode": "LIVE", **more,
    }  # fmt: skip
    return AccountTiers(account_id=account_id, revision=revision, standings=[standing], **named)


def action(action_id: str, account_id: str, kind: str, tier: str, at: int, **more: Any) -> Action:
    named: Any = {
        "application": "tierstream", "policy": "small", "policy_version": "1", "policy_digest": "0", "generation": "g",
        "decided_at": at, "mode": "LIVE", "name": kind.lower(), "reason": "silent too long", "lag_ms": 0, "cause": cause(), **more,
    }  # fmt: skip
    return Action(action_id=action_id, account_id=account_id, kind=kind, scheme="abc", tier=tier, due_at=at, **named)


def asked_of(name: str, records: Iterable[msgspec.Struct], policy: CompiledPolicy | None = ABC, **asked: Any) -> Answer:
    model, rows = begun(policy)
    model.fill(row for record in records for row in rows.of(record))
    return answered(REPORTS[name], model, Asked(**asked), policy, dict(rows.tally))


def rows_of(name: str, records: Iterable[msgspec.Struct], *columns: str, **asked: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in asked_of(name, records, **asked).rows]


FOUR = [tiers("a", "A"), tiers("b", "B"), tiers("c", "C"), tiers("d", "C")]


# -- each report -------------------------------------------------------------------------------------------------------


def test_002_16_the_pyramid_stands_beside_the_target_mix() -> None:
    held = [*FOUR, tiers("e", "C"), tiers("f", "A"), tiers("g", "A"), tiers("h", "A")]
    assert rows_of("pyramid", held, "tier", "accounts", "share", "target", "over") == [
        ("A", 4, 0.5, 0.25, 2.0),
        ("B", 1, 0.125, 0.25, -1.0),
        ("C", 3, 0.375, 0.5, -1.0),
    ]


def test_a_tier_in_which_nobody_is_stands_in_the_pyramid_too() -> None:
    assert rows_of("pyramid", [tiers("c", "C")], "tier", "accounts") == [("A", 0), ("B", 0), ("C", 1)]


def test_000_15_a_touch_counts_for_the_tier_in_which_it_met_the_account() -> None:
    rose = [tiers("a", "A", NOON + 10 * DAY), transition("a", "B", "A", sequence=1, at=NOON + 10 * DAY)]
    touches = [
        interaction("a", "CALL", NOON + 9 * DAY, actor="OWNER"),  # still B
        interaction("a", "CALL", NOON + 10 * DAY, actor="OWNER"),  # A from this very millisecond
        interaction("a", "CALL", NOON + 11 * DAY, actor="OWNER"),
        interaction("c", "CALL", NOON + 11 * DAY, actor="OWNER"),
        interaction("a", "VISIT", NOON + 11 * DAY),  # the customer's own
    ]
    log = [*rose, tiers("c", "C"), *touches]
    assert rows_of("effort", log, "tier", "touches", "share", "accounts", "per_account") == [
        ("A", 2, 0.5, 1, 2.0), ("B", 1, 0.25, 1, 1.0), ("C", 1, 0.25, 1, 1.0),
    ]  # fmt: skip
    assert [row[0] for row in rows_of("effort", log, "touches", actor="ALL")] == [3, 1, 1]


def test_002_17_effort_stands_beside_the_resource_mix() -> None:
    assert rows_of("effort", [*FOUR, interaction("a", "CALL", actor="OWNER")], "tier", "target") == [("A", 0.5), ("B", 0.25), ("C", 0.25)]


def test_movement_is_from_where_an_account_was_to_where_it_is() -> None:
    log = [
        *FOUR,
        transition("a", "C", "B", sequence=1, at=NOON + DAY),
        transition("a", "B", "A", sequence=2, at=NOON + 2 * DAY),
        transition("b", "A", "B", sequence=1, at=NOON - 20 * DAY, direction="DOWN"),
        transition("c", "B", "C", sequence=1, at=NOON + 3 * DAY, direction="DOWN"),
    ]
    moved = {(one, two): count for one, two, count in rows_of("movement", log, "from_tier", "to_tier", "accounts", last_ms=10 * DAY)}
    assert {move: count for move, count in moved.items() if count} == {("C", "A"): 1, ("B", "B"): 1, ("B", "C"): 1, ("C", "C"): 1}
    assert len(moved) == 9
    since = NOON + DAY + 1
    moved = {(one, two): count for one, two, count in rows_of("movement", log, "from_tier", "to_tier", "accounts", since_ms=since)}
    assert moved["B", "A"] == 1


def test_002_18_cadence_is_kept_up_to_the_very_limit_and_a_fresh_tier_has_its_full_time() -> None:
    now = NOON + 40 * DAY
    log = [
        tiers("kept", "A"), interaction("kept", "CALL", now - 14 * DAY, actor="OWNER"),
        tiers("late", "A"), interaction("late", "CALL", now - 14 * DAY - 1, actor="OWNER"),
        tiers("fresh", "A", at=now - DAY),
        tiers("calls", "A"), interaction("calls", "VISIT", now - DAY),  # the customer's visit is no touch of the owner's
        tiers("b", "B"), interaction("b", "VISIT", now),
        action("1", "late", "CADENCE_BREACHED", "A", now - 5), action("2", "late", "RECYCLED", "A", now - 5),
    ]  # fmt: skip
    assert rows_of("cadence", log, "tier", "every_days", "accounts", "kept", "overdue", "share", "breaches")[:2] == [
        ("A", 14.0, 4, 2, 2, 0.5, 1),
        ("B", 30.0, 1, 0, 1, 0.0, 0),
    ]
    assert rows_of("cadence", log, "tier", "kept", every={"A": 15 * DAY}) == [("A", 3)]


def test_002_18_the_cadence_is_the_one_that_the_policy_watches() -> None:
    watched = {"cadence": {"resets_on": {"actor": "OWNER"}, "after": {"A": "3d"}, "then": {"action": "cadence_breached"}}}
    answer = asked_of("cadence", FOUR, policy=policy_of(clocks=watched))
    assert [(row["tier"], row["every_days"]) for row in answer.rows] == [("A", 3.0)]


def test_002_29_the_largest_customers_and_their_share_of_the_revenue() -> None:
    log = [
        *FOUR,
        profile("a", name="Acme"),
        order("a", "PAID", 50_000), order("a", "REFUNDED", 10_000), order("a", "PLACED", 999_999),
        order("b", "PAID", 30_000, order_id="twice"), order("b", "PAID", 30_000, order_id="twice"),
        order("c", "PAID", 2_000), order("d", "PAID", 1_000, currency="USD", order_id="u"),
        order("d", "PAID", 5_000, currency="JPY"), order("d", "PAID", 21_000),
        order("d", "PAID", 70_000, at=NOON - 30 * DAY),  # the quarter before
    ]  # fmt: skip
    answer = asked_of("top", log, n=2)
    assert [(row["rank"], row["account_id"], row["name"], row["tier"], row["orders"], row["revenue_minor"]) for row in answer.rows] == [
        (1, "a", "Acme", "A", 2, 40_000),
        (2, "b", None, "B", 1, 30_000),
    ]
    assert [(row["share"], row["cumulative"], row["of_accounts"]) for row in answer.rows] == [(0.4, 0.4, 0.25), (0.3, 0.7, 0.5)]
    assert answer.left_out == {"orders in JPY": 1}
    assert (answer.since_ms, answer.until_ms) == (1_704_067_200_000, NOON + 1)  # 1 January 2024, UTC, is where the quarter begins


def test_002_29_a_campaign_is_told_down_to_the_contract_amount_per_lead() -> None:
    log = [
        interaction("a", "VISIT", NOON, campaign_id="spring"), interaction("a", "VISIT", NOON + 1, campaign_id="spring"),
        interaction("b", "VISIT", NOON, campaign_id="spring"), interaction("b", "VISIT", NOON + DAY, campaign_id="autumn"),
        order("a", "PAID", 30_000, NOON + 2 * DAY), order("a", "REFUNDED", 10_000, NOON + 3 * DAY),
        order("b", "PAID", 5_000, NOON + 2 * DAY),  # the latest campaign before it: autumn
        order("b", "PAID", 7_000, NOON + 2 * DAY, campaign_id="spring"),  # says so itself
        order("a", "PAID", 900, NOON + 60 * DAY),  # too long after the campaign's last touch
        order("c", "PAID", 800, NOON),  # never touched
    ]  # fmt: skip
    told = rows_of("campaigns", log, "campaign_id", "touches", "leads", "customers", "orders", "amount_minor", "per_lead_minor",
                   within_ms=30 * DAY)  # fmt: skip
    assert told == [("spring", 3, 2, 2, 2, 27_000, 13_500.0), ("autumn", 1, 1, 1, 1, 5_000, 5_000.0)]


def test_002_29_a_new_owner_is_told_what_there_is_to_know() -> None:
    log = [
        profile("a", name="Acme", industry="finance", annual_budget_minor=200_000_000), profile("a", NOON + 1, industry="manufacturing"),
        tiers("a", "A", owner_id="lin"), transition("a", "B", "A"),
        risk("a"), risk("a", risk_id="r-2", kind="TAX_ARREARS"), risk("a", "WITHDRAWN", NOON + 1, risk_id="r-2", kind="TAX_ARREARS"),
        action("1", "a", "BREACHED", "A", NOON, name="stage_dwell"), action("2", "a", "BREACHED", "A", NOON, name="cadence"),
        action("3", "a", "RESOLVED", "A", NOON + 1, name="cadence", resolves="2"),
        action("4", "a", "PLAYBOOK", "B", NOON, name="light"), action("5", "a", "PLAYBOOK", "A", NOON + 1, name="L2C", reason="B to A"),
        action("6", "a", "DONE", "A", NOON, name="ASSIGN_OWNER"), action("7", "a", "RECYCLED", "A", NOON, name="silence"),
        stage_change("a"), order("a", "PAID", 50_000), interaction("a", "CALL", actor="OWNER"), order("b", "PAID", 1),
    ]  # fmt: skip
    told = rows_of("handover", log, "part", "what", account="a")
    assert ("who", "industry: manufacturing") in told
    assert ("tier", "A on ladder abc, owner lin") in told
    assert [what for part, what in told if part == "risk"] == ["LAWSUIT (HIGH) is open"]
    assert ("who", "annual budget: 2,000,000 CNY") in told
    assert [what for part, what in told if part == "to do"] == ["breached stage dwell: silent too long", "playbook L2C: B to A"]
    assert ("bought", "1 × paid, 500 CNY") in told
    assert ("touches", "1 × call (owner)") in told
    assert [part for part, _ in told if part in ("changes", "opportunity")] == ["opportunity", "changes"]
    assert rows_of("handover", log, "what", account="nobody") == []


# -- the read model ----------------------------------------------------------------------------------------------------


def test_what_repeats_counts_once_and_what_is_older_does_not_stand() -> None:
    touched = interaction("a", "CALL", event_id="e", actor="OWNER")
    log = [tiers("a", "B", revision=2), tiers("a", "A", revision=1), touched, touched]
    assert rows_of("pyramid", log, "tier", "accounts") == [("A", 0), ("B", 1), ("C", 0)]
    assert [touches for (touches,) in rows_of("effort", log, "touches")] == [0, 1, 0]


def test_an_erased_account_is_in_no_table() -> None:
    model, rows = begun(ABC)
    model.fill(row for record in (tiers("a", "A"), order("a"), interaction("a"), profile("a", name="Acme")) for row in rows.of(record))
    model.forget("a")
    tables = [row["name"] for row in model.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert [table for table in tables if model.database.execute(f"SELECT 1 FROM {table}").fetchone()] == ["known"]
    assert [tuple(row) for row in model.database.execute("SELECT * FROM known")] == [("currency", "CNY")]


def test_without_a_policy_one_currency_is_summed_and_tiers_are_ordered_by_what_they_are_worth() -> None:
    answer = asked_of("top", [order("a", "PAID", 5), order("b", "PAID", 7, currency="USD")], policy=None)
    assert [(row["account_id"], row["revenue_minor"]) for row in answer.rows] == [("a", 5)]
    assert (answer.currency, answer.left_out) == ("CNY", {"orders in USD": 1})


def test_a_ladder_or_a_target_that_is_not_there_is_said_so() -> None:
    with pytest.raises(SettingsError, match="--scheme must be one of abc, got xyz"):
        asked_of("pyramid", FOUR, scheme="xyz")
    with pytest.raises(SettingsError, match="ladder abc does not have: S"):
        asked_of("pyramid", FOUR, accounts={"S": 1.0})


def test_every_report_reads_topics_that_exist_names_its_fact_and_answers_an_empty_log() -> None:
    for name, report in REPORTS.items():
        assert set(report.reads) <= set(TOPICS), name
        assert report.fact[:3].isdecimal(), name
        answer = asked_of(name, [])
        assert all(set(row) == {column.name for column in report.columns} for row in answer.rows), name


# -- files and pictures ------------------------------------------------------------------------------------------------


def filled(path: Path, name: str, policy: CompiledPolicy | None = ABC) -> Filled:
    return of_files([path], REPORTS[name].reads, policy, lambda _: None, graded=REPORTS[name].graded)


def test_a_saved_read_model_answers_the_same(tmp_path: Path) -> None:
    lines, saved = tmp_path / "log.jsonl", tmp_path / "model.db"
    topics = {"account-tiers": FOUR, "orders": [order("a"), order("b")]}
    lines.write_text("".join(line_of(topic, record) + "\n" for topic, its in topics.items() for record in its), encoding="utf-8")
    first = filled(lines, "top")
    first.model.save(saved)
    again = filled(saved, "top")
    rows = [answered(REPORTS["top"], model, Asked(), ABC, {}).rows for model in (first.model, again.model)]
    assert rows[0] == rows[1] != []


@pytest.mark.parametrize("saved_by", [ABC, None])
def test_a_saved_read_model_says_in_which_currency_its_amounts_are(saved_by: CompiledPolicy | None, tmp_path: Path) -> None:
    lines, saved = tmp_path / "log.jsonl", tmp_path / "model.db"
    orders = [order("a"), *(order(account_id, currency="USD") for account_id in ("b", "c"))]
    lines.write_text("".join(line_of("orders", each) + "\n" for each in orders), encoding="utf-8")
    filled(lines, "top", saved_by).model.save(saved)
    again = filled(saved, "top", None).model
    assert answered(REPORTS["top"], again, Asked(), None, {}).currency == "CNY"
    with pytest.raises(SettingsError, match="are in CNY and those of the policy in EUR"):
        answered(REPORTS["top"], again, Asked(), policy_of(currency="EUR"), {})


def test_a_log_of_records_alone_is_folded_by_the_policy_and_needs_one(tmp_path: Path) -> None:
    lines = tmp_path / "log.jsonl"
    lines.write_text(line_of("predictions", prediction("a")) + "\n", encoding="utf-8")
    model = filled(lines, "handover").model
    assert [row["tier"] for row in model.database.execute("SELECT tier FROM standing")] == ["C"]
    with pytest.raises(SettingsError, match="name the policy"):
        filled(lines, "handover", None)


def test_a_file_that_is_no_log_is_said_so(tmp_path: Path) -> None:
    strange = tmp_path / "strange.txt"
    strange.write_text("hello\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"strange.txt:1 is no line of `export` or `replay`"):
        filled(strange, "pyramid")


def test_a_container_says_what_the_same_records_say_one_by_one(tmp_path: Path) -> None:
    """What columns cannot take (here a varint longer than it need be) counts in its place, what nobody takes is left out and counted."""
    twice = order("a", order_id="o-1", amount_minor=5)
    said = [order("a", currency="USD"), order("b", currency="GBP"), twice, order("c", status="REFUNDED", campaign_id="spring")]
    said += [
        interaction("b", "VISIT", channel="e-mail", campaign_id="spring"),
        interaction("a", "CALL", actor="OWNER"),
        profile("a", name="云翔"),
    ]
    codec = Codec()
    payloads = [(TOPIC_OF[type(record)], codec.encode(record)) for record in said]
    overlong = codec.encode(msgspec.structs.replace(twice, amount_minor=0, event_id="later", campaign_id=None)).replace(
        b"\x00\x06CNY", b"\x80\x00\x06CNY"
    )
    payloads += [("orders", overlong), ("orders", b"noise"), ("interactions", codec.encode(twice))]
    path = tmp_path / "log.avro"
    with path.open("wb") as file:
        write_log(file, (LoggedRecord(topic, 0, number, NOON, b"a", payload) for number, (topic, payload) in enumerate(payloads)))
    filled = of_files([path], TOPICS, ABC, lambda _: None, graded=False)
    model, rows = begun(ABC)
    model.fill(row for record in said for row in rows.of(record))
    for table in ("purchase", "touch", "field"):
        held = [[tuple(row) for row in each.database.execute(f"SELECT * FROM {table}")] for each in (filled.model, model)]
        assert held[0] == held[1] != []
    assert b"\x80\x00\x06CNY" in overlong
    assert codec.decode_as(Order, overlong).amount_minor == 0
    assert filled.left_out == {"orders in GBP": 1, "records refused (UNDECODABLE)": 1, "records refused (WRONG_RECORD)": 1}


def test_a_container_that_was_cut_is_said_so(tmp_path: Path) -> None:
    cut = tmp_path / "log.avro"
    cut.write_bytes(MAGIC + b"cut")
    with pytest.raises(SettingsError, match=r"file .*log.avro cannot be read: log file must be an Avro object container"):
        filled(cut, "pyramid")


@pytest.mark.parametrize("name", [name for name, report in REPORTS.items() if report.picture])
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_picture_is_drawn_with_every_row_in_it(name: str, suffix: str, tmp_path: Path) -> None:
    log = [*FOUR, order("a"), interaction("a", "CALL", actor="OWNER", campaign_id="spring")]
    answer, path = asked_of(name, log), tmp_path / f"picture{suffix}"
    draw(answer, path)
    if suffix == ".png":
        assert path.read_bytes().startswith(b"\x89PNG")
        return
    text = path.read_text(encoding="utf-8")
    assert answer.rows
    assert [row for row in answer.rows if f">{row[answer.report.picture.label]}<" not in text] == []


def test_what_cannot_be_drawn_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"must be a file .png or .svg"):
        draw(asked_of("pyramid", FOUR), tmp_path / "picture.gif")
    with pytest.raises(SettingsError, match="told, not drawn"):
        draw(asked_of("handover", FOUR, account="a"), tmp_path / "picture.png")


def test_options_name_their_mistakes() -> None:
    assert shares("--target", "S=2, A=98%") == {"S": 0.02, "A": 0.98}
    assert durations("--every", "S=7d") == {"S": 7 * DAY}
    for wrong, said in (
        ("S=2,A=9", "must sum to 100 percent, got 11"),
        ("S", "must be TIER="),
        ("S=x", "must be a percentage"),
        ("S=50,S=50", "once"),
    ):
        with pytest.raises(SettingsError, match=said):
            shares("--target", wrong)
    with pytest.raises(SettingsError, match="--every must be a duration"):
        durations("--every", "S=7")
