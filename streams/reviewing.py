"""The policy itself has a clock: a standard that nobody has reviewed for more than 183 days is announced, once for each application.

The tick of partition 0 that crosses the instant says so, or the first tick if it is past already: the last tick is in the changelog,
so no restart says it again. A review is another `reviewed_on`, and another instant. It is no account's: in the account's place stands
`policy/<name>`. It does not grow old, and comes in mode LIVE only. Source: fact 001-21.
"""

from datetime import date, timedelta

from schemas.records import Action, Cause, Mode
from streams.calendars import Calendar, CalendarSpec, day_number
from streams.policy.compiled import CompiledPolicy
from streams.policy.linting import REVIEW_DAYS
from streams.settling import Output
from streams.transitions import identified

SPEAKER = 0
"""The partition that says it for all."""

KIND, NAME = "POLICY_REVIEW_DUE", "policy_review"


def review_due_ms(policy: CompiledPolicy) -> int:
    """The first instant of the day, in the policy's time zone, that is more than 183 days after its review."""
    return _begins_ms(policy, policy.reviewed_on + timedelta(days=REVIEW_DAYS + 1))


def reviewed_ms(policy: CompiledPolicy) -> int:
    """The first instant of the day of the review, in the policy's time zone."""
    return _begins_ms(policy, policy.reviewed_on)


def _begins_ms(policy: CompiledPolicy, day: date) -> int:
    return Calendar(CalendarSpec(), policy.document.timezone).start_ms(day_number(day))


def review_announced(
    application: str, policy: CompiledPolicy, mode: Mode, previous_ms: int | None, at_ms: int, decided_at_ms: int
) -> list[Output]:
    """What partition 0 publishes at a tick, after the one before it (None: it is the first)."""
    due_ms = review_due_ms(policy)
    if mode != "LIVE" or at_ms < due_ms or (previous_ms is not None and previous_ms >= due_ms):
        return []
    subject = f"policy/{policy.name}"
    cause = Cause(kind="CLOCK", topic="ticks", partition=SPEAKER, offset=0, event_id="", occurred_at=at_ms, detail=NAME)
    action = Action(
        account_id=subject,
        generation=subject,
        application=application,
        policy=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        decided_at=decided_at_ms,
        mode=mode,
        action_id=identified(application, policy.name, KIND, str(policy.reviewed_on)),
        kind=KIND,
        name=NAME,
        reason=f"policy {policy.name} was reviewed on {policy.reviewed_on}, more than {REVIEW_DAYS} days ago: a review is due",
        due_at=due_ms,
        lag_ms=decided_at_ms - due_ms,
        cause=cause,
    )
    return [Output("actions", subject.encode(), action)]
