"""Time passing for one account: every change that is due, each decided at its own instant, and when to look again."""

from schemas.records import CauseKind
from streams import deadlines, overrides
from streams.breaches import announced, resolved, watched
from streams.clocks.common import Clock
from streams.kinds import Row
from streams.leads import is_young
from streams.moment import Moment, of_time
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.settling import Account, Output, lifted, settled
from streams.transitions import recycled
from streams.triggers import trigger_text
from streams.units import UNBOUNDED

MOVE_DUE = "a move that had to wait is due"
CONDITION_ENDED = "a trigger's condition ended"


def passed(moment: Moment, account: Account, until_ms: int, *, guarded: bool) -> list[Output]:
    """Decide every change due up to `until_ms`, each at its own instant."""
    row, outputs = account.row, list[Output]()
    account.accounts.touch(account.number)
    if int(row["account.deadline_ms"]) > until_ms and deadlines.next_timer(moment.policy, row) > until_ms:
        return outputs
    looked_ms = fresh_ms = int(row["account.clock_ms"])
    while True:
        moment.policy.renew(row, account.dossier, fresh_ms)
        due = deadlines.next_change(moment.policy, row, looked_ms)
        if due.at_ms > until_ms:
            account.accounts.set_deadline(account.number, due.at_ms)
            return outputs
        looked_ms, fresh_ms = due.at_ms - 1, due.at_ms  # where the search only stopped early, that very instant is still to be looked at
        if due.exact:
            outputs += changed(moment, account, due.at_ms, guarded=guarded)
            looked_ms = fresh_ms = int(row["account.clock_ms"])


def changed(moment: Moment, account: Account, due_ms: int, *, guarded: bool) -> list[Output]:
    """What follows at an instant at which something is due."""
    row = account.row
    before_ms = int(row["account.clock_ms"])
    row["account.clock_ms"] = max(before_ms, due_ms)
    moment.policy.renew(row, account.dossier, int(row["account.clock_ms"]))
    if overrides.expire(moment.policy.schemes, row, due_ms):  # alone: what else is due now comes after it, with a cause of its own
        cause: tuple[CauseKind, str | None] = (overrides.CAUSE, overrides.EXPIRED)
        outputs = list[Output]()
    else:
        fired, outputs = _fire(moment, account, due_ms)
        cause = fired or _what_passed(moment.policy, row, before_ms)
    outputs += settled(moment, of_time(row, moment.partition, *cause), account, guarded=guarded)
    return outputs + watched(moment, None, account)


def _fire(moment: Moment, account: Account, due_ms: int) -> tuple[tuple[CauseKind, str] | None, list[Output]]:
    """The clocks that run out now; a demotion is the cause of what follows."""
    row, fired, outputs = account.row, None, list[Output]()
    for clock in moment.policy.clocks:
        if clock.due_ms(row) > due_ms:
            continue
        tier, ran = clock.tier(row), clock.fire(row, account.dossier_to_change, due_ms)
        if ran.follows == "demote":
            fired = fired or (clock.cause, ran_out_text(clock, tier))
        elif ran.follows == "recycle":
            outputs += _recycle(moment, account, clock, tier, due_ms)
        outputs += [output for breach in ran.breaches for output in announced(moment, account, clock, breach)]
    return fired, outputs + resolved(moment, None, account)


def ran_out_text(clock: Clock, earned: int) -> str:
    """Which clock ran out, and after how long."""
    return f"{clock.name} {clock.limit_text(earned)}"


def _recycle(moment: Moment, account: Account, clock: Clock, earned: int, due_ms: int) -> list[Output]:
    """Put the account into the pool, unless it is there; announced only live and while it is young."""
    row = account.row
    if account.accounts.dossier(account.number).pool is not None:
        return []
    dossier = account.accounts.open_dossier(account.number)
    dossier.recycle(due_ms, f"{clock.name} ran out after {clock.limit_text(earned)} in {clock.tiers[earned]}")
    if not is_young(moment, due_ms) or dossier.known("do_not_contact") is True:
        return []
    reason = of_time(row, moment.partition, clock.cause, clock.name)
    return [Output("actions", moment.key, recycled(moment, reason, row, dossier, clock, earned, due_ms))]


def _what_passed(policy: CompiledPolicy, row: Row, before_ms: int) -> tuple[CauseKind, str | None]:
    """Which kind of time made the change, where no clock did: a pending move, a trigger, a window that ended, or decay."""
    now_ms = int(row["account.clock_ms"])
    for scheme in policy.schemes:
        if int(row[scheme.column("pending_ms")]) <= now_ms:
            return "CLOCK", MOVE_DUE
        reached, held = lifted(policy, row, scheme, now_ms), int(row[scheme.column("lift")])
        if reached > held:
            return "TRIGGER", trigger_text(scheme.triggers, row, reached, now_ms)
        if reached < held:
            return "WINDOW", _ended(scheme, row, now_ms)
    if now_ms > before_ms and any(m.jumps and m.at(row, now_ms) != m.at(row, now_ms - 1) for m in policy.measures):
        return "WINDOW", None
    return "DECAY", None


def _ended(scheme: Scheme, row: Row, now_ms: int) -> str:
    return "a trigger's time is over" if any(each.ends_ms(row) <= now_ms for each in scheme.lasting) else CONDITION_ENDED


def look_ahead(policy: CompiledPolicy, account: Account, after_ms: int | None = None) -> None:
    """Keep a deadline that is not late: the old one if it still holds, else the next change."""
    row = account.row
    from_ms = max(int(row["account.clock_ms"]), after_ms or 0)
    known_ms = int(row["account.deadline_ms"])
    policy.renew(row, account.dossier, from_ms)
    if known_ms >= UNBOUNDED or not deadlines.still_holds(policy, row, from_ms, known_ms):
        account.accounts.set_deadline(account.number, deadlines.next_change(policy, row, from_ms).at_ms)
