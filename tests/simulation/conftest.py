"""What the tests of the simulation stand on: lanes warn of what is done to them on purpose, which nobody needs to read."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _warnings_are_expected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "tierstream")
