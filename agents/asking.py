"""Asks a worker about an account over HTTP. Any worker of the engine may be asked: the one that has the account answers.

Light on purpose: who only asks loads no Kafka client, no codec and no engine. What answers must be of the engine that is meant:
another one's worker, or whatever else listens there, has nothing to say about its accounts.
"""

import json
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from schemas.errors import SettingsError

ENGINE_HEADER = "X-Tierstream-Engine"
"""Carries topic prefix and application id of the engine that answers."""

BUSY = 503
ANSWER_S = 5.0
PATIENCE_S = 5.0
"""How long a worker is asked again that says that it cannot answer just now."""

_PAUSE_S = 0.5


class Answer(NamedTuple):
    """An account's view; None: there is no such account."""

    view: dict[str, Any] | None


class Unanswered(NamedTuple):
    """Nobody said anything about the account: why not, and whether asking again may help."""

    because: str
    again: bool = False


class _Reply(NamedTuple):
    status: int
    engine: str | None
    body: bytes


class _Place(NamedTuple):
    """Where a worker listens."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def url(self) -> str:
        """For people."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port is not None else "")


def asked(url: str, engine: str, account_id: str, at_ms: int | None) -> Answer | Unanswered:
    """What the worker at `url` says. Raises SettingsError for a `url` that is none."""
    place, give_up_at = _place(url), time.monotonic() + PATIENCE_S
    query = f"?at={at_ms}" if at_ms is not None else ""
    path = f"{place.path}/accounts/{quote(account_id, safe='')}{query}"
    while True:
        answer = _asked_once(place, path, engine)
        if isinstance(answer, Answer) or not answer.again or time.monotonic() > give_up_at:
            return answer
        time.sleep(_PAUSE_S)


def _place(url: str) -> _Place:
    said = urlsplit(url)
    try:
        place = _Place(said.scheme, said.hostname or "", said.port, said.path.rstrip("/"))
    except ValueError:
        place = None
    if place is None or not place.host or place.scheme not in ("http", "https"):
        raise SettingsError(f"--url must be that of a worker, such as http://127.0.0.1:6066, got {url!r}")
    return place


def _asked_once(place: _Place, path: str, engine: str) -> Answer | Unanswered:
    try:
        reply = _get(place, path)
    except (OSError, HTTPException):
        return Unanswered(f"no worker answers at {place.url}")
    if reply.engine != engine:
        who = f"a worker of {reply.engine}, not of {engine}" if reply.engine else "no worker of tierstream"
        return Unanswered(f"what answers at {place.url} is {who}")
    match reply.status:
        case 200:
            return Answer(json.loads(reply.body))
        case 404:
            return Answer(None)
    said = json.loads(reply.body).get("error", reply.status)
    return Unanswered(f"the worker at {place.url} cannot answer now: {said}", again=reply.status == BUSY)


def _get(place: _Place, path: str) -> _Reply:
    make = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = make(place.host, place.port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return _Reply(response.status, response.headers.get(ENGINE_HEADER), response.read())
    finally:
        connection.close()
