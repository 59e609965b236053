"""A TCP proxy on loopback that can be cut, stopped, or made deaf: what a network does to a real connection."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from ledger.embedded.ports import LOOPBACK, free_port

T = TypeVar("T")
_CHUNK_BYTES = 65_536
_CALL_SECONDS_MAX = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class TcpProxy:
    """Forwards connections to one port; runs in a thread of its own, so blocking and async tests can both use it."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._open: set[asyncio.StreamWriter] = set()
        self._hearing = asyncio.Event()
        self._hearing.set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()
        self.resume()

    def cut(self) -> None:
        """Reset every open connection; new ones are taken."""
        self._call(self._cut())

    def stop(self) -> None:
        """Reset every open connection and refuse new ones until `resume`."""
        self._call(self._stop())

    def resume(self) -> None:
        """Take connections again, on the same port."""
        self._call(self._listen())

    def deafen(self) -> None:
        """Keep connections open and take new ones, but pass nothing on until `hear`."""
        self._loop.call_soon_threadsafe(self._hearing.clear)

    def hear(self) -> None:
        """Pass everything on again, what was held back first."""
        self._loop.call_soon_threadsafe(self._hearing.set)

    def close(self) -> None:
        """End the proxy for good."""
        self.hear()
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS_MAX)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS_MAX)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._take, LOOPBACK, self.port)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "forward"]
        for writer in [each for each in self._open if not each.is_closing()]:
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(client_writer):
            try:
                server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
            except OSError:  # the target is down: the client sees its connection closed
                return
            self._open |= {client_writer, server_writer}
            ways = [(client_reader, server_writer), (server_reader, client_writer)]
            tasks = [asyncio.create_task(self._forward(*way), name="forward") for way in ways]
            await asyncio.wait(tasks)
            server_writer.close()
            self._open -= {client_writer, server_writer}

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # one side has gone; the other is told by the close
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._hearing.wait()
                writer.write(chunk)
                await writer.drain()
            writer.close()


@pytest.fixture
def tcp_proxy() -> Iterator[Callable[[int], TcpProxy]]:
    """Makes proxies to a port of loopback; all are closed after the test."""
    with contextlib.ExitStack() as made:

        def make(target_port: int) -> TcpProxy:
            proxy = TcpProxy(target_port)
            made.callback(proxy.close)
            return proxy

        yield make
