"""What the tests of lanes on a real broker stand on."""

import pytest

from agents.embedded.broker import Broker
from tests.deployments import Deployment


@pytest.fixture
def deployment(kafka: Broker, prefix: str) -> Deployment:
    """Topics of the test's own."""
    return Deployment(kafka.bootstrap, prefix)
