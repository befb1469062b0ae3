"""One worker process: checks what it needs, then runs until it is told to stop or must not go on.

broker and topics are checked and the web port is bound before anything starts: SettingsError, exit 2
SIGTERM or SIGINT: the lanes finish their transactions, the member leaves the group, exit 0 within 10 s
anything else: one line that says what and where, exit 70; whoever supervises it starts it again
"""

import logging
import os
import signal
import sys
import threading
from socket import socket
from types import FrameType
from typing import Any

import faust

from agents import clients, garbage, logs, provisioning, rights
from agents.app import TierApp, create_app
from agents.clocks import wall_clock
from agents.dying import ExitCode, leave
from agents.listening import listen
from agents.preparing import prepare_to_fold
from agents.settings import Settings
from agents.ticking import Ticking
from agents.vital_signs import Run, Settles, Turns, no_thread_dies_alone
from agents.watchdog import Watchdog
from schemas.errors import SettingsError
from streams.policy import CompiledPolicy
from streams.policy.linting import REVIEW_DAYS
from streams.reviewing import review_due_ms

STOP_WITHIN_S = 9.5
"""Within the 10 seconds that are promised, and that orchestrators wait before they kill."""
_log = logging.getLogger("tierstream.worker")


def run_worker(settings: Settings, policy: CompiledPolicy, quarantined: frozenset[tuple[str, int, int]] = frozenset()) -> int:
    """Run a worker in this process, to its end; returns the exit code. Raises SettingsError before anything has started."""
    logs.log_to_stderr()
    stop_at_once_on_signals()
    if problems := [*_static_problems(settings), *(_lacking(settings) or provisioning.check_topics(settings))]:
        raise SettingsError(problems)
    prepare_to_fold(policy)
    listener = listen(settings.web_host, settings.web_port)
    app = create_app(settings, policy, wall_clock, quarantined=quarantined, listener=listener)
    garbage.look_seldom()
    _log.info(
        "worker starts pid=%d policy=%s/%s digest=%s %s", os.getpid(), policy.name, policy.version, policy.digest, address(app, listener)
    )
    _warn_of_review(policy)
    threading.excepthook = no_thread_dies_alone
    worker = WorkerProcess(app)
    _watch(worker, settings)
    return turn(worker)


def _warn_of_review(policy: CompiledPolicy) -> None:
    """A standard that nobody has reviewed for half a year (001-21)."""
    if wall_clock() >= review_due_ms(policy):
        _log.warning("policy %s was reviewed on %s: a review is due every %d days", policy.name, policy.reviewed_on, REVIEW_DAYS)


def _watch(worker: "WorkerProcess", settings: Settings) -> None:
    """Time passes, and the watchdog looks at all that must go on."""
    app = worker.app
    app.lagging.start()
    threads = [app.lagging.thread]
    if settings.clock == "wall":
        ticking = Ticking(app.lanes, settings, wall_clock)
        ticking.start()
        threads.append(ticking.thread)
    signs = (Settles(lambda: app.settled, settings.watchdog_s), Turns(worker.loop, settings.watchdog_s), Run(threads))
    Watchdog(app.lanes, settings.watchdog_s, signs=signs).start()


def _static_problems(settings: Settings) -> list[str]:
    if settings.group_instance_id and settings.web_port == 0:
        return ["TIERSTREAM_GROUP_INSTANCE_ID wants a fixed TIERSTREAM_WEB_PORT: the group remembers where each of its members answers"]
    return []


def _lacking(settings: Settings) -> list[str]:
    """The ACLs that our user lacks; without them the topics cannot even be looked at."""
    clients.require_broker(settings)
    admin = clients.admin_client(settings)
    return [rights.sentence(right, settings) for right in rights.missing("worker", settings, admin)]


def address(app: TierApp, listener: socket) -> str:
    """Where the views are, for the log."""
    return f"web={app.conf.canonical_url} listens={listener.getsockname()[0]}:{listener.getsockname()[1]}"


def stop_at_once_on_signals() -> None:
    """Until Faust's worker takes over the signals there is nothing to finish: stopping is leaving."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(ExitCode.FINE)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


class WorkerProcess(faust.Worker):
    """Faust's worker with our logs, without its banner and spinner, and with an end to its stopping."""

    def __init__(self, app: TierApp, **options: Any) -> None:
        """Extends `Worker.__init__`: the process's logging is set up already and stays as it is."""
        super().__init__(app, quiet=True, override_logging=False, redirect_stdouts=False, **options)
        self.spinner = None

    def _schedule_shutdown(self, number: signal.Signals) -> None:
        """Extends `mode.Worker._schedule_shutdown`, which waits for every service without limit."""
        if not self._signal_stop_time:
            _log.info("worker stops signal=%s", number.name)
            _leave_after(STOP_WITHIN_S, f"worker: stopping on {number.name} took longer than {STOP_WITHIN_S:g} s")
        super()._schedule_shutdown(number)

    def _setproctitle(self, *_args: Any, **_options: Any) -> None:
        """Replaces `Worker._setproctitle`: the process keeps the name of its command."""


def _leave_after(seconds: float, line: str) -> None:
    """A deadline that also holds for what the interpreter does at exit; it is never cancelled."""
    timer = threading.Timer(seconds, leave, (ExitCode.ENDED_ITSELF, line))
    timer.daemon = True
    timer.start()


def turn(worker: WorkerProcess) -> int:
    """Faust's worker to its end. It always ends in SystemExit: 0 for a stop, else a crash that it has logged."""
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if not ended.code:
            _log.info("worker stopped")
            return ExitCode.FINE
    reason = worker.crash_reason or worker.app.crash_reason
    sys.stderr.write(f"worker: {type(reason).__name__}: {reason}\n" if reason else "worker: ended by itself, see the log above\n")
    return ExitCode.ENDED_ITSELF
