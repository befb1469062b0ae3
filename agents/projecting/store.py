"""Redis, as the projection uses it. The one file that knows the library.

Rules: whatever is written goes through `apply.lua`, which decides whether it is news; an answer that does not come, or says that Redis
cannot write now, is `Away`: the same may be repeated. Progress is kept in Redis beside what it stands for and changes in one step with it,
so a Redis that lost its last second, or everything, also forgot that it was written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.projecting.entries import Entry
from agents.settings import Settings
from schemas.errors import SettingsError, TierstreamError

ANSWER_S = 5.0
OLDEST = (6, 0)
AT_ONCE = 100
"""Entries in one call of the script: Redis does nothing else meanwhile, for some milliseconds."""
_SCANNED = 1_000
_NOT_NOW = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "BUSY", "NOREPLICAS", "UNBLOCKED")
_Answer = TypeVar("_Answer")


CHANGED = ("tiers", "explanations", "leads", "erasures")
"""What a batch may change, in the order in which the script counts."""


class Away(TierstreamError):
    """Redis does not answer, or cannot write now."""


class Lost(TierstreamError):
    """Redis has forgotten something that was written to it: the writer must begin from what it still knows."""


class Place(NamedTuple):
    """How far a partition is projected: next offset by topic (empty: not begun), when it was last read to its end, and which rebuild it is.

    `swept`: the last rebuild that came to its end.
    """

    positions: dict[str, int]
    read_at_ms: int | None
    epoch: int
    swept: int


class Batch(NamedTuple):
    """What is written in one step. `begins` and `ends`: next offset by topic before and after it.

    `refresh`: what is equal is written again.
    """

    partition: int
    epoch: int
    begins: Mapping[str, int]
    ends: Mapping[str, int]
    read_at_ms: int
    refresh: bool
    entries: Sequence[Entry]


class Store:
    """The keys under one prefix. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError for a URL that is none; nothing is connected yet."""
        self.prefix, self._stream_length = settings.redis_prefix, settings.lead_stream_length
        try:
            self._redis: Any = redis.Redis.from_url(
                settings.redis_url,
                socket_timeout=ANSWER_S,
                socket_connect_timeout=ANSWER_S,
                retry=Retry(NoBackoff(), 0),  # who repeats, and for how long, is decided by who calls
                health_check_interval=0,
            )
        except (ValueError, TypeError) as wrong:
            raise SettingsError(
                f"TIERSTREAM_REDIS_URL must be redis://:password@host:port/database, or rediss:// for TLS ({wrong})"
            ) from None
        self._source = files("agents.projecting").joinpath("apply.lua").read_text(encoding="utf-8")
        self._script: str | None = None
        self._progress = f"{self.prefix}:progress"

    @property
    def address(self) -> str:
        """Where it is, without the password."""
        at = self._redis.connection_pool.connection_kwargs
        return str(at.get("path") or f"{at.get('host', 'localhost')}:{at.get('port', 6379)}") + f"/{at.get('db', 0)}"

    # -- what it is ----------------------------------------------------------------------------------------------------

    def problems(self) -> list[str]:
        """What keeps this Redis from being projected to, each with its fix."""
        try:
            info = self._asked(self._redis.info)
        except Away as away:
            fix = "set TIERSTREAM_REDIS_URL (rediss:// for TLS, redis://:password@host for a password), or start one"
            return [f"no Redis answers at {self.address} ({away}): {fix}"]
        found = []
        version = str(info.get("redis_version", "0"))
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
            found.append(f"Redis at {self.address} must be at least {'.'.join(map(str, OLDEST))}, got {version}: take a newer one")
        if info.get("redis_mode") == "cluster":
            found.append(f"Redis at {self.address} is a cluster, whose nodes each have a part of the keys: name a Redis that has them all")
        if info.get("role") == "slave":
            found.append(f"Redis at {self.address} is a replica, which takes no writes: let TIERSTREAM_REDIS_URL name its primary")
        if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
            policy = info.get("maxmemory_policy")
            found.append(f"Redis at {self.address} throws keys away when it is full ({policy}): set maxmemory-policy to noeviction")
        return found

    def claim(self, application: str) -> None:
        """From now on the prefix is this application's. Raises SettingsError where it is another's."""
        self._asked(lambda: self._redis.hsetnx(self._progress, "application", application))
        owner = _text(self._asked(lambda: self._redis.hget(self._progress, "application")))
        if owner != application:
            raise SettingsError(
                f"the keys {self.prefix}:* in Redis at {self.address} belong to the application {owner}: set TIERSTREAM_REDIS_PREFIX"
            )

    # -- progress ------------------------------------------------------------------------------------------------------

    def place(self, number: int) -> Place:
        """What Redis says of a partition."""
        found = {_text(name): _text(said) for name, said in self._asked(lambda: self._redis.hgetall(self._progress)).items()}
        own = {name.rpartition(":")[0]: said for name, said in found.items() if name.rpartition(":")[2] == str(number)}
        read_at = own.pop("read_at", None)
        epoch, swept = int(own.pop("epoch", 0)), int(own.pop("swept", 0))
        return Place({topic: int(said) for topic, said in own.items()}, int(read_at) if read_at is not None else None, epoch, swept)

    def begin(self, number: int, positions: Mapping[str, int]) -> None:
        """A partition is projected from here on, unless somebody has begun meanwhile."""

        def begun() -> None:
            with self._redis.pipeline() as pipe:
                for topic, position in positions.items():
                    pipe.hsetnx(self._progress, f"{topic}:{number}", position)
                pipe.execute()

        self._asked(begun)

    def begin_again(self, number: int, topics: Sequence[str]) -> None:
        """The partition is projected from the beginning, by whoever has it; what is found no more in the end goes."""

        def begun() -> None:
            with self._redis.pipeline() as pipe:
                pipe.hincrby(self._progress, f"epoch:{number}", 1)
                pipe.hdel(self._progress, f"read_at:{number}", *(f"{topic}:{number}" for topic in topics))
                pipe.execute()

        self._asked(begun)

    def topic_ids(self) -> dict[str, str]:
        """Which topics are projected, by the broker's ids of them."""
        found: Any = self._asked(lambda: self._redis.hgetall(f"{self.prefix}:topics"))
        return {_text(topic): _text(topic_id) for topic, topic_id in found.items()}

    def keep_topic_ids(self, ids: Mapping[str, str]) -> None:
        """They are these."""
        self._asked(lambda: self._redis.hset(f"{self.prefix}:topics", mapping=dict(ids)))

    # -- reading -------------------------------------------------------------------------------------------------------

    def account(self, account_id: str) -> dict[str, Any] | None:
        """The fields of an account, None if there is none."""
        found: Any = self._asked(lambda: self._redis.hgetall(f"{self.prefix}:account:{account_id}"))
        return {_text(name): _text(said) for name, said in found.items()} or None

    def best(self, scheme: str, owner: str | None, tier: str | None, count: int) -> list[tuple[str, float]]:
        """The accounts with the highest scores on a board, with their scores."""
        board = "".join([f"{self.prefix}:top:{scheme}", f":owner:{owner}" if owner else "", f":tier:{tier}" if tier else ""])
        found: Any = self._asked(lambda: self._redis.zrevrange(board, 0, count - 1, withscores=True))
        return [(_text(account), score) for account, score in found]

    def leads(self, owner: str | None, count: int) -> list[dict[str, str]]:
        """The newest hot leads, of one owner or of all, the newest first."""
        stream = f"{self.prefix}:leads" + (f":{owner}" if owner else "")
        found: Any = self._asked(lambda: self._redis.xrevrange(stream, count=count))
        return [{_text(name): _text(said) for name, said in fields.items()} for _, fields in found]

    def lead_count(self) -> int:
        """How many hot leads are in the stream of all."""
        return int(self._asked(lambda: self._redis.xlen(f"{self.prefix}:leads")))

    # -- writing -------------------------------------------------------------------------------------------------------

    def apply(self, batch: Batch) -> list[int]:
        """Write a batch: in steps of `AT_ONCE` entries, the last of which moves the progress. Returns the script's counts, summed.

        Raises Away, Lost; after either what was written already is no harm when it comes again.
        """
        steps = [batch.entries[at : at + AT_ONCE] for at in range(0, len(batch.entries), AT_ONCE)] or [()]
        calls = [self._packed(batch, step, last=at == len(steps) - 1) for at, step in enumerate(steps)]
        answers = self._asked(lambda: self._called(calls))
        if any(answer[0] < 0 for answer in answers):
            raise Lost(f"partition {batch.partition}")
        return [sum(counts) for counts in zip(*answers, strict=True)]

    def swept(self, number: int, epoch: int) -> None:
        """The rebuild of a partition is over, and what it did not find is gone."""
        self._asked(lambda: self._redis.hset(self._progress, f"swept:{number}", epoch))

    def accounts(self) -> Iterator[list[str]]:
        """The ids of all accounts that are there, some at a time; one may come twice."""
        head = f"{self.prefix}:account:"
        for keys in self._scanned(f"{_escaped(head)}*"):
            yield [_text(key).removeprefix(head) for key in keys]

    def wipe(self) -> None:
        """Every key under the prefix goes."""
        for keys in self._scanned(f"{_escaped(self.prefix)}:*"):
            if keys:
                self._asked(partial(self._redis.unlink, *keys))

    def _scanned(self, pattern: str) -> Iterator[list[bytes]]:
        cursor = -1
        while cursor != 0:
            cursor, keys = self._asked(partial(self._redis.scan, max(cursor, 0), pattern, _SCANNED))
            yield keys

    def _packed(self, batch: Batch, entries: Sequence[Entry], *, last: bool) -> bytes:
        return msgspec.msgpack.encode(
            {
                "partition": batch.partition,
                "epoch": batch.epoch,
                "from": dict(batch.begins),
                "to": dict(batch.ends) if last else {},
                "read_at": batch.read_at_ms if last else 0,
                "refresh": batch.refresh,
                "stream_length": self._stream_length,
                "entries": entries,
            }
        )

    def _called(self, calls: Sequence[bytes]) -> list[list[int]]:
        """The script's answers. A Redis that was restarted does not know the script any more: it is told again."""
        if self._script is None:
            self._script = _text(self._redis.script_load(self._source))
        try:
            return self._piped(calls, self._script)
        except redis.exceptions.NoScriptError:
            self._script = _text(self._redis.script_load(self._source))
            return self._piped(calls, self._script)

    def _piped(self, calls: Sequence[bytes], script: str) -> list[list[int]]:
        with self._redis.pipeline(transaction=False) as pipe:
            for packed in calls:
                pipe.evalsha(script, 1, self._progress, self.prefix, packed)
            answers: list[list[int]] = pipe.execute()
        return answers

    def _asked(self, call: Callable[[], _Answer]) -> _Answer:
        try:
            return call()
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as away:
            raise Away(f"{type(away).__name__}: {away}") from None
        except redis.exceptions.ResponseError as refused:
            if str(refused).startswith(_NOT_NOW) or any(f"{word} " in str(refused) for word in _NOT_NOW):
                raise Away(str(refused)) from None
            raise


def _text(said: Any) -> str:
    return said.decode() if isinstance(said, bytes) else str(said)


def _escaped(name: str) -> str:
    """As a pattern of Redis means itself."""
    return "".join(f"\\{sign}" if sign in "*?[]^-\\" else sign for sign in name)
