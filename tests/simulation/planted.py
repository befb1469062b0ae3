"""Which bugs are planted where, and which seed meets them first."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from unittest.mock import patch

from agents import inbox, lane, unit_of_work
from agents.unit_of_work import DEAD_LETTERS
from streams import deadlines, merge
from streams.account import AccountFold
from streams.accounts import Accounts
from streams.changing import Change
from streams.older_rows import OlderRows
from streams.partition import Partition
from tests.properties.bugs import a_millisecond_late, deadlines_are_lost
from tests.simulation import bugs
from tests.simulation.running import Failure, ran
from tests.simulation.schedules import schedule_of
from tests.simulation.striking import StruckLog


class Planted(NamedTuple):
    """A bug in the place of `owner.name`."""

    owner: Any
    name: str
    bug: Callable[[Any], Any]


PLANTED = {
    "nobody is fenced": Planted(StruckLog, "open", bugs.nobody_is_fenced),
    "a fenced owner enlists again": Planted(unit_of_work.UnitOfWork, "_committed", bugs.a_fenced_owner_enlists_again),
    "progress is committed first": Planted(unit_of_work.UnitOfWork, "send", bugs.progress_is_committed_first),
    "what was aborted is forgotten": Planted(unit_of_work.UnitOfWork, "commit", bugs.what_was_aborted_is_forgotten),
    "sent again without its outputs": Planted(unit_of_work.UnitOfWork, "send", bugs.sent_again_without_its_outputs),
    "no answer is taken for a no": Planted(unit_of_work.UnitOfWork, "_committed", bugs.no_answer_is_taken_for_a_no),
    "progress one too far": Planted(lane.Lane, "_moved", bugs.progress_moved(1)),
    "progress one short": Planted(lane.Lane, "_moved", bugs.progress_moved(-1)),
    "progress of one input only": Planted(lane.Lane, "_moved", bugs.progress_of_one_input_only),
    "ranges begin at their first record": Planted(lane.Lane, "_ranges", bugs.ranges_begin_at_their_first_record),
    "one dead letter at a time": Planted(lane, "content", bugs.one_at_a_time(DEAD_LETTERS)),
    "one transition at a time": Planted(lane, "content", bugs.one_at_a_time("tier-transitions")),
    "a tick alone leaves no order": Planted(lane, "content", bugs.a_tick_alone_leaves_no_order),
    "nobody waits for an end": Planted(merge.Merge, "starving", bugs.nobody_waits_for_an_end),
    "the last input first": Planted(merge, "_ordered", bugs.the_last_input_first),
    "nothing is a replay": Planted(inbox.Inbox, "_fresh", bugs.nothing_is_a_replay),
    "a tick waits for nothing": Planted(lane.Lane, "_folded_to", bugs.a_tick_waits_for_nothing),
    "dossiers are not restored": Planted(Accounts, "restore_dossiers", bugs.nothing_is_done),
    "the last tick is not restored": Planted(Partition, "restore", bugs.the_last_tick_is_not_restored),
    "commands are forgotten": Planted(Partition, "restore", bugs.the_commands_carried_out_are_not_restored),
    "old rows are not looked at again": Planted(AccountFold, "recall_all", bugs.nothing_is_done),
    "who was erased is restored": Planted(Partition, "_restore_erased", bugs.nothing_is_done),
    "torn rows are left out": Planted(Accounts, "restore_rows", bugs.torn_rows_are_left_out),
    "the fourth row is not written": Planted(Accounts, "take_changes", bugs.the_fourth_row_is_not_written),
    "a restore stops one record short": Planted(StruckLog, "changelog_end", bugs.a_record_short),
    "deadlines are late by a millisecond": Planted(deadlines, "next_change", a_millisecond_late),
    "a change decides nothing": Planted(Change, "plan", bugs.a_change_decides_nothing),
    "a restore forgets who is undecided": Planted(OlderRows, "restored", bugs.who_is_undecided_is_forgotten),
    "deadlines are lost": Planted(Accounts, "restore_rows", deadlines_are_lost),
}
BREAKING = {
    "only_the_owner_commits": "nobody is fenced",
    "progress_goes_with_state": "progress one too far",
    "nobody_folds_ahead": "nobody waits for an end",
    "time_waits_for_lag": "a tick waits for nothing",
    "refused_are_dead_letters": "one dead letter at a time",
    "chains_are_whole": "one transition at a time",
    "everyone_is_decided": "a change decides nothing",
    "replay_is_live": "sent again without its outputs",
    "restored_is_live": "the last tick is not restored",
    "nothing_lost_or_doubled": "deadlines are late by a millisecond",
}
"""For each invariant a bug that breaks it, whatever else it breaks."""


def failures_with(name: str, seed: int) -> list[Failure]:
    """All that is wrong with a run that has this bug in it."""
    planted = PLANTED[name]
    with patch.object(planted.owner, planted.name, planted.bug(getattr(planted.owner, planted.name))):
        return ran(schedule_of(seed))[1]


def caught(name: str, seeds: Iterable[int]) -> Failure | None:
    """The first failure of the first seed that meets the bug."""
    return next((failures[0] for seed in seeds if (failures := failures_with(name, seed))), None)
