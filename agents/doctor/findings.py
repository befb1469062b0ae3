"""What a check says: what it looked at, how it stands, and what to do."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from confluent_kafka.admin import AdminClient

from agents.clocks import Clock
from agents.settings import Settings
from streams.policy import CompiledPolicy


class State(StrEnum):
    """FINE; LOOK: it works and will trouble somebody; WRONG; SKIPPED: it could not be checked."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """One line of the report."""

    check: str
    state: State
    said: str
    mend: str = ""


class Ground(NamedTuple):
    """What the checks stand on. `admin` is for checks of the broker, which run only where it answers; `policy` None: none could be read."""

    settings: Settings
    policy: CompiledPolicy | None
    admin: AdminClient
    clock: Clock

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that a worker reads; `interactions` where no policy says."""
        return self.policy.folded if self.policy is not None else ("interactions", "commands")


Check = Callable[[Ground], Iterator[Finding]]


def fine(check: str, said: str) -> Finding:
    """As it should be."""
    return Finding(check, State.FINE, said)


def look(check: str, said: str, mend: str) -> Finding:
    """Not wrong, and worth a look."""
    return Finding(check, State.LOOK, said, mend)


def wrong(check: str, said: str, mend: str) -> Finding:
    """To be mended."""
    return Finding(check, State.WRONG, said, mend)


def told(check: str, problem: str) -> Finding:
    """A problem as the rest of the application words it: fault, colon, fix."""
    said, _, mend = problem.partition(": ")
    return Finding(check, State.WRONG, said, mend)
