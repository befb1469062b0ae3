"""What a lane stands on: one partition of every input, its changelog and its outputs, as one small interface.

`kafka_log.py` implements it on a broker; a simulation implements it in memory. Nothing of a client library passes through: records
are columns (`streams/batches.py`), topics are logical names, and every failure is one of the errors below, by what the caller must do.

Rules of an implementation:
- `open` fences whoever owned the partition before and settles its open transaction; nothing may be read or sent earlier.
- Reading is read_committed throughout: inputs, changelog, ends.
- `restore` is complete: it ends only past everything the former owners have committed.
- A position that the log no longer has is `PositionLost`, a topic that is gone or was made again is `TopicLost`: never a guess.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.errors import TierstreamError
from streams.batches import Chunk

Pair = tuple[bytes | None, bytes | None]
"""Key and payload. A changelog payload of None deletes the key."""


class Headed(NamedTuple):
    """A record that carries headers."""

    key: bytes | None
    payload: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Fetched(NamedTuple):
    """What one fetch brought: records by input. `ended`: inputs that reported their end after the last of these records."""

    chunks: dict[str, Chunk]
    ended: frozenset[str]


class LogError(TierstreamError):
    """A call to the log failed. The subclass says what to do."""


class Retriable(LogError):
    """The same call may be repeated; nothing is lost by it."""


class AbortRequired(LogError):
    """The open transaction must be aborted; the same content may then be sent again."""


class Fenced(LogError):
    """Another owner has taken the partition: this one is a zombie and must not go on."""


class PositionLost(LogError):
    """The next record to read is no longer in the log: records would be skipped unseen."""


class Denied(LogError):
    """The broker does not allow it: the operator must grant a right."""


class TopicLost(LogError):
    """A topic is gone, or another one has its name: offsets mean other records, or what was kept is not there."""


class Fatal(LogError):
    """Nothing that can be repeated: the process must end and a fresh one restore."""


class PartitionLog(Protocol):
    """One partition, as its owner sees it."""

    @property
    def number(self) -> int:
        """The partition's number, the same in every topic."""

    def open(self) -> None:
        """Take the partition. Repeatable while it raises Retriable."""

    def topic_ids(self) -> dict[str, str]:
        """Identities of the inputs, and of the changelog if it has one: a topic deleted and made again has another. Raises Retriable."""

    def changelog_end(self) -> int:
        """The changelog's end, past everything that was ever written, committed or not. Raises Retriable."""

    def restore(self, end: int) -> Iterator[Sequence[tuple[bytes, bytes | None]]]:
        """The changelog from its beginning to this end, in batches; an empty batch says: still reading. Raises TopicLost."""

    def restored_to(self) -> int:
        """How far `restore` has come in the changelog."""

    def begins(self) -> dict[str, int]:
        """The first offset that each input still has. Raises Retriable."""

    def ends(self) -> dict[str, int]:
        """Each input's end (exclusive, at most the last stable offset), asked of the broker now, by any thread. Raises Retriable."""

    def start(self, positions: Mapping[str, int]) -> None:
        """Read the inputs from these offsets on."""

    def positions(self) -> dict[str, int]:
        """How far each input has been read: past its last record, or its reported end, which counts markers too."""

    def fetch(self, limit: int, timeout_s: float) -> Fetched:
        """What is there, at most `limit` records; waits up to `timeout_s` for the first sign of anything."""

    def hold(self, topic: str) -> None:
        """Fetch no more of this input until `release`; its records stay where they are, none is lost."""

    def release(self, topic: str) -> None:
        """Fetch this input again, from where it was held."""

    def begin(self) -> None:
        """Open a transaction."""

    def send(self, topic: str, records: Sequence[Pair]) -> None:
        """Put records into the open transaction, into this partition of `topic`, in order."""

    def send_headed(self, topic: str, records: Sequence[Headed]) -> None:
        """As `send`, for records with headers."""

    def commit(self) -> None:
        """Commit the open transaction: all or nothing. Repeatable while it raises Retriable."""

    def abort(self) -> None:
        """Throw the open transaction away. Repeatable while it raises Retriable."""

    def close(self) -> None:
        """Let go of the clients; an open transaction is left to whoever takes the partition next."""
