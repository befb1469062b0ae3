"""What one partition keeps in memory, how it goes into the changelog, and how it comes back.

`restore` takes the changelog's rows, dossiers and layouts in any order that the changelog gives (a layout before the rows that need it).
"""

from collections.abc import Sequence

from schemas import changelog
from schemas.catalogue import SchemaCatalogue
from schemas.pairs import Pairs
from streams.account import AccountFold
from streams.accounts import Accounts
from streams.activation import policy_from
from streams.again import Again
from streams.changing import Change
from streams.columns import Layout
from streams.commands import Known
from streams.forward.forwarder import forwarder_for
from streams.older_rows import OlderRows
from streams.policy.compiled import CompiledPolicy
from streams.restoring import put_back_plain


class PartitionState:
    """The accounts of a partition and what goes with them. `kept`: the policy in force, as the changelog has it."""

    def __init__(
        self, number: int, application: str, policy: CompiledPolicy, *, guarded: bool, forwards: bool, schemas: SchemaCatalogue | None
    ) -> None:
        self.number, self.application = number, application
        self._guarded, self._forwards, self._schemas = guarded, forwards, schemas
        self._begin(policy)

    def _begin(self, policy: CompiledPolicy) -> None:
        """Nothing is known yet."""
        self._fold_under(policy)
        self._accounts = Accounts(policy.layout)
        self._older = OlderRows()
        self._again: Again | None = None
        self._last_tick_ms: int | None = None
        self._tick_moved, self._policy_moved = False, True
        self._due = 0
        self._commands = Known()
        self.kept = changelog.PolicyKept(policy.digest, policy.text)

    def _fold_under(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self._fold = AccountFold(self.application, self.number, policy, guarded=self._guarded)
        self._forwarder = forwarder_for(self.application, self.number, policy, self._schemas) if self._forwards else None

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records of every account touched since the last call, of the commands known, and last of the last tick."""
        changes = [*self._accounts.take_changes(), *self._commands.take_changes()]
        if self._policy_moved and (changes or self._tick_moved or self.kept.offset >= 0):  # with the first of all, and where it has changed
            changes.append((changelog.POLICY_KEY, changelog.policy_payload(self.kept)))
            self._policy_moved = False
        if self._tick_moved and self._last_tick_ms is not None:
            changes.append((changelog.TICK_KEY, changelog.tick_payload(self._last_tick_ms)))
            self._tick_moved = False
        return changes

    def keep_changes(self) -> None:
        """Nobody writes a changelog: what was touched is kept and not told."""
        self._accounts.keep_changes()
        self._commands.take_changes()
        self._tick_moved = False

    def restore_batch(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Put changelog records back; rows of the present layout in bulk. A key's records take effect in their order."""
        for key, payload in put_back_plain(self._accounts, self.policy.layout.layout_id, Pairs.of(records), self._older.payloads):
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
                self._older.layouts[layout.layout_id] = layout
                if layout.layout_id == self.policy.layout.layout_id:
                    self._accounts.layout_is_written()
            case changelog.Kind.ROW:
                self._restore_row(key, payload)
            case changelog.Kind.DOSSIER:
                self._accounts.restore_dossiers([key], [payload])
            case changelog.Kind.TICK:
                self._last_tick_ms = changelog.tick_of(payload)
            case changelog.Kind.POLICY:
                self.kept = changelog.policy_of(payload)
                self._policy_moved = self.kept.digest != self.policy.digest
            case changelog.Kind.REBUILT:
                pass  # says how the state was made, and is none of it
            case changelog.Kind.COMMANDS:
                self._commands = Known(changelog.commands_of(payload))
            case _:
                raise changelog.ChangelogError(f"changelog record of kind {kind.value} is not the partition's: {key[:80]!r}")

    def _restore_erased(self, kind: changelog.Kind, key: bytes) -> None:
        """The changelog says that this is no more."""
        account = changelog.account_of(key)
        match kind:
            case changelog.Kind.ROW:
                self._older.payloads.pop(account, None)
                self._accounts.restore_erased(account)
            case changelog.Kind.DOSSIER:
                self._accounts.restore_erased_dossier(account)
            case _:
                raise changelog.ChangelogError(f"changelog record of kind {kind.value} must not be deleted: {key[:80]!r}")

    def _restore_row(self, key: bytes, payload: bytes) -> None:
        if changelog.row_of(payload)[0] == self.policy.layout.layout_id:
            self._older.payloads.pop(changelog.account_of(key), None)
            self._accounts.restore_rows([key], [payload])
        else:
            self._older.add(changelog.account_of(key), payload)

    def restored(self) -> None:
        """The changelog has been read to its end: what it has of other layouts is brought up to date, or is to be decided again."""
        is_changed = self.kept.before and self.kept.digest == self.policy.digest
        change = Change(policy_from(self.kept.before), self.policy, self.kept.since_ms) if is_changed else None
        self._again = self._older.restored(self._accounts, self._fold, change)
        self._older = OlderRows()
        self._accounts.restored()

    @property
    def policy_digest(self) -> str:
        """The policy that decides."""
        return self.policy.digest

    @property
    def kept_digest(self) -> str:
        """The policy in force as the changelog says it; before anything is restored, the one that decides."""
        return self.kept.digest

    def start_over(self) -> None:
        """Forget everything, and be under the policy in force."""
        self._begin(policy_from(self.kept.text))
