"""What stands before the Connect application on HTTP: metrics and health for those who run the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from google.rpc import code_pb2
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from ledger.api.v1.stream_pb2 import GetStatusRequest, GetStatusResponse
from ledger.log.log_files import LogDamaged
from ledger.server.connect_app import ConnectApp
from ledger.server.connect_error import status_json
from ledger.server.edge import Edge
from ledger.server.error_status import status_of
from ledger.server.errors import EdgeError, ForeignHost, ReaderUnknown
from ledger.server.host_header import names_this_machine
from ledger.server.log_pages import PREFIX, LogPages
from ledger.server.status_metrics import StatusMetrics

_log = logging.getLogger(__name__)
_HTTP_STATUS: dict[int, int] = {
    code_pb2.NOT_FOUND: 404,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class HttpFront:
    """The ASGI application that is served."""

    def __init__(
        self,
        edge: Edge,
        registry: CollectorRegistry,
        logs: LogPages | None = None,
        unfollowed: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`unfollowed`: the hospitals whose destructions this process does not apply at the moment."""
        self._edge = edge
        self._unfollowed = unfollowed
        self._logs = logs
        self._registry = registry
        self._connect = ConnectApp(edge)
        self._pages = {"/metrics": self._metrics, "/healthz": self._healthz, "/readyz": self._readyz}
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        page = self._pages.get(scope["path"])
        if not names_this_machine(_header(scope, b"host").decode("latin-1")):
            await _answer(send, 403, "application/json", status_json(status_of(ForeignHost())))
        elif self._logs is not None and scope["path"].startswith(PREFIX):
            await self._log_page(self._logs, scope, send)
        elif page is not None and scope["method"] == "GET":
            await _answer(send, *await page())
        elif _header(scope, b"content-type").startswith(b"application/grpc"):
            # gRPC has a listener of its own; here it would fail half way, for want of trailers.
            await _answer(send, 415, "text/plain", b"gRPC is served on the gRPC address\n")
        else:
            await self._connect(scope, receive, send)  # pyright: ignore[reportArgumentType] # asgiref's own types

    async def _log_page(self, logs: LogPages, scope: Scope, send: Send) -> None:
        """A file of a log. The path is taken as it was sent: a percent sign stands in none of them."""
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, "text/plain", b"GET and HEAD only\n", ("allow", "GET, HEAD"))
            return
        try:
            page = await logs.page(scope["path"], _header(scope, b"authorization").decode("latin-1"))
        except (EdgeError, LogDamaged) as error:
            status = status_of(error)
            headers = [("www-authenticate", "Bearer")] if isinstance(error, ReaderUnknown) else []
            headers.append(("cache-control", "no-store"))
            await _answer(send, _HTTP_STATUS[status.code], "application/json", status_json(status), *headers)
        else:
            # HEAD: the server leaves the body out and keeps its length.
            await _answer(send, 200, page.content_type, page.body, ("cache-control", page.caching))

    async def _metrics(self) -> tuple[int, str, bytes]:
        of_hospitals = CollectorRegistry()
        of_hospitals.register(StatusMetrics(await self._status()))
        return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry) + generate_latest(of_hospitals)

    async def _status(self) -> GetStatusResponse | None:
        """None where the store does not answer: what the process counts by itself is wanted then most of all."""
        try:
            async with asyncio.timeout(self._edge.limits.status_seconds_max):
                return await self._edge.status.get_status(GetStatusRequest())
        except Exception:  # noqa: BLE001 # logged; the rest of the page is served
            _log.warning("no status for the metrics", exc_info=True)
            return None

    async def _healthz(self) -> tuple[int, str, bytes]:
        """The process runs its event loop."""
        return 200, "text/plain", b"ok\n"

    async def _readyz(self) -> tuple[int, str, bytes]:
        """It takes calls and its store answers."""
        if self.stopping:
            return 503, "text/plain", b"stopping\n"
        try:
            await asyncio.wait_for(self._edge.ping(), self._edge.limits.status_seconds_max)
        except Exception:  # noqa: BLE001 # whatever it is, the store does not answer
            return 503, "text/plain", b"the store does not answer\n"
        # Said, and no reason to take the process away: care is served, and no key is used for more than 30 s unasked.
        unfollowed = "".join(f"destructions are not followed: {each}\n" for each in self._unfollowed())
        return 200, "text/plain", f"ready\n{unfollowed}".encode()


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


async def _answer(send: Send, status: int, content_type: str, body: bytes, *more: tuple[str, str]) -> None:
    named = (("content-type", content_type), ("content-length", str(len(body))), *more)
    headers = [(name.encode(), value.encode()) for name, value in named]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
