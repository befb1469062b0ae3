"""The topic catalogue, as data: what flows where, and how each topic must be made.

A topic's `number` is its rank in the merge by append time and its seed in ids; it is never reused or changed.
Names here are logical; a deployment may put a prefix before all of them (settings).
"""

from enum import StrEnum

import msgspec

from schemas import records

DAY_MS = 86_400_000
COMPACTED_WITHIN_MS = DAY_MS
"""What a newer record of its key has replaced, or erased, is gone from a compacted topic within this time, while it is written to."""


class Role(StrEnum):
    """INPUT is folded, OUTPUT is public, INTERNAL belongs to the engine."""

    INPUT = "input"
    OUTPUT = "output"
    INTERNAL = "internal"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. `record` None: framed otherwise than Avro (see `doc`). `retention_ms` -1: kept for ever.

    `co_partitioned` topics all have the deployment's partition count; the others have one partition.
    `per_application` topics are named after the application id: `<application>-<name>`.
    """

    name: str
    number: int
    role: Role
    record: type[msgspec.Struct] | None
    doc: str
    key: str = "account_id"
    cleanup: str = "delete"
    retention_ms: int = -1
    log_append_time: bool = True
    co_partitioned: bool = True
    per_application: bool = False
    max_message_bytes: int = 1_048_588

    def config(self) -> dict[str, str]:
        """The broker-side configuration the topic must have (values as Kafka prints them)."""
        return ({"max.compaction.lag.ms": str(COMPACTED_WITHIN_MS)} if self.cleanup == "compact" else {}) | {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(self.max_message_bytes),
        }


def _input(name: str, number: int, record: type[msgspec.Struct], doc: str) -> Topic:
    return Topic(name=name, number=number, role=Role.INPUT, record=record, doc=doc)


# Dead letters carry a refused payload unchanged, with headers on top: they need more room than any input.
_ROOM_FOR_HEADERS = 4 * 1_048_576

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        _input("interactions", 1, records.Interaction, "What people did: visits, downloads, calls, meetings."),
        _input("orders", 2, records.Order, "Orders placed, paid, refunded, cancelled."),
        _input("invoices", 3, records.Invoice, "Invoices issued, paid, overdue."),
        _input("tickets", 4, records.Ticket, "Service tickets and satisfaction."),
        _input("risks", 5, records.RiskSignal, "Risks raised and withdrawn."),
        _input("profiles", 6, records.AccountProfile, "What is known of an account; fields merge by their own time."),
        _input("opportunities", 7, records.StageChange, "Opportunities moving through a sales process."),
        _input("predictions", 8, records.Prediction, "Scores of prediction models."),
        _input("commands", 9, records.Command, "Overrides, owner changes, claims, merges, erasures."),
        Topic(name="policies", number=10, role=Role.INPUT, record=records.PolicyActivated,
              doc="Changes of policy, the same in every partition.", key="partition"),
        _input("ticks", 100, records.Tick, "Time passing, for history (clock: records). Folded after all others."),
        Topic(name="tier-transitions", number=20, role=Role.OUTPUT, record=records.TierTransition,
              doc="Every tier change, once, in order, explained."),
        Topic(name="account-tiers", number=22, role=Role.OUTPUT, record=records.AccountTiers,
              doc="Every account's current tiers, owner and pool.", cleanup="compact"),
        Topic(name="actions", number=23, role=Role.OUTPUT, record=records.Action,
              doc="What people and programs are to do, once: recycled accounts, breaches and their ends, answers to commands."),
        Topic(name="hot-leads", number=24, role=Role.OUTPUT, record=records.HotLead,
              doc="Accounts that have just become hot, with the evidence."),
        Topic(name="dead-letters", number=21, role=Role.OUTPUT, record=None,
              doc="Refused records: key and value as they came, the reason in the headers.",
              key="the refused record's key", max_message_bytes=_ROOM_FOR_HEADERS),
        Topic(name="fold-order", number=40, role=Role.INTERNAL, record=records.FoldOrder,
              doc="What each transaction folded; kept as long as the inputs.",
              key="partition", per_application=True),
        Topic(name="accounts-changelog", number=41, role=Role.INTERNAL, record=None,
              doc="Rows, dossiers, layouts and progress of each partition (schemas/changelog.py).",
              key="see schemas/changelog.py", cleanup="compact", log_append_time=False, per_application=True),
        Topic(name="ingest-progress", number=42, role=Role.INTERNAL, record=records.IngestProgress,
              doc="How far each file has been ingested.",
              key="file_digest", cleanup="compact", co_partitioned=False),
        Topic(name="dead-letters-returned", number=43, role=Role.INTERNAL, record=records.ReturnedLetter,
              doc="Which dead letters were put back, and how often.",
              key="partition:offset of the letter", cleanup="compact", co_partitioned=False),
    )
}  # fmt: skip

INPUTS: dict[str, Topic] = {name: topic for name, topic in TOPICS.items() if topic.role is Role.INPUT}
"""Input topics by logical name, in merge rank order."""


def physical_name(topic: Topic, *, prefix: str, application: str, outputs: str = "") -> str:
    """The name on the broker: prefix, then the application id where the topic belongs to one application.

    `outputs` stands in front of what is published, and of what is kept about it.
    """
    own = topic.role is Role.OUTPUT or topic.name == "dead-letters-returned"
    return f"{prefix}{application}-{topic.name}" if topic.per_application else f"{prefix}{outputs if own else ''}{topic.name}"
