"""Where the opportunities of an account are, and since when: what the dossier keeps of the topic `opportunities`.

Of two records about one opportunity the later wins, at equal times the greater event id. A record that finds it in the same stage
does not start the stay anew. Long names are kept short, so that what is kept of an account is bounded.
"""

import msgspec

from schemas.records import StageChange
from streams.ids import id64

FOLLOWED = 64
"""Opportunities followed per account; beyond, the oldest closed one is forgotten, then the oldest."""

_LONGEST_NAME = 96


class Stay(msgspec.Struct, array_like=True):
    """One opportunity: its stage and status as last heard of, since when it is in that stage."""

    stage: str
    status: str
    process: str
    since_ms: int
    at_ms: int
    event: int

    def is_open(self) -> bool:
        """Whether it is neither won nor lost."""
        return self.status == "OPEN"


class Overdue(msgspec.Struct, array_like=True):
    """An opportunity that has been too long in a stage: when that became so, in which tier, and whether it was announced."""

    stage: str
    due_ms: int
    tier: int
    announced: bool = False


def short(name: str) -> str:
    """The name; of a long one its beginning and 64 bits of it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}~{id64(name):016x}"


def take_stage(stays: dict[str, Stay], record: StageChange, event: int) -> None:
    """Take a record over; the same record again changes nothing."""
    name = short(record.opportunity_id)
    said = Stay(short(record.stage), record.status, short(record.process), record.occurred_at, record.occurred_at, event)
    have = stays.get(name)
    if have is None:
        stays[name] = said
        _forget(stays)
        return
    goes_on = have.is_open() and said.is_open() and (have.stage, have.process) == (said.stage, said.process)
    if (said.at_ms, said.event) > (have.at_ms, have.event):
        stays[name] = said
    if goes_on:
        stays[name].since_ms = min(have.since_ms, said.since_ms)


def _forget(stays: dict[str, Stay]) -> None:
    if len(stays) > FOLLOWED:
        del stays[min(stays, key=lambda name: (stays[name].is_open(), stays[name].at_ms, name))]
