"""What must hold after every run, each in a file of its own: `broken(evidence)` gives, in words, every way in which it does not."""

from collections.abc import Callable, Iterator

from tests.simulation.evidence import Evidence
from tests.simulation.invariants import (
    chains_are_whole,
    everyone_is_decided,
    nobody_folds_ahead,
    nothing_lost_or_doubled,
    only_the_owner_commits,
    progress_goes_with_state,
    refused_are_dead_letters,
    replay_is_live,
    restored_is_live,
    time_waits_for_lag,
)

INVARIANTS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    module.__name__.rpartition(".")[2]: module.broken
    for module in (
        only_the_owner_commits,
        progress_goes_with_state,
        nobody_folds_ahead,
        time_waits_for_lag,
        refused_are_dead_letters,
        chains_are_whole,
        everyone_is_decided,
        replay_is_live,
        restored_is_live,
        nothing_lost_or_doubled,
    )
}
