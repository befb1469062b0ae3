"""The command line `tierstream`: one module per command, each imported light; what a command needs is imported when it runs.

Exit codes: 0 fine, 1 found a problem (in what was read), 2 wrong use or configuration, 70 ended itself (a bug, fenced, fatal).
An operator's mistake is told in one line for each problem on stderr and never as a traceback.
"""

import os
import sys
from types import TracebackType

from agents.dying import ExitCode
from schemas.errors import OperatorError


def main() -> None:
    """Entry point of the `tierstream` command."""
    from agents.cli.commands import create_cli

    sys.excepthook = _end_with_traceback
    try:
        create_cli()()
    except OperatorError as error:
        for problem in error.problems:
            print(f"tierstream: {problem}", file=sys.stderr)
        sys.exit(ExitCode.WRONG_USE)


def _end_with_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug: the traceback as always, but exit code 70, since 1 means that a problem was found in what was read."""
    sys.__excepthook__(kind, error, trace)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.ENDED_ITSELF)
