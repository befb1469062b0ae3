"""The records on the wire, typed. One struct for each Avro schema in `avro/`, where every field is documented.

Instants end in `_at` and are integers of epoch milliseconds (Avro `timestamp-millis`), money ends in `_minor` and is in
minor units of `currency`, scores end in `_micro` and are integers of a millionth of a point.
Records are facts in the past and never change: the structs are frozen. None means unknown.
OTHER in an enumeration is what a symbol of a later version reads as here; it is never written.
"""

from schemas.records.inputs import (
    AccountProfile,
    Actor,
    Command,
    Custom,
    Event,
    Interaction,
    Invoice,
    Order,
    PolicyActivated,
    Prediction,
    RiskSignal,
    StageChange,
    Tick,
    Ticket,
)
from schemas.records.internals import FoldedRange, FoldedTick, FoldOrder, IngestProgress, QuarantinedRecord, ReturnedLetter
from schemas.records.outputs import (
    AccountTiers,
    Action,
    Cause,
    CauseKind,
    Contribution,
    DimensionChange,
    Direction,
    Forecast,
    HotLead,
    Mode,
    Playbook,
    Pool,
    Stage,
    Standing,
    TierTransition,
)

__all__ = [
    "AccountProfile",
    "AccountTiers",
    "Action",
    "Actor",
    "Cause",
    "CauseKind",
    "Command",
    "Contribution",
    "Custom",
    "DimensionChange",
    "Direction",
    "Event",
    "FoldOrder",
    "FoldedRange",
    "FoldedTick",
    "Forecast",
    "HotLead",
    "IngestProgress",
    "Interaction",
    "Invoice",
    "Mode",
    "Order",
    "Playbook",
    "PolicyActivated",
    "Pool",
    "Prediction",
    "QuarantinedRecord",
    "ReturnedLetter",
    "RiskSignal",
    "Stage",
    "StageChange",
    "Standing",
    "Tick",
    "Ticket",
    "TierTransition",
]
