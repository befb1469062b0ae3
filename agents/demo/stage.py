"""What the demo stands on: a broker, its topics, a supervised worker, and a Redis that is projected to, all in a directory that goes away
with them. Where no Redis comes in a wheel, the demo does without.

Rules: nothing of the user's own environment (`TIERSTREAM_*`) reaches the demo; the worker is a process of its own, as in life; leaving
the stage ends the worker first and the broker then, whatever happened, and removes the directory. After a SIGKILL, which leaves
nobody to do that, guards end both; the directory stays.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from agents import provisioning
from agents.embedded.broker import Broker
from agents.embedded.guarding import Guard
from agents.embedded.ports import free_ports
from agents.embedded.processes import launch
from agents.embedded.progress import Progress
from agents.embedded.valkey import Valkey
from agents.settings import ENV_PREFIX, Settings, load_settings
from schemas.errors import SettingsError

PARTITIONS = 4
READY_S, STOP_S = 60.0, 20.0
POLL_S = 0.05
_KEPT_LINES = 15


class Stage:
    """Everything that runs. `settings` are those of the worker and of whoever watches it."""

    def __init__(self, policy: Path, progress: Progress) -> None:
        self._policy, self._progress = policy, progress
        self._worker: subprocess.Popen[bytes] | None = None
        self._redis: Valkey | None = None
        self._projection: subprocess.Popen[bytes] | None = None
        self._guards: list[Guard] = []
        self.directory = Path()
        self.settings = Settings()

    def __enter__(self) -> "Stage":
        """The broker up, the topics made, the worker started (`await_ready` says when it works)."""
        for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
            del os.environ[name]
        self.directory = Path(tempfile.mkdtemp(prefix="tierstream-demo-"))
        self._broker = Broker(self.directory / "broker", heap="512m")
        with ExitStack() as unless_it_stands:  # also on Ctrl-C: what runs already must not stay
            unless_it_stands.callback(self._take_down)
            self._set_up()
            unless_it_stands.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._take_down()

    @property
    def web(self) -> str:
        """Where the worker shows itself."""
        return f"http://127.0.0.1:{self.settings.web_port}"

    @property
    def worker_log(self) -> Path:
        """What the worker says."""
        return self.directory / "worker.log"

    def _set_up(self) -> None:
        self._broker.start(self._progress)
        self.settings = load_settings(
            {
                "bootstrap_servers": self._broker.bootstrap,
                "application_id": "demo",
                "partitions": PARTITIONS,
                "policy": self._policy,
                "web_port": free_ports(1)[0],
                "group_instance_id": "demo-worker",  # one that is killed and started again is known, and waits for nothing
            }
        )
        self._progress("creating topics")
        provisioning.create_topics(self.settings)
        self._progress("starting a worker")
        self._worker = self._launched_worker()
        self._guards.append(Guard(self._worker.pid, str(self._policy), self.worker_log))

    def _launched_worker(self) -> subprocess.Popen[bytes]:
        for name in ("bootstrap_servers", "application_id", "partitions", "web_port", "group_instance_id"):
            os.environ[ENV_PREFIX + name.upper()] = str(getattr(self.settings, name))
        return launch([sys.executable, "-m", "agents.cli", "worker", "--supervised", "--policy", str(self._policy)], self.worker_log)

    def project(self) -> bool:
        """A Redis up and a projection started; whether there is a Redis for this machine. The projection shows what it does by itself."""
        try:
            self._redis = Valkey(self.directory / "redis")
        except SettingsError:
            return False
        self._redis.start()
        self.settings = self.settings.model_copy(update={"redis_url": self._redis.url})
        port, log = free_ports(1)[0], self.directory / "projection.log"
        command = [sys.executable, "-m", "agents.cli", "project", "--redis-url", self._redis.url, "--web-port", str(port)]
        os.environ.pop(f"{ENV_PREFIX}GROUP_INSTANCE_ID", None)  # the worker's alone
        self._projection = launch(command, log)
        self._guards.append(Guard(self._projection.pid, self._redis.url, log))
        return True

    def await_ready(self) -> None:
        """Until every lane runs. Raises SettingsError with the worker's last words if it ends instead."""
        give_up_at = time.monotonic() + READY_S
        while not self._is_ready():
            self.require_worker()
            if time.monotonic() > give_up_at:
                raise SettingsError(f"worker is not ready after {READY_S:g} s: {self._last_words()}")
            time.sleep(POLL_S)

    def require_worker(self) -> None:
        """Raises SettingsError if the worker and its supervisor are gone."""
        if self._worker is not None and self._worker.poll() is not None:
            raise SettingsError(f"worker ended with {self._worker.returncode}: {self._last_words()}")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.web}/readyz", timeout=1.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _last_words(self) -> str:
        try:
            lines = self.worker_log.read_text(errors="replace").splitlines()
        except OSError:
            return "it said nothing"
        return "\n".join(lines[-_KEPT_LINES:]) or "it said nothing"

    def _take_down(self) -> None:
        with _Deaf():
            running = [process for process in (self._projection, self._worker) if process is not None]
            for process in running:  # at once, so that neither waits for the other
                process.terminate()
            for process in running:
                _end(process, lambda process: os.killpg(process.pid, signal.SIGKILL))
            if self._redis is not None:
                self._redis.stop()
            for guard in self._guards:
                guard.release()
            self._broker.stop()
            shutil.rmtree(self.directory, ignore_errors=True)


def _end(process: subprocess.Popen[bytes], kill: Callable[[subprocess.Popen[bytes]], None]) -> None:
    """SIGTERM, which a supervisor passes on; after a while the whole session is killed."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        kill(process)
        process.wait()


class _Deaf:
    """Ctrl-C pressed again while we clean up must not leave half of it running."""

    def __enter__(self) -> None:
        self._before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
