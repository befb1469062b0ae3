"""What a worker says about an account is taken only from a worker of the engine that is meant, and waited for while it is busy."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from agents import asking
from agents.asking import BUSY, ENGINE_HEADER, Answer, Unanswered, asked
from schemas.errors import SettingsError

ENGINE = "shop-tierstream"


@contextmanager
def listening(*replies: tuple[int, str | None, Any]) -> Iterator[tuple[str, list[str]]]:
    """Something that listens and gives these replies (status, engine, body) in turn, the last one for ever; its URL and what was asked."""
    left, paths = list(replies), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            status, engine, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            if engine is not None:
                self.send_header(ENGINE_HEADER, engine)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_args: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_the_engine_says_is_taken_and_the_account_may_have_any_name() -> None:
    with listening((200, ENGINE, {"account_id": "a/ä?"})) as (url, paths):
        assert asked(url + "/", ENGINE, "a/ä?", 5) == Answer({"account_id": "a/ä?"})
        assert paths == ["/accounts/a%2F%C3%A4%3F?at=5"]


def test_no_such_account_is_an_answer() -> None:
    with listening((404, ENGINE, {"error": "there is no account x"})) as (url, _):
        assert asked(url, ENGINE, "x", None) == Answer(None)


@pytest.mark.parametrize(
    ("engine", "who"), [("tierstream", "a worker of tierstream, not of shop-tierstream"), (None, "no worker of tierstream")]
)
@pytest.mark.parametrize("status", [200, 404])
def test_another_engine_has_nothing_to_say(status: int, engine: str | None, who: str) -> None:
    with listening((status, engine, {})) as (url, _):
        assert asked(url, ENGINE, "x", None) == Unanswered(f"what answers at {url} is {who}")


def test_a_busy_worker_is_asked_again() -> None:
    busy = (BUSY, ENGINE, {"error": "partition 3 is being restored"})
    with listening(busy, busy, (200, ENGINE, {})) as (url, paths):
        assert asked(url, ENGINE, "x", None) == Answer({})
        assert len(paths) == 3


def test_a_worker_that_stays_busy_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.0)
    with listening((BUSY, ENGINE, {"error": "partition 3 is being restored"})) as (url, _):
        answer = asked(url, ENGINE, "x", None)
    assert isinstance(answer, Unanswered)
    assert answer.because == f"the worker at {url} cannot answer now: partition 3 is being restored"


def test_where_nobody_listens_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert asked(url, ENGINE, "x", None) == Unanswered(f"no worker answers at {url}")


@pytest.mark.parametrize("url", ["127.0.0.1:6066", "ftp://worker", "http://", "http://worker:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="--url must be that of a worker"):
        asked(url, ENGINE, "x", None)
