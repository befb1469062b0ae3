"""Letters for people to read: counted, the newest of them shown, or one of them whole."""

from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from agents.letters.reading import Illegible, Letter, Wanted, letters, returned
from agents.letters.returning import refusal_now
from agents.reading import partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected, SettingsError
from schemas.records import Event, PolicyActivated, Tick
from schemas.topics import INPUTS

OnCount = Callable[[int], None]


class Listing(NamedTuple):
    """The letters that were wanted: how many by (topic, reason, state), and the last ones of them by the time of refusal."""

    counts: Counter[tuple[str, str, str]]
    shown: list[Letter]
    illegible: list[Illegible]


class Whole(NamedTuple):
    """One letter with what can be said of its record now. `refusal` None: it would be taken, as far as schema, limits and key say."""

    letter: Letter
    refusal: RecordRejected | None
    record: Event | PolicyActivated | Tick | None


def listing(settings: Settings, wanted: Wanted, limit: int, on_total: OnCount, on_read: OnCount) -> Listing:
    """What is there now."""
    codec = codec_for(settings)
    found = Listing(Counter(), [], [])
    newest: dict[int, deque[Letter]] = {}
    for letter in letters(settings, returned(settings, codec), on_total=on_total, on_read=on_read):
        if isinstance(letter, Illegible):
            found.illegible.append(letter)
        elif wanted.takes(letter, codec):
            found.counts[letter.said.topic, letter.said.reason.value, letter.state.value] += 1
            newest.setdefault(letter.partition, deque(maxlen=limit)).append(letter)
    every = sorted((letter for some in newest.values() for letter in some), key=lambda letter: (letter.refused_at_ms, letter.place))
    found.shown.extend(every[len(every) - min(limit, len(every)) :])
    return found


def found_at(settings: Settings, place: str, on_total: OnCount, on_read: OnCount) -> Whole | None:
    """The letter at a place, None if there is none. Raises SettingsError for one that no worker has written."""
    codec = codec_for(settings)
    for letter in letters(settings, returned(settings, codec), on_total=on_total, on_read=on_read):
        if letter.place != place:
            continue
        if isinstance(letter, Illegible):
            raise SettingsError(f"letter {place} is illegible, no worker has written it: {letter.fault}")
        return _whole(letter, codec, partitions_of(settings, "dead-letters"))
    return None


def _whole(letter: Letter, codec: Codec, partitions: int) -> Whole:
    if letter.said.topic not in INPUTS:
        return Whole(letter, RecordRejected(Reason.WRONG_RECORD, f"{letter.said.topic} is no input topic of this version"), None)
    try:
        record = codec.decode(letter.said.topic, letter.said.payload)
    except RecordRejected as refusal:
        return Whole(letter, refusal, None)
    return Whole(letter, refusal_now(letter, codec, partitions), record)
