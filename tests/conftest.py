"""What integration tests stand on: one real Kafka for the whole run, and a topic prefix for each test."""

import os
import shutil
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from agents.embedded.broker import Broker
from agents.embedded.configuration import data_directory
from agents.embedded.valkey import Valkey

# Properties: the same few examples every time, or with HYPOTHESIS_PROFILE=soak (`make soak`) many, and others each time. How fast this
# machine is just now is no property of what is tested.
_ANY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True)
settings.register_profile("few", _ANY, max_examples=60, derandomize=True, database=None)
settings.register_profile("soak", _ANY, max_examples=1_500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))

_LOG = pytest.StashKey[str]()
_PATIENT = {"broker.session.timeout.ms": "60000"}  # never killed, so a moment in which it cannot say that it lives means nothing


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """A developer's TIERSTREAM_ variables must not change what is tested, here or in a process that a test starts.

    TIERSTREAM_DATA is no setting: it says where tests find real data.
    """
    for name in [name for name in os.environ if name.startswith("TIERSTREAM_") and name != "TIERSTREAM_DATA"]:
        del os.environ[name]


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker, shared by all tests: `.bootstrap` is its address. Who wants to break one starts another (`own_kafka`)."""
    broker = Broker(tmp_path_factory.mktemp("kafka"), properties=_PATIENT)
    request.config.stash[_LOG] = str(broker.log)
    broker.start()
    yield broker
    broker.stop()
    shutil.rmtree(data_directory(broker.directory))  # the log stays


@pytest.fixture
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker of the test's own, to be killed and restarted at will."""
    broker = Broker(tmp_path_factory.mktemp("own-kafka"), heap="512m")
    broker.start()
    yield broker
    broker.stop()
    shutil.rmtree(data_directory(broker.directory))


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A real Redis-compatible server, shared: each test has a prefix of its own. Who wants to break one starts another."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has: tests share the broker and never each other's topics."""
    return f"t{uuid.uuid4().hex[:8]}-"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Where to look when something failed."""
    if exitstatus != pytest.ExitCode.OK and _LOG in config.stash:
        terminalreporter.write_line(f"Kafka's log: {config.stash[_LOG]}")
