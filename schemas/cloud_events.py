"""CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the record's payload is the event's own.

Written on the public outputs, so that routers and automation tools can act without knowing our schemas. A tombstone is no event and has
none; a dead letter's are those of the refusal, behind the refused record's own headers, whose content type stays what its producer said.
"""

from collections.abc import Iterable
from typing import Final

from schemas.instants import to_iso

SPEC_VERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/avro"

_PREFIX: Final = "ce_"
_SPEC_VERSION_HEADER: Final = ("ce_specversion", SPEC_VERSION.encode())


def headers(
    type: str,  # noqa: A002 - CloudEvents' names
    source: str,
    id: str,  # noqa: A002
    subject: str | None,
    time_ms: int,
    content_type: str | None = CONTENT_TYPE,
) -> list[tuple[str, bytes]]:
    """The headers of one event: `source` and `id` together name it once and for all, `subject` is what it is about, where that is known.

    A time that no calendar has is left out.
    """
    said = [_SPEC_VERSION_HEADER, ("ce_type", type.encode()), ("ce_source", source.encode()), ("ce_id", id.encode())]
    if subject is not None:
        said.append(("ce_subject", subject.encode()))
    if (dated := _dated(time_ms)) is not None:
        said.append(("ce_time", dated.encode()))
    if content_type is not None:
        said.append(("content-type", content_type.encode()))
    return said


def _dated(time_ms: int) -> str | None:
    try:
        return to_iso(time_ms)
    except OverflowError:
        return None


def attributes(read: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The attributes in the headers of an event, by their names without prefix; others are ignored, of two the last counts."""
    return {name.removeprefix(_PREFIX): text.decode() for name, text in read if name.startswith(_PREFIX)}
