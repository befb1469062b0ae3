"""Keys and payloads of many records as two columns, which is a sequence of pairs to whoever looks at one."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from schemas.pieces import NO_PIECES, Pieces, Words

Pair = tuple[bytes, bytes | None]
"""Key and payload; a payload of None deletes the key."""


class Pairs(Sequence[Pair]):
    """Record i has `key[i]` and `payload[i]`; one that has no key has an empty one. (What has `keys` is a mapping to `dict`.)"""

    __slots__ = ("key", "payload")

    def __init__(self, keys: Pieces, payloads: Pieces) -> None:
        self.key, self.payload = keys, payloads

    @staticmethod
    def of(pairs: Sequence[Pair]) -> "Pairs":
        """The columns of pairs; what is columns already stays what it is."""
        if isinstance(pairs, Pairs):
            return pairs
        return Pairs(Pieces.of([key for key, _ in pairs]), Pieces.of([payload for _, payload in pairs]))

    def __len__(self) -> int:
        return len(self.key)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> "Pairs": ...
    def __getitem__(self, place: int | slice) -> "Pair | Pairs":
        """One pair, or those of a slice."""
        if isinstance(place, slice):
            return Pairs(self.key[place], self.payload[place])
        return self.key[place] or b"", self.payload[place]

    def __iter__(self) -> Iterator[Pair]:
        return ((key or b"", payload) for key, payload in zip(self.key, self.payload, strict=True))

    def starting(self, prefix: bytes) -> Words:
        """The places of those whose keys start so."""
        long = np.flatnonzero(self.key.sizes >= len(prefix))
        likely = long[self.key.buffer[self.key.begins[long]] == prefix[0]]
        return np.array([place for place in likely.tolist() if (self.key[place] or b"").startswith(prefix)], np.int64)

    def without(self, places: Words) -> "Pairs":
        """Those at other places than these."""
        return self.picked(np.delete(np.arange(len(self)), places)) if len(places) else self

    def picked(self, places: Words) -> "Pairs":
        """The pairs at these places."""
        return Pairs(self.key.picked(places), self.payload.picked(places))


NO_PAIRS = Pairs(NO_PIECES, NO_PIECES)
