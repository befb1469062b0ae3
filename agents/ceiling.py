"""How much of an input may become dead letters before the worker stops: a wrong schema must not empty a whole topic into `dead-letters`.

Rules: a window opens with a refused record and holds `WINDOW` successive records of one topic in one partition; when more of it are
refused than the share allows, the lane ends before the transaction that would have written them. The window is part of the progress,
so a worker that is started again stops at the same record, however often: nothing trickles through. What an operator quarantined is
not counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from schemas.changelog import Progress
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, SettingsError
from streams.batches import RecordBatch

WINDOW: Final = 1_000


class Window(NamedTuple):
    """The open window of one topic: so many records, so many of them refused. Both 0: none is open."""

    judged: int = 0
    refused: int = 0


class Ceiling:
    """Follows the windows of a lane. `share` of a window may be refused; 1 never stops anything."""

    def __init__(self, share: float) -> None:
        self._share, self._most = share, int(share * WINDOW)

    def windows(self, progress: Mapping[str, Progress], taken: RecordBatch, dead: Sequence[DeadLetter]) -> dict[str, Window]:
        """The windows after these records, of the topics whose window moved. Raises SettingsError if one is beyond the ceiling."""
        counted = [letter for letter in dead if letter.reason is not Reason.QUARANTINED]
        topics = {letter.topic for letter in counted} | {topic for topic, at in progress.items() if at.refused}
        return {topic: self._window(progress[topic], taken, topic, [each for each in counted if each.topic == topic]) for topic in topics}

    def _window(self, at: Progress, taken: RecordBatch, topic: str, dead: list[DeadLetter]) -> Window:
        offsets = taken.offset[taken.of_topic(topic)]
        places = np.flatnonzero(np.isin(offsets, [letter.offset for letter in dead])).tolist()
        window, seen = Window(at.judged, at.refused), 0
        for number, place in enumerate(places, 1):
            before = _passed(window, place - seen)
            window, seen = Window(before.judged + 1, before.refused + 1), place + 1
            if window.refused > self._most:
                raise self._beyond(window, dead[:number])
        return _passed(window, len(offsets) - seen)

    def _beyond(self, window: Window, dead: Sequence[DeadLetter]) -> SettingsError:
        last = dead[-1]
        reasons = ", ".join(f"{reason} {count}" for reason, count in Counter(letter.reason.value for letter in dead).most_common())
        return SettingsError(
            f"{window.refused} of {window.judged} records up to {last.topic}:{last.partition}:{last.offset} would become dead letters, "
            f"more than TIERSTREAM_DEAD_LETTER_SHARE={self._share:g} of {WINDOW} allows, so this transaction was not written "
            f"({reasons}; the last: {last.message}). Mend what refuses them and start again, or dead-letter them all with "
            "TIERSTREAM_DEAD_LETTER_SHARE=1"
        )


def _passed(window: Window, records: int) -> Window:
    """The window after so many more records that were taken; it closes when it is full, and none of them opens one."""
    judged = window.judged + records
    return Window(judged, window.refused) if window.refused and judged < WINDOW else Window()
