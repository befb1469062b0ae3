"""A command with its circumstances, and what carries one out: what all kinds of command have in common."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.records import Command, Mode
from streams.account import AccountFold, Carried, Change
from streams.accounts import Accounts
from streams.intake import RawRecord
from streams.kinds import unknown
from streams.policy.compiled import CompiledPolicy

LONGEST = 1_000
"""No text of a command that is kept may be longer (characters): a dossier has room for them in any case."""


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


Obey = Callable[[Order, Accounts, AccountFold], Carried]
"""Carries out one kind of command. Raises Refusal."""


def account_of(order: Order, accounts: Accounts) -> int:
    """The number of the account that the command is about. Raises Refusal if there is none."""
    if (number := accounts.find(order.key)) is None:
        raise Refusal("there is no such account")
    return number


def carried_out(order: Order, accounts: Accounts, fold: AccountFold, change: Change) -> Carried:
    """The command changes its account, and what follows is decided."""
    number = account_of(order, accounts)
    return fold.carry_out(accounts, number, order.raw, order.command, change, order.mode, order.decided_at_ms)


def arguments(command: Command, *known: str) -> dict[str, str]:
    """The command's arguments. Raises Refusal for one that its kind does not have."""
    for name in sorted(set(command.arguments) - set(known)):
        raise Refusal(unknown("argument", name, frozenset(known)))
    return command.arguments


def said(name: str, text: str | None) -> str:
    """A text that the command must have. Raises Refusal if it is missing or too long."""
    if not (kept := (text or "").strip()):
        raise Refusal(f"{name} is missing")
    if len(kept) > LONGEST:
        raise Refusal(f"{name} must have at most {LONGEST} characters, got {len(kept)}")
    return kept
