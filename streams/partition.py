"""The accounts of one partition and the fold over them: what a lane keeps in memory, restores and asks.

`fold` takes one record that has been decoded; `restore` takes the changelog's rows, dossiers and layouts in any order
that the changelog gives (a layout before the rows that need it).
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import changelog
from schemas.errors import RecordRejected
from schemas.records import AccountProfile, AccountTiers, Action, Command, Event, HotLead, Mode, RiskSignal, TierTransition
from schemas.topics import INPUTS
from streams import intake
from streams.account import AccountFold, Fate, Output, Step
from streams.accounts import Accounts
from streams.batches import RecordBatch
from streams.columns import Layout
from streams.commands import Known, Order, obey
from streams.dossier import Dossier, check_room
from streams.forward.forwarder import FEW, UNCOMPILED, BatchOccasion, Run, TickOccasion, forwardable, forwarder_for
from streams.intake import RawRecord
from streams.policy.compiled import CompiledPolicy
from streams.population import population
from streams.restoring import put_back_plain
from streams.reviewing import SPEAKER, review_announced


class Partition:
    """One partition under one policy. `partitions` None: keys are not checked against the partition (replay of a file)."""

    def __init__(
        self, number: int, partitions: int | None, application: str, policy: CompiledPolicy, *, guarded: bool = True, forward: bool = True
    ) -> None:
        """`forward` False folds every record in Python: the law "Fast-forward" holds the two to the same outputs and rows."""
        self.number, self.policy, self.application = number, policy, application
        self._partitions = partitions
        self._fold = AccountFold(application, number, policy, guarded=guarded)
        self._forwarder = forwarder_for(application, number, policy) if forward and guarded else None
        self._accounts = Accounts(policy.layout)
        self._layouts: dict[int, Layout] = {policy.layout.layout_id: policy.layout}
        self._moved: set[int] = set()
        self._last_tick_ms: int | None = None
        self._tick_moved = False
        self._due = 0
        self._commands = Known()

    def __len__(self) -> int:
        return len(self._accounts)

    def run_over(self, batch: RecordBatch, occasion: BatchOccasion, quarantined: AbstractSet[tuple[str, int]]) -> Run | None:
        """A way over the batch's dull records; None if Python is to fold them all."""
        if self._forwarder is None:
            return None
        return self._forwarder.over(batch, self._accounts, occasion, self._lets_in, quarantined)

    def all_handed(self, batch: RecordBatch) -> Counter[str]:
        """Why Python folds the records that compiled code might have folded, where there is no run over the batch."""
        return forwardable(batch, FEW if self._forwarder is not None else UNCOMPILED)

    def fold(self, raw: RawRecord, record: Event, mode: Mode, decided_at_ms: int) -> Step:
        """Fold one record. Raises RecordRejected, and then nothing has changed."""
        intake.check_ahead(record, raw.appended_at_ms, self.policy.max_ahead_ms)
        key = intake.check_key(raw.key, record)
        if isinstance(record, Command):
            return self._obey(key, raw, record, mode, decided_at_ms)
        for measure in self.policy.measures_of[raw.topic]:
            measure.check(record)
        number = self._accounts.find(key)
        if isinstance(record, AccountProfile | RiskSignal):
            check_room(Dossier() if number is None else self._accounts.dossier(number), record)
        if number is None:
            number = self._enter(key, raw)
        return self._fold.step(self._accounts, number, raw, record, mode, decided_at_ms)

    def _obey(self, key: bytes, raw: RawRecord, command: Command, mode: Mode, decided_at_ms: int) -> Step:
        """Carry a command out, once."""
        if self._partitions is not None:
            intake.check_partition(key, self.number, self._partitions)
        if not self._commands.is_new(key, command):
            return Step(Fate.REPEATED, [])
        order = Order(key, raw, command, self.application, self.policy, mode, decided_at_ms)
        return Step(Fate.FOLDED, obey(order, self._accounts, self._fold))

    def _lets_in(self, raw: RawRecord) -> bool:
        """Make the account of its first record, which is in order but for the partition it may lie in."""
        try:
            self._enter(raw.key or b"", raw)
        except RecordRejected:
            return False
        return True

    def _enter(self, key: bytes, raw: RawRecord) -> int:
        if self._partitions is not None:
            intake.check_partition(key, self.number, self._partitions)
        number = self._accounts.enter(key)
        row = self._accounts.row(number)
        row["account.born_topic"], row["account.born_offset"] = INPUTS[raw.topic].number, raw.offset
        return number

    @property
    def accounts(self) -> Accounts:
        """The accounts themselves, for who asks every one of them while nothing is folded."""
        return self._accounts

    @property
    def last_tick_ms(self) -> int | None:
        """The last tick folded, None before the first."""
        return self._last_tick_ms

    def is_due(self, at_ms: int) -> bool:
        """Whether a tick at this time would look at any account: one scan of the deadline column."""
        return self._accounts.earliest_ms() <= at_ms - self.policy.lateness_ms

    def fold_tick(self, at_ms: int, mode: Mode, decided_at_ms: int) -> list[Output]:
        """Time has passed up to `at_ms`: decide every deadline up to it, less the policy's lateness. An old tick changes nothing."""
        previous_ms = self._last_tick_ms
        if previous_ms is not None and at_ms <= previous_ms:
            return []
        self._last_tick_ms, self._tick_moved = at_ms, True
        until_ms = at_ms - self.policy.lateness_ms
        reference_ms = at_ms if previous_ms is None else previous_ms
        late = self._accounts.late(until_ms)
        self._due += len(late)
        decided = self._decide_due(late, until_ms, TickOccasion(mode, decided_at_ms, reference_ms)) if len(late) else []
        # By when it happened: that an account is looked at sooner than it need be, as after a restore, must not change the order.
        decided.sort(key=lambda each: (_happened_at_ms(each[1][0]), self._accounts.key(each[0])))
        said = [output for _, outputs in decided for output in outputs]
        if self.number == SPEAKER:
            return review_announced(self.application, self.policy, mode, previous_ms, at_ms, decided_at_ms) + said
        return said

    def _decide_due(self, late: NDArray[np.int64], until_ms: int, occasion: TickOccasion) -> list[tuple[int, list[Output]]]:
        """What follows for which of these accounts. Compiled code and Python take turns: what one leaves the other decides."""
        found, place = list[tuple[int, list[Output]]](), 0
        while True:
            if self._forwarder is not None:
                place, decided = self._forwarder.due(self._accounts, late, place, until_ms, occasion)
                found += [(each.account, each.outputs) for each in decided]
            if place == len(late):
                return found
            number, how = int(late[place]), (occasion.mode, occasion.decided_at_ms(), occasion.reference_ms())
            if outputs := self._fold.due(self._accounts, number, until_ms, *how):
                found.append((number, outputs))
            place += 1

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records of every account touched since the last call, of the commands known, and of the last tick."""
        changes = [*self._accounts.take_changes(), *self._commands.take_changes()]
        if self._tick_moved and self._last_tick_ms is not None:
            changes.append((changelog.TICK_KEY, changelog.tick_payload(self._last_tick_ms)))
            self._tick_moved = False
        return changes

    def keep_changes(self) -> None:
        """Nobody writes a changelog: what was touched is kept and not told."""
        self._accounts.keep_changes()
        self._commands.take_changes()
        self._tick_moved = False

    def take_due(self) -> int:
        """How many accounts ticks have found due since the last call."""
        due, self._due = self._due, 0
        return due

    def population(self) -> Counter[tuple[str, str]]:
        """How many accounts stand in each tier, by (scheme, tier)."""
        return population(self._accounts, self.policy)

    def restore_batch(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Put changelog records back; rows of the present layout and dossiers in bulk. A key's records take effect in their order."""
        for key, payload in put_back_plain(self._accounts, self.policy.layout.layout_id, records):
            self.restore(key, payload)

    def restore(self, key: bytes, payload: bytes | None) -> None:
        """Put one changelog record back: a row, a dossier or a layout."""
        kind = changelog.classify(key)
        if payload is None:
            self._restore_erased(kind, key)
            return
        match kind:
            case changelog.Kind.LAYOUT:
                layout = Layout.decode(payload)
                self._layouts[layout.layout_id] = layout
                if layout.layout_id == self.policy.layout.layout_id:
                    self._accounts.layout_is_written()
            case changelog.Kind.ROW:
                self._restore_row(key, payload)
            case changelog.Kind.DOSSIER:
                self._accounts.restore_dossiers([key], [payload])
            case changelog.Kind.TICK:
                self._last_tick_ms = changelog.tick_of(payload)
            case changelog.Kind.COMMANDS:
                self._commands = Known(changelog.commands_of(payload))
            case _:
                raise changelog.ChangelogError(f"changelog record of kind {kind.value} is not the partition's: {key[:80]!r}")

    def _restore_erased(self, kind: changelog.Kind, key: bytes) -> None:
        """The changelog says that this is no more."""
        account = changelog.account_of(key)
        number = self._accounts.find(account)
        match kind:
            case changelog.Kind.ROW:
                self._accounts.restore_erased(account)
            case changelog.Kind.DOSSIER:
                self._accounts.restore_erased_dossier(account)
            case _:
                raise changelog.ChangelogError(f"changelog record of kind {kind.value} must not be deleted: {key[:80]!r}")
        if number is not None and self._accounts.find(account) is None:
            self._moved.discard(number)  # nobody's any more: there is nothing to bring up to date

    def _restore_row(self, key: bytes, payload: bytes) -> None:
        layout_id, packed = changelog.row_of(payload)
        if layout_id == self.policy.layout.layout_id:
            self._accounts.restore_rows([key], [payload])
        else:
            self._moved.add(self._accounts.restore_row(changelog.account_of(key), self._layout(layout_id), packed))

    def _layout(self, layout_id: int) -> Layout:
        if layout_id not in self._layouts:
            raise changelog.ChangelogError(f"changelog row names layout {layout_id:016x}, which the changelog does not have")
        return self._layouts[layout_id]

    def restored(self) -> None:
        """The changelog has been read to its end: rows of other layouts are brought up to date, their layouts forgotten."""
        for number in self._moved:
            self._fold.recall(self._accounts, number)
        self._moved.clear()
        self._accounts.restored()
        self._layouts = {self.policy.layout.layout_id: self.policy.layout}

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:
        """What is known of an account, ready for JSON; None if it was never seen. As of its own clock or the last tick if not said."""
        number = self._accounts.find(account_id.encode())
        if number is None:
            return None
        known_ms = (self._last_tick_ms or 0) - self.policy.lateness_ms
        return self._fold.view(self._accounts, number, known_ms if at_ms is None else at_ms, known_ms)

    def account_ids(self) -> list[str]:
        """Every account of this partition."""
        return [key.decode() for key in self._accounts]


def _happened_at_ms(output: Output) -> int:
    """The instant that a record of what time did is about."""
    match output.record:
        case Action(due_at=at_ms) | TierTransition(effective_at=at_ms) | AccountTiers(effective_at=at_ms) | HotLead(effective_at=at_ms):
            return at_ms
    raise AssertionError(f"nothing that time does is told on {output.topic}")
