"""OVERRIDE and REVOKE_OVERRIDE: a person puts another tier over the decided one for a time, within what the policy allows (002-33).

OVERRIDE has the arguments `tier` and `scheme` (may be left out where only one scheme allows overrides), and says reason, approver and
expiry in the command's own fields. Another one takes the place of the one in force. REVOKE_OVERRIDE ends it before its time.
"""

from typing import NamedTuple

from schemas.instants import to_iso
from schemas.records import Command
from streams import overrides
from streams.account import AccountFold, Carried, Changed
from streams.accounts import Accounts
from streams.commands.order import Order, Refusal, account_of, arguments, carried_out, said
from streams.dossier import Override
from streams.kinds import Row, unknown
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.schemes.override import OverrideSpec
from streams.settling import Account
from streams.units import UNBOUNDED, duration_text


class _Kept(NamedTuple):
    """What is kept of the command for people."""

    reason: str
    requested_by: str
    approved_by: str | None


def override(order: Order, accounts: Accounts, fold: AccountFold) -> Carried:
    """Put a tier over the decided one."""
    command, named = order.command, arguments(order.command, "scheme", "tier")
    row = accounts.row(account_of(order, accounts))
    scheme, allowed = _scheme(order.policy, named.get("scheme"))
    tier = named.get("tier", "")
    if tier not in scheme.ladder.tiers:
        raise Refusal(unknown("tier", tier, scheme.ladder.tiers) if tier else "argument tier is missing")
    kept = _Kept(said("reason", command.reason), said("requested_by", command.requested_by), _approver(command, allowed))
    expires_at_ms = _expiry(command, allowed, row)

    def change(account: Account) -> Changed:
        overrides.put(scheme, account.row, scheme.ladder.tiers.index(tier), expires_at_ms)
        since_ms = int(account.row["account.clock_ms"])
        account.dossier_to_change().overrides[scheme.name] = Override(tier, since_ms, expires_at_ms, *kept)
        return Changed(f"{scheme.name} is overridden: {tier} until {until}", overrides.CAUSE, f"{tier} until {until}")

    until = to_iso(expires_at_ms)
    return carried_out(order, accounts, fold, change)


def revoke_override(order: Order, accounts: Accounts, fold: AccountFold) -> Carried:
    """End the override in force."""
    command, named = order.command, arguments(order.command, "scheme")
    row = accounts.row(account_of(order, accounts))
    scheme, _ = _scheme(order.policy, named.get("scheme"))
    said("reason", command.reason)
    if not _now_ms(command, row) < overrides.until_ms(scheme, row) < UNBOUNDED:
        raise Refusal(f"no override of {scheme.name} is in force")

    def change(account: Account) -> Changed:
        overrides.end(scheme, account.row)
        del account.dossier_to_change().overrides[scheme.name]
        return Changed(f"the override of {scheme.name} is revoked", overrides.CAUSE, "revoked")

    return carried_out(order, accounts, fold, change)


def _scheme(policy: CompiledPolicy, name: str | None) -> tuple[Scheme, OverrideSpec]:
    """The scheme that is meant, and under which conditions its tier may be overridden. Raises Refusal."""
    open_to_it = {scheme.name: (scheme, scheme.override) for scheme in policy.schemes if scheme.override is not None}
    if name is not None and name not in policy.scheme_names:
        raise Refusal(unknown("scheme", name, policy.scheme_names))
    if not open_to_it or (name is not None and name not in open_to_it):
        raise Refusal(f"policy {policy.name} allows no overrides{f' of {name}' if name is not None else ''}")
    if name is None and len(open_to_it) > 1:
        raise Refusal(f"argument scheme is missing: it must be one of {', '.join(open_to_it)}")
    return open_to_it[next(iter(open_to_it)) if name is None else name]


def _now_ms(command: Command, row: Row) -> int:
    """When the command takes effect."""
    return max(int(row["account.clock_ms"]), command.occurred_at)


def _approver(command: Command, allowed: OverrideSpec) -> str | None:
    """Who approved. Raises Refusal where the policy wants four eyes and there are two."""
    if not allowed.approver_required:
        return said("approved_by", command.approved_by) if command.approved_by else None
    approver = said("approved_by", command.approved_by)
    if approver.casefold() == command.requested_by.strip().casefold():
        raise Refusal("approved_by must be somebody else than requested_by")
    return approver


def _expiry(command: Command, allowed: OverrideSpec, row: Row) -> int:
    """When it expires. Raises Refusal if it never does, too late, or has already."""
    expires_at_ms = command.expires_at
    if expires_at_ms is None:
        raise Refusal("expires_at is missing")
    if expires_at_ms <= (now_ms := _now_ms(command, row)):
        raise Refusal(f"expires_at must be after the override begins ({to_iso(now_ms)}), got {to_iso(expires_at_ms)}")
    if expires_at_ms - command.occurred_at > allowed.at_most:
        raise Refusal(f"expires_at must be at most {duration_text(allowed.at_most)} after the command, got {to_iso(expires_at_ms)}")
    return expires_at_ms
