"""Is every chain of transitions whole? A pure checker, and the reading that feeds it.

What is proved, for each chain (application, scheme, account, generation):
- GAP: sequences are 1, 2, 3 ... in the order of the log, none missing, none twice;
- BROKEN_CHAIN: `from_tier` is the `to_tier` before; only a first transition may have none, and then it is an ENTRY;
- NO_CHANGE: a transition changes the tier, and its direction says how;
- BACK_IN_TIME: `effective_at` never decreases;
- WRONG_SUM: contributions sum to each weighted dimension and to the score;
- WRONG_ID, REPEATED_ID: ids are what their parts say, and no two transitions share one;
- FOREIGN_KEY, SPLIT_CHAIN, UNREADABLE: the key is the account, a chain lies in one partition, every record can be read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.records import TierTransition
from streams.intake import RawRecord
from streams.transitions import transition_id


class Rule(StrEnum):
    """Which promise a breach breaks."""

    GAP = "GAP"
    BROKEN_CHAIN = "BROKEN_CHAIN"
    NO_CHANGE = "NO_CHANGE"
    BACK_IN_TIME = "BACK_IN_TIME"
    WRONG_SUM = "WRONG_SUM"
    WRONG_ID = "WRONG_ID"
    REPEATED_ID = "REPEATED_ID"
    FOREIGN_KEY = "FOREIGN_KEY"
    SPLIT_CHAIN = "SPLIT_CHAIN"
    UNREADABLE = "UNREADABLE"


class Breach(NamedTuple):
    """One broken promise and where it lies in `tier-transitions`."""

    rule: Rule
    partition: int
    offset: int
    account_id: str
    message: str


class Link(NamedTuple):
    """What the next transition of a chain must follow."""

    sequence: int
    tier: str
    effective_at_ms: int
    partition: int


Chain = tuple[str, str, str, str]


class Audit:
    """Sees transitions in the order of the log and keeps count; `breaches` has what is wrong so far."""

    def __init__(self) -> None:
        self.breaches: list[Breach] = []
        self.transitions = 0
        self.tiers: Counter[tuple[str, str]] = Counter()
        self.causes: Counter[str] = Counter()
        self.directions: Counter[str] = Counter()
        self._chains: dict[Chain, Link] = {}
        self._ids: set[str] = set()

    @property
    def chains(self) -> int:
        """How many chains were seen."""
        return len(self._chains)

    @property
    def accounts(self) -> int:
        """How many accounts have a chain."""
        return len({account_id for _, _, account_id, _ in self._chains})

    def see(self, partition: int, offset: int, key: bytes | None, transition: TierTransition) -> list[Breach]:
        """Check one transition; returns its breaches, which are kept too."""
        found = [
            Breach(rule, partition, offset, transition.account_id, message)
            for rule, message in self._faults(partition, key, transition)
        ]  # fmt: skip
        self._count(partition, transition)
        self.breaches += found
        return found

    def unreadable(self, partition: int, offset: int, key: bytes | None, why: str) -> Breach:
        """A record that is no transition at all."""
        breach = Breach(Rule.UNREADABLE, partition, offset, "" if key is None else key.decode(errors="replace"), why)
        self.breaches.append(breach)
        return breach

    def _faults(self, partition: int, key: bytes | None, transition: TierTransition) -> Iterator[tuple[Rule, str]]:
        if key != transition.account_id.encode():
            yield Rule.FOREIGN_KEY, f"key {key!r} is not the account_id {transition.account_id!r}"
        yield from self._id_faults(transition)
        yield from _link_faults(self._chains.get(_chain(transition)), partition, transition)
        yield from _change_faults(transition)
        yield from _sum_faults(transition)

    def _id_faults(self, transition: TierTransition) -> Iterator[tuple[Rule, str]]:
        held = transition.transition_id
        expected = transition_id(
            transition.application, transition.policy, transition.scheme, transition.account_id, transition.generation, transition.sequence
        )
        if held != expected:
            yield Rule.WRONG_ID, f"transition_id {held} must be {expected} for sequence {transition.sequence}"
        if held in self._ids:
            yield Rule.REPEATED_ID, f"transition_id {held} has been seen before"

    def _count(self, partition: int, transition: TierTransition) -> None:
        chain = _chain(transition)
        before = self._chains.get(chain)
        if before is not None:
            self.tiers[transition.scheme, before.tier] -= 1
        self.tiers[transition.scheme, transition.to_tier] += 1
        self._chains[chain] = Link(transition.sequence, transition.to_tier, transition.effective_at, partition)
        self._ids.add(transition.transition_id)
        self.transitions += 1
        self.causes[transition.cause.kind] += 1
        self.directions[transition.direction] += 1


def _chain(transition: TierTransition) -> Chain:
    return transition.application, transition.scheme, transition.account_id, transition.generation


def _link_faults(before: Link | None, partition: int, transition: TierTransition) -> Iterator[tuple[Rule, str]]:
    expected = before.sequence + 1 if before else 1
    if transition.sequence != expected:
        yield Rule.GAP, f"sequence must be {expected}, got {transition.sequence} (scheme {transition.scheme})"
    if before is None:
        if (transition.from_tier is None) != (transition.direction == "ENTRY"):
            yield Rule.BROKEN_CHAIN, f"only an ENTRY has no from_tier, got {transition.direction} from {transition.from_tier}"
        return
    if transition.from_tier != before.tier:
        yield Rule.BROKEN_CHAIN, f"from_tier must be {before.tier}, where the transition before ended, got {transition.from_tier}"
    if transition.effective_at < before.effective_at_ms:
        yield Rule.BACK_IN_TIME, f"effective_at must not be before {before.effective_at_ms}, got {transition.effective_at}"
    if partition != before.partition:
        yield Rule.SPLIT_CHAIN, f"the chain lies in partition {before.partition}, this transition in {partition}"


def _change_faults(transition: TierTransition) -> Iterator[tuple[Rule, str]]:
    if transition.from_tier == transition.to_tier:
        yield Rule.NO_CHANGE, f"from_tier and to_tier are both {transition.to_tier}"
    if transition.trail and transition.trail[-1].tier != transition.to_tier:
        yield Rule.NO_CHANGE, f"the trail ends at {transition.trail[-1].tier}, to_tier is {transition.to_tier}"


def _sum_faults(transition: TierTransition) -> Iterator[tuple[Rule, str]]:
    """The ledger is integers and sums exactly; a scheme without a score has none."""
    score_micro = transition.score_after_micro
    if score_micro is None:
        return
    lines: Counter[str] = Counter()
    for line in transition.contributions:
        lines[line.dimension] += line.micro
    if lines.total() != score_micro:
        yield Rule.WRONG_SUM, f"contributions must sum to the score {score_micro}, got {lines.total()} (micro-points)"
    for dimension in transition.dimensions:
        if lines[dimension.name] != dimension.weighted_micro:
            got = lines[dimension.name]
            yield Rule.WRONG_SUM, f"contributions of {dimension.name} must sum to {dimension.weighted_micro}, got {got} (micro-points)"


def audited(records: Iterable[RawRecord], codec: Codec, on_breach: Callable[[Breach], None] | None = None) -> Audit:
    """The audit of raw records of `tier-transitions`; `on_breach` is told at once."""
    audit = Audit()
    for raw in records:
        try:
            transition = codec.decode_as(TierTransition, raw.payload)
        except RecordRejected as rejection:
            found = [audit.unreadable(raw.partition, raw.offset, raw.key, str(rejection))]
        else:
            found = audit.see(raw.partition, raw.offset, raw.key, transition)
        for breach in found if on_breach else ():
            on_breach(breach)  # type: ignore[misc]  # the loop is empty without it
    return audit
