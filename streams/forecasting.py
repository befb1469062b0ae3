"""What happens next if nothing happens: the next published change of a scheme, and the points that would keep the tier.

Time is let pass for a copy of the account, by the same code that lets it pass for the account itself, until the tier changes.
"""

import msgspec

from schemas.records import Cause, CauseKind, Forecast, TierTransition
from streams import deadlines
from streams.dossier import Dossier
from streams.kinds import Row
from streams.moment import Crossing, Moment, Reason
from streams.passing import changed
from streams.policy.compiled import Scheme
from streams.settling import Account, Output
from streams.units import micro

MOST_CHANGES = 32
"""How many changes are followed before the forecast says that none of them moves the tier."""


def foretold(moment: Moment, account: Account, outputs: list[Output]) -> list[Output]:
    """The outputs, the last transition of each scheme with what comes next; those before it are history by the time they are read."""
    told = ((place, output.record) for place, output in enumerate(outputs))
    last = {record.scheme: (place, record) for place, record in told if isinstance(record, TierTransition)}
    for scheme in moment.policy.schemes:
        if scheme.name in last:
            place, record = last[scheme.name]
            outputs[place] = outputs[place]._replace(record=msgspec.structs.replace(record, forecast=forecast(moment, account, scheme)))
    return outputs


def forecast(moment: Moment, account: Account, scheme: Scheme) -> Forecast | None:
    """The next change of the scheme's published tier by time alone; None if there is none within ten years."""
    future, imagining = imagined(account), moment._replace(mode="SHADOW", told=_foreseen)
    clock_ms = looked_ms = fresh_ms = int(future.row["account.clock_ms"])
    for clock in moment.policy.clocks:
        if clock.warns_only:
            clock.hush(future.row)  # it moves no tier
    for _ in range(MOST_CHANGES):
        moment.policy.renew(future.row, future.dossier, fresh_ms)
        due = deadlines.next_change(moment.policy, future.row, looked_ms)
        if due.at_ms > clock_ms + deadlines.HORIZON_MS:
            return None
        looked_ms, fresh_ms = due.at_ms - 1, due.at_ms  # as in streams/passing.py
        if not due.exact:
            continue
        for output in changed(imagining, future, due.at_ms, guarded=True):
            if isinstance(output.record, _Foreseen) and output.record.scheme == scheme.name:
                return _forecast(moment, account, scheme, output.record)
        looked_ms = fresh_ms = int(future.row["account.clock_ms"])
    return None


class _Foreseen(msgspec.Struct):
    """A published change in few words."""

    scheme: str
    effective_at: int
    to_tier: str
    cause: Cause
    because: str


def _foreseen(_moment: Moment, reason: Reason, row: Row, _dossier: Dossier, crossing: Crossing) -> _Foreseen:
    scheme = crossing.scheme
    effective_at_ms = max(int(row["account.clock_ms"]), int(row[scheme.column("effective_at_ms")]))
    return _Foreseen(
        scheme.name, effective_at_ms, scheme.ladder.tiers[int(row[scheme.column("published")])], reason.cause, crossing.because
    )


def _forecast(moment: Moment, account: Account, scheme: Scheme, change: _Foreseen) -> Forecast:
    return Forecast(
        at=change.effective_at,
        to_tier=change.to_tier,
        because=forecast_text(change.cause.kind, change.cause.detail, change.because),
        points_to_keep_micro=_points_to_keep(moment, account, scheme) if change.cause.kind in ("DECAY", "WINDOW") else None,
    )


def forecast_text(kind: CauseKind, detail: str | None, because: str) -> str:
    """Why it will change: what makes it change, and why that gives the tier."""
    return f"{kind} ({detail}): {because}" if detail else f"{kind}: {because}"


def _points_to_keep(moment: Moment, account: Account, scheme: Scheme) -> int | None:
    """How far the number falls below what the tier needs within the policy's horizon; None if points alone do not decide."""
    row, policy = account.row, moment.policy
    low_micro = int(row[scheme.column("low_micro")])
    clock_ms = int(row["account.clock_ms"])
    lowest = micro(deadlines.number_span(policy, scheme, row, clock_ms, clock_ms + policy.forecast_horizon_ms).low)
    return max(low_micro - lowest, 0) if low_micro > 0 and scheme.ladder.in_points else None


def imagined(account: Account) -> Account:
    """A copy of the account, for which time may pass without consequence."""
    accounts = account.accounts.alone(account.number)
    return Account(accounts, 0, accounts.row(0))
