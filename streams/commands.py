"""What people order the engine to do, folded like any other input: in its place in the order, once, and answered.

Rules:
- A command is carried out once: its id is known by 64 bits beside its account's, for the latest `REMEMBERED` of a partition, in the
  changelog. A repetition changes nothing and is not answered again.
- What can not be done is refused, which changes nothing. Both are answered on `actions`, with the reason, in mode LIVE: an answer
  does not grow old, so unlike a lead it comes after an outage too.
- A kind of command is one function and one entry of `KINDS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas import changelog
from schemas.records import Action, Cause, Command, Mode
from schemas.topics import INPUTS
from streams.accounts import Accounts
from streams.ids import id64
from streams.intake import RawRecord
from streams.policy.compiled import CompiledPolicy
from streams.settling import Output
from streams.transitions import identified

REMEMBERED = 1024
"""Commands known per partition: one of them that comes again is a repetition."""

DONE, REFUSED = "DONE", "REFUSED"


class Order(NamedTuple):
    """A command with its circumstances."""

    key: bytes
    raw: RawRecord
    command: Command
    application: str
    policy: CompiledPolicy
    mode: Mode
    decided_at_ms: int


class Refusal(Exception):
    """The command cannot be carried out, for this reason; raised before anything has changed."""


class Obeyed(NamedTuple):
    """What a command did, in words, and what is published besides the answer."""

    said: str
    outputs: list[Output]


Obey = Callable[[Order, Accounts], Obeyed]
"""Carries out one kind of command. Raises Refusal."""


def obey(order: Order, accounts: Accounts) -> list[Output]:
    """Carry the command out, or refuse it; what is published."""
    kind = order.command.kind
    try:
        if kind not in KINDS:
            raise Refusal(f"{kind} is not carried out by this version, which knows {', '.join(KINDS)}")
        done = KINDS[kind](order, accounts)
    except Refusal as refused:
        return _answered(order, REFUSED, str(refused))
    return [*done.outputs, *_answered(order, DONE, done.said)]


def _erase(order: Order, accounts: Accounts) -> Obeyed:
    """Row, dossier and current tiers are deleted. A later record finds no account and makes one of another generation."""
    if accounts.find(order.key) is None:
        raise Refusal("there is no such account")
    accounts.erase(order.key)
    return Obeyed("the account is erased", [Output("account-tiers", order.key, None)])


KINDS: dict[str, Obey] = {"ERASE": _erase}


def _answered(order: Order, kind: str, reason: str) -> list[Output]:
    """The answer. It says nothing of people: who asked and why stays in the command."""
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


class Known:
    """The ids of the latest commands of a partition, oldest first."""

    def __init__(self, ids: list[int] | None = None) -> None:
        self._ids = dict.fromkeys(ids or [])
        self._moved = False

    def is_new(self, key: bytes, command: Command) -> bool:
        """Whether the command was never seen; it is known from now on."""
        known = id64(f"{command.event_id}\x1f{key.decode()}", INPUTS["commands"].number)
        if known in self._ids:
            return False
        self._ids[known] = None
        while len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]
        self._moved = True
        return True

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog record, if there is something new since the last call."""
        if not self._moved:
            return []
        self._moved = False
        return [(changelog.COMMANDS_KEY, changelog.commands_payload(list(self._ids)))]
