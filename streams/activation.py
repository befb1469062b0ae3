"""A record of `policies` judged: another policy for this application, or why not. By the texts alone, so everywhere alike.

An answer on `actions` is about no account: its `account_id` is the record's place.
"""

from functools import lru_cache
from typing import NamedTuple

from schemas.changelog import PolicyKept
from schemas.errors import PolicyError
from schemas.records import Action, Cause, Mode, PolicyActivated
from streams.changing import incompatible
from streams.commands.answering import DONE, REFUSED
from streams.intake import RawRecord
from streams.policy.compiled import CompiledPolicy
from streams.policy.loading import load_policy_text
from streams.settling import Output
from streams.transitions import identified


class Ordered(NamedTuple):
    """The record with its circumstances."""

    raw: RawRecord
    record: PolicyActivated
    mode: Mode
    decided_at_ms: int


@lru_cache(16)
def policy_from(text: str) -> CompiledPolicy:
    """The policy that a text says, made once for all lanes. Raises PolicyError."""
    return load_policy_text(text)


def judged(policy: CompiledPolicy, record: PolicyActivated) -> CompiledPolicy | list[str]:
    """The policy to adopt, or everything that is against it."""
    if record.replaces != policy.digest:
        return [f"the policy in force is {policy.digest} ({policy.name} {policy.version}), not {record.replaces}"]
    try:
        other = policy_from(record.text)
    except PolicyError as error:
        return error.problems
    if other.digest != record.digest:
        return [f"the text is of the policy {other.digest}, the record says {record.digest}"]
    return incompatible(policy, other) or other


def kept(ordered: Ordered, before: CompiledPolicy, since_ms: int) -> PolicyKept:
    """What the changelog keeps of it."""
    raw, record = ordered.raw, ordered.record
    return PolicyKept(
        digest=record.digest, text=record.text, since_ms=since_ms, offset=raw.offset, event_id=record.event_id,
        occurred_at=record.occurred_at, appended_at_ms=raw.appended_at_ms, before=before.text,
    )  # fmt: skip


def cause(policy: CompiledPolicy, partition: int, why: PolicyKept) -> Cause:
    """Why an account is decided again: the record that brought the policy."""
    return Cause(
        kind="POLICY", topic="policies", partition=partition, offset=why.offset, event_id=why.event_id, occurred_at=why.occurred_at,
        detail=f"{policy.name} {policy.version}",
    )  # fmt: skip


def answered(ordered: Ordered, policy: CompiledPolicy, problems: list[str]) -> list[Output]:
    """The answer, in mode LIVE: that it is in force, or everything that is against it."""
    raw, record = ordered.raw, ordered.record
    if ordered.mode != "LIVE":
        return []
    place = f"{raw.topic}:{raw.partition}:{raw.offset}"
    said = "; ".join(problems) or f"{policy.name} {policy.version} is in force, accounts are decided again"
    brought = PolicyKept(record.digest, "", offset=raw.offset, event_id=record.event_id, occurred_at=record.occurred_at)
    answer = Action(
        account_id=place,
        generation=place,
        application=record.application,
        policy=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        decided_at=ordered.decided_at_ms,
        mode=ordered.mode,
        action_id=identified(record.application, "POLICY", record.event_id, place),
        kind=REFUSED if problems else DONE,
        name="POLICY",
        reason=said,
        due_at=record.occurred_at,
        lag_ms=ordered.decided_at_ms - raw.appended_at_ms,
        cause=cause(policy, raw.partition, brought),
    )
    return [Output("actions", place.encode(), answer)]
