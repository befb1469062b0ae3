"""Fixtures of whoever tests on a real broker: tests/integration and tests/companions import them into their conftest."""

import os

import pytest

from agents.embedded.broker import Broker
from tests.deployments import Deployment


@pytest.fixture(autouse=True, scope="session")
def _a_broker_of_a_busy_machine_may_take_its_time(_no_settings_from_outside: None) -> None:
    """Tests run side by side with others on few cores. One that looks for nobody at an address says itself how long."""
    os.environ["TIERSTREAM_BROKER_TIMEOUT_S"] = "30"


@pytest.fixture
def deployment(kafka: Broker, prefix: str) -> Deployment:
    """Topics of the test's own."""
    return Deployment(kafka.bootstrap, prefix)
