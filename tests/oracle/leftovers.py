"""What a worker keeps of each account, read back from the changelog by the layout records that stand in it."""

import base64
import json
import struct
from typing import Any, NamedTuple

import msgspec

CODES = {"<f8": "d", "<i8": "q", "<u8": "Q", "<i4": "i", "<u4": "I", "<u1": "B"}


class KeptDossier(NamedTuple):
    """The parts of a dossier that the oracle knows, as they are written."""

    profile: dict[str, Any]
    risks: dict[str, Any]
    pool: list[Any] | None
    orders: list[Any]
    overrides: dict[str, list[Any]]


class Kept(NamedTuple):
    """The newest of each key: rows as column -> content (a tuple where the column has several), dossiers, progress by topic."""

    rows: dict[bytes, dict[str, Any]]
    dossiers: dict[bytes, KeptDossier]
    progress: dict[str, dict[str, Any]]
    tick_ms: int | None


def kept(changelog: list[tuple[bytes, bytes | None]]) -> Kept:
    """Decode a partition's changelog."""
    newest = {key: payload for key, payload in changelog if payload is not None}
    layouts = {int(key[8:], 16): json.loads(payload) for key, payload in newest.items() if key.startswith(b"\0layout\0")}
    tick = newest.get(b"\0tick\0")
    found = Kept({}, {}, {}, None if tick is None else int(tick))
    for key, payload in newest.items():
        if key.startswith(b"\0progress\0"):
            found.progress[key[10:].decode()] = json.loads(payload)
        elif key.startswith(b"r"):
            found.rows[key[1:]] = _row(layouts[int.from_bytes(payload[:8], "big")], payload[8:])
        elif key.startswith(b"d"):
            assert payload[0] == 1, f"dossier of {key!r} must be of format 1"
            profile, risks, pool, _windows, _spent, orders, overrides, *_ = msgspec.msgpack.decode(payload[1:])
            found.dossiers[key[1:]] = KeptDossier(profile, risks, pool, orders, overrides)
    return found


def _row(layout: dict[str, Any], packed: bytes) -> dict[str, Any]:
    row = _unpacked(packed, base64.b64decode(layout["start"]))
    assert len(row) == layout["row_bytes"], f"row must have {layout['row_bytes']} bytes, got {len(row)}"
    columns: dict[str, Any] = {}
    for column in layout["columns"]:
        entries = 1
        for length in column["shape"]:
            entries *= length
        held = struct.unpack_from(f"<{entries}{CODES[column['type']]}", row, column["offset"])
        columns[column["name"]] = held if column["shape"] else held[0]
    return columns


def _unpacked(packed: bytes, start: bytes) -> bytes:
    """One bit for each word of 8 bytes, the words of those that are set in order, the others as every row starts."""
    words = [start[at : at + 8] for at in range(0, len(start), 8)]
    mask_bytes = -(-len(words) // 64) * 8
    mask, at = int.from_bytes(packed[:mask_bytes], "little"), mask_bytes
    for number in range(len(words)):
        if mask >> number & 1:
            words[number], at = packed[at : at + 8], at + 8
    assert at == len(packed), f"a row must have {at} bytes by its mask, got {len(packed)}"
    return b"".join(words)
