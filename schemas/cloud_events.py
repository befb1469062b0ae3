"""CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the record's payload is the event's own.

Written on the public outputs, so that routers and automation tools can act without knowing our schemas.
"""

from collections.abc import Iterable
from typing import Final

from schemas.instants import to_iso

SPEC_VERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/avro"

_PREFIX: Final = "ce_"
_CONTENT_TYPE_HEADER: Final = "content-type"


def headers(type: str, source: str, id: str, subject: str, time_ms: int) -> list[tuple[str, bytes]]:  # noqa: A002 - CloudEvents' names
    """The headers of one event: `source` and `id` together name it once and for all, `subject` is what it is about."""
    named = {"specversion": SPEC_VERSION, "type": type, "source": source, "id": id, "subject": subject, "time": to_iso(time_ms)}
    return [*((_PREFIX + name, text.encode()) for name, text in named.items()), (_CONTENT_TYPE_HEADER, CONTENT_TYPE.encode())]


def attributes(read: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The attributes in the headers of an event, by their names without prefix; headers of others are ignored."""
    return {name.removeprefix(_PREFIX): text.decode() for name, text in read if name.startswith(_PREFIX)}
