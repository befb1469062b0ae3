"""Pieces of a buffer gathered closely: one behind the other, nothing between them. Compiled."""

import numpy as np

from schemas.compiling import compiled
from schemas.pieces import Bytes, Pieces, Words, sealed


def gathered(pieces: Pieces) -> Bytes:
    """The bytes of these pieces; where each begins says `begins_of`. Its memory begins at a whole word."""
    into = np.empty(pieces.size, np.uint8)
    _gather(pieces.buffer, pieces.begins, pieces.sizes, into)
    return sealed(into)


@compiled
def _gather(buffer: Bytes, begins: Words, sizes: Words, into: Bytes) -> None:
    """Places are unsigned: a place that might count from the end would cost a look at every byte, ten times the time of copying it."""
    at = np.uint64(0)
    for each in range(len(sizes)):
        begin, size = np.uint64(begins[each]), np.uint64(max(sizes[each], 0))
        for place in range(size):
            into[at + place] = buffer[begin + place]
        at += size
