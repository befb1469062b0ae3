"""A network that can be broken: a TCP proxy on the loopback interface, between clients and a broker's listener of its own.

What it can do to the connections there are: `latency_s` for every piece in each direction; `cut` resets them; `silence` carries nothing,
closes nothing and accepts whoever comes, as a router that hangs (half-open), until `speak`; `forget` lets them hang for good, as a
firewall that has lost its table, while new ones work.
"""

import asyncio
import socket
import struct
import threading
from types import TracebackType
from typing import Any

_PIECE = 262_144
_RESETS = struct.pack("ii", 1, 0)
_ANSWER_S = 10.0
Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """One client's way to the broker and back."""

    def __init__(self, proxy: "Proxy", client: Way, broker: Way) -> None:
        self._proxy, self._client, self._broker = proxy, client, broker
        self._heard = asyncio.Event()
        self._heard.set()

    async def carry(self) -> None:
        """Both ways, until one side has closed."""
        there = asyncio.ensure_future(self._pump(self._client[0], self._broker[1]))
        back = asyncio.ensure_future(self._pump(self._broker[0], self._client[1]))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        for pump in (there, back):
            pump.cancel()
        for writer in self._writers():
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(_PIECE):
                await asyncio.sleep(self._proxy.latency_s)
                await self._proxy.carries.wait()
                await self._heard.wait()
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            return

    def _writers(self) -> tuple[asyncio.StreamWriter, asyncio.StreamWriter]:
        return self._client[1], self._broker[1]

    def reset(self) -> None:
        """End it as a crash would."""
        self._heard.set()
        for writer in self._writers():
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            writer.transport.abort()

    def hang(self) -> None:
        """Carry nothing any more."""
        self._heard.clear()


class Proxy:
    """Listens on `port`, carries to `target`; a thread of its own while the context lasts."""

    def __init__(self, port: int, target: int) -> None:
        self.latency_s = 0.0
        self.carries = asyncio.Event()
        self._port, self._target = port, target
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._server = self._there(asyncio.start_server(self._accept, "127.0.0.1", self._port))
        self.speak()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._there(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_S)
        self._loop.close()

    def cut(self) -> int:
        """Reset every connection; says how many."""
        return int(self._there(self._each(Connection.reset)))

    def silence(self) -> None:
        """Nothing goes through until `speak`."""
        self._loop.call_soon_threadsafe(self.carries.clear)

    def speak(self) -> None:
        """Everything goes through, what has waited first."""
        self._loop.call_soon_threadsafe(self.carries.set)

    def forget(self) -> int:
        """The connections there are carry nothing any more; says how many."""
        return int(self._there(self._each(Connection.hang)))

    def _there(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)

    async def _each(self, do: Any) -> int:
        for connection in list(self._connections):
            do(connection)
        return len(self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            broker = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        connection = Connection(self, (reader, writer), broker)
        self._connections.add(connection)
        try:
            await connection.carry()
        finally:
            self._connections.discard(connection)

    async def _end(self) -> None:
        self._server.close()
        self.carries.set()
        await self._each(Connection.reset)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=_ANSWER_S)
