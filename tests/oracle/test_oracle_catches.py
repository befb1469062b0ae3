"""The oracle can fail: each anomaly there is, planted into a good log, is caught by its name."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.changelog import TICK_KEY, Progress, progress_key, progress_payload
from schemas.codec import Codec
from schemas.records import AccountTiers, Cause, FoldOrder, TierTransition
from tests.folding import judged_by_the_oracle
from tests.oracle.judging import ANOMALIES, Left, judged
from tests.oracle.recording import APPLICATION, left_behind
from tests.oracle.test_oracle_agrees import DOCUMENTS, lived

CODEC = Codec()
GOOD = "quiet"
Plant = Callable[[Left], Left]


@pytest.fixture(scope="module")
def good() -> Left:
    left = left_behind(judged_by_the_oracle(GOOD), lived(7, 3_000), Random(7))
    assert names(left) == set()
    return left


def names(left: Left) -> set[str]:
    return {anomaly.name for anomaly in judged(left, DOCUMENTS[GOOD], APPLICATION, 1)}


def chained(left: Left) -> int:
    """The place of a transition that another one of its chain follows."""
    accounts = [key for key, _ in left.transitions]
    return next(place for place, key in enumerate(accounts) if key in accounts[place + 1 :])


def edited(**changes: Any) -> Plant:
    def plant(left: Left) -> Left:
        place = chained(left)
        key, payload = left.transitions[place]
        record = msgspec.structs.replace(CODEC.decode_as(TierTransition, payload), **changes)
        return left._replace(transitions=[*left.transitions[:place], (key, CODEC.encode(record)), *left.transitions[place + 1 :]])

    return plant


def other_cause(left: Left) -> Left:
    cause = CODEC.decode_as(TierTransition, left.transitions[chained(left)][1]).cause
    return edited(cause=Cause(**{**msgspec.structs.asdict(cause), "offset": cause.offset + 1}))(left)


def without_transition(left: Left) -> Left:
    place = chained(left)
    return left._replace(transitions=left.transitions[:place] + left.transitions[place + 1 :])


def doubled_transition(left: Left) -> Left:
    return left._replace(transitions=[*left.transitions, left.transitions[3]])


def swapped_transitions(left: Left) -> Left:
    first = left.transitions[0]
    other = next(place for place, (key, _) in enumerate(left.transitions) if key != first[0])
    swapped = list(left.transitions)
    swapped[0], swapped[other] = swapped[other], swapped[0]
    return left._replace(transitions=swapped)


def phantom_transition(left: Left) -> Left:
    key, payload = left.transitions[-1]
    record = CODEC.decode_as(TierTransition, payload)
    invented = msgspec.structs.replace(record, transition_id="00000000-0000-0000-0000-000000000000", sequence=record.sequence + 1)
    return left._replace(transitions=[*left.transitions, (key, CODEC.encode(invented))])


def wrong_ledger(left: Left) -> Left:
    record = CODEC.decode_as(TierTransition, left.transitions[chained(left)][1])
    lines = [msgspec.structs.replace(record.contributions[0], micro=record.contributions[0].micro + 1), *record.contributions[1:]]
    return edited(contributions=lines)(left)


def without_dead_letter(left: Left) -> Left:
    return left._replace(dead_letters=left.dead_letters[1:])


def doubled_dead_letter(left: Left) -> Left:
    return left._replace(dead_letters=[*left.dead_letters, left.dead_letters[0]])


def dead_letter_of_a_good_record(left: Left) -> Left:
    *_, headers = left.dead_letters[0]
    dead = {int(h["__connect.errors.offset"]) for *_, h in left.dead_letters}
    sound = next(record for record in left.inputs["interactions"] if record.offset not in dead)
    headers = {**headers, "__connect.errors.offset": str(sound.offset).encode()}
    return left._replace(dead_letters=[*left.dead_letters, (sound.key, sound.payload, headers)])


def dead_letter_with_another_reason(left: Left) -> Left:
    key, payload, headers = left.dead_letters[0]
    return left._replace(dead_letters=[(key, payload, {**headers, "tierstream.reason": b"QUARANTINED"}), *left.dead_letters[1:]])


def dead_letter_with_another_payload(left: Left) -> Left:
    key, payload, headers = left.dead_letters[0]
    return left._replace(dead_letters=[(key, (payload or b"") + b"!", headers), *left.dead_letters[1:]])


def order_shifted(by: int) -> Plant:
    def plant(left: Left) -> Left:
        order = CODEC.decode_as(FoldOrder, left.orders[5])
        ranges = [msgspec.structs.replace(part, from_offset=part.from_offset + by) for part in order.ranges]
        shifted = CODEC.encode(msgspec.structs.replace(order, ranges=ranges))
        return left._replace(orders=[*left.orders[:5], shifted, *left.orders[6:]])

    return plant


def without_last_order(left: Left) -> Left:
    last = max(place for place, order in enumerate(left.orders) if CODEC.decode_as(FoldOrder, order).ranges)
    return left._replace(orders=left.orders[:last])


def unit_of_work_again(left: Left) -> Left:
    """What a zombie that was not fenced leaves behind: a whole transaction once more."""
    record = CODEC.decode_as(TierTransition, left.transitions[0][1]).cause
    place = next(n for n, order in enumerate(left.orders) if _folds(CODEC.decode_as(FoldOrder, order), record))
    return left._replace(orders=[*left.orders, left.orders[place]], transitions=[*left.transitions, left.transitions[0]])


def _folds(order: FoldOrder, cause: Cause) -> bool:
    return any(part.topic == cause.topic and part.from_offset <= cause.offset < part.to_offset for part in order.ranges)


def changed_row(left: Left) -> Left:
    rows = [place for place, (key, _) in enumerate(left.changelog) if key.startswith(b"r")]
    key, payload = left.changelog[rows[-1]]
    assert payload is not None
    layout = next(json.loads(about) for each, about in left.changelog if each.startswith(b"\0layout\0") and about is not None)
    first = 8 + -(-layout["row_bytes"] // 512) * 8  # behind the layout's id and the mask: the first word that is not as rows start
    spoilt = payload[:first] + bytes([payload[first] ^ 1]) + payload[first + 1 :]
    return left._replace(changelog=[*left.changelog, (key, spoilt)])


def older_row(left: Left) -> Left:
    """A row as it was two writes ago: a lost write."""
    written = [key for key, _ in left.changelog if key.startswith(b"r")]
    key = next(key for key in written if written.count(key) > 2)
    payloads = [payload for each, payload in left.changelog if each == key]
    return left._replace(changelog=[*left.changelog, (key, payloads[-3])])


def without_a_dossier(left: Left) -> Left:
    gone = next(key for key, _ in left.changelog if key.startswith(b"d"))
    return left._replace(changelog=[(key, payload) for key, payload in left.changelog if key != gone])


def row_of_nobody(left: Left) -> Left:
    key, payload = next((key, payload) for key, payload in left.changelog if key.startswith(b"r"))
    return left._replace(changelog=[*left.changelog, (key + b"-nobody", payload)])


def progress_set_back(left: Left) -> Left:
    at = Progress(3, judged_by_the_oracle(GOOD).digest, "id-of-interactions")
    return left._replace(changelog=[*left.changelog, (progress_key("interactions"), progress_payload(at))])


def progress_of_another_policy(left: Left) -> Left:
    key, payload = next((key, payload) for key, payload in reversed(left.changelog) if key == progress_key("interactions"))
    assert payload is not None
    return left._replace(changelog=[*left.changelog, (key, payload.replace(judged_by_the_oracle(GOOD).digest.encode(), b"f" * 16))])


def made_by(kind: str, **changes: Any) -> Plant:
    """The first transition with this cause, changed; taken out if nothing is said of it."""

    def plant(left: Left) -> Left:
        records = [CODEC.decode_as(TierTransition, payload) for _, payload in left.transitions]
        place = next(place for place, record in enumerate(records) if record.cause.kind == kind)
        shifted = {name: getattr(records[place], name) + by for name, by in changes.items()}
        edit = [(left.transitions[place][0], CODEC.encode(msgspec.structs.replace(records[place], **shifted)))] if changes else []
        return left._replace(transitions=[*left.transitions[:place], *edit, *left.transitions[place + 1 :]])

    return plant


def without_standing(left: Left) -> Left:
    return left._replace(standings=left.standings[:5] + left.standings[6:])


def doubled_standing(left: Left) -> Left:
    return left._replace(standings=[*left.standings, left.standings[5]])


def swapped_standings(left: Left) -> Left:
    key = next(key for key, _ in left.standings if [each for each, _ in left.standings].count(key) > 1)
    one, other = [place for place, (each, _) in enumerate(left.standings) if each == key][:2]
    swapped = list(left.standings)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return left._replace(standings=swapped)


def edited_standing(**changes: Any) -> Plant:
    def plant(left: Left) -> Left:
        key, payload = left.standings[-1]
        record = msgspec.structs.replace(CODEC.decode_as(AccountTiers, payload), **changes)
        return left._replace(standings=[*left.standings[:-1], (key, CODEC.encode(record))])

    return plant


def standing_in_another_tier(left: Left) -> Left:
    standing = CODEC.decode_as(AccountTiers, left.standings[-1][1]).standings[0]
    other = next(tier for tier in "CBAS" if tier != standing.tier)
    return edited_standing(standings=[msgspec.structs.replace(standing, tier=other)])(left)


def without_action(left: Left) -> Left:
    return left._replace(actions=left.actions[1:])


def doubled_action(left: Left) -> Left:
    return left._replace(actions=[*left.actions, left.actions[0]])


def order_with_another_tick(**changes: int | None) -> Plant:
    """The last lane's tick but one, changed."""

    def plant(left: Left) -> Left:
        orders = [CODEC.decode_as(FoldOrder, payload) for payload in left.orders]
        place = [place for place, order in enumerate(orders) if order.tick is not None][-2]
        tick = msgspec.structs.replace(orders[place].tick, **changes) if changes else None
        return left._replace(
            orders=[*left.orders[:place], CODEC.encode(msgspec.structs.replace(orders[place], tick=tick)), *left.orders[place + 1 :]]
        )

    return plant


def older_tick_kept(left: Left) -> Left:
    ticks = [payload for key, payload in left.changelog if key == TICK_KEY]
    return left._replace(changelog=[*left.changelog, (TICK_KEY, ticks[-2])])


PLANTS: list[tuple[Plant, set[str]]] = [
    (without_transition, {"LOST", "GAP"}),
    (doubled_transition, {"DOUBLED"}),
    (phantom_transition, {"PHANTOM"}),
    (swapped_transitions, {"OUT_OF_ORDER"}),
    (edited(to_tier="S"), {"WRONG_TIER", "WRONG_LEDGER"}),
    (edited(from_tier=None), {"WRONG_TIER"}),
    (edited(score_before_micro=5), {"WRONG_SCORE"}),
    (edited(score_after_micro=99_000_000), {"WRONG_SCORE", "WRONG_LEDGER"}),
    (wrong_ledger, {"WRONG_LEDGER"}),
    (edited(effective_at=1), {"WRONG_TIME"}),
    (edited(lag_ms=123_456), {"WRONG_TIME"}),
    (made_by("SILENCE"), {"LOST", "GAP"}),
    (made_by("SILENCE", effective_at=1), {"WRONG_TIME"}),
    (made_by("SILENCE", effective_at=-1), {"WRONG_TIME"}),
    (made_by("DECAY"), {"LOST"}),
    (made_by("DECAY", effective_at=1, decided_at=1), {"WRONG_TIME"}),
    (made_by("DECAY", effective_at=-1, decided_at=-1), {"WRONG_TIME"}),
    (made_by("SILENCE", lag_ms=1), {"WRONG_TIME"}),
    (without_standing, {"STANDING_LOST"}),
    (doubled_standing, {"STANDING_DOUBLED"}),
    (swapped_standings, {"STANDING_WRONG"}),
    (standing_in_another_tier, {"STANDING_WRONG"}),
    (edited_standing(owner_id="somebody"), {"STANDING_WRONG"}),
    (edited_standing(effective_at=1), {"STANDING_WRONG"}),
    (edited_standing(revision=4711), {"STANDING_PHANTOM", "STANDING_LOST"}),
    (without_action, {"ACTION_DIFFERS"}),
    (doubled_action, {"ACTION_DIFFERS"}),
    (order_with_another_tick(), {"TICKS_DIFFER"}),
    (order_with_another_tick(previous=None), {"TICKS_DIFFER"}),
    (older_tick_kept, {"TICKS_DIFFER"}),
    (other_cause, {"WRONG_CAUSE"}),
    (edited(mode="REBUILD"), {"WRONG_CAUSE"}),
    (edited(owner_id="somebody"), {"WRONG_CAUSE"}),
    (without_dead_letter, {"DEAD_LETTER_LOST"}),
    (doubled_dead_letter, {"DEAD_LETTER_DOUBLED"}),
    (dead_letter_of_a_good_record, {"DEAD_LETTER_PHANTOM"}),
    (dead_letter_with_another_reason, {"DEAD_LETTER_WRONG"}),
    (dead_letter_with_another_payload, {"DEAD_LETTER_WRONG"}),
    (order_shifted(-1), {"RANGE_OVERLAP"}),
    (order_shifted(+1), {"RANGE_GAP"}),
    (without_last_order, {"RANGE_GAP"}),
    (unit_of_work_again, {"RANGE_OVERLAP", "DOUBLED"}),
    (changed_row, {"STATE_DIFFERS"}),
    (older_row, {"STATE_DIFFERS"}),
    (without_a_dossier, {"STATE_DIFFERS"}),
    (row_of_nobody, {"STATE_DIFFERS"}),
    (progress_set_back, {"PROGRESS_DIFFERS"}),
    (progress_of_another_policy, {"DIGESTS_DIFFER"}),
]


@pytest.mark.parametrize(("plant", "caught"), PLANTS, ids=[f"{n}-{'-'.join(sorted(caught))}" for n, (_, caught) in enumerate(PLANTS)])
def test_a_planted_anomaly_is_caught_by_its_name(good: Left, plant: Plant, caught: set[str]) -> None:
    assert caught <= names(plant(good))


def test_every_anomaly_there_is_has_been_planted() -> None:
    assert set.union(*(caught for _, caught in PLANTS)) == set(ANOMALIES)


@pytest.mark.parametrize("spoilt", ["from", "points", "half_life"])
def test_another_policy_than_the_one_in_force_is_noticed(good: Left, spoilt: str) -> None:
    document = msgspec.json.decode(msgspec.json.encode({**DOCUMENTS[GOOD], "reviewed_on": "2026-11-01"}))
    measure = document["measures"]["engagement"]
    measure |= {"from": {}, "points": {"points": {**measure["points"], "DOWNLOAD": 4.001}}, "half_life": {"half_life": "29s"}}[spoilt]
    assert bool(judged(good, document, APPLICATION, 1)) == (spoilt != "from")
