"""Bugs to plant: each takes what it replaces and gives what stands there instead. The checkers are known to work by catching them."""

from typing import Any

import msgspec
import numpy as np

from agents.partition_log import AbortRequired, Fenced, Retriable
from agents.patience import patiently
from agents.unit_of_work import CHANGELOG, FOLD_ORDER, Content
from schemas.changelog import COMMANDS_KEY, PROGRESS_PREFIX, TICK_KEY, ChangelogError
from streams.batches import Chunk


def nobody_is_fenced(open_log: Any) -> Any:
    """A transactional id for each owner, instead of one for each partition."""

    def opened(self: Any) -> None:
        self.transactional_id = f"lane of {self.author}"
        open_log(self)

    return opened


def a_fenced_owner_enlists_again(committed: Any) -> Any:
    def stubborn(self: Any) -> bool:
        try:
            return bool(committed(self))
        except Fenced:
            self._log._ended_by = None
            patiently(self._log.open, self._wait)
            return False

    return stubborn


def progress_is_committed_first(send: Any) -> Any:
    def sent(self: Any, records: Content) -> bool:
        pairs = records.plain[CHANGELOG]
        ahead = [pair for pair in pairs if (pair[0] or b"").startswith(PROGRESS_PREFIX)]
        try:
            self._log.begin()
            self._log.send(CHANGELOG, ahead)
            patiently(self._log.commit, self._wait)
        except AbortRequired:
            return False
        return bool(send(self, records._replace(plain={**records.plain, CHANGELOG: [pair for pair in pairs if pair not in ahead]})))

    return sent


def what_was_aborted_is_forgotten(_: Any) -> Any:
    """Memory has it already, so why send it again?"""

    def commit(self: Any, _records: Content, sent: bool) -> None:
        if not (sent and self._committed()):
            patiently(self._log.abort, self._wait)

    return commit


def sent_again_without_its_outputs(send: Any) -> Any:
    def sent(self: Any, records: Content) -> bool:
        again, self._before = getattr(self, "_before", None) is records, records
        return bool(send(self, records._replace(headed={}) if again else records))

    return sent


def no_answer_is_taken_for_a_no(_: Any) -> Any:
    """After a commit whose outcome is unknown, the same content in a new transaction."""

    def committed(self: Any) -> bool:
        try:
            self._log.commit()
        except (Retriable, AbortRequired) as passing:
            if isinstance(passing, Retriable):
                patiently(self._log.open, self._wait)
            return False
        self._counters.commit_ms.observe(0)
        return True

    return committed


def progress_moved(by: int) -> Any:
    def planted(moved: Any) -> Any:
        def moving(*about: Any) -> Any:
            found = moved(*about)
            return {t: msgspec.structs.replace(at, next_offset=at.next_offset + by) if at.next_offset else at for t, at in found.items()}

        return moving

    return planted


def progress_of_one_input_only(moved: Any) -> Any:
    return lambda *about: dict(list(moved(*about).items())[:1])


def ranges_begin_at_their_first_record(ranges: Any) -> Any:
    def first(taken: Any, topic: str) -> int:
        return int(taken.offset[taken.of_topic(topic)].min())

    return lambda self, taken: [msgspec.structs.replace(part, from_offset=first(taken, part.topic)) for part in ranges(self, taken)]


def one_at_a_time(topic: str) -> Any:
    """Of what a unit of work says on a topic, the first record is sent."""

    def planted(content: Any) -> Any:
        def made(*about: Any) -> Content:
            records: Content = content(*about)
            headed = records.headed
            return records._replace(headed={**headed, topic: headed[topic][:1]} if topic in headed else headed)

        return made

    return planted


def a_tick_alone_leaves_no_order(content: Any) -> Any:
    def made(folded: Any, order: Any, *about: Any) -> Content:
        records: Content = content(folded, order, *about)
        return records if order.ranges else records._replace(plain={**records.plain, FOLD_ORDER: []})

    return made


def nobody_waits_for_an_end(_: Any) -> Any:
    """Folding before the other inputs have told their end."""
    return lambda _self: []


def the_last_input_first(ordered: Any) -> Any:
    """Equal append times in the wrong order of inputs."""
    return lambda heads, limit: ordered(heads[::-1], limit)


def nothing_is_a_replay(_: Any) -> Any:
    def fresh(self: Any, topic: str, chunk: Chunk) -> Chunk:
        self._expected[topic] = int(chunk.offset[-1]) + 1
        return chunk

    return fresh


def a_tick_waits_for_nothing(_: Any) -> Any:
    return lambda self, _taken: dict.fromkeys(self.duty.topics, np.iinfo(np.int64).max)


def without(prefix: bytes) -> Any:
    """Restoring leaves out what has such keys."""

    def planted(restore: Any) -> Any:
        return lambda self, key, payload: None if key.startswith(prefix) else restore(self, key, payload)

    return planted


the_last_tick_is_not_restored = without(TICK_KEY)
the_commands_carried_out_are_not_restored = without(COMMANDS_KEY)


def nothing_is_done(_: Any) -> Any:
    return lambda *_: None


def torn_rows_are_left_out(restore_rows: Any) -> Any:
    def tolerant(self: Any, keys: Any, payloads: Any) -> None:
        for key, payload in zip(keys, payloads, strict=True):
            try:
                restore_rows(self, [key], [payload])
            except ChangelogError:
                continue

    return tolerant


def the_fourth_row_is_not_written(take_changes: Any) -> Any:
    def taken(self: Any) -> Any:
        changes = take_changes(self)
        return changes[:3] + changes[4:]

    return taken


def a_record_short(changelog_end: Any) -> Any:
    """A restore that ends with the last record that anybody may see, instead of behind it."""

    def end(self: Any) -> int:
        changelog_end(self)
        seen = self.broker.committed(CHANGELOG, self.number)
        return int(seen[-1].offset) if seen else 0

    return end


def a_change_decides_nothing(plan: Any) -> Any:
    """No move is due at the instant of the change."""
    return lambda *about: plan(*about)._replace(pending=np.zeros(0, np.int64))


def who_is_undecided_is_forgotten(restored: Any) -> Any:
    """What a change of policy left is taken for decided."""

    def forgetful(*about: Any) -> None:
        restored(*about)

    return forgetful
