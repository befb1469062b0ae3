"""The application tells Faust the truth: scoring is an agent, accounts are a table that nobody else writes."""

from pathlib import Path
from typing import Any

import pytest

from agents.app import TierApp, create_app
from agents.clocks import wall_clock
from agents.lane_table import NotHere, ReadOnlyTable
from agents.readiness import report
from agents.settings import load_settings
from streams.cycle import fold_cycle
from streams.policy import load_policy

POLICY = Path(__file__).parents[3] / "policies" / "sabc.yaml"


@pytest.fixture
def app() -> TierApp:
    settings = load_settings({"policy": POLICY, "topic_prefix": "eu-", "application_id": "blue", "partitions": 4, "web_port": 0})
    return create_app(settings, load_policy(POLICY), wall_clock)


def test_the_agent_is_the_fold_and_its_topics_are_the_policys(app: TierApp) -> None:
    scoring = app.agents["scoring"]
    assert scoring.fun is fold_cycle
    assert scoring.get_topic_names() == [f"eu-{topic}" for topic in load_policy(POLICY).folded]
    assert scoring.channel.get_topic_name() == ", ".join(scoring.get_topic_names())


def test_group_and_changelog_are_named_by_prefix_and_application(app: TierApp) -> None:
    assert app.conf.id == "eu-blue"
    assert app.tables["accounts"].changelog_topic_name == "eu-blue-accounts-changelog"
    assert app.tables.changelog_topics == {"eu-blue-accounts-changelog"}


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.__setitem__("a", {}),
        lambda table: table.__delitem__("a"),
        lambda table: table.update(a={}),
        lambda table: table.clear(),
        lambda table: table.data.__setitem__("a", {}),
        lambda table: table.data.__delitem__("a"),
        lambda table: table.data.clear(),
        lambda table: table.send_changelog(0, "a", {}),
        lambda table: table.data.apply_changelog_batch([], None, None),
    ],
)
def test_every_write_to_the_table_is_refused(app: TierApp, write: Any) -> None:
    with pytest.raises(ReadOnlyTable, match="written by their lanes alone"):
        write(app.tables["accounts"])


def test_an_account_of_a_partition_that_is_elsewhere_is_not_here(app: TierApp) -> None:
    with pytest.raises(NotHere, match=r"partition \d is not on this worker"):
        app.tables["accounts"].data.seen("acme")


def test_accounts_are_not_listed(app: TierApp) -> None:
    with pytest.raises(TypeError, match="one by one"):
        list(app.tables["accounts"])


def test_nothing_is_sent_to_the_agent_itself(app: TierApp) -> None:
    with pytest.raises(TypeError, match="send to one of the topics eu-interactions"):
        app.agents["scoring"].channel.send_soon(value=b"x")


def test_faust_makes_no_topic_and_no_directory(app: TierApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app._create_directories()
    assert app.conf.topic_allow_declare is False
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_was_told_nothing_is_not_ready(app: TierApp) -> None:
    assert report(app) == {"ready": False, "lanes": {}, "not_ready": ["the group is assigning partitions"]}
