"""Why a lane ended, as the exit code and the one line that name who must act and where.

Used as a context around everything a lane's thread does: an error that nobody handles must end the process, for a lane that died
alone would be a partition that silently stands still.
"""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, NoReturn

from agents.dying import ExitCode, leave
from agents.partition_log import Denied, Fenced, LogError, PositionLost, TopicLost
from agents.patience import GivenUp
from agents.recovery import REBUILD
from schemas.errors import OperatorError
from streams.cycle import FoldFailed

_log = logging.getLogger("tierstream.lane")


class Obituary(NamedTuple):
    """The process's last words."""

    code: ExitCode
    line: str


def obituary(number: int, error: BaseException) -> Obituary:
    """What to say when the lane of this partition ends by this error."""
    match error:
        case OperatorError():
            return Obituary(ExitCode.WRONG_USE, f"lane {number}: {'; '.join(error.problems)}")
        case Denied():
            said = (
                f"the broker does not let us: {error}: grant it (docs/operations.md, Security; `tierstream doctor` names each missing ACL)"
            )
            return Obituary(ExitCode.WRONG_USE, f"lane {number}: {_one_line(said)}")
        case FoldFailed():
            place = f"{error.topic}:{error.partition}:{error.offset}"
            said = f"{error} with {_named(error.__cause__)}; `tierstream worker --quarantine {place}` dead-letters this record unread"
        case Fenced():
            said = f"fenced, another worker has taken partition {number} ({error})"
        case PositionLost():
            said = (
                f"{error}; records were deleted before they were folded: {REBUILD} as they are, and keep inputs for longer (retention.ms)"
            )
            return Obituary(ExitCode.WRONG_USE, f"lane {number}: {_one_line(said)}")
        case TopicLost():
            return Obituary(ExitCode.WRONG_USE, f"lane {number}: {_one_line(str(error))}: {REBUILD}")
        case LogError():
            said = f"the log failed: {error}"
        case _:
            said = f"unexpected {_named(error)}"
    return Obituary(ExitCode.ENDED_ITSELF, f"lane {number}: {_one_line(said)}")


def _named(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"


def _one_line(said: str) -> str:
    return " ".join(said.split())


class EndsTheProcess:
    """A context that no error leaves. A lane that was told to end may be fenced or interrupted: nobody needs it any more."""

    def __init__(self, number: int, ending: Callable[[], bool]) -> None:
        self._number, self._ending = number, ending

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is None:
            return False
        if self._ending() and isinstance(error, GivenUp | Fenced):
            _log.info("lane %d ended while it was busy: %s", self._number, error)
            return True
        return self._die(error)

    def _die(self, error: BaseException) -> NoReturn:
        code, line = obituary(self._number, error)
        if code is ExitCode.ENDED_ITSELF and not isinstance(error, LogError):
            _log.error("lane %d: a bug", self._number, exc_info=error)
        leave(code, line)
