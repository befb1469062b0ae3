"""Laws of an upgrade in place and of going back: a version reads what another one wrote, by meaning, where the policy is the same.

The other version is played by rewriting the changelog as one would have written it that has a column and a part of the dossier more, and
its columns in another order.
"""

import msgspec
import numpy as np
import pytest

from schemas import changelog
from streams.columns import Column, Layout, laid_out, template
from streams.masked_rows import pack
from streams.policy import CompiledPolicy
from tests.builders import DAY, MINUTE, NOON, interaction, prediction, profile, risk
from tests.folding import Folding, bytes_of, restored, shipped

ACCOUNTS = ("acct-0", "acct-1", "acct-2")
EXTRA = Column("measures.invented_later.total", "<i8", "of the other version", start=7)


def lived(policy: CompiledPolicy) -> Folding:
    """Accounts with a profile, a risk that was withdrawn, and some days of work."""
    folding = Folding(policy)
    for number, account in enumerate(ACCOUNTS):
        known = profile(account, industry="finance", size="large", region="core", owner_id="sdr-1", custom={"fit": 0.5})
        visits = [interaction(account, "PRICE_INQUIRY", NOON + turn * DAY) for turn in range(number + 2)]
        folding.fold(known, *visits, risk(account, at=NOON + 4 * DAY), prediction(account, 90.0, NOON + 4 * DAY + MINUTE))
        folding.fold(risk(account, "WITHDRAWN", NOON + 5 * DAY))
    folding.keep()
    return folding


def by_another_version(written: dict[bytes, bytes], policy: CompiledPolicy) -> dict[bytes, bytes]:
    """The changelog as the other version would have written it."""
    known = Layout.decode(next(payload for key, payload in written.items() if changelog.classify(key) is changelog.Kind.LAYOUT))
    columns = [EXTRA, *reversed(policy.columns)]
    other = laid_out(columns)
    start = template(other, columns)
    other = other.starting(_with(known.start.view(known.dtype), start))
    rewritten = {changelog.layout_key(other.layout_id): other.encoded}
    for key, payload in written.items():
        match changelog.classify(key):
            case changelog.Kind.ROW:
                rewritten[key] = changelog.row_payload(other.layout_id, _moved(changelog.row_of(payload)[1], known, other))
            case changelog.Kind.DOSSIER:
                parts = msgspec.msgpack.decode(payload[1:])
                rewritten[key] = changelog.dossier_payload(msgspec.msgpack.encode([*parts, {"a part": "of the other version"}]))
            case changelog.Kind.LAYOUT:
                pass
            case _:
                rewritten[key] = payload
    return rewritten


def _with(row: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The other version's row with all columns of ours."""
    for name in row.dtype.names or ():
        other[name] = row[name]
    return other


def _moved(packed: bytes, known: Layout, other: Layout) -> bytes:
    """A row of the known layout as the other one keeps it."""
    row = other.start.copy()
    _with(known.unpacked(packed), row.view(other.dtype))[EXTRA.name] = 99
    room = np.zeros(2 * len(row) + 2, np.int64)
    return room[: pack(row, other.start, room)].tobytes()


@pytest.mark.parametrize("name", ["sabc", "sabc-live", "demo"])
def test_a_version_goes_on_where_another_one_with_a_column_and_a_part_more_was(name: str) -> None:
    live = lived(shipped(name))
    back = restored(by_another_version(live.changelog, live.policy), live.policy)
    assert [back.view(account) for account in ACCOUNTS] == [live.view(account) for account in ACCOUNTS]


@pytest.mark.parametrize("name", ["sabc", "sabc-live"])
def test_what_it_decides_from_there_on_is_what_the_other_one_would_have(name: str) -> None:
    live = lived(shipped(name))
    other = Folding(live.policy)
    other.partition = restored(by_another_version(live.changelog, live.policy), live.policy)
    other._offsets = dict(live._offsets)
    decided = len(live.published)
    for folding in (live, other):
        for account in ACCOUNTS:
            folding.fold(*(interaction(account, "DOWNLOAD", NOON + (6 + turn) * DAY, event_id=f"{account} {turn}") for turn in range(4)))
            folding.fold(risk(account, at=NOON + 11 * DAY, event_id=f"{account} sued"))
    assert other.published
    assert bytes_of(other.published) == bytes_of(live.published[decided:])
