"""The figures taken in memory can be taken: small and once, every row of their table, and checked by themselves."""

import pytest

from benchmarks.catalogue import PLANS


def untold(_what: str, share: float | None = None) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("name", ["ticks", "rescore", "stages-sabc", "growth-touched", "replay"])
def test_a_figure_gives_every_row_of_its_table(name: str) -> None:
    plan = PLANS[name]
    ((run, _),) = plan.take(plan.small, 1, untold)
    assert {row.name for row in plan.rows} <= set(run)
    assert all(number >= 0 for number in run.values())


def test_a_figure_refuses_ticks_that_did_not_change_what_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import ticks

    monkeypatch.setattr(ticks, "FIRST_TICK_MS", ticks.START_AT_MS + ticks.DAY_MS)
    with pytest.raises(RuntimeError, match=r"must look at 200 accounts and change 20, got \d+ and 0"):
        list(PLANS["ticks"].take(PLANS["ticks"].small, 1, untold))
