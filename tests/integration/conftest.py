"""What the tests of lanes on a real broker stand on."""

from tests.on_kafka import _a_broker_of_a_busy_machine_may_take_its_time, deployment

__all__ = ("_a_broker_of_a_busy_machine_may_take_its_time", "deployment")
