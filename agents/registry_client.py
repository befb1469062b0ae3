"""What is asked of a schema registry: Confluent's HTTP API, which Apicurio (`/apis/ccompat/v7`), Karapace and Redpanda speak too.

Rules: a question has an answer, none (404), a refusal with the registry's own words, or nobody answered; which of these it was is all that
a caller has to know. Passwords are in headers alone, never in a message.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

from schemas.errors import SettingsError, TierstreamError

_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_NOT_FOUND: Final = 404
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WORDS: Final = 500
OPTIONS: Final = (
    "basic.auth.user.info", "bearer.auth.token", "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password",
)  # fmt: skip


class RegistryDown(TierstreamError):
    """Nobody answered, or the answer was that it cannot be answered now."""


class RegistryRefused(TierstreamError):
    """The registry answered that it will not."""


class RegistryClient:
    """One registry. `url`: where its API begins; several are tried in order, comma between. Safe to share between threads."""

    def __init__(self, url: str, options: Mapping[str, str], timeout_s: float) -> None:
        """Raises SettingsError for options that do not exist or files that cannot be read."""
        if unknown := sorted(set(options) - set(OPTIONS)):
            raise SettingsError(f"TIERSTREAM_REGISTRY.{unknown[0]} does not exist: the options are {', '.join(OPTIONS)}")
        self.url = url
        self._urls = [each.strip().rstrip("/") for each in url.split(",")]
        self._headers = {"Content-Type": _TYPE, "Accept": f"{_TYPE}, application/json"} | _credentials(options)
        self._tls = _tls(options) if any(each.startswith("https:") for each in self._urls) else None
        self._timeout_s = timeout_s

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any | None:
        """The answer, None for "there is none". Raises RegistryDown and RegistryRefused."""
        down = RegistryDown("it has no address")
        for url in self._urls:
            try:
                return self._asked(method, url + path, body)
            except RegistryDown as silent:
                down = silent
        raise down

    def _asked(self, method: str, url: str, body: Mapping[str, Any] | None) -> Any | None:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        request = urllib.request.Request(url, content, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s, context=self._tls) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            words = _words(refused)
            if refused.code == _NOT_FOUND:
                return None
            raise (RegistryDown if refused.code in _PASSING else RegistryRefused)(f"{refused.code} {words}") from refused
        except (OSError, HTTPException, ValueError) as failed:  # URLError is an OSError; what is no JSON is no registry
            raise RegistryDown(str(getattr(failed, "reason", failed)) or type(failed).__name__) from failed


def _words(refused: urllib.error.HTTPError) -> str:
    """What the registry says, as it says it."""
    said = refused.read().decode(errors="replace")
    try:
        said = str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        said = said or refused.reason
    return said[:_LONGEST_WORDS]


def _credentials(options: Mapping[str, str]) -> dict[str, str]:
    if (user := options.get("basic.auth.user.info")) is not None:
        return {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    if (token := options.get("bearer.auth.token")) is not None:
        return {"Authorization": f"Bearer {token}"}
    return {}


def _tls(options: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.get("ssl.ca.location"))
        if (certificate := options.get("ssl.certificate.location")) is not None:
            context.load_cert_chain(certificate, options.get("ssl.key.location"), options.get("ssl.key.password"))
    except (OSError, ssl.SSLError) as problem:
        raise SettingsError(f"TIERSTREAM_REGISTRY.ssl.*: the files must be PEM that can be read ({problem})") from problem
    return context
