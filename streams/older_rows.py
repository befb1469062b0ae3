"""Rows of other layouts that a restore has found, until everything is read: then it is known what they are.

A row of the policy in force, written by another version, is brought up to its dossier and its measures. A row of the policy before was
not decided again yet: it goes over as it would have in memory, and is to be decided.
"""

import numpy as np

from schemas import changelog
from streams.account import AccountFold
from streams.accounts import Accounts
from streams.again import Again
from streams.carrying import Plan, Scratch, carry_row
from streams.changing import Change, is_layout_of
from streams.columns import Layout
from streams.redeciding import tiers_gone


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
        plans, due, gone = dict[int, tuple[Plan, Scratch]](), list[int](), dict[int, dict[str, str]]()
        for account, payload in self.payloads.items():
            layout_id, packed = changelog.row_of(payload)
            layout = self._layout(layout_id)
            if change is None or not is_layout_of(change.before, layout):
                row = accounts.layout.start.copy().view(accounts.layout.dtype)
                accounts.layout.copy_common(layout.unpacked(packed), layout, row)
                fold.recall(accounts, accounts.restore_row(account, row.view(np.int64)))
                continue
            how, row_of = plans.setdefault(layout_id, (change.plan(layout), change.scratch(layout)))
            row_of.before[:] = layout.unpacked(packed).view(np.int64)
            is_gone = carry_row(how, row_of, accounts.layout.start, change.since_ms)
            due.append(accounts.restore_row(account, row_of.after))
            if is_gone:
                gone[due[-1]] = tiers_gone(change, row_of.before.view(layout.dtype)[0])
        self.payloads.clear()
        return Again(accounts, change, np.array(due, np.int64), gone) if change is not None and due else None
