"""Which changelog records are put back in bulk: rows of the present layout and dossiers, nearly all that a changelog has.

A record that deletes something of an account may be older or newer than those gathered, so they are put back before it is given to the
caller; what is of no account, or a row of another layout, is given at once.
"""

from collections.abc import Iterator, Sequence

from schemas import changelog
from streams.accounts import Accounts

Record = tuple[bytes, bytes | None]
OlderPayloads = dict[bytes, bytes]


class _Gathered:
    """Keys and payloads of rows and of dossiers, each in their order."""

    def __init__(self) -> None:
        self.row_keys: list[bytes] = []
        self.rows: list[bytes] = []
        self.dossier_keys: list[bytes] = []
        self.dossiers: list[bytes] = []

    def put_back(self, accounts: Accounts) -> None:
        """All of them; none is left."""
        if self.rows:
            accounts.restore_rows(self.row_keys, self.rows)
        if self.dossiers:
            accounts.restore_dossiers(self.dossier_keys, self.dossiers)
        for gathered in (self.row_keys, self.rows, self.dossier_keys, self.dossiers):
            gathered.clear()


def put_back_plain(accounts: Accounts, layout_id: int, records: Sequence[Record], waiting: OlderPayloads) -> Iterator[Record]:
    """Put the plain records back, and give the caller every other one to put back itself.

    `waiting`: rows of other layouts, put back last of all; one that a newer row replaces is taken out.
    """
    of_layout, gathered = changelog.row_payload(layout_id, b""), _Gathered()
    row, dossier = changelog.ROW_PREFIX, changelog.DOSSIER_PREFIX
    for key, payload in records:
        kind = key[:1]
        if payload is not None and kind == row != key and payload.startswith(of_layout):
            gathered.row_keys.append(key)
            gathered.rows.append(payload)
            if waiting:
                waiting.pop(changelog.account_of(key), None)
        elif payload is not None and kind == dossier != key:
            gathered.dossier_keys.append(key)
            gathered.dossiers.append(payload)
        else:
            if payload is None:
                gathered.put_back(accounts)
            yield key, payload
    gathered.put_back(accounts)
