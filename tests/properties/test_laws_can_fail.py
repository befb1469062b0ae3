"""A law that cannot fail says nothing: each is run against an engine with a bug planted in it, and must object."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import streams.account
import streams.view
from streams import deadlines, earned, leads, ledger, overrides
from streams.account import AccountFold
from streams.accounts import Accounts
from streams.clocks.quiet import QuietClock
from streams.dossier import Dossier
from streams.lasting import LastingTrigger
from streams.partition import Partition
from streams.schemes.ladder import Ladder
from tests.properties import bugs
from tests.properties import test_decision_laws as decisions
from tests.properties import test_fold_laws as folds
from tests.properties import test_override_laws as covered
from tests.properties import test_time_laws as times
from tests.worlds import policies_with_logs, ticked_worlds

ENOUGH = settings(max_examples=300, phases=[Phase.generate], derandomize=True, database=None, report_multiple_bugs=False)
LOGS, TICKED = policies_with_logs(), ticked_worlds()
UNREPEATED = policies_with_logs(capped=False, max_size=16, repeating=False, commanded=False)
RANDOMS, PLACES = st.randoms(use_true_random=False), st.lists(st.integers(0, 40), max_size=8)
POISONS = st.lists(st.none() | folds.POISON, min_size=45, max_size=45)


class Planted(NamedTuple):
    """A bug in the place of `owner.name`, and the law that must object."""

    law: Callable[..., None]
    owner: Any
    name: str
    bug: Callable[[Any], Any]


GIVEN: dict[Callable[..., None], tuple[st.SearchStrategy[Any], ...]] = {
    times.test_a_deadline_is_never_late: (policies_with_logs(max_size=12), st.just([])),
    times.test_forecasts_come_true: (policies_with_logs(max_size=16),),
    times.test_a_restored_partition_goes_on_identically_with_ticks: (TICKED, st.integers(0, 40)),
    decisions.test_score_alone_moves_up_at_a_threshold_and_down_below_a_band: (ticked_worlds(bare=True),),
    decisions.test_what_is_repeated_changes_nothing: (ticked_worlds(repeating=False), PLACES),
    decisions.test_illegal_input_between_ticks_changes_nothing: (TICKED, POISONS),
    folds.test_a_risk_raised_and_withdrawn_leaves_the_account_where_it_would_have_been: (policies_with_logs(repeating=False), st.data()),
    covered.test_granted_and_ended_it_leaves_the_account_where_it_would_have_been: (policies_with_logs(repeating=False), st.data()),
    folds.test_the_final_score_does_not_depend_on_the_order_of_arrival: (UNREPEATED, RANDOMS),
    folds.test_a_tier_is_earned_at_its_threshold_and_lost_only_below_the_band: (policies_with_logs(bare=True),),
    folds.test_deciding_every_record_gives_the_same_outputs_as_fast_forward: (LOGS,),
}
"""What a law is given other than ticked worlds."""

PLANTED = [
    Planted(times.test_ticks_do_not_matter_as_long_as_no_record_is_older, streams.account, "look_ahead", bugs.a_tick_pulls_the_clock),
    Planted(
        times.test_with_records_older_than_ticks_scores_are_equal_all_the_same, Partition, "fold", bugs.nothing_older_than_a_tick_is_folded
    ),
    Planted(times.test_a_deadline_is_never_late, deadlines, "next_change", bugs.a_millisecond_late),
    Planted(times.test_a_deadline_is_never_late, LastingTrigger, "may_turn", bugs.a_condition_never_turns),
    Planted(times.test_forecasts_come_true, streams.view, "forecast", bugs.a_millisecond_early),
    Planted(times.test_a_restored_partition_goes_on_identically_with_ticks, Accounts, "restore_rows", bugs.deadlines_are_lost),
    Planted(times.test_guard_bands_and_deadlines_hide_nothing, earned, "band", bugs.too_wide),
    Planted(
        times.test_whatever_the_ticks_chains_are_whole_and_time_never_goes_back, streams.account, "transition", bugs.counted_again_from_one
    ),
    Planted(times.test_whatever_the_ticks_chains_are_whole_and_time_never_goes_back, streams.account, "transition", bugs.time_goes_back),
    Planted(times.test_the_last_word_of_account_tiers_is_how_the_account_stands, AccountFold, "_standings", bugs.told_of_transitions_alone),
    Planted(decisions.test_a_tier_is_kept_for_its_stay_and_every_move_is_a_step_after_its_pause, earned, "_patience", bugs.no_patience),
    Planted(decisions.test_score_alone_moves_up_at_a_threshold_and_down_below_a_band, Ladder, "kept", bugs.lost_at_its_threshold),
    Planted(
        decisions.test_a_late_record_repairs_at_the_accounts_clock_and_names_its_own_time, streams.account, "of_record", bugs.never_late
    ),
    Planted(decisions.test_what_is_repeated_changes_nothing, streams.account, "_remembered", bugs.nothing_is_remembered),
    Planted(decisions.test_what_is_repeated_changes_nothing, Dossier, "has_order", bugs.nothing_is_remembered),
    Planted(decisions.test_illegal_input_between_ticks_changes_nothing, Partition, "fold", bugs.refused_and_counted),
    Planted(decisions.test_the_ledger_sums_exactly_at_every_instant, ledger, "apportioned", bugs.each_rounded_by_itself),
    Planted(decisions.test_leads_and_actions_want_life_youth_and_leave_to_contact, leads, "is_young", bugs.everything_is_young),
    Planted(
        folds.test_a_risk_raised_and_withdrawn_leaves_the_account_where_it_would_have_been,
        QuietClock,
        "_is_reset",
        bugs.a_risk_breaks_the_silence,
    ),
    Planted(covered.test_granted_and_ended_it_leaves_the_account_where_it_would_have_been, overrides, "put", bugs.an_override_is_earned),
    Planted(covered.test_granted_and_ended_it_leaves_the_account_where_it_would_have_been, overrides, "end", bugs.an_override_is_earned),
    Planted(folds.test_the_final_score_does_not_depend_on_the_order_of_arrival, Dossier, "_learn", bugs.the_last_to_arrive_is_right),
    Planted(folds.test_a_tier_is_earned_at_its_threshold_and_lost_only_below_the_band, Ladder, "kept", bugs.lost_at_its_threshold),
    Planted(folds.test_deciding_every_record_gives_the_same_outputs_as_fast_forward, earned, "band", bugs.too_wide),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.bug.__name__}-{planted.law.__name__[5:]}")
def test_a_law_objects_to_the_bug_planted_for_it(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted.owner, planted.name, planted.bug(getattr(planted.owner, planted.name)))
    law: Any = planted.law
    objecting = ENOUGH(given(*GIVEN.get(law, (TICKED,)))(law.hypothesis.inner_test))
    with pytest.raises(AssertionError):
        objecting()
