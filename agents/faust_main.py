"""The application for Faust's own command line, from `TIERSTREAM_*` settings: `faust -A agents.faust_main agents`, `... tables`.

Nothing is built at import: `app` comes into being when it is first asked for.
"""

import sys
from functools import cache
from typing import Any

from agents.app import TierApp, create_app
from agents.cli.policies import policy_or_in_force
from agents.clocks import wall_clock
from agents.dying import ExitCode
from agents.settings import load_settings
from schemas.errors import OperatorError


def __getattr__(name: str) -> Any:
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__} has no attribute {name}")


@cache
def _app() -> TierApp:
    try:
        settings = load_settings()
        return create_app(settings, policy_or_in_force(settings), wall_clock)
    except OperatorError as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(ExitCode.WRONG_USE) from None
