"""The source of what is compiled is its specification: run as Python it does the same, and compiled it stays within its arrays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HELD = [
    "test_hashing.py",
    "test_account_index.py",
    "test_packed_rows.py",
    "test_packed_dossiers.py",
    "test_accounts.py",
    "../schemas/test_avro_bodies.py",
]


@pytest.mark.parametrize("way", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_the_same_laws_hold_uncompiled_and_with_bounds_checked(way: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(str(HERE / name) for name in HELD)],
        cwd=HERE.parents[2], env=os.environ | {way: "1"}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
