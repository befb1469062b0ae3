"""Is this worker doing all the work that is its own? Read off the lanes, for `/readyz`."""

from typing import Any


def report(app: Any) -> dict[str, Any]:
    """`ready`, the state of each lane, and a sentence for each thing that is not ready. No partitions at all is ready, once told so."""
    states = {number: lane.state for number, lane in sorted(app.lanes.by_number.items())}
    problems = [f"lane {number} is {state}" for number, state in states.items() if state != "running"]
    if not app.settled:
        problems.insert(0, "the group is assigning partitions")
    return {"ready": not problems, "lanes": {str(number): state for number, state in states.items()}, "not_ready": problems}
