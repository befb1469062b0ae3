"""A Python environment for each peer, beside ours: their packages want other versions of the same libraries.

Kept in `.tierstream/peers/<name>-<digest of its requirements>`; made once, complete when `.ready` is there.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.figures import Tell
from benchmarks.peers.engine import HOME

REQUIREMENTS = Path(__file__).with_name("requirements")


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment."""
    return _home(name) / "bin" / "python"


def prepare(name: str, tell: Tell) -> None:
    """Make the environment if it is not there. Raises RuntimeError with pip's last words."""
    ready = _home(name) / ".ready"
    if ready.exists():
        return
    tell(f"installing {name} into an environment of its own (once)")
    venv.create(_home(name), clear=True, with_pip=True)
    pip = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS / f"{name}.txt")]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} could not be installed: {done.stderr.strip()[-600:]}")
    ready.touch()


def _home(name: str) -> Path:
    wanted = (REQUIREMENTS / f"{name}.txt").read_bytes()
    return HOME / f"{name}-py{sys.version_info.major}{sys.version_info.minor}-{hashlib.sha256(wanted).hexdigest()[:12]}"
