"""The projection on Debian's Redis: the same laws as on the Valkey of the wheel, and TLS, which that one has not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import trustme

from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from agents.projecting.process import ready_store
from agents.projecting.store import Store
from agents.settings import load_settings
from schemas.errors import SettingsError
from tests import workers
from tests.companions.programs import Program, Server, serving
from tests.integration.test_projection import World
from tests.properties.test_projection_laws import ALL, Life, end_as_the_newest


def test_debian_s_redis_ends_as_the_newest_says_too(redis_server: Server) -> None:
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    store = Store(load_settings({"redis_url": url, "redis_prefix": "laws"}))
    assert store.problems() == []
    store.begin(0, ALL)
    lives = [Life(f"a{n}", ((6, "kim"), (5, "lee")), erased=n % 2 == 0) for n in range(8)]
    end_as_the_newest(store, redis.Redis.from_url(url, decode_responses=True, socket_timeout=60), lives, seed=7)


def test_the_projection_speaks_tls_and_refuses_who_cannot_prove_his_name(
    kafka: Broker, prefix: str, program: Callable[[str], Program], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    port, tls_port = free_ports(2)
    server = ("--port", str(port), "--tls-port", str(tls_port), "--tls-auth-clients", "no", "--bind", "127.0.0.1", "--save", "")
    files = ("--tls-cert-file", "server.pem", "--tls-key-file", "server.pem", "--tls-ca-cert-file", "ca.pem", "--requirepass", "sesame")
    arguments = (*server, *(str(tmp_path / each) if each.endswith(".pem") else each for each in files), "--dir", str(tmp_path))
    with serving(program("redis-server"), arguments, port, tmp_path / "redis.log", _answers):
        url = f"rediss://:sesame@127.0.0.1:{tls_port}/0"
        settings = workers.deployment(kafka.bootstrap, prefix, redis_url=f"{url}?ssl_ca_certs={tmp_path / 'ca.pem'}")
        world = World(settings, tmp_path)
        world.live(10, to=3)
        with world.projecting():
            world.await_agreement()
        with pytest.raises(SettingsError, match="certificate verify failed"):
            ready_store(settings.model_copy(update={"redis_url": url}), rebuild=False)


def _answers(server: Server) -> bool:
    try:
        redis.Redis(port=server.port, password="sesame").ping()
    except redis.RedisError:
        return False
    return True
