"""The answer to a command, on `actions`: DONE or REFUSED, with the reason.

It is given in mode LIVE only, and whatever the command's age: an answer does not grow old, so unlike a lead it comes after an outage too.
It says nothing of people: who asked and why stays in the command.
"""

from schemas.records import Action, Cause
from streams.commands.order import Order
from streams.settling import Output
from streams.transitions import identified

DONE, REFUSED = "DONE", "REFUSED"


def answered(order: Order, kind: str, reason: str) -> list[Output]:
    """The answer, where one is given."""
    if order.mode != "LIVE":
        return []
    raw, command, policy = order.raw, order.command, order.policy
    place = f"{raw.topic}:{raw.partition}:{raw.offset}"
    answer = Action(
        account_id=command.account_id,
        generation=place,
        application=order.application,
        policy=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        decided_at=order.decided_at_ms,
        mode=order.mode,
        action_id=identified(order.application, policy.name, "COMMAND", command.account_id, command.event_id, place),
        kind=kind,
        name=command.kind,
        reason=reason,
        due_at=command.occurred_at,
        lag_ms=order.decided_at_ms - raw.appended_at_ms,
        cause=Cause(
            kind="COMMAND",
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            event_id=command.event_id,
            occurred_at=command.occurred_at,
            detail=command.kind,
        ),
    )
    return [Output("actions", order.key, answer)]
