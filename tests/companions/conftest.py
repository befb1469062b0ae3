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

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agents.embedded.ports import free_ports
from tests import debian
from tests.companions.programs import Program, Server, in_ci, relocated, serving
from tests.on_kafka import _a_broker_of_a_busy_machine_may_take_its_time, deployment

__all__ = ("_a_broker_of_a_busy_machine_may_take_its_time", "deployment")
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
    with _starting(lambda: program("prometheus"), "prometheus", "--storage.tsdb.path", "--web.enable-lifecycle") as start:
        yield start


@pytest.fixture
def alertmanager(program: Callable[[str], Program]) -> Iterator[Start]:
    """Starts one on the `alertmanager.yml` of a folder."""
    found = lambda: relocated(program("prometheus-alertmanager"), "prometheus/alertmanager")  # noqa: E731
    with _starting(found, "alertmanager", "--storage.path", "--cluster.listen-address=") as start:  # it is alone
        yield start


@contextmanager
def _starting(program: Callable[[], Program], name: str, storage: str, *more: str) -> Iterator[Start]:
    """Starts a program of Prometheus' on `<name>.yml` of a folder; all of them end together."""
    with ExitStack() as running:

        def start(folder: Path) -> Server:
            (port,) = free_ports(1)
            places = (f"--config.file={folder / f'{name}.yml'}", f"{storage}={folder / name}", f"--web.listen-address=127.0.0.1:{port}")
            return running.enter_context(serving(program(), (*places, *more), port, folder / f"{name}.log", _is_ready))

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
