"""Records that must be refused, one kind for each reason a producer can cause: for tests, and to see dead letters at work.

Rules: a poisoned record is made from a sound one, so it would be taken but for its one fault; the account it names is one
that exists, so that a fold which took it by mistake would be seen to differ.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

import msgspec

from agents.generating.lives import Happening
from schemas.codec import Codec
from schemas.errors import Reason
from schemas.limits import YEAR_2200_MS
from schemas.records import Interaction, Prediction
from streams.partitioning import partition_for

UNKNOWN_SCHEMA_ID = 0x7FFF_FFFF
FAR_AHEAD_MS = YEAR_2200_MS - 1


class Framed(NamedTuple):
    """A record ready for the wire. `partition` None: where its key belongs. `fault`: why it will be refused, None for a sound one."""

    topic: str
    key: bytes | None
    payload: bytes | None
    partition: int | None = None
    fault: Reason | None = None


def framed(happening: Happening, codec: Codec) -> Framed:
    """A sound record on the wire."""
    return Framed(happening.topic, happening.record.account_id.encode(), codec.encode(happening.record))


class Poisoner:
    """Spoils `share` of the interactions it is shown, each kind of fault as often as the others."""

    def __init__(self, random: Random, share: float, partitions: int, codec: Codec) -> None:
        self._random = random
        self._share = share
        self._partitions = partitions
        self._codec = codec
        self._faults: list[Callable[[Interaction, Framed], Framed]] = [
            self._cut_short, self._tombstone, self._unknown_schema, self._wrong_record, self._missing_key, self._foreign_key,
            self._key_mismatch, self._not_finite, self._too_far_ahead, self._out_of_range,
        ]  # fmt: skip
        if partitions > 1:
            self._faults.append(self._wrong_partition)

    def frame(self, happening: Happening) -> Framed:
        """The happening on the wire, spoilt or sound."""
        sound = framed(happening, self._codec)
        if self._share and isinstance(happening.record, Interaction) and self._random.random() < self._share:
            return self._random.choice(self._faults)(happening.record, sound)
        return sound

    def _cut_short(self, _: Interaction, sound: Framed) -> Framed:
        assert sound.payload is not None
        return sound._replace(payload=sound.payload[: self._random.randrange(5, len(sound.payload))], fault=Reason.UNDECODABLE)

    def _tombstone(self, _: Interaction, sound: Framed) -> Framed:
        return sound._replace(payload=None, fault=Reason.UNDECODABLE)

    def _unknown_schema(self, _: Interaction, sound: Framed) -> Framed:
        assert sound.payload is not None
        return sound._replace(payload=b"\0" + UNKNOWN_SCHEMA_ID.to_bytes(4, "big") + sound.payload[5:], fault=Reason.UNKNOWN_SCHEMA)

    def _wrong_record(self, record: Interaction, sound: Framed) -> Framed:
        other = Prediction(
            event_id=record.event_id, account_id=record.account_id, occurred_at=record.occurred_at, model="conversion", score=1.0
        )
        return sound._replace(payload=self._codec.encode(other), fault=Reason.WRONG_RECORD)

    def _missing_key(self, _: Interaction, sound: Framed) -> Framed:
        return sound._replace(key=None, fault=Reason.MISSING_KEY)

    def _foreign_key(self, _: Interaction, sound: Framed) -> Framed:
        assert sound.key is not None
        return sound._replace(key=b"\xff\xfe" + sound.key, fault=Reason.FOREIGN_KEY)

    def _key_mismatch(self, _: Interaction, sound: Framed) -> Framed:
        assert sound.key is not None
        return sound._replace(key=b"not-" + sound.key, fault=Reason.KEY_MISMATCH)

    def _not_finite(self, record: Interaction, sound: Framed) -> Framed:
        wrong = self._random.choice((float("nan"), float("inf"), float("-inf")))
        return sound._replace(payload=self._codec.encode(msgspec.structs.replace(record, dwell_seconds=wrong)), fault=Reason.NOT_FINITE)

    def _too_far_ahead(self, record: Interaction, sound: Framed) -> Framed:
        later = msgspec.structs.replace(record, occurred_at=FAR_AHEAD_MS)
        return sound._replace(payload=self._codec.encode(later), fault=Reason.TOO_FAR_AHEAD)

    def _out_of_range(self, record: Interaction, sound: Framed) -> Framed:
        return sound._replace(payload=self._codec.encode(msgspec.structs.replace(record, dwell_seconds=-1.0)), fault=Reason.OUT_OF_RANGE)

    def _wrong_partition(self, _: Interaction, sound: Framed) -> Framed:
        # Judged by the lane only on first sight of an account in that partition, so it is always refused there.
        assert sound.key is not None
        return sound._replace(partition=(partition_for(sound.key, self._partitions) + 1) % self._partitions, fault=Reason.WRONG_PARTITION)
