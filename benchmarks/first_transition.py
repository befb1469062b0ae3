"""How long until somebody who has just met tierstream sees a tier change? `make demo`, from the command to the first transition shown.

warm    this checkout, its environment and Kafka there already
cold    a fresh clone of this commit with an empty home: the environment is made, everything is downloaded (wants a network)
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Run, Tell

SECONDS = 6
_CHECKOUT = Path(__file__).parents[1]
_TRANSITION = re.compile(r"^\s*[\d.]+s  .* -> ")
_LIMIT_S = 600.0
_KEPT_VARIABLES = ("PATH", "LANG", "TMPDIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
                   "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "PIP_CERT")  # fmt: skip


def warm(*, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run of the demo in this checkout."""
    for number in range(1, runs + 1):
        tell(f"demo, warm: run {number} of {runs}")
        command = [sys.executable, "-m", "agents.cli", "demo", "--plain", "--seconds", str(SECONDS)]
        yield _timed(command, _CHECKOUT, os.environ)


def cold(*, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each fresh clone, and what the same clone takes the second time."""
    for number in range(1, runs + 1):
        with TemporaryDirectory(prefix="tierstream-cold-") as scratch:
            tell(f"demo, cold: run {number} of {runs}")
            clone, home = Path(scratch) / "tierstream", Path(scratch) / "home"
            subprocess.run(["git", "clone", "--quiet", str(_CHECKOUT), str(clone)], check=True)
            home.mkdir()
            variables = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ} | {"HOME": str(home)}
            command = ["make", "demo", f"ARGS=--plain --seconds {SECONDS}"]
            first = _timed(command, clone, variables)
            second = _timed(command, clone, variables)
            yield first | {"second_s": second["first_transition_s"]}


def _timed(command: list[str], directory: Path, variables: Mapping[str, str]) -> Run:
    """Runs the demo to its end; it must show a transition and end well."""
    began_at = time.monotonic()
    shown_at: float | None = None
    with subprocess.Popen(command, cwd=directory, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
        for line in demo.stdout or ():
            if shown_at is None and _TRANSITION.match(line):
                shown_at = time.monotonic()
        code = demo.wait(_LIMIT_S)
    if code != 0 or shown_at is None:
        raise RuntimeError(f"the demo must show a transition and end with 0: ended with {code}")
    return {"first_transition_s": shown_at - began_at, "whole_s": time.monotonic() - began_at}
