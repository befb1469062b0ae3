"""What a broker's directory contains before its first start: server.properties, meta.properties, the features it begins with.

Kafka's own `format` tool writes the last two, at the price of starting Java once more (0.6-1.1 s for each fresh directory). The
features are the same for every directory of one Kafka version, so they are taken once at installation and copied.
Every node is controller and broker; the voters are named in the properties, so their ports may change between starts.
"""

import base64
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

PROPERTIES = "server.properties"
FEATURES = "bootstrap.checkpoint"
SINGLE_CLUSTER = base64.urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_DNS, "embedded.tierstream").bytes).decode().rstrip("=")


class Node(msgspec.Struct, frozen=True):
    """One member of the cluster: its id and its two loopback ports."""

    node_id: int
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"


def server_properties(directory: Path, node: Node, nodes: Sequence[Node], extra: Mapping[str, str]) -> str:
    """The text of server.properties for `node` of the cluster `nodes`; `extra` wins over what is set here."""
    copies = str(min(3, len(nodes)))
    properties = {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": ",".join(f"{each.node_id}@127.0.0.1:{each.controller_port}" for each in nodes),
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data_directory(directory)),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": "1" if len(nodes) == 1 else "2",
        # The defaults (50 partitions each) are for clusters; here they only cost files and start time.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "8",
        # A killed broker's registration outlives it by the session: 9 s by default, and as long is every restart of a lone broker.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def data_directory(directory: Path) -> Path:
    return directory / "data"


def write_properties(directory: Path, node: Node, nodes: Sequence[Node], extra: Mapping[str, str]) -> Path:
    """Write server.properties into `directory`, which is made if needed."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / PROPERTIES
    path.write_text(server_properties(directory, node, nodes, extra), encoding="utf-8")
    return path


def format_directory(directory: Path, node_id: int, cluster_id: str, features: Path) -> None:
    """Make a fresh directory one that Kafka accepts; one that has been formatted stays as it is."""
    place = data_directory(directory)
    identity = place / "meta.properties"
    if identity.exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(features, place / FEATURES)
    directory_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    identity.write_text(f"version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={directory_id}\n", encoding="utf-8")
