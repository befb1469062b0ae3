"""Three brokers, three copies of everything, two of which must have it: the leaders of some partitions are killed under load."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import clients
from agents.embedded.broker import Broker
from agents.embedded.configuration import Node, data_directory
from agents.embedded.ports import free_ports
from tests.integration.faults.scene import Scene
from tests.waiting import eventually
from tests.workers import Worker

BROKERS = 3
RATE = 400.0
_SAFE = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Broker]]:
    """Three brokers on this machine, by node."""
    directory, ports = tmp_path_factory.mktemp("cluster"), free_ports(2 * BROKERS)
    nodes = [Node(node_id=1 + at, port=ports[2 * at], controller_port=ports[2 * at + 1]) for at in range(BROKERS)]
    brokers = {
        node.node_id: Broker(directory / str(node.node_id), node_id=node.node_id, nodes=nodes, heap="384m", properties=_SAFE)
        for node in nodes
    }
    for broker in brokers.values():
        broker.start(wait=False)
    for broker in brokers.values():
        broker.await_answer()
    yield brokers
    for broker in brokers.values():
        broker.kill()  # the last of them could not leave in good order: there is no majority to agree
        shutil.rmtree(data_directory(broker.directory))


def leaders(scene: Scene, topic: str) -> Counter[int]:
    """How many partitions of a topic each broker leads, and no entry for partitions without a leader."""
    admin, name = clients.admin_client(scene.settings), scene.settings.topic_name(topic)
    return Counter(partition.leader for partition in admin.list_topics(name, timeout=20).topics[name].partitions.values())


def in_sync(scene: Scene, topic: str) -> int:
    """The least number of copies that a partition of a topic has now."""
    admin, name = clients.admin_client(scene.settings), scene.settings.topic_name(topic)
    return min(len(partition.isrs) for partition in admin.list_topics(name, timeout=20).topics[name].partitions.values())


@pytest.mark.faults
def test_a_lost_leader_loses_and_doubles_nothing(cluster: dict[int, Broker], prefix: str, tmp_path: Path) -> None:
    scene = Scene(",".join(broker.bootstrap for broker in cluster.values()), prefix, replication_factor=BROKERS)
    with Worker(scene.settings, tmp_path / "worker.log", "--supervised") as worker:
        worker.await_lanes(4, 60)
        with scene.load(RATE) as load:
            for topic in ("interactions", "accounts-changelog"):
                load.await_more(600)
                (lost, _), *_ = leaders(scene, topic).most_common()
                cluster[lost].kill()
                eventually(lambda topic=topic, lost=lost: lost not in leaders(scene, topic), 60, "other leaders")  # type: ignore[misc]
                before = scene.transactions()
                eventually(lambda before=before: scene.transactions() > before, 90, "work without that broker")  # type: ignore[misc]
                cluster[lost].start()
                eventually(lambda topic=topic: in_sync(scene, topic) == BROKERS, 90, "three copies again")  # type: ignore[misc]
            load.await_more(1_000)
        scene.await_folded(150)
        assert worker.stop() == 0
    scene.assert_exact(load.sent)
