"""Laws of the programs beside: each is there without being installed, starts, answers, and is gone afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.embedded import processes
from agents.embedded.ports import free_ports
from tests import debian
from tests.companions.conftest import Start
from tests.companions.programs import Program, Server, serving
from tests.deployments import Deployment


def test_prometheus_starts_and_promtool_knows_its_configuration(prometheus: Start, promtool: Program, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n")
    assert "SUCCESS" in promtool.says("check", "config", tmp_path / "prometheus.yml")
    status, body = prometheus(tmp_path).get("/api/v1/query?query=vector(7)")
    assert status == 200, body
    assert '"7"' in body


def test_alertmanager_starts(alertmanager: Start, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    assert alertmanager(tmp_path).get("/api/v2/alerts") == (200, "[]\n")


def test_redis_answers_its_own_command_line(redis_server: Server, program: Callable[[str], Program]) -> None:
    cli = program("redis-cli")
    assert cli.says("-p", str(redis_server.port), "SET", "a", "1") == "OK\n"
    assert cli.says("-p", str(redis_server.port), "GET", "a") == "1\n"


def test_kcat_reads_what_lies_in_kafka(kcat: Program, deployment: Deployment) -> None:
    deployment.append("orders", "acme", payload=b"a record")
    name = deployment.settings.topic_name("orders")
    read = kcat.says("-b", deployment.settings.bootstrap_servers, "-C", "-t", name, "-e", "-q", "-f", "%k: %s\n")
    assert read == "acme: a record\n"


def test_a_program_is_gone_with_its_test(program: Callable[[str], Program], tmp_path: Path) -> None:
    (port,) = free_ports(1)
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path)
    with serving(program("redis-server"), arguments, port, tmp_path / "log", lambda _: processes.listens(port)) as server:
        assert processes.is_running(server.pid)
    assert not processes.is_running(server.pid)


def test_a_system_without_apt_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(debian.Unobtainable, match="redis-server comes from Debian packages, and this system has no apt-get"):
        debian.package("redis-server")
