"""One account by itself, to try things on: whatever happens to it has no consequence."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.dossier import Dossier, decode_dossier, encode_dossier
from streams.kinds import Row


class LoneAccount:
    """Stands in for the accounts of a partition; it is number 0, whatever number is asked for."""

    def __init__(self, key: bytes, rows: NDArray[np.void], dossier: Dossier) -> None:
        """`rows`: a copy of its row (shape (1,)). The dossier is copied before it is changed."""
        self._key, self._rows, self._dossier = key, rows, dossier
        self._is_copied = False

    def key(self, _number: int) -> bytes:
        """The account's key."""
        return self._key

    def row(self, _number: int) -> Row:
        """Its row, changed in place."""
        row: Row = self._rows[0]
        return row

    def set_deadline(self, _number: int, at_ms: int) -> None:
        """Kept in the row alone."""
        self._rows[0]["account.deadline_ms"] = at_ms

    def touch(self, _number: int) -> None:
        """Nobody asks what has changed."""

    def dossier(self, _number: int) -> Dossier:
        """Its dossier, for reading."""
        return self._dossier

    def open_dossier(self, _number: int) -> Dossier:
        """Its dossier, for changing."""
        if not self._is_copied:
            self._dossier, self._is_copied = decode_dossier(encode_dossier(self._dossier)), True
        return self._dossier

    def alone(self, _number: int) -> "LoneAccount":
        """A copy of the copy."""
        rows: NDArray[Any] = self._rows.copy()
        return LoneAccount(self._key, rows, self._dossier)
