"""XXH64 over bytes in an array, for compiled code: the same numbers as `streams/ids.py` gives for texts.

The bytes hashed are `buffer[begin : begin + size]`; the caller answers for their being there. Run uncompiled it is the
specification; numpy then warns of the overflows that the method lives on.
Source: the XXH64 section of the xxHash fast digest algorithm's description.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled

Bytes = NDArray[np.uint8]

_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3 = np.uint64(0x165667B19E3779F9)
_PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
_PRIME_5 = np.uint64(0x27D4EB2F165667C5)
_STRIPE, _LANE = 32, 8


@compiled
def _rotated(lane: np.uint64, bits: int) -> np.uint64:
    return (lane << np.uint64(bits)) | (lane >> np.uint64(64 - bits))


@compiled
def _word(buffer: Bytes, begin: int, size: int) -> np.uint64:
    """`size` bytes, at most eight, as a little-endian number."""
    word = np.uint64(0)
    for place in range(size):
        word |= np.uint64(buffer[begin + place]) << np.uint64(8 * place)
    return word


@compiled
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotated(lane + word * _PRIME_2, 31) * _PRIME_1


@compiled
def _merged(digest: np.uint64, lane: np.uint64) -> np.uint64:
    return (digest ^ _round(np.uint64(0), lane)) * _PRIME_1 + _PRIME_4


@compiled
def _stripes(buffer: Bytes, begin: int, stripes: int, seed: np.uint64) -> np.uint64:
    """What the whole stripes of 32 bytes come to: four lanes side by side, then joined."""
    first, second, third, fourth = seed + _PRIME_1 + _PRIME_2, seed + _PRIME_2, seed, seed - _PRIME_1
    for stripe in range(stripes):
        at = begin + _STRIPE * stripe
        first = _round(first, _word(buffer, at, _LANE))
        second = _round(second, _word(buffer, at + 8, _LANE))
        third = _round(third, _word(buffer, at + 16, _LANE))
        fourth = _round(fourth, _word(buffer, at + 24, _LANE))
    digest = _rotated(first, 1) + _rotated(second, 7) + _rotated(third, 12) + _rotated(fourth, 18)
    digest = _merged(_merged(digest, first), second)
    return _merged(_merged(digest, third), fourth)


@compiled
def _finished(digest: np.uint64, buffer: Bytes, begin: int, end: int) -> np.uint64:
    """The bytes after the last stripe, and the final mixing."""
    at = begin
    while at + 8 <= end:
        digest = _rotated(digest ^ _round(np.uint64(0), _word(buffer, at, 8)), 27) * _PRIME_1 + _PRIME_4
        at += 8
    if at + 4 <= end:
        digest = _rotated(digest ^ (_word(buffer, at, 4) * _PRIME_1), 23) * _PRIME_2 + _PRIME_3
        at += 4
    while at < end:
        digest = _rotated(digest ^ (np.uint64(buffer[at]) * _PRIME_5), 11) * _PRIME_1
        at += 1
    digest = (digest ^ (digest >> np.uint64(33))) * _PRIME_2
    digest = (digest ^ (digest >> np.uint64(29))) * _PRIME_3
    return digest ^ (digest >> np.uint64(32))


@compiled
def xxh64(buffer: Bytes, begin: int, size: int, seed: np.uint64) -> np.uint64:
    """The hash of `size` bytes from `begin`; hashes of different seeds are unrelated."""
    stripes = size // _STRIPE
    digest = _stripes(buffer, begin, stripes, seed) if stripes else seed + _PRIME_5
    return _finished(digest + np.uint64(size), buffer, begin + _STRIPE * stripes, begin + size)
