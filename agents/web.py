"""What a worker answers on its own web server, which is Faust's.

    /accounts/ID  one account as its lane has it; asked on any worker it is answered by the owner; ?at=MS: as of that instant

and what `agents/views.py` says of every process.

Rules: an answer about an account is never stale or half-done. 404 means that there is no such account; 503 with its reason means
that the partition is moving, being restored or busy, and that asking again will help. Each of them names the engine that says so.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import aiohttp
from aiohttp.web import BaseSite, SockSite
from faust.app.router import Router
from faust.exceptions import SameNode
from faust.web.drivers.aiohttp import Web
from yarl import URL

from agents import metrics
from agents.asking import BUSY, ENGINE_HEADER
from agents.lane_table import LaneTable, NotHere
from agents.views import register_views
from schemas.limits import YEAR_2200_MS
from streams.partitioning import partition_for

_ROUTED = "X-Tierstream-Routed"
_ROUTE_S = 5.0
_ASK_AGAIN = {"Retry-After": "1"}


class ListeningWeb(Web):
    """Faust's web server on the socket that the worker has bound."""

    def _new_transport_tcp(self) -> BaseSite:
        """Replaces `Web._new_transport_tcp`, which binds host and port itself, late and to one port."""
        listener = self.app.listener
        return SockSite(self._runner, listener) if listener is not None else super()._new_transport_tcp()


class AccountRouter(Router):
    """Faust's router, which forwards once at most, waits a limited time and says why it cannot."""

    def key_store(self, table_name: str, key: Any) -> URL:
        """Replaces `Router.key_store`, which asks a producer that has never heard of the changelog. Raises KeyError: nobody has it."""
        table = self._get_table(table_name)
        number = partition_for(str(key).encode(), table.partitions)
        for url, held in self.table_metadata(table_name).items():
            if number in held.get(table.changelog, ()):
                return URL(url)
        raise KeyError(key)

    async def route_req(self, table_name: str, key: Any, web: Web, request: Any) -> Any:
        """Replaces `Router.route_req`, whose refusal has no reason."""
        try:
            owner = self.key_store(table_name, key)
        except KeyError:
            return _busy(web, "no worker has the account's partition yet")
        return await self._route_req(owner, web, request)

    async def _route_req(self, dest_url: URL, web: Web, request: Any) -> Any:
        """Replaces `Router._route_req`, which forwards again and again while two workers disagree on the owner."""
        if self._urlident(dest_url) == self._urlident(self.app.conf.canonical_url):
            raise SameNode
        if _ROUTED in request.headers:
            return _busy(web, "the account's partition is moving to another worker")
        target = dest_url.join(URL(request.raw_path, encoded=True))
        try:
            async with self.app.http_client.get(target, headers={_ROUTED: "1"}, timeout=aiohttp.ClientTimeout(total=_ROUTE_S)) as answer:
                headers = {ENGINE_HEADER: answer.headers.get(ENGINE_HEADER, ""), **(_ASK_AGAIN if answer.status == BUSY else {})}
                return web.text(await answer.text(), content_type=answer.content_type, status=answer.status, headers=headers)
        except (aiohttp.ClientError, TimeoutError):
            return _busy(web, f"the worker that has the account does not answer at {dest_url}")


def register(app: Any, accounts: LaneTable) -> None:
    """Add the views to the application."""

    @app.page("/accounts/{account_id}")
    @app.table_route(table=accounts, match_info="account_id")
    async def account(view: Any, request: Any, account_id: str) -> Any:
        """One account."""
        asked = request.query.get("at")
        if asked is not None and not _is_instant(asked):
            return _answer(view, {"error": f"at must be epoch milliseconds before the year 2200, got {asked[:60]!r}"}, 400)
        try:
            seen = await asyncio.to_thread(accounts.data.seen, account_id, int(asked) if asked is not None else None)
        except NotHere as reason:
            return _busy(view, str(reason))
        except TimeoutError:
            return _busy(view, "the account's lane is committing")
        return _answer(view, {"error": f"there is no account {account_id}"}, 404) if seen is None else _answer(view, seen)

    register_views(app, lambda: metrics.exposition(app.lanes, app.lagging, app.settings))


def _is_instant(asked: str) -> bool:
    return asked.isascii() and asked.isdecimal() and len(asked) <= len(str(YEAR_2200_MS)) and int(asked) < YEAR_2200_MS


def _answer(web: Any, said: Any, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Any:
    return web.json(said, status=status, headers={ENGINE_HEADER: web.app.conf.id, **headers})


def _busy(web: Any, reason: str) -> Any:
    return _answer(web, {"error": reason}, BUSY, _ASK_AGAIN)
