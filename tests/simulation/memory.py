"""What a partition has in memory, so that two of them can be compared: rows, dossiers, deadlines, the last tick."""

from typing import NamedTuple

import numpy as np

from streams.again import Again
from streams.dossier import encode_dossier
from streams.partition import Partition

DEADLINE = "account.deadline_ms"


class Remembered(NamedTuple):
    """One account: the bytes of its row but for its deadline, and of its dossier."""

    row: bytes
    dossier: bytes
    deadline_ms: int


class Memory(NamedTuple):
    """Everything that decides what comes next."""

    accounts: dict[bytes, Remembered]
    last_tick_ms: int | None
    commands: list[int]
    undecided: list[bytes]


def memory_of(partition: Partition) -> Memory:
    """What this one has now."""
    accounts, found = partition._accounts, {}
    at = accounts.layout.offset(DEADLINE)
    for key in accounts:
        number = accounts.find(key)
        assert number is not None
        row = accounts.row(number).tobytes()
        deadline_ms = int.from_bytes(row[at : at + 8], "little")
        found[key] = Remembered(row[:at] + row[at + 8 :], encode_dossier(accounts.dossier(number)), deadline_ms)
    again = partition._again
    undecided = [] if again is None else sorted(accounts.key(number) for number in range(accounts.numbers) if _is_left(again, number))
    return Memory(found, partition.last_tick_ms, list(partition._commands._ids), undecided)


def _is_left(again: Again, number: int) -> bool:
    return len(again.among(np.array([number]))) > 0


def difference(live: Memory, restored: Memory, *, moved: bool) -> str:
    """Where they differ first, in words; nothing if they are the same.

    `moved`: another version has written rows. To look again at one of them makes its deadline sooner, which is a bound; never later.
    """
    if live.last_tick_ms != restored.last_tick_ms:
        return f"the last tick is {live.last_tick_ms} and {restored.last_tick_ms}"
    if live.commands != restored.commands:
        return f"the commands known are {live.commands} and {restored.commands}"
    if live.undecided != restored.undecided:
        return f"still to be decided again are {live.undecided} and {restored.undecided}"
    for key in sorted(live.accounts.keys() | restored.accounts.keys()):
        here, there = live.accounts.get(key), restored.accounts.get(key)
        if here is None or there is None:
            return f"account {key.decode()} is known to one only"
        if here[:2] != there[:2]:
            return f"account {key.decode()} has another {'row' if here.row != there.row else 'dossier'}"
        if there.deadline_ms > here.deadline_ms or (not moved and there.deadline_ms != here.deadline_ms):
            return f"account {key.decode()} is due at {here.deadline_ms}, restored it is due at {there.deadline_ms}"
    return ""
