"""After a change of policy: which accounts are still to be decided again, and in which order.

The order is that of the hashes of their keys, so it is the same wherever and however often accounts were numbered: a slice is named by
the hash up to which it goes, and whoever folds the same log makes the same slices.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.account_index import NO_KEY, Begins, hash_of
from streams.accounts import Accounts
from streams.changing import Change
from streams.hashing import Bytes

Numbers = NDArray[np.int64]
LAST = 2**63 - 1
"""Beyond every hash: all that are left."""


class Again:
    """The accounts that a change has not reached yet. `gone`: those on a tier that is gone, with its names by ladder."""

    def __init__(self, accounts: Accounts, change: Change, numbers: Numbers, gone: dict[int, dict[str, str]]) -> None:
        memory = accounts.memory()
        hashes, keep = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.uint8)
        _hash_all(memory.key_begin, memory.keys, numbers, hashes.view(np.uint64), keep)
        numbers, hashes = numbers[keep == 1], hashes[keep == 1]
        order = np.argsort(hashes, kind="stable")
        self.change, self.gone = change, gone
        self._order, self._hashes, self._place = numbers[order], hashes[order], 0
        self._is_due = np.zeros(accounts.numbers, np.uint8)
        self._is_due[numbers] = 1

    @property
    def left(self) -> int:
        """How many are still to be decided."""
        return int(np.count_nonzero(self._is_due))

    def among(self, numbers: Numbers) -> Numbers:
        """Those of these accounts that are still to be decided; later ones never are."""
        old = numbers[numbers < len(self._is_due)]
        due: Numbers = old[self._is_due[old] == 1]
        return due

    def ahead(self, accounts: int) -> int:
        """The hash up to which a slice of so many accounts goes, the first of which is due; others may have been decided since."""
        self._place += int(np.argmax(self._is_due[self._order[self._place :]]))
        return int(self._hashes[min(self._place + accounts, len(self._order)) - 1])

    def up_to(self, cursor: int) -> Numbers:
        """The accounts of the slice that goes up to this hash, in order."""
        end = int(np.searchsorted(self._hashes, cursor, "right"))
        found, self._place = self.among(self._order[self._place : end]), max(end, self._place)
        return found

    def decided(self, numbers: Numbers) -> None:
        """These are done."""
        self._is_due[numbers] = 0


@compiled
def _hash_all(key_begin: Begins, keys: Bytes, numbers: Numbers, hashes: NDArray[np.uint64], keep: Bytes) -> None:
    """The hash of each account's key; a number that nobody has is not kept."""
    for each in range(len(numbers)):
        begin, end = np.int64(key_begin[numbers[each]]), np.int64(key_begin[numbers[each] + 1])
        hashes[each] = hash_of(keys, int(begin), int(end - begin))
        keep[each] = keys[begin] != NO_KEY
