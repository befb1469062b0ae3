"""The checkers can fail: each planted bug is caught, by a checker and not by an accident, within the seeds of a CI run."""

import pytest

from tests.simulation.invariants import INVARIANTS
from tests.simulation.planted import BREAKING, PLANTED, caught, failures_with
from tests.simulation.running import Failure, failures_of, ran
from tests.simulation.schedules import schedule_of
from tests.simulation.test_seeds import SEEDS

BY_THE_RUN = {
    "torn rows are left out", "old rows are not looked at again", "progress one too far",
}  # fmt: skip
"""Caught by the run itself: an owner took a torn value for a whole one, or ended without a reason."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_caught(name: str) -> None:
    failure = caught(name, range(SEEDS))
    assert failure is not None, f"no seed below {SEEDS} has met it"
    assert failure.what in INVARIANTS or name in BY_THE_RUN, failure
    assert failures_of([failure.seed]) == [], "without the bug nothing is wrong"


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_every_invariant_is_broken_by_a_planted_bug(invariant: str) -> None:
    failures = (failure for seed in range(SEEDS) for failure in failures_with(BREAKING[invariant], seed))
    assert next(failure for failure in failures if failure.what == invariant)


def test_a_checker_that_throws_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def throws(_: object) -> None:
        raise LookupError("a mistake in the checker")

    monkeypatch.setitem(INVARIANTS, "chains_are_whole", throws)
    failure = ran(schedule_of(3))[1][0]
    assert failure.what == "chains_are_whole"
    assert "a mistake in the checker" in failure.words


def test_a_failure_names_its_seed_and_the_command_that_repeats_it() -> None:
    assert str(Failure(4711, "chains_are_whole", "GAP")).endswith("see it again: python -m tests.simulation --seed 4711")
