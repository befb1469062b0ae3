"""What the tests of faults stand on beside the shared broker: one that may be broken. Whoever breaks it leaves it running."""

import shutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from agents.embedded.broker import Broker
from agents.embedded.configuration import data_directory
from agents.embedded.ports import free_ports
from tests.integration.faults.proxy import Proxy

# What a broker does in minutes, this one does at once: retention, compaction, missing a member of a group.
_HASTY = {
    "group.min.session.timeout.ms": "1000",
    "log.initial.task.delay.ms": "200",
    "log.retention.check.interval.ms": "200",
    "log.cleaner.backoff.ms": "200",
}


class Fragile(NamedTuple):
    """A broker to be killed, frozen, filled and cut off. `proxied`: its address by way of the port that a proxy must listen on."""

    broker: Broker
    proxied: str
    port: int
    behind: int

    def proxy(self) -> Proxy:
        """The network in front of it, to be entered."""
        return Proxy(self.port, self.behind)


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fragile]:
    """One broker for all tests that break one; it has a second listener, whose advertised port is the proxy's."""
    broker = Broker(tmp_path_factory.mktemp("fragile"), heap="512m", properties=_HASTY)
    port, behind = free_ports(2)
    broker.properties |= {
        "listeners": f"PLAINTEXT://{broker.bootstrap},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{broker.node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{broker.bootstrap},PROXIED://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }
    broker.start()
    yield Fragile(broker, f"127.0.0.1:{port}", port, behind)
    broker.kill()
    shutil.rmtree(data_directory(broker.directory))
