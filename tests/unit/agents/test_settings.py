"""Laws of settings: one declaration each, every problem at once, no secret ever shown."""

from pathlib import Path

import pytest

from agents.settings import Settings, catalogue, load_settings
from schemas.errors import SettingsError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tierstream.toml"
    monkeypatch.setenv("TIERSTREAM_SETTINGS", str(path))
    return path


def test_what_is_passed_beats_the_environment_which_beats_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('partitions = 3\nweb_port = 3\napplication_id = "file"\n')
    monkeypatch.setenv("TIERSTREAM_PARTITIONS", "4")
    monkeypatch.setenv("TIERSTREAM_WEB_PORT", "4")
    settings = load_settings({"partitions": 5, "web_port": None})
    assert (settings.partitions, settings.web_port, settings.application_id) == (5, 4, "file")


def test_every_problem_is_listed_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERSTREAM_PARTITIONS", "0")
    monkeypatch.setenv("TIERSTREAM_CLOCK", "sun")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert refused.value.problems == [
        "TIERSTREAM_PARTITIONS: input should be greater than or equal to 1, got '0'",
        "TIERSTREAM_CLOCK: input should be 'wall' or 'records', got 'sun'",
    ]


def test_a_misspelt_setting_in_the_file_is_refused(file: Path) -> None:
    file.write_text("partitons = 3\n")
    with pytest.raises(SettingsError, match="partitons: there is no such setting"):
        load_settings()


@pytest.mark.parametrize(("content", "fault"), [(None, "must name a readable file"), ("= 3", "must name a TOML file")])
def test_an_unreadable_file_is_one_sentence(file: Path, content: str | None, fault: str) -> None:
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=fault):
        load_settings()


def test_client_options_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERSTREAM_KAFKA", '{"sasl.password": "open-sesame"}')
    settings = load_settings()
    assert settings.kafka == {"sasl.password": "open-sesame"}
    assert "sesame" not in repr(settings) + str(settings)
    monkeypatch.setenv("TIERSTREAM_KAFKA", '{"sasl.password": ["open-sesame"]}')
    with pytest.raises(SettingsError, match=r"TIERSTREAM_KAFKA\.sasl\.password") as refused:
        load_settings()
    assert "sesame" not in str(refused.value)
    monkeypatch.setenv("TIERSTREAM_KAFKA", '{"sasl.password": "open-sesame')
    with pytest.raises(SettingsError, match="must be a JSON object") as unreadable:
        load_settings()
    assert "sesame" not in str(unreadable.value)


def test_every_setting_says_what_it_means_and_every_duration_its_unit() -> None:
    units = {"_ms": "ms", "_s": "s"}
    for setting in catalogue():
        assert setting.meaning, setting.variable
        for ending, unit in units.items():
            if setting.variable.lower().endswith(ending):
                assert setting.unit == unit, setting.variable
    assert len(catalogue()) == len(Settings.model_fields)


def test_deployments_on_one_cluster_share_neither_topics_nor_owners() -> None:
    one, other = load_settings({"topic_prefix": "a-"}), load_settings({"topic_prefix": "b-"})
    assert one.topic_name("interactions") == "a-interactions"
    assert one.topic_name("fold-order") == "a-tierstream-fold-order"
    assert one.transactional_id(3) == "a-tierstream-3"
    assert one.transactional_id(3) != other.transactional_id(3)
