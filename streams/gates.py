"""The risk gate: while a risk is open its scheme's ceiling holds; withdrawn, the account is where it would have been.

The gate takes no points away. The row keeps the lowest ceiling under the open risks, so that only a risk record opens
the dossier. Source: facts 002-13.
"""

from streams.dossier import Dossier
from streams.kinds import Row
from streams.policy.compiled import Scheme


def ceiling(scheme: Scheme, dossier: Dossier) -> int:
    """The highest tier that the open risks leave."""
    top = len(scheme.ladder.tiers) - 1
    return min((scheme.ceilings.get(risk.kind, top) for _, risk in dossier.open_risks()), default=top)


def recall_ceilings(schemes: list[Scheme], row: Row, dossier: Dossier) -> None:
    """Bring the row's ceilings up to the dossier."""
    for scheme in schemes:
        row[scheme.column("ceiling")] = ceiling(scheme, dossier)


def gated(scheme: Scheme, row: Row) -> int:
    """The seated tier under the row's ceiling."""
    return min(int(row[scheme.column("seated")]), int(row[scheme.column("ceiling")]))


def because(scheme: Scheme, dossier: Dossier, seated: int, gated: int) -> str:
    """Which open risk holds the account down, if any does."""
    if gated == seated:
        return "no open risk holds it down" if not dossier.open_risks() else "the open risks allow it"
    risk_id, risk = next(entry for entry in dossier.open_risks() if scheme.ceilings.get(entry[1].kind) == gated)
    return f"{risk.kind} {risk_id} is open: at most {scheme.ladder.tiers[gated]}"
