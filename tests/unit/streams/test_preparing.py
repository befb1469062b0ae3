"""A rehearsal compiles all that folding needs: nothing waits for a compiler once records flow."""

import os
import subprocess
import sys
from pathlib import Path

REHEARSED = """
from schemas import compiling
from streams.preparing import prepare
from tests.folding import shipped
from tests.properties.test_forward_laws import busy_log, folded, placed

compiled = []
compiling.on_compiling(compiled.append)
prepare(shipped("sabc-live"))
print(len(compiled))
folded(shipped("sabc-live"), placed(busy_log(3, 600, 20)), 200, forward=True)
print(len(compiled))
prepare(shipped("orders-rfm"))
print(len(compiled))
"""


def test_after_a_rehearsal_nothing_is_compiled_any_more_for_whatever_policy(tmp_path: Path) -> None:
    """In a process with an empty cache of its own."""
    done = subprocess.run(
        [sys.executable, "-c", REHEARSED], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rehearsed, folding, another_policy = map(int, done.stdout.split())
    assert rehearsed > 20
    assert (folding, another_policy) == (rehearsed, rehearsed)
