"""How dead letters are told: to people as tables, to scripts as JSON. Bytes that are no text are shown in hex."""

import base64
from collections import Counter
from typing import TYPE_CHECKING, Any

from agents.cli.output import count_of, err, out, plain_table
from schemas.instants import to_iso
from schemas.json_values import to_json
from schemas.limits import shown

if TYPE_CHECKING:
    from rich.text import Text

    from agents.letters.listing import Listing, Whole
    from agents.letters.reading import Letter
    from agents.letters.returning import Outcome

MOST_BYTES = 256


def listed(found: "Listing") -> dict[str, Any]:
    """A list for scripts."""
    return {
        "letters": sum(found.counts.values()),
        "counts": [dict(zip(("topic", "reason", "state", "letters"), (*key, count), strict=True)) for key, count in _most(found.counts)],
        "shown": [_told(letter) for letter in found.shown],
        "illegible": [each._asdict() for each in found.illegible],
    }


def show_list(found: "Listing") -> None:
    """A list for people: counts last, where the eye is."""
    console, table = out(), plain_table("letter", "refused at", "from", "reason", "state", "key", "because")
    for letter in found.shown:
        said = letter.said
        place = f"{said.topic}:{said.partition}:{said.offset}"
        key = "none" if said.key is None else shown(_text(said.key), 24)
        cells = (place, said.reason.value, letter.state.value, key, shown(said.message, 90)[1:-1])
        table.add_row(letter.place, to_iso(letter.refused_at_ms), *map(_printable, cells))
    if found.shown:
        console.print(table)
        console.print()
    for each in found.illegible:
        console.print(f"[red]illegible[/] {each.place}: ", _printable(each.fault), sep="")
    if not found.counts:
        console.print("There are no such dead letters.")
        return
    counts = plain_table("topic", "reason", "state", "letters")
    for (topic, reason, state), count in _most(found.counts):
        counts.add_row(topic, reason, state, f"{count:,}")
    console.print(counts)
    if (total := sum(found.counts.values())) > len(found.shown):
        console.print(f"\nThe last {len(found.shown):,} of {total:,} are shown: --limit shows more.")


def told(found: "Whole") -> dict[str, Any]:
    """One letter whole, for scripts; bytes in base64."""
    said = found.letter.said
    return {
        **_told(found.letter),
        "schema_id": said.schema_id,
        "appended_at": to_iso(said.appended_at_ms),
        "headers": [{"name": name, "value": _text(value)} for name, value in said.headers],
        "payload_base64": None if said.payload is None else base64.b64encode(said.payload).decode(),
        "value": None if found.record is None else to_json(found.record),
        "refused_now": None if found.refusal is None else {"reason": found.refusal.reason.value, "message": str(found.refusal)},
    }


def show_letter(found: "Whole") -> None:
    """One letter whole, for people."""
    letter, said = found.letter, found.letter.said
    table = plain_table("", "")
    table.show_header = False
    came_from = None if said.return_of is None else f"letter {said.return_of}, whose record was put back"
    rows: list[tuple[str, str | None]] = [
        ("letter", letter.place),
        ("from", f"{said.topic}:{said.partition}:{said.offset}, appended {to_iso(said.appended_at_ms)}"),
        ("refused at", to_iso(letter.refused_at_ms)),
        ("reason", f"{said.reason.value}: {said.message}"),
        ("state", letter.state.value + (f", {count_of(letter.times, 'time')}" if letter.times else "")),
        ("comes from", came_from),
        ("now", "would be taken, as far as schema, limits and key say" if found.refusal is None else f"would be refused: {found.refusal}"),
        ("key", _text(said.key) or "none"),
        ("schema id", str(said.schema_id) if said.schema_id is not None else "unreadable"),
        *((f"header {name}", "none" if value is None else _text(value)) for name, value in said.headers),
        ("record", None if found.record is None else str(to_json(found.record))),
        ("payload", _dump(said.payload)),
    ]
    for name, text in rows:
        if text is not None:
            table.add_row(_printable(name), _printable(text))
    out().print(table)


def outcome_told(outcome: "Outcome", dry_run: bool) -> dict[str, Any]:
    """What a replay did, for scripts."""
    return {
        "dry_run": dry_run,
        "returned" if not dry_run else "would_return": outcome.chosen.total(),
        "by": _rows(outcome.chosen),
        "refused_again_as_it_stands": _rows(outcome.refused_again),
        "left": dict(outcome.left),
    }


def show_outcome(outcome: "Outcome", dry_run: bool) -> None:
    """What a replay did, for people."""
    console = out()
    if outcome.chosen:
        table = plain_table("topic", "refused for", "letters")
        for (topic, reason), count in _most(outcome.chosen):
            table.add_row(topic, reason, f"{count:,}")
        console.print(table)
    for (topic, reason), count in _most(outcome.refused_again):
        err().print(f"[yellow]{count_of(count, 'record')} of {topic} will be refused again as things stand:[/] {reason}")
    for why, count in sorted(outcome.left.items()):
        err().print(f"{count_of(count, 'letter')} left alone: {why}")
    done = "would be put back" if dry_run else "put back"
    console.print(f"{count_of(outcome.chosen.total(), 'record')} {done}.")


def _rows(counts: "Counter[tuple[str, str]]") -> list[dict[str, Any]]:
    return [{"topic": topic, "reason": reason, "letters": count} for (topic, reason), count in _most(counts)]


def _most(counts: "Counter[Any]") -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _told(letter: "Letter") -> dict[str, Any]:
    said = letter.said
    return {
        "letter": letter.place,
        "refused_at": to_iso(letter.refused_at_ms),
        "topic": said.topic,
        "partition": said.partition,
        "offset": said.offset,
        "reason": said.reason.value,
        "message": said.message,
        "key": _text(said.key),
        "state": letter.state.value,
        "times_returned": letter.times,
        "return_of": said.return_of,
    }


def _text(held: bytes | None) -> str | None:
    """Bytes as text; what is none in UTF-8 is escaped."""
    return None if held is None else held.decode(errors="backslashreplace")


def _printable(text: str) -> "Text":
    """Somebody else's words for a terminal: neither markup nor control characters take effect."""
    from rich.text import Text

    return Text("".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text))


def _dump(payload: bytes | None) -> str:
    if payload is None:
        return "none"
    more = f" ... {len(payload) - MOST_BYTES:,} bytes more" if len(payload) > MOST_BYTES else ""
    return f"{len(payload):,} bytes: {payload[:MOST_BYTES].hex(' ')}{more}"
