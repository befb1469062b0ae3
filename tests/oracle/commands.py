"""What people order: which commands are refused, and what the others do to their account.

From docs/policies/overrides.md and fact 002-33. An override covers the tier that was decided and changes nothing under it, until it is
revoked or expires; an open risk holds against it unless the policy says otherwise; it needs a reason, an end not too far away and, where
the policy asks for it, somebody else's approval. A command that comes again is nothing, one that cannot be carried out changes nothing;
both kinds of outcome are answered.
"""

from typing import NamedTuple

from tests.oracle.grading import Account, Row, id64, milliseconds

REMEMBERED = 1024
LONGEST = 1_000
ARGUMENTS = {"OVERRIDE": {"scheme", "tier"}, "REVOKE_OVERRIDE": {"scheme"}, "ASSIGN_OWNER": {"owner_id"}}


class Override(NamedTuple):
    """What a scheme's tier is covered by, from when to when, and on whose word."""

    tier: str
    since_ms: int
    until_ms: int
    reason: str
    requested_by: str
    approved_by: str | None


class Remembered:
    """The last commands of a partition, by account and id."""

    def __init__(self) -> None:
        self._known: list[tuple[str, str]] = []

    def is_new(self, said: Row) -> bool:
        """Whether it never came before, as far as is remembered."""
        this = (said["account_id"], said["event_id"])
        if this in self._known:
            return False
        self._known = [*self._known, this][-REMEMBERED:]
        return True


def is_refused(policy: Row, account: Account | None, said: Row) -> bool:
    """Whether the command cannot be carried out."""
    kind, named = said["kind"], said["arguments"]
    assert kind != "ERASE", "what is erased the oracle does not judge"
    if account is None or kind not in ARGUMENTS or set(named) - ARGUMENTS[kind]:
        return True
    if kind == "ASSIGN_OWNER":
        return not is_said(named.get("owner_id"))
    scheme, now_ms = meant(policy, named), max(account.clock_ms, said["occurred_at"])
    if scheme is None or not is_said(said["reason"]):
        return True
    if kind == "REVOKE_OVERRIDE":
        standing = account.standing[scheme]
        return standing.covered is None or standing.covered.until_ms <= now_ms
    allowed = policy["schemes"][scheme]["override"]
    known_tier = named.get("tier") in account.standing[scheme].tiers
    return not (known_tier and is_said(said["requested_by"]) and _is_approved(allowed, said) and _ends_in_time(allowed, said, now_ms))


def meant(policy: Row, named: Row) -> str | None:
    """The scheme that is meant: the one named, or the only one that may be overridden; None where it may not, or nobody can tell."""
    may = [name for name, scheme in policy["schemes"].items() if scheme.get("override")]
    if "scheme" in named:
        return named["scheme"] if named["scheme"] in may else None
    return may[0] if len(may) == 1 else None


def is_said(text: str | None) -> bool:
    """Whether there is something in it, and not too much."""
    return 0 < len((text or "").strip()) <= LONGEST


def _is_approved(allowed: Row, said: Row) -> bool:
    by, asks = said["approved_by"] or "", said["requested_by"].strip().casefold()
    if not allowed.get("approver_required", True):
        return not by or is_said(by)
    return is_said(by) and by.strip().casefold() != asks


def _ends_in_time(allowed: Row, said: Row, now_ms: int) -> bool:
    ends_ms = said["expires_at"]
    return ends_ms is not None and now_ms < ends_ms <= said["occurred_at"] + milliseconds(allowed["at_most"])


def carry_out(policy: Row, account: Account, said: Row) -> str:
    """Do what is ordered, at the account's clock; gives the cause of what follows."""
    if said["kind"] == "ASSIGN_OWNER":
        _assign(account, said)
        return "COMMAND"
    scheme = meant(policy, said["arguments"])
    assert scheme is not None
    standing = account.standing[scheme]
    standing.covered = standing.last_covered = None
    if said["kind"] == "OVERRIDE":
        approved_by = said["approved_by"].strip() if said["approved_by"] else None
        words = said["reason"].strip(), said["requested_by"].strip(), approved_by
        standing.covered = standing.last_covered = Override(said["arguments"]["tier"], account.clock_ms, said["expires_at"], *words)
    return "OVERRIDE"


def _assign(account: Account, said: Row) -> None:
    owner, was_pooled = said["arguments"]["owner_id"].strip(), account.pool is not None
    if account.owner() == owner:
        return
    account.profile["owner_id"] = (account.clock_ms, id64("commands", said["event_id"]), owner)
    account.pool = None
    for clock in account.clocks.values() if was_pooled else ():
        clock.owned_again(account.clock_ms)
