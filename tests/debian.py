"""Programs of Debian packages without installing them: fetched with apt, unpacked side by side with the libraries that are not here.

Rules: nothing of the system is changed, and no right of root is needed; what is unpacked stays under `.tierstream/companions/PACKAGE` and
is used again; a package that is installed is used where it is. The system's package lists are tried first, then fresh ones of our own:
a machine may have none, or old ones that name what the mirror no longer has.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".tierstream" / "companions"
INSTALLED = Path("/")
_TOOLS = ("apt-get", "dpkg-deb", "dpkg-query")
_UNPACKED = "unpacked"
_PATIENCE_S = 240


class Unobtainable(Exception):
    """Why a package cannot be had here."""


def package(name: str, cache: Path = CACHE) -> Path:
    """The folder in which the package's files lie as they would under /. Raises Unobtainable."""
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        raise Unobtainable(f"{name} comes from Debian packages, and this system has no {missing[0]}")
    if _is_installed(name):
        return INSTALLED
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"):
        if not (cache / name / _UNPACKED).is_file():
            _obtain(name, cache)
    return cache / name


def environment(folder: Path) -> dict[str, str]:
    """Variables under which programs of an unpacked package find its libraries."""
    if folder == INSTALLED:
        return dict(os.environ)
    libraries = sorted({str(found.parent) for found in folder.glob("**/lib/**/*.so*")})
    others = [os.environ[name] for name in ("LD_LIBRARY_PATH",) if os.environ.get(name)]
    return os.environ | {"LD_LIBRARY_PATH": ":".join([*libraries, *others])}


def _is_installed(name: str) -> bool:
    asked = subprocess.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name], capture_output=True, text=True)
    return asked.returncode == 0 and asked.stdout == "installed"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Processes of one test run must not unpack over each other, nor update the same lists."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _obtain(name: str, cache: Path) -> None:
    """Unpack the package and what it needs, all of it or nothing."""
    fresh = _own_lists(cache / "lists")
    try:
        archives = _download(name, cache / f"{name}.archives", [])
    except Unobtainable:
        _run(["apt-get", *fresh, "update"])
        archives = _download(name, cache / f"{name}.archives", fresh)
    unpacking = cache / f"{name}.unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    for archive in archives:
        _run(["dpkg-deb", "--extract", str(archive), str(unpacking)])
    (unpacking / _UNPACKED).write_text("".join(f"{archive.name}\n" for archive in archives))
    shutil.rmtree(cache / name, ignore_errors=True)
    unpacking.rename(cache / name)
    shutil.rmtree(archives[0].parent)


def _download(name: str, folder: Path, options: list[str]) -> list[Path]:
    """The archives of the package and of every package that it needs and the system lacks. Raises Unobtainable."""
    simulated = _run(["apt-get", *options, "--simulate", "-o", "Debug::NoLocking=1", "--no-install-recommends", "install", name])
    wanted = sorted(set(re.findall(r"^Inst (\S+)", simulated, re.MULTILINE)))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _run(["apt-get", *options, "-o", "APT::Sandbox::User=root", "download", *wanted], folder)
    return sorted(folder.glob("*.deb"))


def _own_lists(folder: Path) -> list[str]:
    """apt's options for package lists of our own, which anybody may update."""
    for needed in (folder / "lists" / "partial", folder / "cache" / "archives" / "partial"):
        needed.mkdir(parents=True, exist_ok=True)
    places = {
        "Dir::State": folder,
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    return [part for key, place in places.items() for part in ("-o", f"{key}={place}")]


def _run(command: list[str], folder: Path | None = None) -> str:
    """What a command prints. Raises Unobtainable with its last words."""
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE_S, env=os.environ | {"LC_ALL": "C"})
    except subprocess.TimeoutExpired as late:
        raise Unobtainable(f"{' '.join(command)} took longer than {late.timeout:g} s") from late
    if ran.returncode:
        raise Unobtainable(f"{' '.join(command)} failed: {' '.join(ran.stderr.split())[-400:]}")
    return ran.stdout
