"""The law of stages for overrides: what one covers goes on being computed, and is found again when it ends, whatever happens meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Command
from streams import overrides
from streams.policy import CompiledPolicy
from streams.schemes.override import OverrideSpec
from tests.builders import DAY, command
from tests.folding import Folding
from tests.histories import gaps, long_after
from tests.properties.test_fold_laws import standings
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
        seen = covered.partition.view(account)
        if place == first and seen:
            covered.fold(granted(account, seen["clock_at"], scheme.name, tier, seen["clock_at"] + lasts_ms))
            assert covered.records("actions")[-1].kind == "DONE"
        if place == last and seen:
            covered.fold(command(account, "REVOKE_OVERRIDE", covered.view(account)["clock_at"], arguments={"scheme": scheme.name}))
        if seen:
            the_stages_under_it_are_those_of(plain, covered, account)
    for each in plain.partition.account_ids():
        for look_ms in (0, long_after(policy, log), long_after(policy, log) + LONG_MS):
            known = covered.view(each)["clock_at"] if look_ms == 0 else look_ms
            there = covered.partition.view(each, look_ms)
            assert there is not None
            if all(standing["override"] is None for standing in there["schemes"].values()):
                assert standings(plain, each, known) == standings(covered, each, known)


def the_stages_under_it_are_those_of(plain: Folding, covered: Folding, account: str) -> None:
    """What is earned, seated and gated is the same, and what is published is what the override says."""
    for scheme in plain.policy.schemes:
        one, two = (f.view(account)["schemes"][scheme.name] for f in (plain, covered))
        assert [one[stage] for stage in ("earned", "seated", "gated")] == [two[stage] for stage in ("earned", "seated", "gated")]
        number = covered.partition._accounts.find(account.encode())
        assert number is not None
        row = covered.partition._accounts.row(number)
        assert two["published"] == scheme.ladder.tiers[overrides.published(scheme, row)]
        if two["override"] is None:
            assert one["published"] == two["published"]
