"""From a decision to what is published: tier transitions, current tiers, actions. Identified, chained, explained."""

from hashlib import sha1
from uuid import UUID

from schemas.records import AccountTiers, Action, DimensionChange, Pool, Standing, TierTransition
from streams import decision
from streams.clocks.common import Clock
from streams.dossier import Dossier
from streams.kinds import Row
from streams.ledger import Ledger, ledger
from streams.moment import Crossing, Moment, Reason, common, generation, lag_ms
from streams.policy.compiled import Scheme

NAMESPACE = UUID("6f1c9a52-4e0b-5d0c-9a55-2f2d6c1f7e11")
"""Namespace of transition and action ids; never changes."""
_VARIANTS = {digit: "89ab"[int(digit, 16) & 0b11] for digit in "0123456789abcdef"}
"""The digit that says which kind of UUID it is, by the digit that was hashed: two of its bits stay."""


def transition_id(application: str, policy: str, scheme: str, account_id: str, generation: str, sequence: int) -> str:
    """The same for the same transition, however often it is computed."""
    return identified(application, policy, scheme, account_id, generation, str(sequence))


def identified(*parts: str) -> str:
    """A UUID of version 5 over what a record is about: 122 bits of the SHA-1, as `uuid.uuid5` sets them."""
    text = sha1(NAMESPACE.bytes + "\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:32]}"


def transition(moment: Moment, reason: Reason, row: Row, dossier: Dossier, crossing: Crossing) -> TierTransition:
    """The record of a published change; takes the next sequence number and moves the chain's effective time."""
    scheme = crossing.scheme
    row[scheme.column("sequence")] += 1
    row[scheme.column("effective_at_ms")] = max(int(row["account.clock_ms"]), int(row[scheme.column("effective_at_ms")]))
    return change_told(moment, reason, row, dossier, crossing)


def change_told(
    moment: Moment, reason: Reason, row: Row, dossier: Dossier, crossing: Crossing, lines: Ledger | None = None
) -> TierTransition:
    """The record of a published change that the row has numbered already. `lines`: what its score is made of, where that is known."""
    scheme, policy = crossing.scheme, moment.policy
    sequence, effective_at_ms = int(row[scheme.column("sequence")]), int(row[scheme.column("effective_at_ms")])
    published, before = int(row[scheme.column("published")]), crossing.published_before
    tiers, born = scheme.ladder.tiers, generation(row, moment.partition)
    lines = lines or ledger(policy, scheme, row, dossier, int(row["account.clock_ms"]), crossing.score_micro)
    return TierTransition(
        **common(moment, row),
        transition_id=transition_id(moment.application, policy.name, scheme.name, moment.account_id, born, sequence),
        scheme=scheme.name,
        sequence=sequence,
        from_tier=None if before is None else tiers[before],
        to_tier=tiers[published],
        direction="ENTRY" if before is None else "UP" if published > before else "DOWN",
        effective_at=effective_at_ms,
        lag_ms=lag_ms(moment, reason, effective_at_ms),
        cause=reason.cause,
        score_before_micro=crossing.score_before_micro,
        score_after_micro=crossing.score_micro,
        dimensions=_dimension_changes(moment, row, crossing.dimensions_before, lines.weighted_micro) if scheme.rating is None else [],
        contributions=lines.contributions,
        trail=decision.trail(row, dossier, scheme, crossing.because),
        owner_id=dossier.owner(),
    )


def _dimension_changes(moment: Moment, row: Row, before: list[int], weighted_micro: list[int]) -> list[DimensionChange]:
    return [
        DimensionChange(
            name=dimension.name,
            before_micro=before_micro,
            after_micro=int(row[f"dimensions.{dimension.name}.micro"]),
            weighted_micro=weighted,
        )
        for dimension, before_micro, weighted in zip(moment.policy.dimensions, before, weighted_micro, strict=True)
    ]


def account_tiers(moment: Moment, row: Row, dossier: Dossier) -> AccountTiers:
    """Where the account stands now; takes the next revision."""
    row["account.revision"] += 1
    return standings_told(moment, row, dossier)


def standings_told(moment: Moment, row: Row, dossier: Dossier) -> AccountTiers:
    """Where the account stands, under the revision that the row has."""
    policy, pool = moment.policy, dossier.pool
    return AccountTiers(
        **common(moment, row),
        revision=int(row["account.revision"]),
        standings=[_standing(row, scheme) for scheme in policy.schemes],
        effective_at=int(row["account.clock_ms"]),
        owner_id=dossier.owner(),
        pool=None if pool is None else Pool(since_at=pool.since_ms, reason=pool.reason, previous_owner_id=pool.previous_owner),
    )


def _standing(row: Row, scheme: Scheme) -> Standing:
    return Standing(
        scheme=scheme.name,
        tier=scheme.ladder.tiers[int(row[scheme.column("published")])],
        earned_tier=scheme.ladder.tiers[int(row[scheme.column("earned")])],
        sequence=int(row[scheme.column("sequence")]),
        effective_at=int(row[scheme.column("effective_at_ms")]),
        score_micro=int(row[scheme.column("score_micro")]),
    )


def recycled(moment: Moment, reason: Reason, row: Row, dossier: Dossier, clock: Clock, tier: int, due_ms: int) -> Action:
    """The announcement that a clock has put the account into the pool."""
    policy, born = moment.policy, generation(row, moment.partition)
    assert dossier.pool is not None, "announced after the account went to the pool"
    return Action(
        **common(moment, row),
        action_id=identified(moment.application, policy.name, "RECYCLED", clock.name, moment.account_id, born, str(due_ms)),
        kind="RECYCLED",
        name=clock.name,
        reason=dossier.pool.reason,
        due_at=due_ms,
        lag_ms=moment.decided_at_ms - due_ms,
        cause=reason.cause,
        scheme=clock.scheme,
        tier=clock.tiers[tier],
        owner_id=dossier.pool.previous_owner,
    )
