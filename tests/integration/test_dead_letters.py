"""Dead letters come back: a poisoned topic is put back once its schema is known, each record once, however the replay was interrupted."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from agents import clients
from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.embedded.broker import Broker
from agents.lane import Duty, Lane
from agents.letters.reading import Wanted
from agents.letters.returning import How, Outcome, Return
from schemas.codec import Codec
from schemas.dead_letters import RETURN
from schemas.errors import Reason
from schemas.records import Interaction
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.partition import Partition
from streams.partitioning import partition_for
from tests.builders import interaction
from tests.deployments import Deployment
from tests.folding import judged_by_the_oracle
from tests.integration.commands import Commands
from tests.properties.test_codec_laws import CODEC, LATER, PROJECTING
from tests.tallying import tallying_lane
from tests.waiting import eventually

POLICY = judged_by_the_oracle("plain")
PARTITIONS = 2
ACCOUNTS = [name for name in (f"acct-{number}" for number in range(40)) if partition_for(name.encode(), PARTITIONS) == 1]
Sent = tuple[str, bytes, list[tuple[str, bytes | None]]]


def produce(deployment: Deployment, sent: Sequence[Sent], topic: str = "interactions") -> None:
    """Records with headers, into the deployment's partition."""
    producer = clients.idempotent_producer(deployment.settings)
    for key, payload, headers in sent:
        producer.produce(deployment.settings.topic_name(topic), payload, key.encode(), deployment.number, headers=headers)
        producer.poll(0)
    assert producer.flush(20) == 0


def lane_of(deployment: Deployment, codec: Codec) -> tuple[Lane, Partition]:
    """A lane under the plain policy that knows the schemas of this codec."""
    partition = Partition(deployment.number, PARTITIONS, "tierstream", POLICY)

    def fold(records: RecordBatch, decided_at_ms: int, tick_ms: int | None, decided_to: int | None) -> Folded:
        return fold_cycle(partition, records, codec, mode="LIVE", decided_at_ms=decided_at_ms, tick_ms=tick_ms, decided_to=decided_to)

    duty = Duty(POLICY.inputs, POLICY.digest, "sabc", "LIVE", 1_000)
    log, baton = deployment.log(POLICY.inputs), nullcontext()
    return Lane(log, partition, fold, CODEC.encode_all, duty, clock=wall_clock, baton=baton, counters=LaneCounters()), partition


def folded_by(deployment: Deployment, codec: Codec, topic: str = "interactions") -> Partition:
    """A lane that takes the partition, folds what is there and is gone."""
    lane, partition = lane_of(deployment, codec)
    lane.recover()
    end = deployment.end(topic)

    def done() -> bool:
        lane.step(0.2)
        return deployment.progress().get(topic) is not None and lane.log.positions()[topic] >= end and lane.waiting() == 0

    eventually(done)
    lane.log.close()
    return partition


def standing(partition: Partition) -> dict[str, Any]:
    """Every account's score and tier."""
    views = {name: partition.view(name) for name in ACCOUNTS}
    return {name: view and (view["score_micro"], view["schemes"]["sabc"]["published"]) for name, view in views.items()}


def records_on(deployment: Deployment, topic: str = "interactions") -> list[Any]:
    """Key, payload, headers, by place."""
    return [(m.key(), m.value(), m.headers() or []) for m in deployment.committed(topic)]


def replayed(deployment: Deployment, **how: Any) -> Outcome:
    return Return(deployment.settings, Wanted(), How(**how)).run()


@pytest.fixture
def commands(kafka: Broker, prefix: str) -> Commands:
    return Commands(kafka.bootstrap, prefix, PARTITIONS)


def poisoned(count: int = 300) -> list[Sent]:
    """Sound records, two in three of them in a schema that is not in the catalogue yet."""
    sent: list[Sent] = []
    for number in range(count):
        record = interaction(ACCOUNTS[number % len(ACCOUNTS)], "DOWNLOAD", wall_clock() - 60_000 + number, event_id=f"e-{number}")
        codec = CODEC if number % 3 == 0 else LATER
        sent.append((record.account_id, codec.encode(record), [("trace", b"%d" % number), ("trace", None), ("\u6e90", b"\xff")]))
    return sent


def test_a_poisoned_topic_is_put_back_once_its_schema_is_known(deployment: Deployment, commands: Commands) -> None:
    sent = poisoned()
    produce(deployment, sent)
    before = folded_by(deployment, CODEC)
    listed = commands.json("dead-letters", "list", "--reason", "UNKNOWN_SCHEMA", "--limit", "1")
    assert listed["counts"] == [{"topic": "interactions", "reason": "UNKNOWN_SCHEMA", "state": "waiting", "letters": 200}]
    shown = commands.json("dead-letters", "show", listed["shown"][0]["letter"])
    assert (shown["refused_now"]["reason"], shown["value"]) == ("UNKNOWN_SCHEMA", None)
    assert shown["headers"][1] == {"name": "trace", "value": None}

    looked = commands.json("dead-letters", "replay", "--dry-run")
    assert (looked["would_return"], looked["refused_again_as_it_stands"][0]["letters"]) == (200, 200), "this version does not know it yet"
    assert len(records_on(deployment)) == len(sent), "a dry run changes nothing"

    assert commands.json("dead-letters", "replay", "--topic", "interactions")["returned"] == 200
    back = records_on(deployment)[len(sent) :]
    letters = [f"{m.partition()}:{m.offset()}" for m in deployment.committed("dead-letters")]
    refused = [(key.encode(), payload, headers) for number, (key, payload, headers) in enumerate(sent) if number % 3]
    assert back == [(k, p, [*h, (RETURN, place.encode())]) for (k, p, h), place in zip(refused, letters, strict=True)]

    mended = folded_by(deployment, PROJECTING)
    expected = Partition(1, PARTITIONS, "tierstream", POLICY)
    untouched = RecordBatch.of([raw._replace(headers=()) for raw in _as_sent(deployment, len(sent))])
    assert not fold_cycle(expected, untouched, PROJECTING, mode="LIVE", decided_at_ms=wall_clock()).dead
    assert standing(mended) == standing(expected)
    assert standing(mended) != standing(before)
    assert len(deployment.committed("dead-letters")) == 200


def _as_sent(deployment: Deployment, count: int) -> list[Any]:
    from agents.reading import committed_records

    return list(committed_records(deployment.settings, "interactions", partitions=[deployment.number]))[:count]


def test_a_second_replay_changes_nothing_unless_told(deployment: Deployment) -> None:
    produce(deployment, poisoned(30))
    folded_by(deployment, CODEC)
    assert replayed(deployment).chosen.total() == 20
    second = replayed(deployment)
    assert (second.chosen.total(), dict(second.left)) == (0, {"put back before": 20})
    assert len(records_on(deployment)) == 50
    assert replayed(deployment, again=True).chosen.total() == 20
    assert len(records_on(deployment)) == 70


def test_a_replay_that_is_killed_half_way_is_repeated_and_every_record_is_there_once(deployment: Deployment, commands: Commands) -> None:
    count, letters = 15_000, "dead-letters"
    produce(deployment, [(f"acct-{number}", b"refuse", []) for number in range(count)], "orders")
    lane, tally = tallying_lane(deployment.log(["orders"]), ["orders"], batch_records=10_000)
    lane.recover()
    eventually(lambda: (lane.step(0.2), len(tally.folded) == count)[1])
    assert len(deployment.committed(letters)) == count

    done = TopicPartition(deployment.settings.topic_name("dead-letters-returned"), 0)
    reader = clients.reading_consumer(deployment.settings)
    killed = commands.start(letters, "replay")
    eventually(lambda: reader.get_watermark_offsets(done, 5.0)[1] > 2_000, what="the third transaction")
    killed.kill()
    reader.close()
    killed.wait()
    before = Return(deployment.settings, Wanted(), How()).look()
    assert 0 < before.left["put back before"] < count, "it was killed in the middle"

    assert commands.json(letters, "replay")["returned"] == before.chosen.total()
    places = Counter(dict(headers)[RETURN] for _, _, headers in records_on(deployment, "orders")[count:])
    assert len(places) == count
    assert set(places.values()) == {1}
    assert commands.json(letters, "replay")["returned"] == 0


def test_two_replays_fence_each_other_and_every_record_is_there_once(deployment: Deployment) -> None:
    from agents.transactions import Transactions
    from schemas.errors import SettingsError

    produce(deployment, poisoned(30))
    folded_by(deployment, CODEC)
    slow = Transactions(deployment.settings, "dead-letters-replay", "replay of dead letters")
    slow.open()
    assert replayed(deployment).chosen.total() == 20
    with pytest.raises(SettingsError, match="another replay of dead letters has taken over"):
        slow.commit(lambda: slow.produce("interactions", b"late", b"x", 1))
    assert len(records_on(deployment)) == 50


def test_what_is_refused_again_says_so_and_only_its_newest_letter_goes_back(deployment: Deployment, commands: Commands) -> None:
    produce(deployment, [("acme", b"garbage", [("trace", b"1")])])
    folded_by(deployment, CODEC)
    assert replayed(deployment).chosen.total() == 1
    folded_by(deployment, CODEC)
    listed = commands.json("dead-letters", "list", "--account", "acme")
    assert [(letter["state"], letter["return_of"]) for letter in listed["shown"]] == [
        ("returned", None),
        ("refused again", listed["shown"][0]["letter"]),
    ]
    assert dict(replayed(deployment).left) == {"put back before": 1, "put back before and refused again": 1}
    again = replayed(deployment, again=True)
    assert (again.chosen.total(), dict(again.left)) == (1, {"put back before": 1})
    newest = listed["shown"][1]["letter"].encode()
    assert records_on(deployment)[-1] == (b"acme", b"garbage", [("trace", b"1"), (RETURN, newest)])


def test_a_record_in_the_wrong_partition_goes_where_its_key_belongs(deployment: Deployment) -> None:
    stranger = next(name for name in (f"s-{n}" for n in range(20)) if partition_for(name.encode(), PARTITIONS) == 0)
    produce(deployment, [(stranger, CODEC.encode(interaction(stranger, at=wall_clock() - 1_000)), [])])
    folded_by(deployment, CODEC)
    (letter,) = deployment.committed("dead-letters")
    assert dict(letter.headers())["tierstream.reason"] == Reason.WRONG_PARTITION.value.encode()
    looked = Return(deployment.settings, Wanted(), How()).look()
    assert looked.refused_again == {("interactions", "WRONG_PARTITION"): 1}
    assert not Return(deployment.settings, Wanted(), How(by_key=True)).look().refused_again
    replayed(deployment, by_key=True)
    other = Deployment(deployment.settings.bootstrap_servers, deployment.settings.topic_prefix, number=0)
    assert [CODEC.decode_as(Interaction, payload).account_id for _, payload, _ in records_on(other)] == [stranger]
    assert len(records_on(deployment)) == 1


def test_a_letter_that_no_worker_has_written_is_named_and_left(deployment: Deployment, commands: Commands) -> None:
    produce(deployment, [("acme", b"x", [("why", b"who knows")])], "dead-letters")
    listed = commands.json("dead-letters", "list")
    assert (listed["letters"], listed["illegible"][0]["place"]) == (0, "1:0")
    shown = commands.run("dead-letters", "show", "1:0")
    assert (shown.returncode, "letter 1:0 is illegible" in shown.stderr) == (2, True)
    assert commands.json("dead-letters", "replay", exit_code=1)["left"] == {"illegible: no worker has written it": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--topic", "visits", "--reason", "BAD"), "--reason must be one of UNDECODABLE"),
        (("replay", "interactions:1:2"), "a letter's place must be PARTITION:OFFSET"),
        (("list", "--since", "yesterday"), "--since must be"),
    ],
)
def test_wrong_options_are_a_sentence_and_exit_code_2(commands: Commands, arguments: tuple[str, ...], said: str) -> None:
    ended = commands.run("dead-letters", *arguments)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
