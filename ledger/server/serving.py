"""Runs the edge: both listeners in one event loop, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import prometheus_client
from prometheus_client import CollectorRegistry

from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.server import listen_address
from ledger.server.edge import Edge, Query
from ledger.server.grpc_server import GrpcServer
from ledger.server.http_front import HttpFront
from ledger.server.http_server import HttpServer
from ledger.server.limits import Limits
from ledger.server.listen_address import ListenAddress
from ledger.server.log_pages import LogPages
from ledger.server.log_readers import Logs


@dataclass(frozen=True)
class Addresses:
    """Where the edge answers, with the ports as they came out."""

    grpc: str
    """`host:port`."""
    http: str
    """`http://host:port`."""


async def run_server(
    settings: Settings,
    ledger: Ledger,
    queries: Mapping[str, Query],
    stop: asyncio.Event,
    ready: Callable[[Addresses], None],
    *,
    logs: Logs | None = None,
    registry: CollectorRegistry = prometheus_client.REGISTRY,
    limits: Limits | None = None,
    unfollowed: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Serves until `stop` is set, then drains. `ready` is called once both listeners answer.
    Without `logs` none is served. `unfollowed`: the hospitals whose destructions are not applied, which `/readyz` says.

    Raises NotLoopback for an address that is not one of this machine alone, OSError or RuntimeError where a port is
    taken.
    """
    grpc_address = listen_address.parse("grpc_listen", settings.grpc_listen)
    http_address = listen_address.parse("http_listen", settings.http_listen)
    edge = Edge(ledger, queries, registry, limits, logs.own if logs else None)
    grpc_server = GrpcServer(edge, share_port=settings.share_ports)
    pages = LogPages(logs.own, ledger.origin_of, logs.readers) if logs else None
    http_server = HttpServer(HttpFront(edge, registry, pages, unfollowed), edge.limits.drain_seconds_max)
    async with edge.reads.flushing():
        try:
            grpc_port = await grpc_server.start(str(grpc_address))
            http_port = await http_server.start(http_address, share_port=settings.share_ports)
            grpc_bound = ListenAddress(grpc_address.host, grpc_port)
            http_bound = ListenAddress(http_address.host, http_port)
            ready(Addresses(str(grpc_bound), f"http://{http_bound}"))
            await stop.wait()
        finally:
            # Followers of a ledger would otherwise use up the whole grace.
            edge.close()
            await asyncio.gather(grpc_server.stop(edge.limits.drain_seconds_max), http_server.stop())
