"""A report asked of a read model: which period, which ladder, which targets; and the rows that answer.

Defaults come from the policy, then from the facts of the documents: the cadence of 002-18 for tiers that are called S, A, B, C.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from agents.reporting.read_model import ReadModel
from agents.reporting.reports import Report
from schemas.errors import SettingsError
from streams.money import minor_digits
from streams.policy import CompiledPolicy
from streams.policy.targets import TargetSpec
from streams.units import DAY_MS

CADENCE_002_18 = {"S": 7 * DAY_MS, "A": 14 * DAY_MS, "B": 30 * DAY_MS, "C": 90 * DAY_MS}
_SPANS = {"90d": 90 * DAY_MS, "365d": 365 * DAY_MS}


class Asked(NamedTuple):
    """What was asked for on the command line; None: not said."""

    scheme: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    last_ms: int | None = None
    n: int = 10
    actor: str = "OWNER"
    account: str = ""
    within_ms: int = 90 * DAY_MS
    accounts: Mapping[str, float] | None = None
    effort: Mapping[str, float] | None = None
    every: Mapping[str, int] | None = None


class Answer(NamedTuple):
    """The rows, and what they are about: the period [since, until), the ladder, the money, what could not be counted."""

    report: Report
    rows: list[dict[str, Any]]
    scheme: str
    since_ms: int
    until_ms: int
    timezone: str
    currency: str
    left_out: dict[str, int]

    @property
    def minor_per_unit(self) -> int:
        """How many minor units make one unit of the currency."""
        return int(10 ** minor_digits(self.currency))


def answered(report: Report, model: ReadModel, asked: Asked, policy: CompiledPolicy | None, left_out: dict[str, int]) -> Answer:
    """Ask it. Raises SettingsError where the model cannot answer."""
    scheme, timezone = _scheme(model, asked, policy), policy.document.timezone if policy else "UTC"
    currency = _currency(model, policy)
    tiers = _rungs(model, scheme, policy)
    _fill(model, tiers, _targets(asked, scheme, tiers, policy))
    since_ms, until_ms = _period(report, model, asked, timezone)
    empty = Answer(report, [], scheme, since_ms, until_ms, timezone, currency, left_out)
    parameters = {
        "scheme": scheme, "since": since_ms, "until": until_ms, "n": asked.n, "actor": asked.actor, "account": asked.account,
        "within": asked.within_ms, "currency": currency, "minor_per_unit": float(empty.minor_per_unit),
    }  # fmt: skip
    return empty._replace(rows=[dict(row) for row in model.database.execute(report.query, parameters)])


def _scheme(model: ReadModel, asked: Asked, policy: CompiledPolicy | None) -> str:
    found = [row["scheme"] for row in model.database.execute("SELECT DISTINCT scheme FROM standing UNION SELECT scheme FROM transition")]
    known = list(policy.scheme_names) if policy else found
    if asked.scheme is not None and asked.scheme not in known:
        raise SettingsError(f"--scheme must be one of {', '.join(known) or 'none, as nothing is graded yet'}, got {asked.scheme}")
    return asked.scheme or (known[0] if known else "")


def _rungs(model: ReadModel, scheme: str, policy: CompiledPolicy | None) -> list[str]:
    """The tiers, lowest first: as the policy says; without one, by the scores and moves of those who are in them."""
    if policy is not None and scheme in policy.document.schemes:
        return list(policy.document.schemes[scheme].names())
    ranked = """
        SELECT tier FROM (SELECT tier, score_micro AS worth FROM standing WHERE scheme = :scheme
                          UNION ALL SELECT from_tier, NULL FROM transition WHERE scheme = :scheme AND from_tier IS NOT NULL
                          UNION ALL SELECT to_tier, NULL FROM transition WHERE scheme = :scheme)
        GROUP BY tier ORDER BY avg(worth), tier DESC"""
    return [row["tier"] for row in model.database.execute(ranked, {"scheme": scheme})]


def _targets(asked: Asked, scheme: str, tiers: list[str], policy: CompiledPolicy | None) -> TargetSpec:
    """Targets: those asked for, else the policy's; the cadence of the documents where their tiers are used."""
    said = policy.document.targets.get(scheme, TargetSpec()) if policy else TargetSpec()
    own = {tier: CADENCE_002_18[tier] for tier in tiers if tier in CADENCE_002_18}
    every = dict(asked.every or said.touch_every or _watched(policy, tiers) or own)
    accounts, effort = dict(asked.accounts or said.accounts), dict(asked.effort or said.effort)
    chosen = TargetSpec.model_construct(accounts=accounts, effort=effort, touch_every=every)
    if unknown := sorted({*chosen.accounts, *chosen.effort, *chosen.touch_every} - set(tiers)) if tiers else []:
        raise SettingsError(f"targets speak of tiers that ladder {scheme} does not have: {', '.join(unknown)}; it has {', '.join(tiers)}")
    return chosen


def _watched(policy: CompiledPolicy | None, tiers: list[str]) -> dict[str, int]:
    """What a clock of the policy asks of owners: one that is called a cadence, in limits by tier."""
    for name, spec in policy.document.clocks.items() if policy else ():
        after = getattr(spec, "after", None)
        if "cadence" in name and isinstance(after, dict):
            return {tier: limit for tier, limit in after.items() if tier in tiers and isinstance(limit, int)}
    return {}


def _fill(model: ReadModel, tiers: list[str], targets: TargetSpec) -> None:
    run = model.database.execute
    for table in ("rung (tier TEXT PRIMARY KEY, rank INT)", "target (tier TEXT PRIMARY KEY, accounts REAL, effort REAL)",
                  "every (tier TEXT PRIMARY KEY, limit_ms INT)"):  # fmt: skip
        run(f"DROP TABLE IF EXISTS temp.{table.split()[0]}")
        run(f"CREATE TEMP TABLE {table}")
    many = model.database.executemany
    many("INSERT INTO rung VALUES (?, ?)", [(tier, rank) for rank, tier in enumerate(tiers)])
    many("INSERT INTO target VALUES (?, ?, ?)", [(tier, targets.accounts.get(tier), targets.effort.get(tier)) for tier in tiers])
    many("INSERT INTO every VALUES (?, ?)", list(targets.touch_every.items()))


def _currency(model: ReadModel, policy: CompiledPolicy | None) -> str:
    """That of the amounts: of the policy the model was filled with; without one, of the only orders that are summed."""
    summed = model.database.execute("SELECT currency FROM purchase WHERE own_minor IS NOT NULL LIMIT 1").fetchone()
    known = model.noted("currency") or (summed["currency"] if summed else None)
    asked = policy.document.currency if policy is not None else None
    if known is not None and asked is not None and known != asked:
        raise SettingsError(f"the amounts that were saved are in {known} and those of the policy in {asked}: read the records anew")
    return known or asked or "CNY"


def _period(report: Report, model: ReadModel, asked: Asked, timezone: str) -> tuple[int, int]:
    """[since, until); it ends with the latest instant in the log if nobody says otherwise."""
    until_ms = model.latest_ms() + 1 if asked.until_ms is None else asked.until_ms
    if asked.since_ms is not None:
        since_ms = asked.since_ms
    elif asked.last_ms is not None:
        since_ms = until_ms - asked.last_ms
    elif report.span == "quarter":
        since_ms = _quarter_ms(until_ms - 1, ZoneInfo(timezone))
    else:
        since_ms = until_ms - _SPANS.get(report.span, until_ms)
    if since_ms > until_ms:
        raise SettingsError("--since must not be after --until")
    return since_ms, until_ms


def _quarter_ms(at_ms: int, zone: ZoneInfo) -> int:
    """The beginning of the calendar quarter, by the policy's clock."""
    at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)
    begin = datetime(at.year, (at.month - 1) // 3 * 3 + 1, 1, tzinfo=zone)
    return round(begin.timestamp() * 1000)
