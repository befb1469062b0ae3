"""Importing a module of the rooms does nothing: no thread, no process, no open connection, no signal handler."""

import json
import subprocess
import sys

import pytest

from tests.house.tree import ROOMS, ROOT, modules

_PROGRAM = """
import importlib, json, os, signal, socket, sys, threading

made = []
real = socket.socket.connect
socket.socket.connect = lambda self, address: made.append(str(address)) or real(self, address)
handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
findings = []
for name in sys.argv[1:]:
    before = threading.active_count()
    importlib.import_module(name)
    if threading.active_count() > before:
        findings.append(f"{name} starts a thread when imported")
    if made:
        findings.append(f"{name} connects to {made.pop()} when imported")
    if {number: signal.getsignal(number) for number in handlers} != handlers:
        findings.append(f"{name} handles signals when imported")
        break
try:
    child = os.waitpid(-1, os.WNOHANG)
    findings.append(f"some import starts a process ({child})")
except ChildProcessError:
    pass
print(json.dumps(findings))
"""


def _names(room: str) -> list[str]:
    found = []
    for module in modules():
        parts = module.relative_to(ROOT).with_suffix("").parts
        if parts[0] == room and parts[-1] != "__main__":  # that one is there to be run
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_happens_at_import(room: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, *_names(room)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
