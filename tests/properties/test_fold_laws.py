"""The laws of the fold (domain, section 3) over the shipped policies and generated ones."""

from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import Event, TierTransition
from streams.account import event_id64
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from streams.units import micro
from streams.view import STAGES
from tests.builders import prediction, risk
from tests.folding import TOPIC_OF, Folding, by_score, bytes_of, policy_of, restored, totals
from tests.histories import long_after
from tests.worlds import World, policies_with_logs

CODEC = Codec()


def placed(log: list[Event]) -> list[RawRecord]:
    """The records as they lie in their topics, appended one after the other, none before it happened."""
    offsets: dict[str, int] = defaultdict(int)
    raws, appended_at_ms = list[RawRecord](), 0
    for record in log:
        topic, appended_at_ms = TOPIC_OF[type(record)], max(record.occurred_at, appended_at_ms + 1)
        raws.append(RawRecord(topic, 0, offsets[topic], appended_at_ms, record.account_id.encode(), CODEC.encode(record)))
        offsets[topic] += 1
    return raws


def cycled(partition: Partition, raws: list[RawRecord], decided_at_ms: int = 0) -> Folded:
    return fold_cycle(partition, RecordBatch.of(raws), CODEC, mode="LIVE", decided_at_ms=decided_at_ms)


def published(folded: list[Folded]) -> list[TierTransition]:
    return [output.record for each in folded for output in each.outputs if isinstance(output.record, TierTransition)]


def chunked(raws: list[RawRecord], cuts: set[int]) -> list[list[RawRecord]]:
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(raws)), len(raws)]
    return [raws[low:high] for low, high in pairwise(places)]


@given(policies_with_logs(), st.sets(st.integers(0, 40)))
def test_replay_gives_the_same_outputs_whatever_the_batch_boundaries(world: World, cuts: set[int]) -> None:
    policy, log = world
    at_once = [cycled(Partition(0, None, "test", policy), placed(log))]
    partition = Partition(0, None, "test", policy)
    in_parts = [cycled(partition, part, 1 + n) for n, part in enumerate(chunked(placed(log), cuts))]
    assert bytes_of(published(at_once)) == bytes_of(published(in_parts))
    assert dict(at_once[0].changes) == {key: payload for folded in in_parts for key, payload in folded.changes}


@given(policies_with_logs(capped=False, max_size=16, repeating=False, commanded=False), st.randoms(use_true_random=False))
def test_the_final_score_does_not_depend_on_the_order_of_arrival(world: World, random: Random) -> None:
    policy, log = world
    other = list(log)
    random.shuffle(other)
    there, back = Folding(policy), Folding(policy)
    there.fold(*log)
    back.fold(*other)
    for account in there.partition.account_ids():
        one, two = there.view(account), back.view(account)
        assert all(abs(here - other) <= 1 for (here, _), (other, _) in zip(totals(one), totals(two), strict=True))
        assert (one["profile"], one["open_risks"], one["clock_at"]) == (two["profile"], two["open_risks"], two["clock_at"])


@given(policies_with_logs())
def test_chains_are_gapless_and_each_begins_where_the_last_ended(world: World) -> None:
    policy, log = world
    f = Folding(policy)
    f.fold(*log)
    chains: dict[tuple[str, str], list[TierTransition]] = defaultdict(list)
    for each in f.published:
        chains[each.account_id, each.scheme].append(each)
    assert len({each.transition_id for each in f.published}) == len(f.published)
    for (account, name), chain in chains.items():
        spec = policy.document.schemes[name]
        assert [each.sequence for each in chain] == list(range(1, len(chain) + 1))
        lowest = spec.tiers[0].name
        expected_from = [None if spec.announce_entry else lowest, *(each.to_tier for each in chain)]
        assert [each.from_tier for each in chain] == expected_from[:-1]
        assert all(one.effective_at <= two.effective_at for one, two in pairwise(chain))
        assert all(each.from_tier != each.to_tier for each in chain)
        standing = f.view(account)["schemes"][name]
        assert (standing["published"], standing["sequence"]) == (chain[-1].to_tier, len(chain))


@given(policies_with_logs(bare=True))
def test_a_tier_is_earned_at_its_threshold_and_lost_only_below_the_band(world: World) -> None:
    """Between two records time moves the tier; a record moves it on from where time had left it at the record's instant."""
    policy, log = world
    f = Folding(policy)
    for record in log:
        earlier = f.partition.view(record.account_id, record.occurred_at)
        f.fold(record)
        view = f.view(record.account_id)
        for scheme in policy.schemes:
            tiers, spec = scheme.ladder.tiers, policy.document.schemes[scheme.name].tiers
            before = tiers.index(earlier["schemes"][scheme.name]["earned"]) if earlier else 0
            after = tiers.index(view["schemes"][scheme.name]["earned"])
            score = view["score_micro"]
            reached = [n for n, tier in enumerate(spec) if tier.enter_at is None or score >= round(tier.enter_at * 1e6)]
            held = [n for n, tier in enumerate(spec) if tier.enter_at is None or score >= _micro(tier.leave_below, tier.enter_at)]
            assert after == max(*reached, min(before, max(held)))


def _micro(leave_below: float | None, enter_at: float) -> int:
    return micro(enter_at if leave_below is None else leave_below)


@given(policies_with_logs(commanded=False))
def test_the_ledger_sums_exactly_to_each_dimension_and_to_the_score(world: World) -> None:
    policy, log = world
    f = Folding(policy)
    for record in log:
        for each in f.fold(record):
            parts: dict[str, int] = defaultdict(int)
            for line in each.contributions:
                parts[line.dimension] += line.micro
            assert sum(parts.values()) == each.score_after_micro
            if not by_score(policy, each.scheme):
                assert set(parts) == {each.scheme}
                continue
            assert {d.name: d.weighted_micro for d in each.dimensions if d.weighted_micro} == {n: m for n, m in parts.items() if m}
            for dimension, weight in zip(each.dimensions, policy.weights, strict=True):
                assert 0 <= dimension.after_micro <= 100_000_000
                assert abs(dimension.weighted_micro - weight * dimension.after_micro) <= 1.5
        assert all(points == lines for points, lines in totals(f.view(record.account_id)))


@given(policies_with_logs())
def test_deciding_every_record_gives_the_same_outputs_as_fast_forward(world: World) -> None:
    policy, log = world
    guarded, unguarded = Folding(policy), Folding(policy, guarded=False)
    assert bytes_of(guarded.fold(*log)) == bytes_of(unguarded.fold(*log))
    assert guarded.keep() == unguarded.keep()


EARLIER_RISK, LATER_RISK = sorted(("planted-1", "planted-2"), key=lambda event_id: event_id64("risks", event_id))


@given(policies_with_logs(repeating=False), st.data())
def test_a_risk_raised_and_withdrawn_leaves_the_account_where_it_would_have_been(world: World, data: st.DataObject) -> None:
    """Both at the account's own clock, so that the risk's time moves nothing: what stands there then goes by the greater event id."""
    policy, log = world
    account = data.draw(st.sampled_from(sorted({record.account_id for record in log})))
    kind = data.draw(st.sampled_from(["LAWSUIT", "TAX_ARREARS"]))
    first = data.draw(st.integers(1, len(log)))
    last = data.draw(st.integers(first, len(log)))
    plain, gated = Folding(policy), Folding(policy)
    for place, record in enumerate(log, 1):
        plain.fold(record)
        gated.fold(record)
        seen = gated.partition.view(account)
        if place == first and seen:
            gated.fold(risk(account, "RAISED", seen["clock_at"], risk_id="planted", kind=kind, event_id=EARLIER_RISK))
            assert "planted" in [each["risk_id"] for each in gated.view(account)["open_risks"]]
        if place == last and seen and "planted" in [each["risk_id"] for each in gated.view(account)["open_risks"]]:
            gated.fold(risk(account, "WITHDRAWN", gated.view(account)["clock_at"], risk_id="planted", kind=kind, event_id=LATER_RISK))
            assert "planted" not in [each["risk_id"] for each in gated.view(account)["open_risks"]]
    for each in plain.partition.account_ids():
        for look_ms in (0, long_after(policy, log)):
            assert standings(plain, each, look_ms) == standings(gated, each, look_ms)


def standings(f: Folding, account: str, at_ms: int) -> dict[str, Any]:
    """Where the account stands at the instant, with all that leads there; what was published on the way apart."""
    seen = f.partition.view(account, at_ms)
    assert seen is not None
    schemes = {name: {stage: standing[stage] for stage in STAGES} for name, standing in seen["schemes"].items()}
    return {part: seen[part] for part in ("clock_at", "score_micro", "clocks", "owner_id", "pool", "open_risks")} | schemes


POISON = st.sampled_from(["junk", "empty", "foreign schema", "no key", "other key", "ahead"])


def spoilt(raw: RawRecord, how: str) -> RawRecord:
    assert raw.payload is not None
    return {
        "junk": raw._replace(payload=raw.payload[:9]),
        "empty": raw._replace(payload=None),
        "foreign schema": raw._replace(payload=b"\0\0\0\0\x63" + raw.payload[5:]),
        "no key": raw._replace(key=None),
        "other key": raw._replace(key=b"nobody"),
        "ahead": raw._replace(appended_at_ms=0),
    }[how]


@given(policies_with_logs(), st.lists(st.none() | POISON, min_size=45, max_size=45))
def test_illegal_input_changes_nothing(world: World, poison: list[str | None]) -> None:
    policy, log = world
    raws = [raw if how is None else spoilt(raw, how) for raw, how in zip(placed(log), poison, strict=False)]
    good = [raw for raw, how in zip(raws, poison, strict=False) if how is None]
    mixed, clean = Partition(0, None, "test", policy), Partition(0, None, "test", policy)
    with_poison, without = cycled(mixed, raws), cycled(clean, good)
    assert with_poison.outputs == without.outputs
    assert with_poison.changes == without.changes
    assert [(dead.topic, dead.offset) for dead in with_poison.dead] == [
        (raw.topic, raw.offset) for raw, how in zip(raws, poison, strict=False) if how is not None
    ]


@given(policies_with_logs(), st.integers(0, 40))
def test_restored_state_is_live_state_and_goes_on_identically(world: World, cut: int) -> None:
    policy, log = world
    raws = placed(log)
    live = Partition(0, None, "test", policy)
    changelog: dict[bytes, bytes] = {}
    for part in chunked(raws[:cut], set(range(0, 40, 7))):
        changelog.update(cycled(live, part).changes)
    back = restored(changelog, policy)
    assert sorted(back.account_ids()) == sorted(live.account_ids())
    assert [back.view(account) for account in live.account_ids()] == [live.view(account) for account in live.account_ids()]
    one, two = cycled(live, raws[cut:]), cycled(back, raws[cut:])
    assert (one.outputs, one.changes, one.dead, one.fates) == (two.outputs, two.changes, two.dead, two.fates)


@settings(max_examples=settings.default.max_examples // 3)
@given(policies_with_logs())
def test_every_output_can_be_written_and_read_back(world: World) -> None:
    policy, log = world
    outputs = cycled(Partition(0, None, "test", policy), placed(log)).outputs
    for record in [output.record for output in outputs]:
        assert CODEC.decode_as(type(record), CODEC.encode(record)) == record


def test_every_combination_worth_exactly_60_reaches_b() -> None:
    weights = {"a": 0.3, "b": 0.4, "c": 0.3}
    policy = policy_of(dimensions={name: {"prediction": name, "fallback": 0} for name in weights}, score=weights)
    worth_60 = [(a, b, c) for a in range(101) for b in range(101) for c in range(101) if 3 * a + 4 * b + 3 * c == 600]
    assert len(worth_60) == 1_990
    f = Folding(policy)
    plain_floats_fail = 0
    for number, points in enumerate(worth_60):
        account = f"a{number}"
        f.fold(*(prediction(account, float(score), model=model) for model, score in zip(weights, points, strict=True)))
        assert (f.view(account)["score_micro"], f.tier(account)) == (60_000_000, "B")
        plain_floats_fail += sum(weight * score for weight, score in zip(weights.values(), points, strict=True)) < 60
    assert plain_floats_fail == 65, "the trap is there: plain floats would have put 65 of them below"
