"""What one partition keeps in the state changelog, byte by byte.

The topic is compacted, so the newest record of each key is the state. Eight kinds of key share it:

| kind | key | payload |
|---|---|---|
| ROW | `r` + account | 8 bytes layout id (big-endian), then the row packed (`streams/packed_rows.py`) |
| DOSSIER | `d` + account | 1 byte format (1), then msgpack |
| LAYOUT | NUL `layout` NUL + layout id as 16 hex digits | JSON that describes the columns of a row |
| COMMANDS | NUL `commands` NUL | JSON of the 64-bit ids of the commands carried out or refused lately |
| TICK | NUL `tick` NUL | JSON of the last tick folded, in epoch ms |
| POLICY | NUL `policy` NUL | JSON of `PolicyKept` |
| REBUILT | NUL `rebuilt` NUL | JSON of `Rebuilt`: only where `tierstream rebuild` has made the state |
| PROGRESS | NUL `progress` NUL + topic | JSON of `Progress` |

An account id holds no NUL, so no account's key can be taken for another kind's. A payload of None deletes the key: the account was erased.
"""

from enum import Enum
from typing import Final, TypeVar

import msgspec

ROW_PREFIX: Final = b"r"
DOSSIER_PREFIX: Final = b"d"
LAYOUT_PREFIX: Final = b"\0layout\0"
PROGRESS_PREFIX: Final = b"\0progress\0"
TICK_KEY: Final = b"\0tick\0"
COMMANDS_KEY: Final = b"\0commands\0"
POLICY_KEY: Final = b"\0policy\0"
REBUILT_KEY: Final = b"\0rebuilt\0"
DOSSIER_FORMAT: Final = 1

LAYOUT_ID_BYTES: Final = 8
_HEX_DIGITS: Final = frozenset(b"0123456789abcdef")


class ChangelogError(Exception):
    """A changelog record that this version cannot have written: a broken invariant, the process stops."""


class Kind(Enum):
    """What a changelog record is about."""

    ROW = "row"
    DOSSIER = "dossier"
    LAYOUT = "layout"
    PROGRESS = "progress"
    TICK = "tick"
    COMMANDS = "commands"
    POLICY = "policy"
    REBUILT = "rebuilt"


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a lane has folded one input topic, and under which policy.

    `next_offset` is the first offset not folded; `topic_id` is the broker's id of the topic, which a topic that was
    deleted and made again does not share. Of the last `judged` records `refused` became dead letters (`agents/ceiling.py`).
    `changelog_id` is that of the changelog it was written for; empty where nobody asked.
    """

    next_offset: int
    policy_digest: str
    topic_id: str
    judged: int = 0
    refused: int = 0
    changelog_id: str = ""


class PolicyKept(msgspec.Struct, frozen=True, omit_defaults=True):
    """The policy in force: its digest and text, and by which record of `policies` it came (`offset` -1: the worker was started with it).

    `since_ms` is the instant from which it is true, `before` the text of the one before it, of which rows may still be there.
    """

    digest: str
    text: str
    since_ms: int = 0
    offset: int = -1
    event_id: str = ""
    occurred_at: int = 0
    appended_at_ms: int = 0
    before: str = ""


class Rebuilt(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a rebuild has folded what application `source` folded: up to `next_offset` of its fold-order, whose id is `source_id`.

    `at_work`: it is not at its end, so nobody else may go on here. `positions` (by input) and `tick_ms` are where it stands itself: who
    finds others has found an application that has gone on since.
    """

    source: str
    source_id: str
    next_offset: int = 0
    at_work: bool = True
    positions: dict[str, int] = {}
    tick_ms: int | None = None


_REBUILT: Final = msgspec.json.Decoder(Rebuilt)
_POLICY: Final = msgspec.json.Decoder(PolicyKept)
_PROGRESS: Final = msgspec.json.Decoder(Progress)
_TICK: Final = msgspec.json.Decoder(int)
_COMMANDS: Final = msgspec.json.Decoder(list[int])

Said = TypeVar("Said")


def row_key(account: bytes) -> bytes:
    """The key of an account's row."""
    return ROW_PREFIX + account


def dossier_key(account: bytes) -> bytes:
    """The key of an account's dossier."""
    return DOSSIER_PREFIX + account


def layout_key(layout_id: int) -> bytes:
    """The key of a layout: its 64-bit id as 16 hex digits."""
    return LAYOUT_PREFIX + b"%016x" % layout_id


def progress_key(topic: str) -> bytes:
    """The key of the progress on one input topic (its logical name)."""
    return PROGRESS_PREFIX + topic.encode("ascii")


def classify(key: bytes) -> Kind:
    """The kind of record a key belongs to."""
    if is_row(key):
        return Kind.ROW
    if key.startswith(DOSSIER_PREFIX) and len(key) > 1:
        return Kind.DOSSIER
    if key.startswith(LAYOUT_PREFIX):
        return Kind.LAYOUT
    if key == TICK_KEY:
        return Kind.TICK
    if key == COMMANDS_KEY:
        return Kind.COMMANDS
    if key == POLICY_KEY:
        return Kind.POLICY
    if key == REBUILT_KEY:
        return Kind.REBUILT
    if key.startswith(PROGRESS_PREFIX):
        return Kind.PROGRESS
    raise ChangelogError(f"changelog key must be of a row, dossier, layout, commands, tick, policy, rebuilt or progress, got {key[:40]!r}")


def is_row(key: bytes) -> bool:
    """Whether a key is of a row: `classify` for who asks often."""
    return key.startswith(ROW_PREFIX) and len(key) > 1


def account_of(key: bytes) -> bytes:
    """The account in the key of a row or a dossier."""
    return key[1:]


def layout_id_of(key: bytes) -> int:
    """The layout id in the key of a layout."""
    digits = key[len(LAYOUT_PREFIX) :]
    if len(digits) != 2 * LAYOUT_ID_BYTES or not _HEX_DIGITS.issuperset(digits):
        raise ChangelogError(f"changelog key of a layout must end in 16 hex digits, got {key[:40]!r}")
    return int(digits, 16)


def topic_of(key: bytes) -> str:
    """The input topic in the key of a progress record."""
    return key[len(PROGRESS_PREFIX) :].decode("ascii")


def row_payload(layout_id: int, row: bytes) -> bytes:
    """A packed row behind the id of its layout."""
    return layout_id.to_bytes(LAYOUT_ID_BYTES, "big") + row


def row_of(payload: bytes) -> tuple[int, bytes]:
    """The layout id and the packed row."""
    if len(payload) < LAYOUT_ID_BYTES:
        raise ChangelogError(f"changelog row must start with a layout id of 8 bytes, got {len(payload)} bytes")
    return int.from_bytes(payload[:LAYOUT_ID_BYTES], "big"), payload[LAYOUT_ID_BYTES:]


def dossier_payload(packed: bytes) -> bytes:
    """A dossier's msgpack behind its format byte."""
    return bytes((DOSSIER_FORMAT,)) + packed


def is_dossier(payload: bytes) -> bool:
    """Whether a payload is a dossier of the present format, as far as that is seen without reading it."""
    return len(payload) > 1 and payload[0] == DOSSIER_FORMAT


def progress_payload(progress: Progress) -> bytes:
    """Progress as JSON."""
    return msgspec.json.encode(progress)


def progress_of(payload: bytes) -> Progress:
    """Progress from JSON."""
    return _said(_PROGRESS, payload, "progress must be the JSON of Progress")


def tick_payload(at_ms: int) -> bytes:
    """The last tick folded, as JSON."""
    return msgspec.json.encode(at_ms)


def tick_of(payload: bytes) -> int:
    """The last tick folded, from JSON."""
    return _said(_TICK, payload, "tick must be the JSON of an instant")


def commands_payload(known: list[int]) -> bytes:
    """The ids of the latest commands, as JSON."""
    return msgspec.json.encode(known)


def commands_of(payload: bytes) -> list[int]:
    """The ids of the latest commands, from JSON."""
    return _said(_COMMANDS, payload, "commands must be the JSON of their ids")


def policy_payload(kept: PolicyKept) -> bytes:
    """The policy in force, as JSON."""
    return msgspec.json.encode(kept)


def policy_of(payload: bytes) -> PolicyKept:
    """The policy in force, from JSON."""
    return _said(_POLICY, payload, "policy must be the JSON of PolicyKept")


def rebuilt_payload(rebuilt: Rebuilt) -> bytes:
    """How far a rebuild is, as JSON."""
    return msgspec.json.encode(rebuilt)


def rebuilt_of(payload: bytes) -> Rebuilt:
    """How far a rebuild is, from JSON."""
    return _said(_REBUILT, payload, "rebuilt must be the JSON of Rebuilt")


def _said(decoder: msgspec.json.Decoder[Said], payload: bytes, rule: str) -> Said:
    """What a payload of JSON says. `rule`: what the error says of one that does not."""
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError as fault:
        raise ChangelogError(f"changelog {rule}: {fault}, got {payload[:80]!r}") from fault
