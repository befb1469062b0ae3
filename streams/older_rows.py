"""Rows of other layouts that a restore has found, until everything is read: then it is known what they are.

A row of the policy in force, written by another version, is brought up to its dossier and its measures. A row of the policy before was
not decided again yet: it goes over as it would have in memory, and is to be decided. Either is laid out anew in compiled code, many at
once; a dossier is opened only where what the row keeps of it was made otherwise.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from schemas import changelog
from streams import carrying
from streams.account import AccountFold
from streams.accounts import Accounts, Numbers
from streams.again import Again
from streams.carrying import Plan, Scratch, carry_payloads
from streams.changing import Change, is_layout_of
from streams.columns import Layout
from streams.masked_rows import Words
from streams.packed_rows import Packed
from streams.redeciding import tiers_gone

AT_ONCE = 10_000
"""So many rows are put back in one compiled call."""

_ANY_TIME = 0


class OlderRows:
    """Rows by account, the newest of each, until there is one of the present layout; and every layout that the changelog has."""

    def __init__(self) -> None:
        self.layouts: dict[int, Layout] = {}
        self.payloads: dict[bytes, bytes] = {}

    def add(self, account: bytes, payload: bytes) -> None:
        """The account's newest row so far."""
        self._layout(changelog.row_of(payload)[0])
        self.payloads[account] = payload

    def _layout(self, layout_id: int) -> Layout:
        if layout_id not in self.layouts:
            raise changelog.ChangelogError(f"changelog row names layout {layout_id:016x}, which the changelog does not have")
        return self.layouts[layout_id]

    def restored(self, accounts: Accounts, fold: AccountFold, change: Change | None) -> Again | None:
        """Put every row back; those to be decided again under `change`, None if there are none."""
        due, gone = [np.zeros(0, np.int64)], dict[int, dict[str, str]]()
        for layout_id, keys in self._by_layout().items():
            layout, payloads = self._layout(layout_id), [self.payloads[changelog.account_of(key)] for key in keys]
            is_due = change is not None and is_layout_of(change.before, layout)
            laid_out = _Carried(layout, accounts.layout, change if is_due else None)
            for begin in range(0, len(keys), AT_ONCE):
                numbers = laid_out.restored(accounts, keys[begin : begin + AT_ONCE], payloads[begin : begin + AT_ONCE])
                if is_due:
                    due.append(numbers)
                    gone |= laid_out.tiers_gone(numbers, payloads[begin : begin + AT_ONCE])
                else:
                    fold.recall_all(accounts, numbers, layout)
        self.payloads.clear()
        numbers = np.concatenate(due)
        return Again(accounts, change, numbers, gone) if change is not None and len(numbers) else None

    def _by_layout(self) -> dict[int, list[bytes]]:
        """The keys of the rows of each layout."""
        found = defaultdict[bytes, list[bytes]](list)
        for account, payload in self.payloads.items():
            found[payload[: changelog.LAYOUT_ID_BYTES]].append(changelog.row_key(account))
        return {changelog.row_of(layout_id)[0]: keys for layout_id, keys in found.items()}


class _Carried:
    """How rows of one layout become rows of another: under the policy in force, or from the one before to it."""

    def __init__(self, source: Layout, target: Layout, change: Change | None) -> None:
        self._source, self._change = source, change
        self._how: Plan = carrying.plan(source, target, (), (), ()) if change is None else change.plan(source)
        self._row: Scratch = carrying.scratch(source, target)
        self._since_ms = _ANY_TIME if change is None else change.since_ms
        self._gone = np.zeros(AT_ONCE, np.uint8)

    def restored(self, accounts: Accounts, keys: Sequence[bytes], payloads: Sequence[bytes]) -> Numbers:
        """The rows laid out anew; the accounts' numbers."""
        return accounts.restore_older(keys, payloads, self._take)

    def _take(self, packed: Packed, numbers: Numbers, words: Words, ends: Words) -> int:
        return carry_payloads(self._how, self._row, self._source.start, self._since_ms, words, ends, packed, numbers, self._gone)

    def tiers_gone(self, numbers: Numbers, payloads: Sequence[bytes]) -> dict[int, dict[str, str]]:
        """By account that was put back last: the tiers that it stood on and that are no more, by ladder."""
        assert self._change is not None, "only a change takes tiers away"
        found = {}
        for place in np.flatnonzero(self._gone[: len(payloads)]).tolist():
            before = self._source.unpacked(changelog.row_of(payloads[place])[1])
            found[int(numbers[place])] = tiers_gone(self._change, before[0])
        return found
