"""Which changelog records are put back in bulk: rows of the present layout and dossiers, nearly all that a changelog has.

A record that deletes something of an account may be older or newer than those before it, so they are put back before it is given to the
caller; what is of no account, or a row of another layout, is given at once.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas import changelog
from schemas.compiling import compiled
from schemas.pairs import Pair, Pairs
from schemas.pieces import Bytes, Words
from streams.accounts import Accounts

OlderPayloads = dict[bytes, bytes]
Kinds = NDArray[np.uint8]

_OTHER: Final = 0
_ROW: Final = 1
_DOSSIER: Final = 2
_ROW_BYTE: Final = changelog.ROW_PREFIX[0]
_DOSSIER_BYTE: Final = changelog.DOSSIER_PREFIX[0]


def put_back_plain(accounts: Accounts, layout_id: int, records: Pairs, waiting: OlderPayloads) -> Iterator[Pair]:
    """Put the plain records back, and give the caller every other one to put back itself.

    `waiting`: rows of other layouts, put back last of all; one that a newer row replaces is taken out.
    """
    kinds, begin, seen = _kinds(layout_id, records), 0, 0
    for place in np.flatnonzero(kinds == _OTHER).tolist():
        _replace(waiting, records, kinds, seen, place)
        seen = place
        if records.payload.sizes[place] < 0:
            _put_back(accounts, records, kinds, begin, place)
            begin = place
        yield records[place]
    _replace(waiting, records, kinds, seen, len(records))
    _put_back(accounts, records, kinds, begin, len(records))


def _replace(waiting: OlderPayloads, records: Pairs, kinds: Kinds, begin: int, end: int) -> None:
    """Take out what rows among these records are newer than."""
    if waiting:
        for key in records.key.picked(begin + np.flatnonzero(kinds[begin:end] == _ROW)):
            waiting.pop(changelog.account_of(key or b""), None)


def _put_back(accounts: Accounts, records: Pairs, kinds: Kinds, begin: int, end: int) -> None:
    """The plain ones among these records, each kind in its order."""
    for kind, restore in ((_ROW, accounts.restore_rows), (_DOSSIER, accounts.restore_dossiers)):
        places = begin + np.flatnonzero(kinds[begin:end] == kind)
        if len(places):
            restore(records.key.picked(places), records.payload.picked(places))


def _kinds(layout_id: int, records: Pairs) -> Kinds:
    """What each record is; a row of another layout, and whatever deletes, is another kind."""
    keys, payloads, kinds = records.key, records.payload, np.zeros(len(records), np.uint8)
    of_layout = np.frombuffer(changelog.row_payload(layout_id, b""), np.uint8)
    _sort(keys.buffer, keys.begins, keys.sizes, payloads.buffer, payloads.begins, payloads.sizes, of_layout, kinds)
    return kinds


@compiled
def _sort(
    keys: Bytes, key_begins: Words, key_sizes: Words, payloads: Bytes, begins: Words, sizes: Words, of_layout: Bytes, kinds: Kinds
) -> None:
    for each in range(len(kinds)):
        if key_sizes[each] > 1 and sizes[each] >= 0:
            first = keys[key_begins[each]]
            if first == _DOSSIER_BYTE:
                kinds[each] = _DOSSIER
            elif first == _ROW_BYTE and sizes[each] >= len(of_layout):
                kinds[each] = _ROW
                for place in range(len(of_layout)):
                    if payloads[begins[each] + place] != of_layout[place]:
                        kinds[each] = _OTHER
