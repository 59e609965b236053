"""The handlers over gRPC, with health and reflection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn, cast

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc.aio import Server, ServicerContext
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from ledger.server.caller import current_authorization
from ledger.server.calls import CallFailed, ServedClientStream, ServedServerStream, ServedUnary
from ledger.server.edge import Edge, Served
from ledger.server.error_status import status_of
from ledger.server.errors import MalformedRequest
from ledger.server.limits import Limits
from ledger.server.method import Method, Shape, services
from ledger.server.request_bytes import parse_request

_HANDLER_OF: dict[Shape, Any] = {
    Shape.UNARY: grpc.unary_unary_rpc_method_handler,
    Shape.SERVER_STREAM: grpc.unary_stream_rpc_method_handler,
    Shape.CLIENT_STREAM: grpc.stream_unary_rpc_method_handler,
}
Context = ServicerContext[Any, Any]


class GrpcServer:
    """A grpc.aio server of one edge."""

    def __init__(self, edge: Edge, *, share_port: bool = False) -> None:
        """`share_port`: other processes may listen on the same address."""
        self._server: Server = grpc.aio.server(options=_options(edge.limits, share_port=share_port))
        self._health: Any = cast("Any", health).aio.HealthServicer()
        self._server.add_generic_rpc_handlers(tuple(_handlers(edge)))
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


def _options(limits: Limits, *, share_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.transport_bytes_max),
        ("grpc.max_send_message_length", limits.response_bytes_max),
        # Unasked, two servers on one port would share its calls in silence.
        ("grpc.so_reuseport", int(share_port)),
    ]


def _handlers(edge: Edge) -> Iterator[grpc.GenericRpcHandler]:
    """One for each service. They take bytes: the library's own answer to a request that it cannot read has no type
    and quotes our code."""
    of_service: dict[str, dict[str, Any]] = {}
    for method, served in edge.served.items():
        handler = _HANDLER_OF[method.shape](
            _behaviour(method, served), response_serializer=method.response.SerializeToString
        )
        of_service.setdefault(method.rpc.partition("/")[0], {})[method.name] = handler
    for name, handlers in of_service.items():
        yield grpc.method_handlers_generic_handler(name, handlers)


def _behaviour(method: Method, served: Served) -> Any:
    match method.shape:
        case Shape.UNARY:
            return _unary(method, cast("ServedUnary", served))
        case Shape.SERVER_STREAM:
            return _server_stream(method, cast("ServedServerStream", served))
        case Shape.CLIENT_STREAM:
            return _client_stream(method, cast("ServedClientStream", served))


def _unary(method: Method, served: ServedUnary) -> Callable[[bytes, Context], Awaitable[Message]]:
    # Without `_told`: its block costs as much as the request's parsing, and most calls are these.
    async def behaviour(data: bytes, context: Context) -> Message:
        try:
            headers = _headers(context)
            current_authorization.set(_text(headers.get("authorization")))
            return await served(parse_request(method.request, data), _text(headers.get("traceparent")))
        except (CallFailed, MalformedRequest) as error:
            await _abort(context, _status(error))

    return behaviour


def _server_stream(method: Method, served: ServedServerStream) -> Callable[[bytes, Context], Awaitable[None]]:
    # Writes instead of yielding: of a generator that it no longer wants grpc.aio just lets go, and then the handler
    # would end whenever the garbage is collected.
    async def behaviour(data: bytes, context: Context) -> None:
        async with _told(context):
            request = parse_request(method.request, data)
            async with aclosing(served(request, _traceparent(context))) as responses:
                async for response in responses:
                    await context.write(response)

    return behaviour


def _client_stream(
    method: Method, served: ServedClientStream
) -> Callable[[AsyncIterator[bytes], Context], Awaitable[Message]]:
    async def behaviour(requests: AsyncIterator[bytes], context: Context) -> Message:
        async with _told(context):
            parsed = (parse_request(method.request, data) async for data in requests)
            return await served(parsed, _traceparent(context))

    return behaviour


@asynccontextmanager
async def _told(context: Context) -> AsyncGenerator[None]:
    """Ends the call with the status of what went wrong in the block."""
    try:
        yield
    except (CallFailed, MalformedRequest) as error:
        await _abort(context, _status(error))


def _status(error: CallFailed | MalformedRequest) -> Status:
    return error.status if isinstance(error, CallFailed) else status_of(error)


async def _abort(context: Context, status: Status) -> NoReturn:
    told = rpc_status.to_status(status)
    await context.abort(told.code, told.details, told.trailing_metadata)


def _traceparent(context: Context) -> str | None:
    return _text(_headers(context).get("traceparent"))


def _headers(context: Context) -> dict[str, str | bytes]:
    """By name; of one that was sent twice the first counts."""
    return dict(reversed(tuple(context.invocation_metadata() or ())))


def _text(value: str | bytes | None) -> str | None:
    return value if isinstance(value, str) else None
