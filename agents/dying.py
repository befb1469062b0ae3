"""How this process ends itself: at once, with a code that says who must act and one line that says where.

0 fine, 1 found a problem, 2 the operator must mend settings, policy or topics, 70 the worker ended itself (fenced, fatal,
a bug) and whoever supervises it starts it again. No clean-up runs: a worker that lost its footing must not send one
record more, and everything it needs is in the changelog.
"""

import os
import sys
from enum import IntEnum
from typing import NoReturn


class ExitCode(IntEnum):
    """Exit codes of every `tierstream` command."""

    FINE = 0
    FOUND_A_PROBLEM = 1
    WRONG_USE = 2
    ENDED_ITSELF = 70


def leave(code: int, line: str) -> NoReturn:
    """Print the line on stderr and end the process now, whatever its other threads are doing."""
    sys.stdout.flush()
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
    os._exit(code)
