"""Accounts as a Faust table that only lanes write.

Faust declares the table, assigns its changelog with the inputs and routes questions by its key; the rows are in the lanes' memory.
So the table refuses every write, and its store asks the lane that owns the account, between two units of work.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, NoReturn

import faust
from faust.stores.base import SerializedStore
from faust.types import TP

from agents.lanes import Lanes, LaneThread
from streams.partitioning import partition_for

_ALL_OF_IT = 1 << 62
_WRITTEN_BY_LANES = "accounts are written by their lanes alone: send an event to change one"


class ReadOnlyTable(TypeError):
    """A write from outside the lanes."""


class NotHere(LookupError):
    """The account's partition is not served by this worker now: it moved, or is being restored."""


class LaneTable(faust.Table):
    """A table declared to Faust and written by lanes alone. `changelog` is the changelog's name on the broker."""

    def __init__(self, app: faust.App, *, changelog: str, **options: Any) -> None:
        """Extends `Collection.__init__`: the changelog is named by the topic catalogue."""
        self.changelog = changelog
        super().__init__(app, **options)

    def info(self) -> dict[str, Any]:
        """Extends `Collection.info`, from which `clone` makes copies."""
        return {**super().info(), "changelog": self.changelog, "help": self.help}

    def _changelog_topic_name(self) -> str:
        """Replaces `Collection._changelog_topic_name`, which derives it from Faust's application id."""
        return self.changelog

    def refuse(self, *_args: Any, **_options: Any) -> NoReturn:
        """Every way to write."""
        raise ReadOnlyTable(_WRITTEN_BY_LANES)

    on_key_set = on_key_del = on_clear = send_changelog = refuse
    """Replace `Table.on_key_set`, `on_key_del`, `on_clear` and `Collection.send_changelog`, which every write goes through."""


class LaneStore(SerializedStore):
    """`store="lanes://AGENT"`: rows are read from the lanes of that agent."""

    @property
    def lanes(self) -> Lanes:
        """The lanes of the agent that the URL names."""
        lanes: Lanes = self.app.agents[self.url.host].lanes
        return lanes

    def owner(self, key: bytes) -> LaneThread:
        """The lane that has this account. Raises NotHere."""
        number = partition_for(key, self.table.partitions)
        lane = self.lanes.by_number.get(number)
        if lane is None:
            raise NotHere(f"partition {number} is not on this worker")
        if not lane.ready.is_set():
            raise NotHere(f"partition {number} is being restored")
        return lane

    def persisted_offset(self, tp: TP) -> int:  # noqa: ARG002 - Faust's signature
        """Replaces `Store.persisted_offset`: "all of it is here", so that Faust's own recovery reads nothing; lanes restore."""
        return _ALL_OF_IT

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002 - Faust's signature
        """Replaces `Store.on_recovery_completed`: Faust has recovered when every lane has."""
        for number, lane in list(self.lanes.by_number.items()):
            while self.lanes.by_number.get(number) is lane and not await asyncio.to_thread(lane.ready.wait, 0.5):
                pass

    def seen(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:
        """One account's view as of an instant, None when there is no such account.

        Raises NotHere, or TimeoutError when its lane stays busy for a second.
        """
        return self.owner(account_id.encode()).read(account_id, at_ms)

    def _get(self, key: bytes) -> Any:
        """Replaces `SerializedStore._get`: blocks while the lane's unit of work is open."""
        return self.seen(key.decode())

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None

    def _decode_value(self, value: Any) -> Any:
        """Replaces `Store._decode_value`: the lane's view needs no decoding."""
        return value

    def _iteritems(self) -> Iterator[Any]:
        raise TypeError("accounts can be asked for one by one, not listed: read the topic of transitions for all of them")

    _iterkeys = _itervalues = _iteritems

    def _size(self) -> int:
        return sum(lane.accounts for lane in list(self.lanes.by_number.values()))

    def _refuse(self, *_args: Any) -> NoReturn:
        raise ReadOnlyTable(_WRITTEN_BY_LANES)

    _set = _del = _clear = apply_changelog_batch = _refuse
    """Replace the ways in which `SerializedStore` is written."""

    def reset_state(self) -> None:
        """`faust reset` has nothing to remove: nothing is kept on disk."""

    async def backup_partition(self, *_args: Any, **_options: Any) -> None:
        """Nothing is kept on disk; the changelog is the backup."""
        raise TypeError("lanes keep nothing on disk: the changelog is the backup")

    def restore_backup(self, *_args: Any, **_options: Any) -> None:
        """As `backup_partition`."""
        raise TypeError("lanes keep nothing on disk: they restore themselves from the changelog")
