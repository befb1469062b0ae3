"""Compiled code: kept on disk, taken again only while nothing that it was made of has changed, and never a reason to stop.

Each case is a module of its own in a directory of its own, run by a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from schemas.compiling import allocating, compiled
from tests.house.tree import ROOT

INNER = """
from typing import NamedTuple

from schemas.compiling import compiled

FACTOR = 3


class Pair(NamedTuple):
    first: object
    second: object


@compiled
def scaled(number):
    return number * FACTOR
"""
OUTER = """
import sys

import numpy as np

import inner
from inner import Pair, scaled
from schemas.compiling import cache_refused, compiled, on_compiling


@compiled
def total(pair):
    return scaled(pair.first[0]) + pair.second[0] + inner.FACTOR


names = []
on_compiling(names.append)
print(total(Pair(np.array([10]), np.array([1]))), ",".join(names) or "kept", cache_refused())
"""
ALL_COMPILED = "outer.total,inner.scaled"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "inner.py").write_text(INNER)
    (sources / "outer.py").write_text(OUTER)
    return sources


def run(place: Path, **environment: str) -> str:
    """What the outer module prints: result, what was compiled, and why nothing could be kept."""
    settings = {"NUMBA_CACHE_DIR": str(place.parent / "cache"), "PYTHONPATH": f"{ROOT}:{place}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "import outer"],
        cwd=place,
        env={**os.environ, **settings, **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def edit(module: Path, old: str, new: str) -> None:
    text = module.read_text()
    assert old in text
    module.write_text(text.replace(old, new))


def kept(place: Path) -> list[Path]:
    return sorted(path for path in (place.parent / "cache").rglob("*") if path.suffix in {".nbi", ".nbc"})


def test_code_is_kept_for_the_next_process(place: Path) -> None:
    assert run(place) == f"34 {ALL_COMPILED} None"
    assert run(place) == "34 kept None"


def test_what_python_calls_is_kept_whole_and_nothing_else_by_itself(place: Path) -> None:
    run(place)
    assert {path.name.split("-")[0] for path in kept(place)} == {"outer.total"}


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("number * FACTOR", "number - FACTOR", 11),
        ("FACTOR = 3", "FACTOR = 5", 56),
        ("    first: object\n    second: object", "    second: object\n    first: object", 16),
    ],
    ids=["another body", "another constant", "another order of fields"],
)
def test_a_change_in_another_file_is_a_change(place: Path, old: str, new: str, result: int) -> None:
    run(place)
    edit(place / "inner.py", old, new)
    assert run(place) == f"{result} {ALL_COMPILED} None"
    assert run(place) == f"{result} kept None"


def test_what_was_kept_under_another_class_stands_in_nobodys_way(place: Path) -> None:
    run(place)
    edit(place / "inner.py", "Pair", "Two")
    edit(place / "outer.py", "import Pair", "import Two as Pair")
    assert run(place) == f"34 {ALL_COMPILED} None"


def test_a_comment_elsewhere_is_no_change(place: Path) -> None:
    run(place)
    edit(place / "inner.py", "FACTOR = 3", "FACTOR = 3  # thrice")
    assert run(place) == "34 kept None"


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_half_a_file_is_compiled_anew_and_kept_again(place: Path, suffix: str, share: float) -> None:
    run(place)
    for path in kept(place):
        if path.suffix == suffix:
            os.truncate(path, int(path.stat().st_size * share))
    assert run(place).startswith("34 outer.total")
    assert run(place) == "34 kept None"


def test_bounds_checked_code_is_another(place: Path) -> None:
    run(place)
    assert run(place, NUMBA_BOUNDSCHECK="1") == f"34 {ALL_COMPILED} None"
    assert run(place) == "34 kept None"


def test_where_no_directory_can_be_written_code_is_compiled_without_keeping(place: Path) -> None:
    """Below a file nobody can make a directory, not even root."""
    (place / "__pycache__").write_text("a file")
    below = str(place / "inner.py" / "below")
    for _ in range(2):
        printed = run(place, NUMBA_CACHE_DIR=below, XDG_CACHE_HOME=below, HOME=below)
        assert printed.startswith(f"34 {ALL_COMPILED} RuntimeError: cannot cache function 'total'")


def test_where_a_file_cannot_be_written_code_is_compiled_without_keeping(place: Path) -> None:
    run(place)
    for path in kept(place):
        path.unlink()
        path.mkdir()
    assert run(place).startswith(f"34 {ALL_COMPILED} IsADirectoryError: ")


def test_uncompiled_a_function_is_itself(place: Path) -> None:
    assert run(place, NUMBA_DISABLE_JIT="1") == "34 kept None"
    assert kept(place) == []


class Loan(NamedTuple):
    numbers: np.ndarray
    others: np.ndarray


@compiled
def _sum_of(loan: Loan) -> float:
    total = 0.0
    for number in loan.numbers:
        total += number
    return total + loan.others[0]


@allocating
def _sum_of_doubled(loan: Loan) -> float:
    doubled = np.empty(len(loan.numbers), np.float64)
    for place in range(len(loan.numbers)):
        doubled[place] = 2 * loan.numbers[place]
    return doubled.sum() + loan.others[0]


@compiled
def _both(loan: Loan) -> float:
    return _sum_of(loan) + _sum_of_doubled(loan)


def test_arrays_are_borrowed_and_given_back() -> None:
    loan = Loan(np.arange(4.0), np.ones(1))
    before = [sys.getrefcount(each) for each in loan]
    for _ in range(100):
        assert (_sum_of(loan), _sum_of_doubled(loan), _both(loan)) == (7.0, 13.0, 20.0)
    assert [sys.getrefcount(each) for each in loan] == before
