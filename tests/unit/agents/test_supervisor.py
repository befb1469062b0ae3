"""A supervised worker runs until it is told to stop or must be mended, and never outlives its supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.supervisor import Supervisor
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
SUPERVISING = """
import sys
from agents.supervisor import Supervisor
sys.exit(Supervisor(sys.argv[1:], first_pause_s=0.05, grace_s=2).run())
"""
STAYING = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAYING
SLOW = "import signal; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1.2), sys.exit(0))); " + STAYING
STOPPING = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); " + STAYING


def program(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", text, *arguments]


def supervised(text: str, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(program(SUPERVISING, *program(text, str(file))), cwd=ROOT)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc/self").exists() else True


@pytest.mark.parametrize("code", [0, 2])
def test_a_final_code_is_passed_on(code: int) -> None:
    supervisor = Supervisor(program(f"raise SystemExit({code})"))
    assert supervisor.run() == code
    assert supervisor.restarts == 0


def test_any_other_end_is_a_new_start(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    text = f"""
import os
with open({str(lives)!r}, "a") as file:
    file.write("x")
lived = os.path.getsize({str(lives)!r})
os.abort() if lived == 1 else exit(70 if lived < 4 else 0)
"""
    supervisor = Supervisor(program(text), first_pause_s=0.01)
    assert supervisor.run() == 0
    assert supervisor.restarts == 3
    assert lives.read_text() == "xxxx"


def test_a_worker_that_has_run_outlives_an_outage(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    text = f"""
import os
with open({str(lives)!r}, "a") as file:
    file.write("x")
exit([70, 2, 2, 0][os.path.getsize({str(lives)!r}) - 1])
"""
    assert Supervisor(program(text), first_pause_s=0.01).run() == 0
    assert lives.read_text() == "xxxx"


def test_a_killed_child_is_started_again_and_sigterm_ends_both(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with supervised(STOPPING, file) as process:
        first = eventually(lambda: pids(file))[0]
        os.kill(first, signal.SIGKILL)
        second = eventually(lambda: pids(file)[1:])[0]
        process.terminate()
        assert process.wait(60) == 0
    assert not alive(first)
    assert not alive(second)


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with supervised(STUBBORN, file) as process:
        child = eventually(lambda: pids(file))[0]
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGKILL
    assert not alive(child)


def test_the_grace_counts_from_the_signal(tmp_path: Path) -> None:
    """Whenever it comes: a child that needs 1.2 of the 2 s is not killed because the supervisor has waited for a while already."""
    file = tmp_path / "pids"
    with supervised(SLOW, file) as process:
        eventually(lambda: pids(file))
        began_s = time.monotonic()
        eventually(lambda: time.monotonic() - began_s > 1.4, what="most of the first two seconds")
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_a_child_does_not_outlive_its_supervisor(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with supervised(STAYING, file) as process:
        child = eventually(lambda: pids(file))[0]
        process.kill()
    eventually(lambda: not alive(child), what="the child's end")
