"""How a registry is asked: credentials and certificates reach it and no message, and what went wrong is told apart."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from agents.embedded.ports import free_ports
from agents.registry_client import RegistryClient, RegistryDown, RegistryRefused
from schemas.errors import SettingsError

SECRET = "open-sesame"
USER = f"Basic {base64.b64encode(f'kim:{SECRET}'.encode()).decode()}"


class Answers(BaseHTTPRequestHandler):
    """Answers by path, to those who say who they are."""

    def do_GET(self) -> None:
        status = int(self.path.rsplit("/", 1)[-1])
        if self.headers["Authorization"] not in (USER, f"Bearer {SECRET}"):
            status = 401
        body = json.dumps({"message": f"said with {status}"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Nothing is said on stderr."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    (port,) = free_ports(1)
    server = HTTPServer(("127.0.0.1", port), Answers)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("options", [{"basic.auth.user.info": f"kim:{SECRET}"}, {"bearer.auth.token": SECRET}])
def test_answers_none_refusals_and_silence_are_told_apart(options: dict[str, str]) -> None:
    with serving() as url:
        client = RegistryClient(url, options, 10.0)
        assert client.ask("GET", "/200") == {"message": "said with 200"}
        assert client.ask("GET", "/404") is None
        with pytest.raises(RegistryRefused, match=r"^409 said with 409$"):
            client.ask("GET", "/409")
        with pytest.raises(RegistryDown, match="503 said with 503"):
            client.ask("GET", "/503")
    with pytest.raises(RegistryDown):
        client.ask("GET", "/200")


def test_who_may_not_is_told_so_without_the_password() -> None:
    with serving() as url, pytest.raises(RegistryRefused, match="401") as refused:
        RegistryClient(url, {"basic.auth.user.info": f"lee:{SECRET}"}, 10.0).ask("GET", "/200")
    assert SECRET not in str(refused.value)


def test_of_several_addresses_the_first_that_answers_is_asked() -> None:
    (nobody,) = free_ports(1)
    with serving() as url:
        client = RegistryClient(f"http://127.0.0.1:{nobody}, {url}/", {"bearer.auth.token": SECRET}, 10.0)
        assert client.ask("GET", "/200") is not None


def test_a_certificate_is_checked_against_the_authority_that_is_named(tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(tls) as url:
        trusting = RegistryClient(url, {"ssl.ca.location": str(tmp_path / "ca.pem"), "bearer.auth.token": SECRET}, 10.0)
        assert trusting.ask("GET", "/200") is not None
        with pytest.raises(RegistryDown, match="certificate"):
            RegistryClient(url, {"bearer.auth.token": SECRET}, 10.0).ask("GET", "/200")


def test_an_option_that_does_not_exist_and_a_file_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"TIERSTREAM_REGISTRY\.basic\.auth\.user does not exist: the options are basic"):
        RegistryClient("http://a", {"basic.auth.user": SECRET}, 1.0)
    with pytest.raises(SettingsError, match=r"ssl\.\*: the files must be PEM that can be read"):
        RegistryClient("https://a", {"ssl.ca.location": str(tmp_path / "none.pem")}, 1.0)
