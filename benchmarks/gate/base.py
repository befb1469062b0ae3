"""The base: the commit whose speed was accepted, as benchmarks/gate.json names it, and a checkout of it that is gone afterwards."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

CHECKOUT = Path(__file__).parents[2]
KEPT = CHECKOUT / "benchmarks" / "gate.json"
RENEW = 'python -m benchmarks.gate --renew "why"'

_MEASURED = ("schemas", "streams", "policies")


class GateError(RuntimeError):
    """Nothing could be compared; the text says what to do."""


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commit, and why its speed was accepted."""

    base: str
    why: str


def accepted(kept: Path = KEPT) -> Base:
    """The base that is kept."""
    try:
        return msgspec.json.decode(kept.read_bytes(), type=Base)
    except (OSError, msgspec.DecodeError) as fault:
        raise GateError(f'{kept} must hold {{"base": "<commit>", "why": "..."}}: {fault}; `{RENEW}` writes it') from fault


def renew(why: str, checkout: Path = CHECKOUT, kept: Path = KEPT) -> Base:
    """Keep the commit that is checked out as the base. Raises GateError where it is not what would be measured, or nobody says why."""
    if not why.strip():
        raise GateError("a new base must have a reason")
    if changed := _git(checkout, "diff", "--name-only", "HEAD", "--", *_MEASURED):
        raise GateError(f"a new base must be a commit, but these are changed since HEAD: {', '.join(changed.split())}: commit them")
    base = Base(_git(checkout, "rev-parse", "HEAD"), why.strip())
    kept.write_bytes(msgspec.json.format(msgspec.json.encode(base)) + b"\n")
    return base


@contextmanager
def checked_out(commit: str, checkout: Path = CHECKOUT) -> Iterator[Path]:
    """The tree of a commit, beside this one and for as long as this lasts. Raises GateError if the commit is not there."""
    _require(commit, checkout)
    with TemporaryDirectory(prefix="tierstream-gate-") as directory:
        tree = Path(directory) / "base"
        try:
            _git(checkout, "worktree", "add", "--quiet", "--detach", str(tree), commit)
            yield tree
        finally:  # twice forced: also one that was stopped while it was made
            _run(checkout, "worktree", "remove", "--force", "--force", str(tree))


def _require(commit: str, checkout: Path) -> None:
    if _git(checkout, "rev-parse", "--is-shallow-repository") == "true":
        advice = "this clone is shallow: `git fetch --unshallow` brings the whole history"
    else:
        advice = f"`git fetch` may bring it; if it is gone for good, `{RENEW}` makes HEAD the base"
    try:
        _git(checkout, "cat-file", "-e", f"{commit}^{{commit}}")
    except GateError as fault:
        raise GateError(f"the base {commit} of benchmarks/gate.json is not in this repository: {advice}") from fault


def _git(checkout: Path, *arguments: str) -> str:
    done = _run(checkout, *arguments)
    if done.returncode:
        raise GateError(f"`git {' '.join(arguments[:2])}` in {checkout} must succeed, but: {done.stderr.strip()}")
    return done.stdout.strip()


def _run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=False)
