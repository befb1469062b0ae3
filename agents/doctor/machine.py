"""The machine that the doctor runs on: libraries, open files, the address of the web views, where compiled code is kept."""

import re
import resource
from collections.abc import Iterator, Mapping
from importlib import metadata

from agents.doctor.findings import Finding, Ground, fine, look, wrong
from agents.listening import listen
from schemas.compiling import cache_refused
from schemas.errors import SettingsError

FILES_FOR_ALL, FILES_FOR_A_LANE = 64, 16
"""Open files: measured with one broker, a worker has 40 and each lane 9 (two clients); more brokers are more connections."""
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^;\s]+)$")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def libraries(_: Ground) -> Iterator[Finding]:
    """The libraries whose internals we override must be the ones that were tested."""
    installed = {name: metadata.version(name) for name in pins()}
    yield from differing(pins(), installed) or [fine("libraries", f"all {len(installed)} are as pinned")]


def pins() -> dict[str, str]:
    """The exact versions that the installed application asks for."""
    found = (_PINNED.match(line) for line in metadata.requires("tierstream") or [])
    return {match[1]: match[2] for match in found if match}


def differing(pinned: Mapping[str, str], installed: Mapping[str, str]) -> list[Finding]:
    """A finding for each library of another version."""
    return [
        wrong("libraries", f"{name} must be {version}, is {installed[name]}", f"pip install {name}=={version}, or `pip install .` again")
        for name, version in pinned.items()
        if installed[name] != version
    ]


def files(ground: Ground) -> Iterator[Finding]:
    """A worker that has all partitions, after the others died, must be able to open its connections."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_FOR_ALL + FILES_FOR_A_LANE * ground.settings.partitions
    if allowed < needed:
        yield wrong(
            "files", f"at most {allowed} files may be open, {ground.settings.partitions} lanes need {needed}", f"ulimit -n {needed} or more"
        )
    else:
        yield fine("files", f"{allowed:,} may be open, {needed} are needed")


def web(ground: Ground) -> Iterator[Finding]:
    """The web views have no password, and want an address."""
    host, port = ground.settings.web_host, ground.settings.web_port
    if host not in _LOOPBACK:
        yield look(
            "web",
            f"the web views listen on {host}: they show accounts without a password",
            "TIERSTREAM_WEB_HOST=127.0.0.1, or a proxy before it",
        )
    try:
        listen(host, port).close()
    except SettingsError as taken:
        said, _, mend = taken.problems[0].partition(": ")
        yield look("web", f"{said}; fine if that is a worker of this engine", mend)
    else:
        yield fine("web", f"{host}:{port or '(any free port)'} is free")


def compiled_code(_: Ground) -> Iterator[Finding]:
    """Where compiled code cannot be kept, every start compiles it anew."""
    refused = cache_refused()
    if refused is None:
        yield fine("compiled code", "is kept on disk")
    else:
        yield look("compiled code", f"cannot be kept: {refused}", "name a directory that can be written to in NUMBA_CACHE_DIR")
