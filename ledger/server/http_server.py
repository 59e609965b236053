"""uvicorn in the event loop that also runs gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn

from ledger.server.http_front import HttpFront
from ledger.server.listen_address import ListenAddress, bound_socket


class HttpServer:
    """Serves one ASGI application on one listener."""

    def __init__(self, front: HttpFront, drain_seconds_max: float) -> None:
        self._front = front
        config = uvicorn.Config(
            front,  # pyright: ignore[reportArgumentType] # asgiref's own types
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(drain_seconds_max)),
        )
        self._server = _QuietServer(config)
        self._running: asyncio.Task[None] | None = None

    async def start(self, address: ListenAddress, *, share_port: bool = False) -> int:
        """Listens; the port. Raises OSError where the port is taken, with `share_port` by one who does not share it."""
        listener = bound_socket(address, share_port=share_port)
        port: int = listener.getsockname()[1]
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")
        await self._server.has_started.wait()
        return port

    async def stop(self) -> None:
        """Takes no more requests, lets those under way end, and after the grace ends them."""
        self._front.stopping = True
        self._server.should_exit = True
        if self._running is not None:
            await self._running


class _QuietServer(uvicorn.Server):
    """Leaves the signals of the process to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.has_started.set()
