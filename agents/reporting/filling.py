"""Where does a read model come from? The topics of a broker, read_committed to their present end; or files of `export` and `replay`.

Rules: only the topics that the report asks of are read; what this engine did not publish, and what a shadow policy did, is left out.
A log that holds records and no tiers is folded by the policy, as `replay` does, so that an export is enough for every report.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from agents.reporting.read_model import OwnMinor, ReadModel, Row, Rows
from agents.settings import Settings
from schemas.errors import RecordRejected, SettingsError
from schemas.log_files import MAGIC
from schemas.records import AccountTiers, Action, HotLead, TierTransition
from schemas.records.outputs import Decided
from streams.account import Output
from streams.policy import CompiledPolicy

PUBLISHED: Mapping[str, type[Decided]] = {
    "account-tiers": AccountTiers,
    "tier-transitions": TierTransition,
    "actions": Action,
    "hot-leads": HotLead,
}
SQLITE_MAGIC = b"SQLite format 3\x00"
_lines = msgspec.json.Decoder()


class Watcher(Protocol):
    """Who is told how far the reading is."""

    def on_total(self, records: int) -> None:
        """So many more lie ahead."""

    def on_read(self, records: int) -> None:
        """So many more were read."""


class Filled(NamedTuple):
    """A read model and what could not be put into it, by what it is."""

    model: ReadModel
    left_out: dict[str, int]


def of_broker(settings: Settings, topics: Collection[str], policy: CompiledPolicy | None, watcher: Watcher) -> Filled:
    """What the topics hold now."""
    from agents.reading import committed_messages
    from agents.registry import codec_for

    (model, rows), codec = begun(policy), codec_for(settings)
    erased: list[str] = []

    def decode(topic: str, payload: bytes | None) -> msgspec.Struct:
        return codec.decode_as(PUBLISHED[topic], payload) if topic in PUBLISHED else codec.decode(topic, payload)

    def said() -> Iterator[tuple[str, Row]]:
        for topic in topics:
            for message in committed_messages(settings, topic, on_total=watcher.on_total):
                watcher.on_read(1)
                if message.value() is None:
                    erased.append(message.key().decode())
                elif (record := rows.taken(decode, topic, message.value())) is not None and _ours(record, settings.application_id):
                    yield from rows.of(record)

    model.fill(said())
    for account_id in _gone(model, erased):
        model.forget(account_id)
    return Filled(model, dict(rows.tally))


def begun(policy: CompiledPolicy | None) -> tuple[ReadModel, Rows]:
    """An empty model, which knows in which currency its amounts will be, and what makes its rows."""
    model = ReadModel.empty()
    if policy is not None:
        model.note("currency", policy.document.currency)
    return model, Rows(_own_minor_of(policy))


def _ours(record: msgspec.Struct, application: str) -> bool:
    return not isinstance(record, Decided) or (record.application == application and record.mode != "SHADOW")


def _gone(model: ReadModel, erased: list[str]) -> Iterator[str]:
    """Erased accounts that have not come back since: their tiers are not in the topic any more."""
    for account_id in erased:
        if model.database.execute("SELECT 1 FROM standing WHERE account_id = ?", (account_id,)).fetchone() is None:
            yield account_id


# -- files -------------------------------------------------------------------------------------------------------------


def of_files(
    paths: list[Path],
    topics: Collection[str],
    policy: CompiledPolicy | None,
    on_read: Callable[[int], None],
    *,
    graded: bool = True,
) -> Filled:
    """What files hold: lines of JSON, containers of `export --avro`, or one read model that was saved. `graded`: with tiers."""
    if len(paths) == 1 and _begins(paths[0], SQLITE_MAGIC):
        return Filled(ReadModel.opened(paths[0]), {})
    model, rows = begun(policy)
    for path in paths:
        if _begins(path, MAGIC):
            _of_container(model, rows, path, topics, on_read)
        else:
            model.fill(row for record in _records(path, topics, rows, on_read) for row in rows.of(record))
    if graded and not _has_tiers(model):
        _fold(model, rows, paths, policy, on_read)
    return Filled(model, dict(rows.tally))


def _has_tiers(model: ReadModel) -> bool:
    return any(model.database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in ("standing", "transition", "action"))


def _begins(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as problem:
        raise SettingsError(f"file {path} cannot be read: {problem.strerror}") from problem


def _of_container(model: ReadModel, rows: Rows, path: Path, topics: Collection[str], on_read: Callable[[int], None]) -> None:
    from agents.reporting.containers import ContainerFilling  # compiled code is loaded only for such a file

    ContainerFilling(model, rows, topics).fill(path, on_read)


def _records(path: Path, topics: Collection[str], rows: Rows, on_read: Callable[[int], None]) -> Iterator[msgspec.Struct]:
    """The records of these topics in a file of JSON lines."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            on_read(len(line))
            if (record := _of_line(path, number, line, topics, rows)) is not None:
                yield record


def _of_line(path: Path, number: int, line: bytes, topics: Collection[str], rows: Rows) -> msgspec.Struct | None:
    from schemas.json_values import from_json

    if line.isspace():
        return None
    try:
        said: Any = _lines.decode(line)
        topic = said["topic"]
        if topic not in topics or said.get("value") is None:
            return None
        if topic in PUBLISHED:
            record: msgspec.Struct = msgspec.convert(said["value"], PUBLISHED[topic])
            return record
        return from_json(topic, said["value"], len(line))
    except RecordRejected as rejection:
        rows.tally[f"records refused ({rejection.reason.value})"] += 1
        return None
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, KeyError, TypeError) as fault:
        raise SettingsError(f"file {path}:{number} is no line of `export` or `replay`: {fault}") from fault


def _fold(model: ReadModel, rows: Rows, paths: list[Path], policy: CompiledPolicy | None, on_read: Callable[[int], None]) -> None:
    from agents.log_files import replayed
    from streams.replay import FileReplay

    if policy is None:
        raise SettingsError(
            "the files hold records and no tiers: name the policy to fold them by (--policy), or give the output of `tierstream replay` too"
        )
    replay = FileReplay("tierstream", policy)
    for path in paths:
        with path.open("rb") as file:
            outputs = (said.record for said in replayed(file, replay, on_read) if isinstance(said, Output))
            model.fill(row for record in outputs if record is not None for row in rows.of(record))


# -- money -------------------------------------------------------------------------------------------------------------


def _own_minor_of(policy: CompiledPolicy | None) -> OwnMinor:
    """Amounts in the policy's currency, at its dated rates; without a policy, in the currency of the first order."""
    if policy is not None:
        return _converted(policy)
    only: list[str] = []

    def own(amount_minor: int, currency: str, _: int) -> int | None:
        if not only:
            only.append(currency)
        return amount_minor if currency == only[0] else None

    return own


def _converted(policy: CompiledPolicy) -> OwnMinor:
    from zoneinfo import ZoneInfo

    from streams.money import Exchange
    from streams.units import local_day_in

    document = policy.document
    home, exchange = document.currency, Exchange(document.currency, document.rates, local_day_in(ZoneInfo(document.timezone)))

    def own(amount_minor: int, currency: str, occurred_at_ms: int) -> int | None:
        if currency == home:
            return amount_minor
        try:
            exchange.check(currency, occurred_at_ms)
        except RecordRejected:
            return None
        return exchange.own_minor(amount_minor, currency, occurred_at_ms)

    return own
