"""What is rich and rare about an account: profile fields and risks, each by its own time.

Kept as compact bytes and decoded when touched. Of two facts about the same thing the later wins; at equal times the
greater event id, so that the order of arrival does not matter.
"""

from bisect import insort
from typing import NamedTuple

import msgspec

from schemas.errors import Reason, RecordRejected
from schemas.records import AccountProfile, RiskSignal
from streams.stays import Overdue, Stay

FORGETTING_AT = 64  # withdrawn risks remembered per account, so that a late RAISED cannot reopen them

MAX_DOSSIER_BYTES = 786_432  # one changelog record, which its topic takes with room to spare (`max_message_bytes`)

# A byte of a record becomes at most so many of a dossier: a field of few letters is kept with prefix, time and event.
_GROWTH, _GROWTH_BYTES = 16, 4_096
_LONGEST_ID = 2**64 - 1

ORDERS_REMEMBERED = 128  # latest orders with their statuses, per account: one of them that comes again counts once

_NOT_FIELDS = {"event_id", "account_id", "occurred_at", "custom", "cleared"}
PROFILE_FIELDS = tuple(field for field in AccountProfile.__struct_fields__ if field not in _NOT_FIELDS)

FieldContent = bool | int | float | str | list[str] | None


class Known(msgspec.Struct, array_like=True):
    """A profile field: its content (None: cleared), since when, and the 64-bit id of the event that said so."""

    content: FieldContent
    at_ms: int
    event: int


class Risk(msgspec.Struct, array_like=True):
    """The latest word on one risk."""

    kind: str
    severity: str
    open: bool
    at_ms: int
    event: int
    evidence_url: str | None = None


class Pooled(msgspec.Struct, array_like=True):
    """The account is in the public pool."""

    since_ms: int
    reason: str
    previous_owner: str | None


class Override(msgspec.Struct, array_like=True):
    """What a person ordered for one scheme, and who and why. It stays here when it has expired: only the row says whether it holds."""

    tier: str
    since_ms: int
    until_ms: int
    reason: str
    requested_by: str
    approved_by: str | None


class Entry(NamedTuple):
    """What one record counts for in a window: when it happened, how much, and how many records it stands for."""

    at_ms: int
    amount: float
    times: int


class Worth(NamedTuple):
    """What health was worth, in whole points, until it changed."""

    until_ms: int
    points: int


class Spent(NamedTuple):
    """What one contact has used of its cap on one local day; the contact by 64 bits of its id."""

    contact: int
    day: int
    points: float


class Dossier(msgspec.Struct, array_like=True):
    """Everything about an account that is not a rolling number. New parts are added at the end, with a default."""

    profile: dict[str, Known] = {}
    risks: dict[str, Risk] = {}
    pool: Pooled | None = None
    windows: dict[str, list[Entry]] = {}
    spent: dict[str, list[Spent]] = {}
    orders: list[tuple[int, int]] = []
    overrides: dict[str, Override] = {}
    stays: dict[str, Stay] = {}
    overdue: dict[str, dict[str, Overdue]] = {}
    health: list[Worth] = []

    def known(self, field: str) -> FieldContent:
        """The content of a profile field (`custom.<name>` for custom ones), None if unknown."""
        entry = self.profile.get(field)
        return entry.content if entry is not None else None

    def owner(self) -> str | None:
        """Who owns the account; nobody while it is in the pool."""
        owner = self.known("owner_id")
        return owner if isinstance(owner, str) and self.pool is None else None

    def recycle(self, at_ms: int, reason: str) -> None:
        """Put the account into the pool."""
        self.pool = Pooled(at_ms, reason, self.owner())

    def assign(self, owner: str, at_ms: int, event: int) -> None:
        """Give the account an owner, over whoever had it; it leaves the pool."""
        self.profile["owner_id"], self.pool = Known(owner, at_ms, event), None

    def merge_profile(self, record: AccountProfile, event: int) -> None:
        """Take over every field the record names, each by its own time."""
        for field in PROFILE_FIELDS:
            if (content := getattr(record, field)) is not None:
                self._learn(field, content, record.occurred_at, event)
        for name, custom in record.custom.items():
            self._learn(f"custom.{name}", custom, record.occurred_at, event)
        for field in record.cleared:
            self._learn(field, None, record.occurred_at, event)
        if self.pool is not None and record.owner_id is not None and record.occurred_at >= self.pool.since_ms:
            self.pool = None

    def _learn(self, field: str, content: FieldContent, at_ms: int, event: int) -> None:
        have = self.profile.get(field)
        if have is None or (at_ms, event) > (have.at_ms, have.event):
            self.profile[field] = Known(content, at_ms, event)

    def take_risk(self, record: RiskSignal, event: int) -> None:
        """Raise or withdraw a risk."""
        have = self.risks.get(record.risk_id)
        if have is not None and (record.occurred_at, event) <= (have.at_ms, have.event):
            return
        raised = record.status == "RAISED"
        self.risks[record.risk_id] = Risk(record.kind, record.severity, raised, record.occurred_at, event, record.evidence_url)
        self._forget_oldest_withdrawn()

    def _forget_oldest_withdrawn(self) -> None:
        withdrawn = [(risk.at_ms, risk_id) for risk_id, risk in self.risks.items() if not risk.open]
        if len(withdrawn) > FORGETTING_AT:
            del self.risks[min(withdrawn)[1]]

    def has_order(self, order: int) -> bool:
        """Whether this order in this status (64 bits of both) is among the latest ones known."""
        return any(known == order for _, known in self.orders)

    def remember_order(self, order: int, at_ms: int) -> None:
        """Remember an order in its status; the oldest is forgotten beyond `ORDERS_REMEMBERED`."""
        insort(self.orders, (at_ms, order))
        del self.orders[:-ORDERS_REMEMBERED]

    def open_risks(self) -> list[tuple[str, Risk]]:
        """The risks that are open, oldest first."""
        if not self.risks:
            return []
        return sorted(((risk_id, risk) for risk_id, risk in self.risks.items() if risk.open), key=lambda entry: (entry[1].at_ms, entry[0]))


encode_dossier = msgspec.msgpack.Encoder().encode
decode_dossier = msgspec.msgpack.Decoder(Dossier).decode


def check_room(dossier: Dossier, record: AccountProfile | RiskSignal) -> None:
    """Raises RecordRejected if the dossier would grow beyond what one changelog record can carry; changes nothing."""
    packed = encode_dossier(dossier)
    if len(packed) + _GROWTH * len(msgspec.msgpack.encode(record)) + _GROWTH_BYTES <= MAX_DOSSIER_BYTES:
        return
    grown = decode_dossier(packed)
    if isinstance(record, AccountProfile):
        grown.merge_profile(record, _LONGEST_ID)
    else:
        grown.take_risk(record, _LONGEST_ID)
    if len(packed) < (grown_bytes := len(encode_dossier(grown))) > MAX_DOSSIER_BYTES:
        raise RecordRejected(
            Reason.OUT_OF_RANGE,
            f"what is kept of an account must have at most {MAX_DOSSIER_BYTES} bytes, with this record it had {grown_bytes}: "
            "fewer custom fields, fewer open risks or shorter texts",
        )
