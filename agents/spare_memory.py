"""Memory that nobody uses any more goes back to the system.

glibc keeps what was freed, for each thread that freed it: after a restore that is the changelog as it passed through the
clients and lanes, as much as the accounts themselves. Other C libraries have no such call; there it stays as it is.
"""

import ctypes


def give_back() -> None:
    """Return free memory of every thread to the system; takes some milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
