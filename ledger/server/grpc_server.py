"""The handlers over gRPC, with health and reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast

import grpc
from google.protobuf.message import Message
from grpc.aio import Server, ServicerContext
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from ledger.api.v1 import (
    boards_pb2_grpc,
    course_pb2_grpc,
    identity_pb2_grpc,
    keeping_pb2_grpc,
    records_pb2_grpc,
    stream_pb2_grpc,
    transfers_pb2_grpc,
)
from ledger.server.calls import CallFailed, ServedClientStream, ServedServerStream, ServedUnary
from ledger.server.edge import Edge, Served
from ledger.server.limits import Limits
from ledger.server.method import Method, Shape, services

_GENERATED = (
    records_pb2_grpc,
    course_pb2_grpc,
    keeping_pb2_grpc,
    identity_pb2_grpc,
    boards_pb2_grpc,
    transfers_pb2_grpc,
    stream_pb2_grpc,
)
Context = ServicerContext[Any, Any]


class GrpcServer:
    """A grpc.aio server of one edge."""

    def __init__(self, edge: Edge) -> None:
        self._server: Server = grpc.aio.server(options=_options(edge.limits))
        self._health: Any = cast("Any", health).aio.HealthServicer()
        for name, servicer in _servicers(edge).items():
            _registration(name)(servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [each.full_name for each in services()]
        reflected = [*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(reflected, self._server)
        self._names = names

    async def start(self, address: str) -> int:
        """Listens; the port. Raises RuntimeError where the port is taken."""
        port = self._server.add_insecure_port(address)
        await self._server.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, grace_seconds: float) -> None:
        """Takes no more calls, lets those under way end, and after the grace ends them."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_seconds)


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.transport_bytes_max),
        ("grpc.max_send_message_length", limits.response_bytes_max),
        # Two servers on one port would share its calls in silence.
        ("grpc.so_reuseport", 0),
    ]


def _servicers(edge: Edge) -> dict[str, SimpleNamespace]:
    found: dict[str, SimpleNamespace] = {}
    for method, served in edge.served.items():
        servicer = found.setdefault(method.service, SimpleNamespace())
        setattr(servicer, method.name, _behaviour(method, served))
    return found


def _registration(service: str) -> Callable[[object, Server], None]:
    name = f"add_{service}Servicer_to_server"
    return next(getattr(module, name) for module in _GENERATED if hasattr(module, name))


def _behaviour(method: Method, served: Served) -> Callable[[Any, Context], Awaitable[Message | None]]:
    match method.shape:
        case Shape.UNARY:
            return _unary(cast("ServedUnary", served))
        case Shape.SERVER_STREAM:
            return _server_stream(cast("ServedServerStream", served))
        case Shape.CLIENT_STREAM:
            return _client_stream(cast("ServedClientStream", served))


def _unary(served: ServedUnary) -> Callable[[Message, Context], Awaitable[Message]]:
    async def behaviour(request: Message, context: Context) -> Message:
        try:
            return await served(request, _traceparent(context))
        except CallFailed as failed:
            return await _abort(context, failed)

    return behaviour


def _server_stream(served: ServedServerStream) -> Callable[[Message, Context], Awaitable[None]]:
    # Writes instead of yielding: of a generator that it no longer wants grpc.aio just lets go, and then the handler
    # would end whenever the garbage is collected.
    async def behaviour(request: Message, context: Context) -> None:
        try:
            async with aclosing(served(request, _traceparent(context))) as responses:
                async for response in responses:
                    await context.write(response)
        except CallFailed as failed:
            await _abort(context, failed)

    return behaviour


def _client_stream(served: ServedClientStream) -> Callable[[AsyncIterator[Message], Context], Awaitable[Message]]:
    async def behaviour(requests: AsyncIterator[Message], context: Context) -> Message:
        try:
            return await served(requests, _traceparent(context))
        except CallFailed as failed:
            return await _abort(context, failed)

    return behaviour


async def _abort(context: Context, failed: CallFailed) -> Message:
    status = rpc_status.to_status(failed.status)
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise AssertionError("abort returned")


def _traceparent(context: Context) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent":
            return value if isinstance(value, str) else None
    return None
