"""What a worker keeps of an account against what the records and the time that passed make of it."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.grading import Account, Last, Points
from tests.oracle.leftovers import KeptDossier
from tests.oracle.wire import TOPICS

FOREVER = 1 << 62


def differences(account: Account | None, row: dict[str, Any] | None, dossier: KeptDossier | None) -> Iterator[str]:
    """Everything in which a row or a dossier is another one."""
    if account is None or row is None:
        yield "must not be there" if account is None else "is missing"
        return
    for column, wanted in {
        **_account_columns(account),
        **_measure_columns(account),
        **_scheme_columns(account),
        **_clocks(account),
    }.items():
        if not _alike(column, row[column], wanted):
            yield f"{column} must be {wanted!r}, got {row[column]!r}"
    if sorted(row["ids.recent"][: row["ids.fill"]]) != sorted(account.recent):
        yield "remembers other events"
    held = dossier or KeptDossier({}, {}, None, [], {})
    if {name: (at_ms, event, content) for name, (content, at_ms, event) in held.profile.items()} != account.profile:
        yield "has another profile"
    if {risk_id: (risk[3], risk[4], risk[0], risk[2]) for risk_id, risk in held.risks.items()} != account.risks:
        yield "has other risks"
    if [tuple(order) for order in held.orders] != account.orders:
        yield "remembers other orders"
    covered = {name: list(each.last_covered) for name, each in account.standing.items() if each.last_covered is not None}
    if held.overrides != covered:
        yield f"has other overrides: must be {covered}, got {held.overrides}"
    pool = None if held.pool is None else (held.pool[0], held.pool[2])
    if pool != (None if account.pool is None else (account.pool[0], account.pool[2])):
        yield f"is in another pool: must be {account.pool}, got {held.pool}"


def _alike(column: str, held: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return len(held) == len(wanted) and all(_alike(column, one, other) for one, other in zip(held, wanted, strict=True))
    if isinstance(wanted, float):
        return bool(abs(held - wanted) <= 1e-7 + 1e-9 * abs(wanted))
    return bool(abs(held - wanted) <= (1 if column.endswith("micro") else 0))


def _account_columns(account: Account) -> dict[str, Any]:
    topic, offset = account.born
    return {
        "account.records": account.records,
        "account.clock_ms": account.clock_ms,
        "account.born_topic": TOPICS.index(topic) + 1,
        "account.born_offset": offset,
        "account.last_topic": TOPICS.index(account.last[0]) + 1,
        "account.last_offset": account.last[1],
        "account.last_at_ms": account.last[2],
        "account.revision": account.revision,
        **{f"dimensions.{name}.micro": micro for name, micro in account.dimensions.items()},
        **{f"dimensions.{n}.kept": account.tabled(spec) for n, spec in account.policy["dimensions"].items() if "table" in spec},
    }


def _measure_columns(account: Account) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, measure in account.measures.items():
        if isinstance(measure, Points):
            columns[f"measures.{name}.at_ms"] = measure.latest_ms
            columns[f"measures.{name}.total"] = tuple(fading.at(measure.latest_ms) for fading in measure.kinds.values())
            columns[f"measures.{name}.count"] = tuple(fading.times for fading in measure.kinds.values())
        elif isinstance(measure, Last):
            at_ms, event, number = measure.held or (0, 0, 0.0)
            columns[f"measures.{name}.number"], columns[f"measures.{name}.known"] = number, int(measure.held is not None)
            columns[f"measures.{name}.at_ms"], columns[f"measures.{name}.event"] = at_ms, event
    return columns


def _scheme_columns(account: Account) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, standing in account.standing.items():
        kept_by_name = {
            "score_micro": account.score_micro,
            "earned": standing.earned,
            "seated": standing.earned,
            "gated": standing.gated,
            "published": standing.published,
            "ceiling": standing.ceiling,
            "sequence": standing.sequence,
            "effective_at_ms": standing.effective_at_ms,
            "since_ms": standing.since_ms,
            "clock_ceiling": min((clock.leaves for clock in standing.clocks), default=len(standing.tiers) - 1),
        }
        if standing.may_cover:
            covered = standing.covered
            kept_by_name["override"] = 0 if covered is None else standing.tiers.index(covered.tier)
            kept_by_name["override_until_ms"] = FOREVER if covered is None else covered.until_ms
        columns |= {f"schemes.{name}.{part}": held for part, held in kept_by_name.items()}
    return columns


def _clocks(account: Account) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, clock in account.clocks.items():
        kept_by_name = {"reset_ms": clock.reset_ms, "fired_ms": clock.ran_out_ms, "ceiling": clock.leaves, "resting": int(clock.resting)}
        columns |= {f"clocks.{name}.{part}": held for part, held in kept_by_name.items()}
    return columns
