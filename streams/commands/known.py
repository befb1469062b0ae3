"""Which commands were seen: each by 64 bits of its id and its account's, the latest of a partition, in the changelog.

They stand beside the accounts, because an erased account cannot remember its own erasure.
"""

from schemas import changelog
from schemas.records import Command
from schemas.topics import INPUTS
from streams.ids import id64

REMEMBERED = 1024
"""Commands known per partition: one of them that comes again is a repetition."""


class Known:
    """The ids of the latest commands of a partition, oldest first."""

    def __init__(self, ids: list[int] | None = None) -> None:
        self._ids = dict.fromkeys(ids or [])
        self._moved = False

    def is_new(self, key: bytes, command: Command) -> bool:
        """Whether the command was never seen; it is known from now on."""
        known = id64(f"{command.event_id}\x1f{key.decode()}", INPUTS["commands"].number)
        if known in self._ids:
            return False
        self._ids[known] = None
        while len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]
        self._moved = True
        return True

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog record, if there is something new since the last call."""
        if not self._moved:
            return []
        self._moved = False
        return [(changelog.COMMANDS_KEY, changelog.commands_payload(list(self._ids)))]
