"""What tests with programs beside tierstream stand on: Prometheus, Alertmanager, Redis, kcat and whatever else Debian packages.

    debian_package("chromium")   the folder of a package (tests/debian.py)
    program("redis-server")      a program of one of the packages below
    kcat, promtool               programs: `.says(...)` what they print, `.run(...)` whatever they end with
    prometheus(folder)           started on the folder's prometheus.yml, ended with the test
    alertmanager(folder)         the same on alertmanager.yml
    redis_server                 an empty one

Everything listens on loopback, at a port that was free. A machine without apt skips these tests and says so; with CI set they fail.
Kafka is the `kafka` of tests/conftest.py.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from tests import debian
from tests.companions.programs import Program, Server, in_ci, relocated, serving
from tests.deployments import Deployment

_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "redis-server": "redis-server",
    "redis-cli": "redis-server",  # what it needs is unpacked beside it
    "kcat": "kcat",
}
Start = Callable[[Path], Server]


@pytest.fixture(autouse=True, scope="session")
def _a_broker_of_a_busy_machine_may_take_its_time(_no_settings_from_outside: None) -> None:
    """As for the tests of tests/integration."""
    os.environ["TIERSTREAM_BROKER_TIMEOUT_S"] = "30"


@pytest.fixture
def deployment(kafka: Broker, prefix: str) -> Deployment:
    """Topics of the test's own."""
    return Deployment(kafka.bootstrap, prefix)


@pytest.fixture(scope="session")
def debian_package() -> Callable[[str], Path]:
    """The folder of a Debian package by name, fetched the first time."""

    def obtained(name: str) -> Path:
        try:
            return debian.package(name)
        except debian.Unobtainable as why:
            if in_ci():
                raise
            pytest.skip(str(why))

    return obtained


@pytest.fixture(scope="session")
def program(debian_package: Callable[[str], Path]) -> Callable[[str], Program]:
    """A program by name."""
    return lambda name: Program.of(debian_package(_PACKAGES[name]), name)


@pytest.fixture(scope="session")
def kcat(program: Callable[[str], Program]) -> Program:
    """Kafka from a shell."""
    return program("kcat")


@pytest.fixture(scope="session")
def promtool(program: Callable[[str], Program]) -> Program:
    """Checks metrics, rules and configurations, and runs the unit tests of rules."""
    return program("promtool")


@pytest.fixture
def prometheus(program: Callable[[str], Program]) -> Iterator[Start]:
    """Starts one on the `prometheus.yml` of a folder; what it stores and says lies there too."""
    with ExitStack() as running:

        def start(folder: Path) -> Server:
            (port,) = free_ports(1)
            arguments = (
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-lifecycle",
            )
            return running.enter_context(serving(program("prometheus"), arguments, port, folder / "prometheus.log", _is_ready))

        yield start


@pytest.fixture
def alertmanager(program: Callable[[str], Program]) -> Iterator[Start]:
    """Starts one on the `alertmanager.yml` of a folder."""
    with ExitStack() as running:

        def start(folder: Path) -> Server:
            (port,) = free_ports(1)
            arguments = (
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",  # alone
            )
            log = folder / "alertmanager.log"
            found = relocated(program("prometheus-alertmanager"), "prometheus/alertmanager")
            return running.enter_context(serving(found, arguments, port, log, _is_ready))

        yield start


@pytest.fixture
def redis_server(program: Callable[[str], Program], tmp_path: Path) -> Iterator[Server]:
    """An empty one that keeps nothing on disk."""
    (port,) = free_ports(1)
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tmp_path)
    with serving(program("redis-server"), arguments, port, tmp_path / "redis.log", _pongs) as server:
        yield server


def _is_ready(server: Server) -> bool:
    return server.get("/-/ready")[0] == 200


def _pongs(server: Server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
