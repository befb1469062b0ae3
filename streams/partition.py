"""The accounts of one partition and the fold over them: what a lane keeps in memory, restores and asks.

`fold` takes one record that has been decoded; `restore` takes the changelog's rows, dossiers and layouts in any order
that the changelog gives (a layout before the rows that need it).
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.catalogue import SchemaCatalogue
from schemas.errors import RecordRejected
from schemas.records import AccountProfile, AccountTiers, Action, Command, Event, HotLead, Mode, RiskSignal, TierTransition
from schemas.topics import INPUTS
from streams import intake
from streams.account import Fate, Output, Step
from streams.accounts import Accounts
from streams.activation import Ordered, answered, judged, kept
from streams.again import LAST
from streams.batches import RecordBatch
from streams.changing import Change
from streams.commands import Order, obey
from streams.dossier import Dossier, check_room
from streams.forward.forwarder import FEW, UNCOMPILED, BatchOccasion, Run, TickOccasion, forwardable
from streams.intake import RawRecord
from streams.partition_state import PartitionState
from streams.policy.compiled import CompiledPolicy
from streams.population import population
from streams.redeciding import Deciding, relaid, touched
from streams.reviewing import SPEAKER, review_announced
from streams.units import UNBOUNDED


class Partition(PartitionState):
    """One partition under one policy. `partitions` None: keys are not checked against the partition (replay of a file)."""

    def __init__(
        self,
        number: int,
        partitions: int | None,
        application: str,
        policy: CompiledPolicy,
        *,
        guarded: bool = True,
        forward: bool = True,
        schemas: SchemaCatalogue | None = None,
    ) -> None:
        """`forward` False folds every record in Python: the law "Fast-forward" holds the two to the same outputs and rows.

        `schemas`: those that the payloads are written in; None: the catalogue's.
        """
        self._partitions = partitions
        super().__init__(number, application, policy, guarded=guarded, forwards=forward and guarded, schemas=schemas)

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

    # -- a change of policy --------------------------------------------------------------------------------------------

    def activate(self, ordered: Ordered) -> list[Output]:
        """Adopt the policy of a record of `policies`, or refuse it. What is left of the change before is decided first."""
        if ordered.record.application != self.application or ordered.record.digest == self.policy.digest:
            return []
        policy = judged(self.policy, ordered.record)
        if isinstance(policy, list):
            return answered(ordered, self.policy, policy)
        outputs = self.decide_up_to(LAST, ordered.mode, ordered.decided_at_ms)
        since_ms = max((self._last_tick_ms or 0) - self.policy.lateness_ms, 0)
        change, self.kept = Change(self.policy, policy, since_ms), kept(ordered, self.policy, since_ms)
        fresh = touched(self._accounts)
        self._again, self._policy_moved = relaid(self._accounts, change), True
        self._fold_under(policy)
        return [*outputs, *self._decide_again(fresh, ordered.mode, ordered.decided_at_ms), *answered(ordered, policy, [])]

    @property
    def undecided(self) -> int:
        """How many accounts are still to be decided again after a change of policy."""
        return 0 if self._again is None else self._again.left

    def slice_of(self, accounts: int) -> int | None:
        """The hash up to which the next so many accounts that are to be decided again reach; None if there are none."""
        return None if self._again is None else self._again.ahead(accounts)

    def decide_up_to(self, cursor: int, mode: Mode, decided_at_ms: int) -> list[Output]:
        """Decide a slice of the accounts that are to be decided again: those up to this hash of their key."""
        return [] if self._again is None else self._decide_again(self._again.up_to(cursor), mode, decided_at_ms)

    def decide_touched(self, keys: Iterable[bytes | None], mode: Mode, decided_at_ms: int) -> list[Output]:
        """Decide those of these accounts that are to be decided again: before anything else happens to them."""
        if self._again is None:
            return []
        found = [self._accounts.find(key) for key in dict.fromkeys(keys) if key is not None]
        return self._decide_again(np.array([number for number in found if number is not None], np.int64), mode, decided_at_ms)

    def _decide_again(self, numbers: NDArray[np.int64], mode: Mode, decided_at_ms: int) -> list[Output]:
        """Decide these accounts under the policy in force, as of the instant of the change."""
        again = self._again
        if again is None:
            return []
        numbers = again.among(numbers)
        deciding = Deciding(self._fold, self._accounts, again, self.kept, mode, decided_at_ms)
        before = deciding.prepared(numbers)
        occasion = TickOccasion(mode, decided_at_ms, UNBOUNDED)  # so old by any time that nobody is to act on it
        outputs = deciding.told(numbers, before, dict(self._decide_due(numbers, again.change.since_ms, occasion)))
        again.decided(numbers)
        self._again = again if again.left else None
        return outputs

    def rehearse_change(self) -> None:
        """What a change does, from the policy to itself: so that all that it needs is compiled before."""
        self._again = relaid(self._accounts, Change(self.policy, self.policy, 0))
        self.decide_up_to(self.slice_of(1) or LAST, "SHADOW", 0)

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

    def overdue(self, at_ms: int) -> int:
        """How many accounts such a tick would look at."""
        return self._accounts.count_late(at_ms - self.policy.lateness_ms)

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

    def take_due(self) -> int:
        """How many accounts ticks have found due since the last call."""
        due, self._due = self._due, 0
        return due

    def population(self) -> Counter[tuple[str, str]]:
        """How many accounts stand in each tier, by (scheme, tier)."""
        return population(self._accounts, self.policy)

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:
        """What is known of an account, ready for JSON; None if it was never seen. As of its own clock or the last tick if not said."""
        number = self._accounts.find(account_id.encode())
        if number is None:
            return None
        known_ms = (self._last_tick_ms or 0) - self.policy.lateness_ms
        if self._again is not None and len(self._again.among(np.array([number]))):
            return Deciding(self._fold, self._accounts, self._again, self.kept, "SHADOW", known_ms).view(
                number, known_ms if at_ms is None else at_ms, known_ms
            )
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
