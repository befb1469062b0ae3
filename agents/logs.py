"""Logs of a worker: one line per entry on stderr, never one per record.

    2026-03-01T09:30:00.125Z INFO tierstream.lanes rebalance ends lanes=0,1 generation=4

Ours at INFO, the libraries' from WARNING on. A traceback follows its entry on the same line, its line ends written as `\\n`.
WARNING is for tomorrow, ERROR wakes someone. A broker that is away makes the group's client complain ten times a second, as errors,
and heals by itself: one such line in ten seconds, as a warning.
"""

import logging
import sys
import time


class OneLine(logging.Formatter):
    """Time in UTC, level, logger, message; whatever they contain, one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the library's signature
        """UTC with milliseconds, whatever the machine's zone."""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"

    def format(self, record: logging.LogRecord) -> str:
        """The entry, with its traceback if it has one."""
        return super().format(record).replace("\r", "").replace("\n", "\\n")


class Seldom(logging.Filter):
    """Lets each kind of the group client's complaint through once in `every_s` seconds, as a warning at most; all else as it is."""

    def __init__(self, every_s: float = 10.0) -> None:
        super().__init__()
        self._every_s = every_s
        self._said_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the entry."""
        if record.name.split(".")[0] != "aiokafka":
            return True
        kind = (record.name, str(record.msg))
        said_at = self._said_at.get(kind)
        if said_at is not None and record.created - said_at < self._every_s:
            return False
        self._said_at[kind] = record.created
        if record.levelno > logging.WARNING:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def log_to_stderr() -> None:
    """Set up the logging of this process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    handler.addFilter(Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("tierstream").setLevel(logging.INFO)
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.ERROR)  # it warns of every rebalance
    logging.getLogger("mode.timers").setLevel(logging.ERROR)  # a timer waits while the broker is away
