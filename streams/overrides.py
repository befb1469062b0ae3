"""The published stage: an override puts the tier that a person ordered over the one that was decided, until it expires.

It covers and changes nothing: earned, seated and gated tiers go on being computed under it, and stay and steps do not apply to it, so
revoked or expired it leaves the account where it would have been. The row has its tier and its expiry, a deadline to the millisecond,
so that neither records nor time open the dossier; who ordered it and why is there. Source: facts 002-33.
"""

from schemas.instants import to_iso
from schemas.records import CauseKind
from streams.dossier import Dossier, Override
from streams.kinds import Row
from streams.policy.compiled import Scheme
from streams.units import UNBOUNDED

CAUSE: CauseKind = "OVERRIDE"
EXPIRED = "expired"


def until_ms(scheme: Scheme, row: Row) -> int:
    """When the override expires; UNBOUNDED: there is none."""
    return UNBOUNDED if scheme.override is None else int(row[scheme.column("override_until_ms")])


def published(scheme: Scheme, row: Row) -> int:
    """The tier to publish over the row's gated one."""
    gated = int(row[scheme.column("gated")])
    if scheme.override is None or until_ms(scheme, row) >= UNBOUNDED:
        return gated
    tier = int(row[scheme.column("override")])
    return tier if scheme.override.beats_risk else min(tier, int(row[scheme.column("ceiling")]))


def put(scheme: Scheme, row: Row, tier: int, expires_at_ms: int) -> None:
    """The override begins, or another takes its place."""
    row[scheme.column("override")], row[scheme.column("override_until_ms")] = tier, expires_at_ms


def end(scheme: Scheme, row: Row) -> None:
    """There is no override any more."""
    put(scheme, row, 0, UNBOUNDED)


def expire(schemes: list[Scheme], row: Row, at_ms: int) -> bool:
    """End every override that expires by now; whether there was one."""
    over = [scheme for scheme in schemes if until_ms(scheme, row) <= at_ms]
    for scheme in over:
        end(scheme, row)
    return bool(over)


def recall(schemes: list[Scheme], row: Row, dossier: Dossier) -> None:
    """Bring the row up to the dossier, which still knows overrides that have expired, and of tiers that the scheme no longer has."""
    for scheme in schemes:
        if scheme.override is not None:
            known = dossier.overrides.get(scheme.name)
            if known is None or known.tier not in scheme.ladder.tiers or known.until_ms <= int(row["account.clock_ms"]):
                end(scheme, row)
            else:
                put(scheme, row, scheme.ladder.tiers.index(known.tier), known.until_ms)


def in_force(scheme: Scheme, row: Row, dossier: Dossier) -> Override | None:
    """The override with its circumstances; None: there is none."""
    return dossier.overrides[scheme.name] if until_ms(scheme, row) < UNBOUNDED else None


def because(scheme: Scheme, row: Row, dossier: Dossier) -> str:
    """Why the published tier is what it is. Who ordered it is not said: what is published stays when the account is erased."""
    override = in_force(scheme, row, dossier)
    if override is None:
        return "no override"
    said = f"an override to {override.tier} until {to_iso(override.until_ms)}: {override.reason}"
    held = int(row[scheme.column("published")]) < scheme.ladder.tiers.index(override.tier)
    return f"an open risk beats {said}" if held else said
