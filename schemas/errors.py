"""Errors, sorted by who must act.

`PolicyError` and `SettingsError`: the operator; the process refuses to start and lists every problem.
`RecordRejected`: the producer; the record goes to `dead-letters` and the partition goes on.
Anything else is a broken invariant: the process stops and the next owner restores from the changelog.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a record was rejected. The value is the `reason` label of metrics and the header of dead letters."""

    UNDECODABLE = "UNDECODABLE"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    WRONG_RECORD = "WRONG_RECORD"
    MISSING_KEY = "MISSING_KEY"
    FOREIGN_KEY = "FOREIGN_KEY"
    KEY_MISMATCH = "KEY_MISMATCH"
    WRONG_PARTITION = "WRONG_PARTITION"
    NOT_FINITE = "NOT_FINITE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    TOO_FAR_AHEAD = "TOO_FAR_AHEAD"
    UNKNOWN_CURRENCY = "UNKNOWN_CURRENCY"
    QUARANTINED = "QUARANTINED"


class TierstreamError(Exception):
    """Base of every error that tierstream raises on purpose."""


class RecordRejected(TierstreamError):
    """One record cannot be taken: published to `dead-letters`, nothing else changes.

    `schema_id` is the writer's schema id where the framing could be read, else None.
    """

    def __init__(self, reason: Reason, message: str, schema_id: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.schema_id = schema_id


class OperatorError(TierstreamError):
    """Something the operator must mend before the process can run. Exit code 2."""

    def __init__(self, problems: list[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("\n".join(self.problems))


class PolicyError(OperatorError):
    """The policy is wrong; `problems` has one line for each problem, with its path."""


class SettingsError(OperatorError):
    """Settings or environment are wrong (broker unreachable, topic missing or different, other digest)."""
