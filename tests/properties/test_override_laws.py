"""The law of stages for overrides: what one covers goes on being computed, and is found again when it ends, whatever happens meanwhile."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Command
from streams import overrides
from streams.kinds import Row
from streams.policy import CompiledPolicy
from streams.schemes.override import OverrideSpec
from streams.units import UNBOUNDED
from tests.builders import DAY, command
from tests.folding import Folding
from tests.histories import gaps, long_after
from tests.properties.test_fold_laws import standings as all_standings
from tests.worlds import World, policies_with_logs

LONG_MS = 400 * DAY


def overridable(policy: CompiledPolicy, *, beats_risk: bool) -> CompiledPolicy:
    """The policy, with leave to override every scheme."""
    allowed = OverrideSpec(at_most="400d", beats_risk=beats_risk)  # type: ignore[arg-type] # durations are written as text
    schemes = {name: spec.model_copy(update={"override": allowed}) for name, spec in policy.document.schemes.items()}
    return CompiledPolicy(policy.document.model_copy(update={"schemes": schemes}))


def granted(account: str, at_ms: int, scheme: str, tier: str, until_ms: int) -> Command:
    said = {"scheme": scheme, "tier": tier}
    return command(account, "OVERRIDE", at_ms, arguments=said, approved_by="lee", expires_at=until_ms, event_id="granted")


@given(policies_with_logs(repeating=False, commanded=False), st.data())
def test_granted_and_ended_it_leaves_the_account_where_it_would_have_been(world: World, data: st.DataObject) -> None:
    """Revoked or expired; and meanwhile the stages under it are those of an account that nobody overrode."""
    policy, log = overridable(world[0], beats_risk=data.draw(st.booleans())), world[1]
    account = data.draw(st.sampled_from(sorted({record.account_id for record in log})))
    scheme = data.draw(st.sampled_from(policy.schemes))
    tier = data.draw(st.sampled_from(scheme.ladder.tiers))
    first = data.draw(st.integers(1, len(log)))
    last = data.draw(st.integers(first, len(log) + 1))  # beyond the log: it is not revoked but expires
    lasts_ms = LONG_MS if data.draw(st.booleans()) else data.draw(gaps(policy).filter(lambda gap_ms: 0 < gap_ms <= LONG_MS))
    plain, covered = Folding(policy), Folding(policy)
    for place, record in enumerate(log, 1):
        plain.fold(record)
        covered.fold(record)
        clock_ms = clock_of(covered, account)
        if place == first and clock_ms is not None:
            covered.fold(granted(account, clock_ms, scheme.name, tier, clock_ms + lasts_ms))
            assert covered.records("actions")[-1].kind == "DONE"
        if place == last and clock_ms is not None:
            covered.fold(command(account, "REVOKE_OVERRIDE", clock_ms, arguments={"scheme": scheme.name}))
        if clock_ms is not None:
            the_stages_under_it_are_those_of(plain, covered, account)
    end_ms = long_after(policy, log) + LONG_MS
    assert standings(plain, account, end_ms) == standings(covered, account, end_ms)


def standings(f: Folding, account: str, at_ms: int) -> dict[str, Any]:
    """Where the account stands; without the clocks that follow the published tier, which an override is meant to move."""
    follow = {clock.name for clock in f.policy.clocks if clock.warns_only}
    stood = all_standings(f, account, at_ms)
    stood.pop("clock_at")  # an override that expires is something that happens to the account
    return stood | {"clocks": [clock for clock in stood["clocks"] if clock["name"] not in follow]}


def row_of(f: Folding, account: str) -> Row | None:
    number = f.partition._accounts.find(account.encode())
    return None if number is None else f.partition._accounts.row(number)


def clock_of(f: Folding, account: str) -> int | None:
    row = row_of(f, account)
    return None if row is None else int(row["account.clock_ms"])


def the_stages_under_it_are_those_of(plain: Folding, covered: Folding, account: str) -> None:
    """What is earned, seated and gated is the same, and what is published is what the override says."""
    for scheme in plain.policy.schemes:
        one, two = row_of(plain, account), row_of(covered, account)
        assert one is not None
        assert two is not None
        for stage in ("earned", "seated", "gated"):
            assert one[scheme.column(stage)] == two[scheme.column(stage)]
        assert two[scheme.column("published")] == overrides.published(scheme, two)
        if overrides.until_ms(scheme, two) >= UNBOUNDED:
            assert one[scheme.column("published")] == two[scheme.column("published")]
