"""Headers of a record packed into one piece of bytes, as a column holds them: they are rare, and only dead letters ask for them.

Each is the size of its name and the name, then the size of its text and the text; a size is a signed word of this machine, -1 where
there is no text. It is never kept and never sent.
"""

import struct
from collections.abc import Iterator

from schemas.dead_letters import ForeignHeaders
from schemas.pieces import NO_PIECE

_LENGTH = struct.Struct("=q")
LENGTH_BYTES = _LENGTH.size


def packed(headers: ForeignHeaders) -> bytes | None:
    """One piece; None where there are no headers."""
    parts = [part for name, text in headers for part in (*_part(name.encode()), *_part(text))]
    return b"".join(parts) if parts else None


def _part(text: bytes | None) -> tuple[bytes, bytes]:
    return _LENGTH.pack(NO_PIECE if text is None else len(text)), text or b""


def unpacked(piece: bytes | None) -> ForeignHeaders:
    """The headers in a piece. A name that is no UTF-8 is told with marks where it is not."""
    parts = list(_parts(piece or b""))
    return tuple(((name or b"").decode(errors="replace"), text) for name, text in zip(parts[::2], parts[1::2], strict=True))


def _parts(piece: bytes) -> Iterator[bytes | None]:
    at = 0
    while at < len(piece):
        (size,) = _LENGTH.unpack_from(piece, at)
        at += LENGTH_BYTES
        yield None if size == NO_PIECE else piece[at : at + size]
        at += max(size, 0)
