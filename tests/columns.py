"""Columns of interactions beside what the codec says of the same payloads.

Run as a program it prints `told` for payloads in a file of hex lines: how other ways of running the same source are compared.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from schemas import catalogue
from schemas.catalogue import SchemaCatalogue
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.interaction_columns import InteractionColumns, InteractionDecoder
from schemas.pieces import Pieces
from schemas.records import Interaction
from schemas.records.inputs import Actor

Row = tuple[Any, ...]


def columns_of(decoder: InteractionDecoder, payloads: Sequence[bytes | None]) -> tuple[bytes, InteractionColumns]:
    """The buffer of some payloads, and its columns."""
    pieces = Pieces.of(payloads)
    return pieces.buffer.tobytes(), decoder.decode(pieces.buffer, pieces.begins, pieces.ends)


def rows(decoder: InteractionDecoder, payloads: Sequence[bytes | None]) -> list[Row | None]:
    """What the columns say of each payload; None: unfit."""
    buffer, columns = columns_of(decoder, payloads)
    return [_row(buffer, columns, place) if columns.fit[place] else None for place in range(len(payloads))]


def _row(buffer: bytes, columns: InteractionColumns, place: int) -> Row:
    def text(begins: Any, sizes: Any) -> str | None:
        begin, size = int(begins[place]), int(sizes[place])
        return None if size < 0 else buffer[begin : begin + size].decode()

    return (
        text(columns.event_begin, columns.event_size),
        text(columns.account_begin, columns.account_size),
        text(columns.kind_begin, columns.kind_size),
        int(columns.occurred_at_ms[place]),
        get_args(Actor)[columns.actor[place]],
        text(columns.contact_begin, columns.contact_size),
        text(columns.campaign_begin, columns.campaign_size),
        float(columns.dwell_seconds[place]).hex(),
    )


def expected(record: Interaction) -> Row:
    """What the columns must say of a record."""
    texts = (record.event_id, record.account_id, record.kind)
    dwell = 0.0 if record.dwell_seconds is None else record.dwell_seconds
    return *texts, record.occurred_at, record.actor, record.contact_id, record.campaign_id, dwell.hex()


def taken(codec: Codec, payload: bytes | None) -> Row | None:
    """What the codec says of a payload; None: it refuses."""
    try:
        return expected(codec.decode_as(Interaction, payload))
    except RecordRejected:
        return None


def told(payloads: Sequence[bytes], shipped: SchemaCatalogue) -> list[str]:
    """A line for each payload, read alone, so that whatever lies past its end lies past the buffer's."""
    decoder = InteractionDecoder(shipped)
    return [repr(rows(decoder, [payload])[0]) for payload in payloads]


if __name__ == "__main__":
    print("\n".join(told([bytes.fromhex(line) for line in Path(sys.argv[1]).read_text().splitlines()], catalogue.shipped())))
