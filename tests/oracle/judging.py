"""What a worker left behind against what it must have left behind: every difference, by name.

Scores may differ by one micro-point (two ways of the same arithmetic); everything else is exact. decided_at and lag_ms are
checked against each other only.
"""

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from tests.oracle.leftovers import kept
from tests.oracle.recomputing import Expected, Logged, inputs_of, recompute
from tests.oracle.state import differences
from tests.oracle.wire import decoded

ANOMALIES = {
    "LOST": "a transition that the inputs make was not published",
    "DOUBLED": "a transition was published more than once",
    "PHANTOM": "a transition was published that the inputs do not make",
    "OUT_OF_ORDER": "transitions were published in another order than their records were folded",
    "STANDING_LOST": "current tiers that changed were not published",
    "STANDING_DOUBLED": "current tiers were published more than once",
    "STANDING_PHANTOM": "current tiers were published though nothing changed",
    "STANDING_WRONG": "published current tiers are not what they are, or not where they belong",
    "ACTION_DIFFERS": "an action was lost, doubled, invented, or says something else",
    "GAP": "a sequence number does not follow the one before it",
    "WRONG_TIER": "a transition leads from or to another tier",
    "WRONG_SCORE": "a score or a dimension is another one",
    "WRONG_LEDGER": "the lines do not sum, or the trail does not lead to the tier",
    "WRONG_CAUSE": "a transition names another record, key, owner, mode or policy",
    "WRONG_TIME": "effective_at or lag_ms is another one",
    "DEAD_LETTER_LOST": "a refused record is not in the dead letters",
    "DEAD_LETTER_DOUBLED": "a refused record is there more than once",
    "DEAD_LETTER_PHANTOM": "a record that must be folded is in the dead letters",
    "DEAD_LETTER_WRONG": "a dead letter gives another reason, or not the record as it came",
    "RANGE_GAP": "fold-order leaves out records",
    "RANGE_OVERLAP": "fold-order folds records again",
    "STATE_DIFFERS": "a row or dossier is not what the records make of the account",
    "PROGRESS_DIFFERS": "the progress kept is not the end of the last range",
    "TICKS_DIFFER": "the ticks of fold-order do not follow one another, or another one is kept",
    "DIGESTS_DIFFER": "not everything was made under one policy",
}


class Anomaly(NamedTuple):
    """One difference; `name` is one of ANOMALIES."""

    name: str
    partition: int
    what: str


class Left(NamedTuple):
    """All that lies in one partition: inputs by logical topic and the first offset of each, what the worker wrote, in order.

    `dead_letters` are (key, payload, headers); `transitions`, `standings` (account-tiers), `actions` (key, payload); `orders` payloads of
    fold-order.
    """

    partition: int
    inputs: dict[str, list[Logged]]
    begins: dict[str, int]
    transitions: list[tuple[bytes | None, bytes]]
    dead_letters: list[tuple[bytes | None, bytes | None, dict[str, bytes]]]
    orders: list[bytes]
    changelog: list[tuple[bytes, bytes | None]]
    standings: list[tuple[bytes | None, bytes]]
    actions: list[tuple[bytes | None, bytes]]


def judged(left: Left, policy: dict[str, Any], application: str, partitions: int) -> list[Anomaly]:
    """Every anomaly of one partition; none if all is as it must be."""
    orders = [decoded("FoldOrder", payload) for payload in left.orders]
    published = [(key, decoded("TierTransition", payload)) for key, payload in left.transitions]
    told = {record["transition_id"]: record["effective_at"] for _, record in published}
    expected = recompute(policy, application, left.partition, partitions, left.inputs, orders, told)
    found = _Found(left.partition)
    _judge_ranges(found, left, orders, [*inputs_of(policy), "ticks"])
    _judge_transitions(found, published, expected)
    _judge_chains(found, [record for _, record in published])
    _judge_standings(found, left, expected)
    _judge_actions(found, left, expected)
    _judge_dead_letters(found, left, expected)
    state = kept(left.changelog)
    for key in expected.accounts.keys() | state.rows.keys():
        for what in differences(expected.accounts.get(key), state.rows.get(key), state.dossiers.get(key)):
            found.add("STATE_DIFFERS", f"account {key!r} {what}")
    _judge_progress(found, state.progress, expected, orders)
    _judge_ticks(found, state.tick_ms, expected, orders)
    _judge_digests(found, orders, published, state.progress)
    return found.anomalies


class _Found:
    def __init__(self, partition: int) -> None:
        self.partition, self.anomalies = partition, list[Anomaly]()

    def add(self, name: str, what: str) -> None:
        assert name in ANOMALIES, name
        self.anomalies.append(Anomaly(name, self.partition, what))


def _judge_ranges(found: _Found, left: Left, orders: list[dict[str, Any]], topics: list[str]) -> None:
    """RANGE_GAP, RANGE_OVERLAP: each topic's ranges follow one another from the first record to the last."""
    reached = {topic: left.begins.get(topic, 0) for topic in topics}
    for number, order in enumerate(orders):
        for part in order["ranges"]:
            topic, low, high = part["topic"], part["from_offset"], part["to_offset"]
            if low != reached[topic]:
                name = "RANGE_GAP" if low > reached[topic] else "RANGE_OVERLAP"
                found.add(name, f"{topic}: transaction {number} folds [{low}, {high}) after {reached[topic]}")
            reached[topic] = max(high, reached[topic])
    for topic in topics:
        behind = [record.offset for record in left.inputs.get(topic, []) if record.offset >= reached[topic]]
        if behind:
            found.add("RANGE_GAP", f"{topic}: {len(behind)} records from {behind[0]} on were never folded")


def _judge_transitions(found: _Found, published: list[tuple[bytes | None, dict[str, Any]]], expected: Expected) -> None:
    """LOST, DOUBLED, PHANTOM by transition_id; OUT_OF_ORDER by the order of first appearance; then each one's content."""
    wanted = {each["transition_id"]: each for each in expected.transitions}
    counts = Counter(record["transition_id"] for _, record in published)
    for transition_id, each in wanted.items():
        if transition_id not in counts:
            found.add("LOST", f"{_named(each)} to {each['to_tier']}")
    firsts: dict[str, None] = {}
    for key, record in published:
        transition_id = record["transition_id"]
        if transition_id not in wanted:
            found.add("PHANTOM", f"{_named(record)} to {record['to_tier']}")
        elif transition_id in firsts:
            found.add("DOUBLED", _named(record))
        else:
            firsts[transition_id] = None
            _judge_content(found, key, record, wanted[transition_id])
    for late in _out_of_order([wanted[each] for each in firsts], lambda each: each["sequence"], lambda each: each["scheme"]):
        found.add("OUT_OF_ORDER", _named(late))


def _out_of_order(published: list[dict[str, Any]], number: Any, chain: Any) -> list[dict[str, Any]]:
    """The first output, if any, that stands after one of a later step, or in its own step after a later one of its chain."""
    reached: dict[tuple[Any, ...], int] = defaultdict(int)
    step = 0
    for each in published:
        place = (each["account_id"], each["generation"], chain(each))
        if each["step"] < step or number(each) < reached[place]:
            return [each]
        step, reached[place] = each["step"], number(each)
    return []


def _named(record: dict[str, Any]) -> str:
    return f"{record['account_id']}/{record['scheme']}/{record['sequence']}"


EXACT = {
    "WRONG_TIER": ("from_tier", "to_tier", "direction", "sequence"),
    "WRONG_CAUSE": ("generation", "mode", "application", "policy", "policy_version", "owner_id"),
    "WRONG_TIME": ("effective_at",),
}


def _judge_content(found: _Found, key: bytes | None, record: dict[str, Any], wanted: dict[str, Any]) -> None:
    """WRONG_TIER, WRONG_CAUSE, WRONG_TIME, WRONG_SCORE, WRONG_LEDGER of one transition."""
    for name, fields in EXACT.items():
        for field in fields:
            if record[field] != wanted[field]:
                found.add(name, f"{_named(record)}: {field} must be {wanted[field]!r}, got {record[field]!r}")
    if key != record["account_id"].encode():
        found.add("WRONG_CAUSE", f"{_named(record)}: key must be the account, got {key!r}")
    for field, content in wanted["cause"].items():
        if record["cause"][field] != content:
            found.add("WRONG_CAUSE", f"{_named(record)}: cause.{field} must be {content!r}, got {record['cause'][field]!r}")
    since_ms = wanted["effective_at"] if wanted["lag_from_ms"] is None else wanted["lag_from_ms"]
    if record["lag_ms"] != record["decided_at"] - since_ms:
        found.add("WRONG_TIME", f"{_named(record)}: lag_ms {record['lag_ms']} is not decided_at less {since_ms}")
    for field in ("score_before_micro", "score_after_micro"):
        if abs(record[field] - wanted[field]) > 1:
            found.add("WRONG_SCORE", f"{_named(record)}: {field} must be {wanted[field]}, got {record[field]}")
    for each in record["dimensions"]:
        before, after = wanted["dimensions_before"].get(each["name"], -9), wanted["dimensions_after"].get(each["name"], -9)
        if abs(each["before_micro"] - before) > 1 or abs(each["after_micro"] - after) > 1:
            found.add("WRONG_SCORE", f"{_named(record)}: {each['name']} must go from {before} to {after}, got {each}")
    _judge_ledger(found, record)
    if (stages := [stage["tier"] for stage in record["trail"]]) != wanted["trail"]:
        found.add("WRONG_LEDGER", f"{_named(record)}: the stages must be {wanted['trail']}, got {stages}")


def _judge_ledger(found: _Found, record: dict[str, Any]) -> None:
    sums: dict[str, int] = defaultdict(int)
    for line in record["contributions"]:
        sums[line["dimension"]] += line["micro"]
    weighted = {each["name"]: each["weighted_micro"] for each in record["dimensions"]}
    if any(sums[name] != micro for name, micro in weighted.items()) or set(sums) - set(weighted):
        found.add("WRONG_LEDGER", f"{_named(record)}: lines sum to {dict(sums)}, dimensions are worth {weighted}")
    if sum(weighted.values()) != record["score_after_micro"]:
        found.add(
            "WRONG_LEDGER", f"{_named(record)}: dimensions sum to {sum(weighted.values())}, the score is {record['score_after_micro']}"
        )
    if [stage["stage"] for stage in record["trail"]] != ["earned", "seated", "gated", "published"]:
        found.add("WRONG_LEDGER", f"{_named(record)}: trail lacks a stage")
    elif record["trail"][-1]["tier"] != record["to_tier"]:
        found.add("WRONG_LEDGER", f"{_named(record)}: trail ends at {record['trail'][-1]['tier']}, not at {record['to_tier']}")


def _judge_chains(found: _Found, published: list[dict[str, Any]]) -> None:
    """GAP: a sequence that does not follow the one before it."""
    chains: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for record in published:
        chains[record["account_id"], record["scheme"], record["generation"]].append(record)
    for chain in chains.values():
        reached = 0
        for record in chain:
            if record["sequence"] > reached + 1:
                found.add("GAP", f"{_named(record)} follows {reached}")
            reached = max(reached, record["sequence"])


def _judge_standings(found: _Found, left: Left, expected: Expected) -> None:
    """STANDING_*: one record for each change, numbered without a gap, in order, saying where the account then stands."""
    wanted = {_revision(each): each for each in expected.standings}
    seen: Counter[tuple[Any, ...]] = Counter()
    for key, payload in left.standings:
        record = decoded("AccountTiers", payload)
        named = f"{record['account_id']} revision {record['revision']}"
        seen[_revision(record)] += 1
        each = wanted.get(_revision(record))
        if each is None:
            found.add("STANDING_PHANTOM", named)
        elif key != record["account_id"].encode() or (differing := _standing_differs(record, each)):
            found.add("STANDING_WRONG", f"{named}: {differing if key == record['account_id'].encode() else f'key {key!r}'}")
    found_all = [wanted[at] for at in seen if at in wanted]
    for late in _out_of_order(found_all, lambda each: each["revision"], lambda _: ""):
        found.add("STANDING_WRONG", f"{late['account_id']} revision {late['revision']} is out of order")
    for at in wanted:
        if not seen[at]:
            found.add("STANDING_LOST", f"{at[0]} revision {at[2]}")
    for at, times in seen.items():
        if times > 1:
            found.add("STANDING_DOUBLED", f"{at[0]} revision {at[2]} {times} times")


def _revision(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["account_id"], record["generation"], record["revision"]


def _standing_differs(record: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What differs; a score may by one micro-point."""
    pool = record["pool"]
    said = {
        **{name: record[name] for name in ("effective_at", "mode", "owner_id")},
        "pooled": None if pool is None else (pool["since_at"], pool["previous_owner_id"]),
        "standings": {s["scheme"]: (s["tier"], s["earned_tier"], s["sequence"], s["effective_at"]) for s in record["standings"]},
    }
    differing = [f"{name} must be {wanted[name]!r}, got {held!r}" for name, held in said.items() if held != wanted[name]]
    if any(abs(s["score_micro"] - wanted["score_micro"]) > 1 for s in record["standings"]):
        differing.append(f"score must be {wanted['score_micro']}")
    return "; ".join(differing)


def _judge_actions(found: _Found, left: Left, expected: Expected) -> None:
    """ACTION_DIFFERS: each announcement once, with what it says."""
    fields = ("account_id", "generation", "kind", "name", "due_at", "tier", "owner_id")
    wanted = Counter((*(each[name] for name in fields), each["cause_kind"]) for each in expected.actions)
    records = [decoded("Action", payload) for _, payload in left.actions]
    seen = Counter((*(record[name] for name in fields), record["cause"]["kind"]) for record in records)
    for said in (wanted - seen).keys() | (seen - wanted).keys():
        found.add("ACTION_DIFFERS", f"{said} must be there {wanted[said]} times, is {seen[said]} times")


def _judge_dead_letters(found: _Found, left: Left, expected: Expected) -> None:
    """DEAD_LETTER_LOST, DEAD_LETTER_DOUBLED, DEAD_LETTER_PHANTOM, DEAD_LETTER_WRONG."""
    came = {(record.topic, record.offset): record for records in left.inputs.values() for record in records}
    seen: Counter[tuple[str, int]] = Counter()
    for key, payload, headers in left.dead_letters:
        topic, place = headers["__connect.errors.topic"].decode(), int(headers["__connect.errors.offset"])
        reason = headers["tierstream.reason"].decode()
        seen[topic, place] += 1
        named = f"{topic}:{left.partition}:{place}"
        if (topic, place) not in expected.dead_letters:
            found.add("DEAD_LETTER_PHANTOM", f"{named} {reason}")
            continue
        if reason != expected.dead_letters[topic, place]:
            found.add("DEAD_LETTER_WRONG", f"{named}: reason must be {expected.dead_letters[topic, place]}, got {reason}")
        original = came[topic, place]
        if (key, payload) != (original.key, original.payload) or int(headers["__connect.errors.partition"]) != left.partition:
            found.add("DEAD_LETTER_WRONG", f"{named} is not the record as it came")
    for (topic, place), reason in expected.dead_letters.items():
        if not seen[topic, place]:
            found.add("DEAD_LETTER_LOST", f"{topic}:{left.partition}:{place} {reason}")
    for (topic, place), times in seen.items():
        if times > 1:
            found.add("DEAD_LETTER_DOUBLED", f"{topic}:{left.partition}:{place} {times} times")


def _judge_progress(found: _Found, progress: dict[str, dict[str, Any]], expected: Expected, orders: list[dict[str, Any]]) -> None:
    """PROGRESS_DIFFERS: the next offset is the end of the last range."""
    ends: dict[str, int] = {}
    for order in orders:
        ends |= {part["topic"]: part["to_offset"] for part in order["ranges"]}
    for topic, end in ends.items():
        at = progress.get(topic, {}).get("next_offset")
        if at != end or end < expected.folded_to.get(topic, 0):
            found.add("PROGRESS_DIFFERS", f"{topic}: next offset must be {end}, got {at}")
    for topic in progress.keys() - ends.keys():
        if progress[topic]["next_offset"] > 0 and expected.folded_to.get(topic):
            found.add("PROGRESS_DIFFERS", f"{topic}: progress without a range")


def _judge_ticks(found: _Found, kept_ms: int | None, expected: Expected, orders: list[dict[str, Any]]) -> None:
    """TICKS_DIFFER: each lane's tick is after the one it names as the one before; the changelog keeps the last one."""
    lane_ticks = [(order["tick"]["at"], order["tick"]["previous"]) for order in orders if order["tick"]]
    for (at_ms, previous_ms), (last_ms, _) in zip(lane_ticks, [(None, None), *lane_ticks], strict=False):
        if previous_ms != last_ms or (last_ms is not None and at_ms <= last_ms):
            found.add("TICKS_DIFFER", f"tick {at_ms} says it follows {previous_ms}, the one before it was {last_ms}")
    if kept_ms != expected.last_tick_ms:
        found.add("TICKS_DIFFER", f"the last tick folded is {expected.last_tick_ms}, kept is {kept_ms}")


def _judge_digests(
    found: _Found, orders: list[dict[str, Any]], published: list[tuple[bytes | None, dict[str, Any]]], progress: dict[str, dict[str, Any]]
) -> None:
    """DIGESTS_DIFFER: everything was made under one policy."""
    seen = {order["policy_digest"] for order in orders} | {record["policy_digest"] for _, record in published}
    seen |= {at["policy_digest"] for at in progress.values()}
    if len(seen) > 1:
        found.add("DIGESTS_DIFFER", ", ".join(sorted(seen)))
