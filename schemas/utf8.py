"""Is it UTF-8, as Python's strict decoder takes it: no overlong form, no surrogate, nothing past U+10FFFF."""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled

Bytes = NDArray[np.uint8]


@compiled
def is_utf8(buffer: Bytes, begin: int, end: int) -> bool:
    """Whether buffer[begin:end] is UTF-8. The range must lie inside the buffer."""
    if is_ascii(buffer, begin, end):
        return True
    at = begin
    while at < end:
        if buffer[at] < 0x80:
            at += 1
        else:
            size = _character(buffer, at, end)
            if size == 0:
                return False
            at += size
    return True


@compiled
def is_ascii(buffer: Bytes, begin: int, end: int) -> bool:
    """Whether no byte of buffer[begin:end] has its highest bit set."""
    seen = np.uint8(0)
    at, past = np.uint64(begin), np.uint64(end)  # an unsigned place is not tested for counting from the end
    while at < past:
        seen |= buffer[at]
        at += np.uint64(1)
    return bool(seen < 0x80)


@compiled
def holds_nul(buffer: Bytes, begin: int, end: int) -> bool:
    """Whether buffer[begin:end] holds a zero byte: in UTF-8 that is U+0000 and nothing else."""
    at, past = np.uint64(begin), np.uint64(end)
    while at < past and buffer[at] != 0:
        at += np.uint64(1)
    return bool(at < past)


@compiled
def _character(buffer: Bytes, at: int, end: int) -> int:
    """How many bytes the character of two to four bytes takes that begins at `at`; 0: there is no legal one."""
    size, least, most = _shape(buffer[at])
    if size == 0 or at + size > end or not least <= buffer[at + 1] <= most:
        return 0
    for place in range(at + 2, at + size):
        if not 0x80 <= buffer[place] <= 0xBF:
            return 0
    return size


@compiled
def _shape(lead: int) -> tuple[int, int, int]:
    """Of a character by its first byte: its size, and the range of its second byte (Unicode, table 3-7). Size 0: no first byte."""
    if 0xC2 <= lead <= 0xDF:
        return 2, 0x80, 0xBF
    if 0xE0 <= lead <= 0xEF:
        return 3, 0xA0 if lead == 0xE0 else 0x80, 0x9F if lead == 0xED else 0xBF
    if 0xF0 <= lead <= 0xF4:
        return 4, 0x90 if lead == 0xF0 else 0x80, 0x8F if lead == 0xF4 else 0xBF
    return 0, 0, 0
