"""What do the accounts of a real log measure? The log is folded by the policy, then every account is asked at the log's last instant."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from agents.log_files import Refusal, replayed
from agents.order_files import read_orders
from agents.order_lines import Reading
from schemas.errors import SettingsError
from streams.accounts import Accounts
from streams.policy import CompiledPolicy
from streams.replay import FileReplay, LoggedEvent

FOLDED_AT_ONCE = 20_000
Numbers = dict[str, list[float]]
"""Measure -> its number for each account."""


def numbers_of_log(policy: CompiledPolicy, path: Path, measures: Sequence[str], on_read: Callable[[int], None]) -> tuple[Numbers, int]:
    """Of a file as `replay` reads it; and how many records were refused."""
    replay = FileReplay("calibrate", policy)
    try:
        with path.open("rb") as file:
            refused = sum(isinstance(said, Refusal) for said in replayed(file, replay, on_read))
    except OSError as problem:
        raise SettingsError(f"file {path} cannot be read: {problem.strerror}") from problem
    return _asked(policy, replay, measures), refused


def numbers_of_orders(policy: CompiledPolicy, path: Path, reading: Reading, measures: Sequence[str]) -> tuple[Numbers, int]:
    """Of an order history as `ingest orders` reads it; and how many of its lines are no orders."""
    replay = FileReplay("calibrate", policy)
    read = read_orders(path, reading, lambda _: None)
    for begin in range(0, len(read.orders), FOLDED_AT_ONCE):
        replay.fold_all([LoggedEvent("orders", order) for order in read.orders[begin : begin + FOLDED_AT_ONCE]])
    return _asked(policy, replay, measures), read.refused


def _asked(policy: CompiledPolicy, replay: FileReplay, measures: Sequence[str]) -> Numbers:
    """Every account, at the latest instant of any."""
    chosen = [measure for measure in policy.measures if measure.name in measures]
    numbers: Numbers = {measure.name: [] for measure in chosen}
    held = [partition.accounts for partition in replay.partitions]
    at_ms = max((int(its.row(number)["account.clock_ms"]) for its in held for number in _numbers(its)), default=0)
    for its in held:
        for number in _numbers(its):
            row = its.row(number)
            policy.renew(row, partial(its.dossier, number), at_ms)
            for measure in chosen:
                numbers[measure.name].append(measure.at(row, at_ms))
    return numbers


def _numbers(accounts: Accounts) -> list[int]:
    return [number for key in list(accounts) if (number := accounts.find(key)) is not None]
