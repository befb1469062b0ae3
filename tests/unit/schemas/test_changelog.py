"""Keys and payloads of the state changelog: final formats, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import changelog
from schemas.changelog import ChangelogError, Kind, Progress
from schemas.topics import INPUTS
from tests.strategies import account_ids

LAYOUT_IDS = st.integers(0, 2**64 - 1)


def test_the_bytes_are_these() -> None:
    assert changelog.row_key(b"acme") == b"racme"
    assert changelog.dossier_key(b"acme") == b"dacme"
    assert changelog.layout_key(0xAB) == b"\0layout\0" + b"00000000000000ab"
    assert changelog.progress_key("orders") == b"\0progress\0orders"
    assert changelog.row_payload(0xAB, b"row") == b"\0\0\0\0\0\0\0\xabrow"
    assert changelog.dossier_payload(b"packed") == b"\x01packed"
    assert changelog.progress_payload(Progress(7, "abc", "id")) == b'{"next_offset":7,"policy_digest":"abc","topic_id":"id"}'


@given(account_ids)
def test_the_keys_of_an_account_are_never_taken_for_another_kind(account_id: str) -> None:
    account = account_id.encode()
    row, dossier = changelog.row_key(account), changelog.dossier_key(account)
    assert (changelog.classify(row), changelog.account_of(row)) == (Kind.ROW, account)
    assert (changelog.classify(dossier), changelog.account_of(dossier)) == (Kind.DOSSIER, account)


@given(LAYOUT_IDS, st.binary(max_size=40))
def test_rows_dossiers_and_layouts_come_back(layout_id: int, content: bytes) -> None:
    key = changelog.layout_key(layout_id)
    assert (changelog.classify(key), changelog.layout_id_of(key)) == (Kind.LAYOUT, layout_id)
    assert changelog.row_of(changelog.row_payload(layout_id, content)) == (layout_id, content)
    assert changelog.is_dossier(changelog.dossier_payload(content)) == bool(content)
    assert not changelog.is_dossier(b"\x02" + content)


@given(st.sampled_from(sorted(INPUTS)), st.integers(0, 2**63 - 1), st.text(max_size=20))
def test_progress_comes_back(topic: str, next_offset: int, digest: str) -> None:
    key, progress = changelog.progress_key(topic), Progress(next_offset, digest, "id")
    assert (changelog.classify(key), changelog.topic_of(key)) == (Kind.PROGRESS, topic)
    assert changelog.progress_of(changelog.progress_payload(progress)) == progress


@pytest.mark.parametrize("key", [b"", b"r", b"d", b"x", b"\0", b"\0other\0key"])
def test_a_key_of_no_kind_stops_the_process(key: bytes) -> None:
    with pytest.raises(ChangelogError, match="changelog key must be"):
        changelog.classify(key)


@pytest.mark.parametrize(
    "read",
    [
        lambda: changelog.row_of(b"short"),
        lambda: changelog.layout_id_of(changelog.LAYOUT_PREFIX + b"0000_0000_0000_0"),
        lambda: changelog.progress_of(b"{}"),
        lambda: changelog.progress_of(b"\xff"),
    ],
)
def test_a_payload_that_we_cannot_have_written_stops_the_process(read: object) -> None:
    assert callable(read)
    with pytest.raises(ChangelogError, match="must"):
        read()
