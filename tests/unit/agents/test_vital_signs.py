"""Laws of what the watchdog looks at besides lanes."""

import asyncio
import subprocess
import sys
import threading

from agents.vital_signs import Run, Settles, Turns


def test_a_group_may_take_its_time_but_not_for_ever() -> None:
    settled = False
    sign = Settles(lambda: settled, 10.0)
    assert [sign(100.0), sign(110.0)] == [None, None]
    assert "has not settled for 11 s" in (sign(111.0) or "")
    settled = True
    assert sign(112.0) is None
    settled = False
    assert [sign(113.0), sign(123.0)] == [None, None], "each rebalance has its own time"


def test_a_loop_that_answers_is_alive_and_one_that_does_not_is_not() -> None:
    loop = asyncio.new_event_loop()
    sign = Turns(loop, 10.0)
    assert sign(100.0) is None
    loop.run_until_complete(asyncio.sleep(0))
    assert sign(150.0) is None
    assert "has not turned for 11 s" in (sign(161.0) or "")
    loop.close()
    assert sign(300.0) is None


def test_a_thread_that_is_gone_is_named() -> None:
    stop = threading.Event()
    lasting, gone, unborn = (threading.Thread(target=stop.wait, name=name) for name in ("lasting", "gone", "unborn"))
    lasting.start()
    sign = Run([lasting, gone, unborn])
    assert sign(0.0) is None
    stop.set()
    gone.start()
    gone.join()
    assert "thread gone ended" in (Run([gone])(0.0) or "")
    lasting.join()


def test_an_error_that_ends_a_thread_ends_the_process_with_one_line() -> None:
    script = (
        "import threading; from agents.vital_signs import no_thread_dies_alone\n"
        "threading.excepthook = no_thread_dies_alone\n"
        "def work(): raise ValueError('two' + chr(10) + 'lines')\n"
        "threading.Thread(target=work, name='bee').start(); threading.Event().wait(30)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 70
    assert ended.stderr.splitlines()[-1] == "worker: the thread bee died of an unexpected ValueError: two lines"
