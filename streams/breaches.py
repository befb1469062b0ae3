"""Breaches of clocks that warn: announced once, and resolved once if they were announced.

A breach wants life like a lead: it is announced only in mode LIVE, while it is young, and not for an account that must not be
contacted if the action means contact. What was announced is resolved whenever it ends, however late that is known: somebody waits
for it. What was not announced is not resolved.
"""

from typing import TypedDict

from schemas.records import Action, Cause
from streams.clocks.common import Breach, Clock, Ended, WarningSpec
from streams.leads import is_young
from streams.moment import Moment, Reason, common, generation, of_time
from streams.settling import Account, Output
from streams.transitions import identified

BREACHED, RESOLVED = "BREACHED", "RESOLVED"


def watched(moment: Moment, reason: Reason | None, account: Account) -> list[Output]:
    """What the watches observe at the account's clock. `reason` None: time is what they saw."""
    row, at_ms = account.row, int(account.row["account.clock_ms"])
    begun = [(watch, breach) for watch in moment.policy.watches for breach in watch.observe(row, account.dossier_to_change, at_ms)]
    outputs = [output for watch, breach in begun for output in announced(moment, account, watch, breach, reason)]
    return outputs + (resolved(moment, reason, account) if moment.policy.watches else [])


def announced(moment: Moment, account: Account, clock: Clock, breach: Breach, reason: Reason | None = None) -> list[Output]:
    """The breach, if it wants to be announced."""
    dossier = account.accounts.dossier(account.number)
    kept_back = clock.contacts(breach.tier) and dossier.known("do_not_contact") is True
    if kept_back or not is_young(moment, breach.due_ms):
        return []
    clock.remember(account.row, account.dossier_to_change, breach)
    cause = (reason or of_time(account.row, moment.partition, clock.cause, clock.name)).cause
    action = Action(
        **common(moment, account.row),
        **_said(clock, breach),
        action_id=_id(moment, account, BREACHED, clock, breach),
        kind=BREACHED,
        due_at=breach.due_ms,
        lag_ms=moment.decided_at_ms - breach.due_ms,
        cause=cause,
        owner_id=dossier.owner(),
    )
    return [Output("actions", moment.key, action)]


def resolved(moment: Moment, reason: Reason | None, account: Account) -> list[Output]:
    """What the announced breaches that are over now call for. `reason` None: time has ended them."""
    return [
        output
        for clock in moment.policy.clocks
        for ended in clock.take_ended(account.row, account.dossier_to_change)
        for output in resolution(moment, reason, account, clock, ended)
    ]


def resolution(moment: Moment, reason: Reason | None, account: Account, clock: Clock, ended: Ended) -> list[Output]:
    """What the end of an announced breach calls for."""
    return [Output("actions", moment.key, _resolution(moment, reason, account, clock, ended))] if moment.mode == "LIVE" else []


def _resolution(moment: Moment, reason: Reason | None, account: Account, clock: Clock, ended: Ended) -> Action:
    row = account.row
    at_ms = int(row["account.clock_ms"])
    cause: Cause = (reason or of_time(row, moment.partition, clock.cause, clock.name)).cause
    lag_from_ms = reason.lag_from_ms if reason is not None and reason.lag_from_ms is not None else at_ms
    return Action(
        **common(moment, row),
        **_said(clock, ended),
        action_id=_id(moment, account, RESOLVED, clock, ended),
        kind=RESOLVED,
        due_at=at_ms,
        lag_ms=moment.decided_at_ms - lag_from_ms,
        cause=cause,
        owner_id=account.accounts.dossier(account.number).owner(),
        resolves=_id(moment, account, BREACHED, clock, ended),
    )


class _Said(TypedDict):
    name: str
    reason: str
    scheme: str
    tier: str


def _said(clock: Clock, about: Breach | Ended) -> _Said:
    warning = clock.consequence(about.tier)
    assert isinstance(warning, WarningSpec), "what is announced has a name"
    return {"name": warning.action, "reason": about.said, "scheme": clock.scheme, "tier": clock.tiers[about.tier]}


def _id(moment: Moment, account: Account, kind: str, clock: Clock, about: Breach | Ended) -> str:
    born = generation(account.row, moment.partition)
    return identified(moment.application, moment.policy.name, kind, clock.name, moment.account_id, born, about.subject, str(about.due_ms))
