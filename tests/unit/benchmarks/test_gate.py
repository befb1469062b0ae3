"""The gate fails where an event costs more than in the base, beyond noise, and nowhere else; and its base is a commit that it finds."""

import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from benchmarks.gate import running
from benchmarks.gate.__main__ import concluded
from benchmarks.gate.base import CHECKOUT, Base, GateError, accepted, checked_out, renew
from benchmarks.gate.judging import AGAIN, FEWEST_PAIRS, LIMIT, Pair, Verdict, complaint, judged

MANY = range(12)


def noisy(ratio: float, noise: float, seed: int, count: int = FEWEST_PAIRS) -> list[Pair]:
    """Pairs of an event that costs about 5 us in the base and `ratio` times that in the checkout; `noise` on each of the two."""
    random = Random(seed)
    return [Pair(5.0 * random.lognormvariate(0, noise), 5.0 * ratio * random.lognormvariate(0, noise)) for _ in range(count)]


@pytest.mark.parametrize("seed", MANY)
def test_a_clear_regression_fails(seed: int) -> None:
    assert judged(noisy(1.4, 0.03, seed)).too_slow


@pytest.mark.parametrize("seed", MANY)
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.08])
def test_noise_alone_passes(noise: float, seed: int) -> None:
    assert not judged(noisy(1.0, noise, seed)).too_slow


@pytest.mark.parametrize("seed", MANY)
def test_an_improvement_passes(seed: int) -> None:
    verdict = judged(noisy(0.6, 0.05, seed))
    assert not verdict.too_slow
    assert verdict.high < 1


def test_a_median_above_the_limit_passes_where_the_interval_is_not() -> None:
    costs = (1.02, 1.04, 1.1, 1.2, 1.25, 1.3, 1.4)
    verdict = judged([Pair(5.0, 5.0 * cost) for cost in costs])
    assert verdict.ratio == pytest.approx(1.2)
    assert verdict.low < LIMIT < verdict.high
    assert not verdict.too_slow


def test_one_pair_that_was_disturbed_changes_little() -> None:
    quiet = [Pair(5.0, 5.0)] * (FEWEST_PAIRS - 1)
    assert judged([*quiet, Pair(5.0, 50.0)]) == Verdict(1.0, 1.0, 1.0)


def test_the_same_pairs_are_judged_the_same() -> None:
    pairs = noisy(1.1, 0.1, 1)
    assert judged(pairs) == judged(pairs)


def test_too_few_pairs_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="at least 7 pairs, got 6"):
        judged(noisy(1.0, 0.0, 1, FEWEST_PAIRS - 1))


def test_a_failure_is_one_sentence_with_ratio_interval_and_the_command_that_repeats_it() -> None:
    said = complaint(Verdict(1.421, 1.382, 1.467), "0123456789abcdef")
    assert said.startswith("an event takes 1.42 times the processor time of base 0123456789 (95 % interval 1.38 to 1.47")
    assert f"`{AGAIN}`" in said
    assert "\n" not in said


def runs_of(pairs: list[Pair]) -> list[running.Both]:
    return [(running.Run("", old_us, 10, 20), running.Run("", new_us, 10, 20)) for old_us, new_us in pairs]


def test_too_slow_is_exit_code_1_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert concluded(Base("0123456789abcdef", "why"), runs_of(noisy(1.4, 0.03, 1))) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert AGAIN in shown.err


def test_fast_enough_is_exit_code_0_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert concluded(Base("0123456789abcdef", "why"), runs_of([Pair(5.0, 5.25)] * FEWEST_PAIRS)) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(text in shown.out for text in ("0123456789", "5.25", "1.050", f"{LIMIT:.2f}"))


def test_pairs_alternate_so_that_drift_takes_no_side() -> None:
    assert [running.base_first(number) for number in range(1, 5)] == [True, False, True, False]


def git(directory: Path, *arguments: str) -> str:
    who = ("-c", "user.name=gate", "-c", "user.email=gate@example.org")
    return subprocess.run(["git", *who, *arguments], cwd=directory, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """Two commits, of which the second changed the fold."""
    origin = tmp_path / "origin"
    (origin / "streams").mkdir(parents=True)
    git(origin, "init", "--quiet")
    for text in ("old", "new"):
        (origin / "streams" / "fold.py").write_text(text)
        git(origin, "add", "streams")
        git(origin, "commit", "--quiet", "-m", text)
    return origin


def test_the_base_is_checked_out_beside_the_checkout_and_gone_afterwards(repository: Path) -> None:
    with checked_out(git(repository, "rev-parse", "HEAD~1"), repository) as tree:
        assert (tree / "streams" / "fold.py").read_text() == "old"
        assert (repository / "streams" / "fold.py").read_text() == "new"
    assert not tree.parent.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_base_that_a_shallow_clone_lacks_says_how_to_fetch_it(repository: Path, tmp_path: Path) -> None:
    old = git(repository, "rev-parse", "HEAD~1")
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), "shallow")
    with (
        pytest.raises(GateError, match=rf"{old} .* is not in this repository: .* `git fetch --unshallow`"),
        checked_out(old, tmp_path / "shallow"),
    ):
        pass


def test_a_base_that_is_gone_says_how_to_have_another(repository: Path) -> None:
    with pytest.raises(GateError, match=r"is not in this repository: `git fetch` may .* --renew"), checked_out("0" * 40, repository):
        pass


def test_the_base_that_is_kept_can_be_read() -> None:
    assert len(accepted().base) == 40


def test_renewing_keeps_the_commit_and_the_reason(repository: Path, tmp_path: Path) -> None:
    kept = tmp_path / "gate.json"
    renew("slower, but right", repository, kept)
    assert accepted(kept) == Base(git(repository, "rev-parse", "HEAD"), "slower, but right")


def test_nothing_is_renewed_without_a_reason_or_with_changes(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="reason"):
        renew(" ", repository, tmp_path / "gate.json")
    (repository / "streams" / "fold.py").write_text("newer")
    with pytest.raises(GateError, match=r"streams/fold\.py: commit"):
        renew("why", repository, tmp_path / "gate.json")


def test_a_base_that_cannot_be_read_says_what_writes_it(tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_text('{"base": 1}')
    with pytest.raises(GateError, match=r"must hold .* --renew"):
        accepted(tmp_path / "gate.json")


def test_two_trees_are_measured_in_pairs_on_the_same_records(tmp_path: Path) -> None:
    running.make_work(CHECKOUT, tmp_path / "work", 200, 2_000)
    told: list[str] = []
    ((base, head),) = islice(running.in_pairs(CHECKOUT, CHECKOUT, tmp_path / "work", 1, told.append), 1)
    assert base.cpu_us > 0
    assert (base.outputs, base.changes) == (head.outputs, head.changes)
    assert base.outputs > 0
    assert len(told) == 2


def test_a_tree_that_cannot_fold_says_so(tmp_path: Path) -> None:
    (tmp_path / "work").write_bytes(b"")
    with pytest.raises(GateError, match=r"lane\.py must run in .*DecodeError"):
        running.run(CHECKOUT, tmp_path / "work")
