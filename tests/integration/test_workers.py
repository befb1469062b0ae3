"""Workers on a real broker: they score, share, answer for each other, stop cleanly, and refuse what they cannot run on."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from agents import clients
from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from agents.listening import listen
from agents.settings import Settings
from streams.partitioning import partition_for
from tests.builders import interaction
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, environment, publish

EVERYBODY = [f"account-{number}" for number in range(40)]


@pytest.fixture
def settings(kafka: Broker, prefix: str) -> Settings:
    return deployment(kafka.bootstrap, prefix)


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Worker]:
    with Worker(settings, tmp_path / "worker.log") as process:
        yield process


def members(settings: Settings) -> int:
    group = f"{settings.topic_prefix}{settings.application_id}"
    admin = clients.admin_client(settings)
    return len(admin.describe_consumer_groups([group])[group].result(20).members)


def visits(settings: Settings) -> None:
    publish(settings, "interactions", [interaction(account) for account in EVERYBODY])


def test_a_worker_scores_shows_it_and_stops_with_0_within_10_seconds(settings: Settings, worker: Worker) -> None:
    assert worker.await_lanes(4) == {0, 1, 2, 3}
    visits(settings)
    eventually(lambda: worker.metric("tierstream_events_total", topic="interactions") == len(EVERYBODY), what="every visit folded")
    assert worker.metric("tierstream_lane_state", state="running") == 4
    assert worker.get("/livez") == (200, '{"alive":true}')
    status, body = worker.get(f"/accounts/{EVERYBODY[0]}")
    assert (status, json.loads(body)["account_id"]) == (200, EVERYBODY[0])
    status, body = worker.get("/accounts/nobody")
    assert (status, json.loads(body)) == (404, {"error": "there is no account nobody"})
    began_at = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began_at < 10
    assert "Traceback" not in worker.said
    assert "ERROR tierstream" not in worker.said


def known(worker: Worker) -> list[dict[str, object]]:
    """What it says of everybody, but for up to when that is known: time passes between two questions."""
    said = [worker.get(f"/accounts/{account}?at=0") for account in EVERYBODY]
    assert {status for status, _ in said} == {200}
    return [{name: part for name, part in json.loads(body).items() if name != "known_at"} for _, body in said]


def test_a_worker_keeps_nothing_on_disk_and_finds_everything_again(settings: Settings, worker: Worker, tmp_path: Path) -> None:
    worker.await_lanes(4)
    visits(settings)
    eventually(lambda: worker.metric("tierstream_events_total") == len(EVERYBODY))
    before = known(worker)
    worker.process.kill()
    worker.process.wait()
    with Worker(settings, tmp_path / "next.log") as following:
        following.await_lanes(4)
        assert known(following) == before
        assert following.metric("tierstream_events_total") == 0


def test_two_workers_share_the_partitions_and_answer_for_each_other(settings: Settings, worker: Worker, tmp_path: Path) -> None:
    worker.await_lanes(4)
    visits(settings)
    with Worker(settings, tmp_path / "other.log") as other:
        theirs = other.await_lanes(2)
        ours = worker.await_lanes(2)
        assert ours | theirs == {0, 1, 2, 3}
        assert {partition_for(account.encode(), 4) for account in EVERYBODY} == {0, 1, 2, 3}
        assert known(worker) == known(other)
        assert other.get("/accounts/nobody")[0] == worker.get("/accounts/nobody")[0] == 404
        assert other.stop() == 0
        assert worker.await_lanes(4) == {0, 1, 2, 3}
    assert worker.stop() == 0
    assert "WARNING" not in worker.said


def test_a_worker_that_slept_past_its_session_alone_starts_its_lanes_anew(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = deployment(kafka.bootstrap, prefix)
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(4)
        worker.process.send_signal(signal.SIGSTOP)
        eventually(lambda: members(settings) == 0, 30, "the group giving the worker up")
        worker.process.send_signal(signal.SIGCONT)
        eventually(lambda: "lanes start anew" in worker.said, 30, "the missed generation")
        worker.await_lanes(4)
        visits(settings)
        eventually(lambda: worker.metric("tierstream_events_total") == len(EVERYBODY), what="every visit folded")
        assert worker.stop() == 0


def test_a_worker_whose_partitions_were_taken_meanwhile_doubles_nothing(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = deployment(kafka.bootstrap, prefix)
    with Worker(settings, tmp_path / "zombie.log") as zombie, Worker(settings, tmp_path / "heir.log") as heir:
        zombie.await_lanes(2)
        zombie.process.send_signal(signal.SIGSTOP)
        heir.await_lanes(4)
        visits(settings)
        eventually(lambda: heir.metric("tierstream_events_total") == len(EVERYBODY), what="every visit folded")
        zombie.process.send_signal(signal.SIGCONT)
        eventually(lambda: zombie.process.poll() is not None or zombie.lanes(), 40, "the zombie ending itself or joining anew")
        assert zombie.process.poll() in (None, 70)
        zombie.process.kill()
        heir.await_lanes(4)
        assert [json.loads(heir.get(f"/accounts/{account}")[1])["records"] for account in EVERYBODY] == [1] * len(EVERYBODY)


def test_the_group_shows_how_far_the_lanes_are(settings: Settings, worker: Worker) -> None:
    worker.await_lanes(4)
    visits(settings)
    asking = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": f"{settings.topic_prefix}{settings.application_id}"})
    places = [TopicPartition(settings.topic_name("interactions"), number) for number in range(4)]

    def shown() -> int:
        return sum(max(0, place.offset) for place in asking.committed(places, timeout=10))

    eventually(lambda: shown() == len(EVERYBODY), 30, "the group's offsets")
    asking.close()


def test_static_members_come_back_without_a_rebalance(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    settings = deployment(kafka.bootstrap, prefix, group_instance_id="worker-a", web_port=port, session_timeout_s=30.0)
    other = settings.model_copy(update={"group_instance_id": "worker-b", "web_port": free_ports(1)[0]})
    with Worker(other, tmp_path / "other.log") as staying, Worker(settings, tmp_path / "first.log") as first:
        kept = first.await_lanes(2)
        staying.await_lanes(2)
        rebalances = staying.said.count("rebalance begins")
        assert first.stop() == 0
        with Worker(settings, tmp_path / "again.log") as again:
            assert again.await_lanes(2) == kept
            assert staying.said.count("rebalance begins") == rebalances


# -- Faust's own command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("agents", r"@scoring .*interactions, .*predictions"),
        ("tables", r"accounts .*One row per account: .*lanes of agent scoring"),
    ],
)
def test_faust_shows_the_truth(command: str, shown: str) -> None:
    told = subprocess.run(
        [str(Path(sys.executable).with_name("faust")), "-A", "agents.faust_main", command],
        cwd=ROOT, env={"TIERSTREAM_POLICY": "sabc", "PATH": "", "COLUMNS": "400"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert re.search(shown, told.stdout)


def test_faust_without_a_policy_that_was_named_or_is_in_force_says_what_is_missing(kafka: Broker, prefix: str) -> None:
    settings = deployment(kafka.bootstrap, prefix, partitions=1, policy=None)
    told = subprocess.run(
        [str(Path(sys.executable).with_name("faust")), "-A", "agents.faust_main", "agents"],
        cwd=ROOT, env=environment(settings) | {"PATH": ""}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert "no policy was named, and none is in force" in told.stderr
    assert "--policy FILE" in told.stderr
    assert "Traceback" not in told.stderr


# -- what a worker refuses to start on -----------------------------------------------------------------------------------


def refusal(settings: Settings, tmp_path: Path, *arguments: str) -> str:
    with Worker(settings, tmp_path / "refused.log", *arguments) as worker:
        assert worker.process.wait(60) == 2, worker.said
        assert "Traceback" not in worker.said
        return " ".join(worker.said.split())


def test_no_broker_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings(bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}", policy=Path("sabc"), web_port=0, broker_timeout_s=1.0)
    assert "no Kafka broker answers at 127.0.0.1:" in refusal(settings, tmp_path)


def test_missing_topics_are_named_with_the_command_that_makes_them(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix=prefix, policy=Path("sabc"), web_port=0)
    assert f"topic {prefix}interactions is missing: create it with `tierstream topics create`" in refusal(settings, tmp_path)


def test_another_partition_count_is_refused(settings: Settings, tmp_path: Path) -> None:
    said = refusal(settings.model_copy(update={"partitions": 2}), tmp_path)
    assert f"topic {settings.topic_prefix}interactions must have 2 partitions, has 4" in said


def test_a_topic_of_another_shape_is_refused(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix=prefix, policy=Path("sabc"), web_port=0, partitions=4)
    admin = clients.admin_client(settings)
    admin.create_topics([NewTopic(f"{prefix}interactions", num_partitions=4)])[f"{prefix}interactions"].result(20)
    said = refusal(settings, tmp_path)
    assert f"topic {prefix}interactions must have message.timestamp.type=LogAppendTime, has CreateTime" in said


def test_another_policy_than_the_progress_names_is_refused(settings: Settings, worker: Worker, tmp_path: Path) -> None:
    worker.await_lanes(4)
    visits(settings)
    eventually(lambda: worker.metric("tierstream_events_total") == len(EVERYBODY))
    assert worker.stop() == 0
    said = refusal(settings.model_copy(update={"policy": Path("demo")}), tmp_path)
    assert "digest" in said


def test_a_busy_web_port_is_refused(settings: Settings, tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert f"free address, got 127.0.0.1:{port}" in refusal(settings.model_copy(update={"web_port": port}), tmp_path)


# -- the supervisor ------------------------------------------------------------------------------------------------------


def test_a_supervised_worker_that_is_killed_is_back_and_stops_with_its_supervisor(settings: Settings, tmp_path: Path) -> None:
    with Worker(settings, tmp_path / "supervised.log", "--supervised") as supervised:
        supervised.await_lanes(4)
        (pid,) = re.findall(r"worker starts pid=(\d+)", supervised.said)
        subprocess.run(["kill", "-9", pid], check=True)
        eventually(lambda: supervised.said.count("worker starts pid=") == 2, 30, "a second start")
        supervised.await_lanes(4, 60)
        assert supervised.stop() == 0
        assert "worker ended code=-9" in supervised.said
