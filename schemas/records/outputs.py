"""What goes out: tier transitions, current tiers, hot leads, actions."""

from typing import Literal

import msgspec

Mode = Literal["LIVE", "BACKFILL", "REBUILD", "SHADOW"]
Direction = Literal["ENTRY", "UP", "DOWN", "OTHER"]
CauseKind = Literal[
    "INTERACTION", "ORDER", "INVOICE", "TICKET", "RISK", "PROFILE", "STAGE", "PREDICTION", "COMMAND",
    "SILENCE", "DECAY", "WINDOW", "TRIGGER", "OVERRIDE", "SEAT", "MERGE", "LATE", "POLICY", "CLOCK", "OTHER",
]  # fmt: skip


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The record behind an output; for causes made by time, the last record that moved the deadline."""

    kind: CauseKind
    topic: str
    partition: int
    offset: int
    event_id: str
    occurred_at: int
    detail: str | None = None


class DimensionChange(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension, 0 to 100 points, before and after; `weighted_micro` is its part of the score after."""

    name: str
    before_micro: int
    after_micro: int
    weighted_micro: int


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger. The lines of a dimension sum to its `weighted_micro`, all lines to the score.

    `count` facts stand behind it, the last of them of `last_at`; None where that is not known, or makes no sense.
    """

    dimension: str
    line: str
    micro: int
    count: int | None = None
    last_at: int | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the decision and the tier it left."""

    stage: Literal["earned", "seated", "gated", "published"]
    tier: str
    because: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The next change if nothing happens, and the points that would keep the tier over the horizon."""

    at: int
    to_tier: str
    because: str
    points_to_keep_micro: int | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What every output says: about which account, by which engine and policy, when, and in which mode."""

    account_id: str
    generation: str
    application: str
    policy: str
    policy_version: str
    policy_digest: str
    decided_at: int
    mode: Mode
    owner_id: str | None = None


class TierTransition(Decided, frozen=True, kw_only=True):
    """A tier changed: idempotent by `transition_id`, gapless by `sequence`, explained by the ledger."""

    transition_id: str
    scheme: str
    sequence: int
    from_tier: str | None
    to_tier: str
    direction: Direction
    effective_at: int
    lag_ms: int
    cause: Cause
    score_before_micro: int | None
    score_after_micro: int | None
    dimensions: list[DimensionChange]
    contributions: list[Contribution]
    trail: list[Stage]
    forecast: Forecast | None = None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """The account is in the public pool: since when, why, and whose it was."""

    since_at: int
    reason: str
    previous_owner_id: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands on one ladder. `sequence` is that of its last transition, 0 if there is none."""

    scheme: str
    tier: str
    earned_tier: str
    sequence: int
    effective_at: int
    score_micro: int | None = None


class AccountTiers(Decided, frozen=True, kw_only=True):
    """The current tiers of an account: written at entry, with every transition and on a change of owner or pool."""

    revision: int
    standings: list[Standing]
    effective_at: int
    pool: Pool | None = None


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """How an account of a tier is to be treated, as the policy says."""

    process: str | None = None
    team: list[str] = []
    channel: str | None = None
    priority: str = "normal"
    milestones: list[str] = []
    tasks: list[str] = []
    guide: str | None = None


class Action(Decided, frozen=True, kw_only=True):
    """Something that people or programs are to do, once: announced only live and while it is young."""

    action_id: str
    kind: str
    name: str
    reason: str
    due_at: int
    lag_ms: int
    cause: Cause
    scheme: str | None = None
    tier: str | None = None
    resolves: str | None = None
    playbook: Playbook | None = None


class HotLead(Decided, frozen=True, kw_only=True):
    """An account became hot: who, why now, what would lift it next. Announced only live, while it is young."""

    lead_id: str
    scheme: str
    sequence: int
    from_tier: str
    to_tier: str
    score_micro: int
    evidence: list[Contribution]
    cause: Cause
    effective_at: int
    act_before: int
    lag_ms: int
    trigger: str | None = None
    next_tier: str | None = None
    points_to_next_micro: int | None = None
    campaign_id: str | None = None
