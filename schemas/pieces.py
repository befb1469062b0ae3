"""Many texts of bytes in one buffer: keys, payloads or whatever else records have one of each, without an object for a record.

A piece is made when it is asked for. Rules: what is shared is never changed, so slices and picks share the buffer and cost nothing for
a byte; a buffer is read-only, so that code is compiled for one kind of array.
"""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]
NO_PIECE = -1
"""The size of a piece that is None."""


class Pieces(Sequence[bytes | None]):
    """Piece i is `buffer[begins[i] : begins[i] + sizes[i]]`; a size of NO_PIECE says that it is None. All within the buffer."""

    __slots__ = ("begins", "buffer", "sizes")

    def __init__(self, buffer: Bytes, begins: Words, sizes: Words) -> None:
        self.buffer, self.begins, self.sizes = buffer, begins, sizes

    @staticmethod
    def of(pieces: Sequence[bytes | None]) -> "Pieces":
        """The same pieces one behind the other; what is in one buffer already stays there."""
        if isinstance(pieces, Pieces):
            return pieces
        sizes = np.fromiter((NO_PIECE if piece is None else len(piece) for piece in pieces), np.int64, len(pieces))
        return Pieces(np.frombuffer(b"".join(piece for piece in pieces if piece), np.uint8), begins_of(sizes), sizes)

    @staticmethod
    def nothing(count: int) -> "Pieces":
        """So many that are None."""
        return Pieces(NO_PIECES.buffer, np.zeros(count, np.int64), np.full(count, NO_PIECE))

    @staticmethod
    def joined(some: Sequence["Pieces"]) -> "Pieces":
        """All of them, one behind the other. Of each buffer only what its pieces span is copied."""
        trimmed = [pieces.trimmed() for pieces in some]
        before = begins_of(np.array([len(pieces.buffer) for pieces in trimmed], np.int64))
        begins = np.concatenate([pieces.begins + at for pieces, at in zip(trimmed, before.tolist(), strict=True)])
        buffer = np.concatenate([pieces.buffer for pieces in trimmed])
        return Pieces(sealed(buffer), begins, np.concatenate([pieces.sizes for pieces in trimmed]))

    @property
    def ends(self) -> Words:
        """Where each piece ends; one that is None where it would begin."""
        return self.begins + np.maximum(self.sizes, 0)

    @property
    def size(self) -> int:
        """How many bytes they have together."""
        return int(np.maximum(self.sizes, 0).sum())

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, place: int) -> bytes | None: ...
    @overload
    def __getitem__(self, place: slice) -> "Pieces": ...
    def __getitem__(self, place: int | slice) -> "bytes | Pieces | None":
        """One piece, or the pieces of a slice."""
        if isinstance(place, slice):
            return Pieces(self.buffer, self.begins[place], self.sizes[place])
        begin, size = int(self.begins[place]), int(self.sizes[place])
        return None if size < 0 else self.buffer[begin : begin + size].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        tight = self.trimmed()
        whole = tight.buffer.tobytes()
        places = zip(tight.begins.tolist(), tight.ends.tolist(), tight.sizes.tolist(), strict=True)
        return (None if size < 0 else whole[begin:end] for begin, end, size in places)

    def first_not(self, byte: int, least: int) -> int | None:
        """The place of the first piece that does not begin with this byte, or has fewer bytes than `least`; None if all are so."""
        right = self.sizes >= least
        right[right] = self.buffer[self.begins[right]] == byte
        return None if right.all() else int(np.argmin(right))

    def picked(self, places: Words) -> "Pieces":
        """The pieces at these places, in the order of the places."""
        return Pieces(self.buffer, self.begins[places], self.sizes[places])

    def trimmed(self) -> "Pieces":
        """The same pieces in no more of the buffer than they span."""
        there = self.sizes > 0
        begins = self.begins[there]
        if not len(begins):
            return Pieces(self.buffer[:0], np.zeros(len(self), np.int64), self.sizes)
        first, end = int(begins.min()), int((begins + self.sizes[there]).max())
        return Pieces(self.buffer[first:end], np.maximum(self.begins - first, 0), self.sizes)


def begins_of(sizes: Words) -> Words:
    """Where pieces of these sizes begin that lie one behind the other."""
    whole = np.maximum(sizes, 0)
    begins: Words = np.cumsum(whole) - whole
    return begins


def sealed(buffer: Bytes) -> Bytes:
    """The buffer, which nobody changes any more."""
    buffer.flags.writeable = False
    return buffer


NO_PIECES = Pieces.of([])
