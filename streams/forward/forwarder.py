"""Fast-forward for one partition: prepares a batch for compiled code and moves on over its dull records.

Everything about a batch is prepared once; then `advance` and the fold in Python take turns, so what one has folded the other sees.
"""

from collections import Counter
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from schemas.catalogue import shipped
from schemas.interaction_columns import InteractionDecoder
from streams.account import Fate
from streams.accounts import Accounts
from streams.batches import RecordBatch, laid_out
from streams.forward.advance import Records, advance
from streams.forward.cells import State
from streams.forward.folding import DECIDES, DOSSIER, DUE, DULL, REPEATED, UNKNOWN, UNPRICED, UNREADABLE
from streams.forward.foresight import foresight
from streams.forward.plan import Plan
from streams.forward.planning import TOPIC
from streams.forward.rebounding import rebound
from streams.policy.compiled import CompiledPolicy

FEWEST = 16
"""Below so many records preparing a batch costs more than it saves."""

FEW, UNCOMPILED = "FEW", "UNCOMPILED"
"""Why no run was made: too few records at once, or a policy that compiled code does not know."""

_FATES = {DULL: Fate.FOLDED, UNPRICED: Fate.UNPRICED, REPEATED: Fate.REPEATED}
_HANDED = {UNREADABLE: "UNREADABLE", UNKNOWN: "UNKNOWN", DUE: "DUE", DOSSIER: "DOSSIER", DECIDES: "DECIDES"}
HANDED = (*_HANDED.values(), FEW, UNCOMPILED)
"""Every reason why a record that compiled code might have folded is left to Python."""


class Forwarder:
    """What moves over the dull records of a policy. One caller at a time."""

    def __init__(self, policy: CompiledPolicy, plan: Plan) -> None:
        self.plan = plan
        words = np.zeros(policy.layout.description.row_bytes // 8, np.int64)
        self.copy = State(words, words.view(np.float64), self.plan.plan, self.plan.numbers)
        self._decoder = InteractionDecoder(shipped())

    def over(self, batch: RecordBatch, accounts: Accounts, quarantined: AbstractSet[tuple[str, int]] = frozenset()) -> "Run | None":
        """A run over a batch; None if there is nothing in it to gain."""
        if len(batch) < FEWEST or not batch.of_topic(TOPIC).any():
            return None
        payloads, keys = laid_out(batch.payloads), laid_out(batch.keys)
        columns = self._decoder.decode(payloads.buffer, payloads.starts)
        others = ~batch.of_topic(TOPIC)
        columns.fit[others] = 0
        if quarantined:
            columns.fit[[(raw.topic, raw.offset) in quarantined for raw in batch]] = 0
        records = Records(payloads.buffer, keys.buffer, keys.starts, batch.offset, batch.appended_at_ms, columns)
        return Run(self, accounts, records, int(np.count_nonzero(others)))

    def rebound(self, accounts: Accounts, late: NDArray[np.int64], until_ms: int) -> NDArray[np.int64]:
        """Look again at accounts whose deadline has passed; those that are left have something to decide."""
        return late[: rebound(late, until_ms, accounts.memory(), self.copy)]


def forwarder_for(policy: CompiledPolicy) -> Forwarder | None:
    """What moves over a policy's dull records; None if compiled code does not know the policy."""
    known = foresight(policy)
    return None if known is None else Forwarder(policy, known.plan)


class Run:
    """A way through one batch."""

    def __init__(self, forwarder: Forwarder, accounts: Accounts, records: Records, others: int) -> None:
        """`others`: how many of the records compiled code never folds, whatever they say."""
        self._forwarder, self._accounts, self._records, self._others = forwarder, accounts, records, others
        self._tally = np.zeros(DECIDES + 1, np.int64)

    def advance(self, first: int) -> int:
        """Fold from record `first` on; the place of the first one left to Python."""
        place = -1 - first
        while place < 0:
            place = advance(-1 - place, self._records, self._accounts.memory(), self._forwarder.plan, self._forwarder.copy, self._tally)
            if place < 0:
                self._accounts.make_room()
        return place

    def fates(self) -> Counter[tuple[str, Fate]]:
        """How many records came to which end here."""
        return Counter({(TOPIC, _FATES[fate]): number for fate, number in enumerate(self._tally[: len(_FATES)].tolist()) if number})

    def handed(self) -> Counter[str]:
        """How many records were left to Python, and why, once the batch is through."""
        left = Counter({_HANDED[fate]: number for fate, number in enumerate(self._tally.tolist()) if fate in _HANDED})
        left["UNREADABLE"] -= self._others
        return +left


def forwardable(batch: RecordBatch, why: str) -> Counter[str]:
    """The records of a batch without a run that compiled code might have folded."""
    return +Counter({why: int(np.count_nonzero(batch.of_topic(TOPIC)))}) if len(batch) else Counter()
