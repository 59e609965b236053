"""The handlers over the Connect protocol: JSON or binary protobuf in ordinary HTTP requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

from connectrpc.codec import Codec
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf.message import Message
from typing_extensions import override

from ledger.server.caller import current_authorization
from ledger.server.calls import CallFailed, ServedClientStream, ServedServerStream, ServedUnary
from ledger.server.connect_error import connect_error
from ledger.server.edge import Edge, Served
from ledger.server.error_status import status_of
from ledger.server.errors import MalformedRequest
from ledger.server.method import Method, Shape
from ledger.server.request_bytes import parse_request

M = TypeVar("M")
Context = RequestContext[Any, Any]
_STREAM_TYPES = {
    Shape.UNARY: StreamType.UNARY,
    Shape.SERVER_STREAM: StreamType.SERVER_STREAM,
    Shape.CLIENT_STREAM: StreamType.CLIENT_STREAM,
}


class ConnectApp(ConnectASGIApplication[Edge]):
    """One ASGI application for every service of the contract."""

    def __init__(self, edge: Edge) -> None:
        super().__init__(
            service=edge,
            endpoints=_endpoints,
            read_max_bytes=edge.limits.transport_bytes_max,
            codecs=[_Discreet(_StrictBinary(google_protobuf_binary_codec())), _Discreet(_strict_json())],
        )

    @property
    def path(self) -> str:
        """Where it is mounted."""
        return "/"


class _Wrapped(Codec[Any, Any]):
    """A codec around another."""

    def __init__(self, codec: Codec[Any, Any]) -> None:
        self._codec = codec

    def name(self) -> str:
        return self._codec.name()

    def encode(self, message: Any) -> bytes:
        return self._codec.encode(message)

    def decode(self, data: bytes | bytearray, message_class: type[M]) -> M:
        return self._codec.decode(data, message_class)


class _StrictBinary(_Wrapped):
    """Protobuf's binary form, without a field that the message does not have."""

    @override
    def decode(self, data: bytes | bytearray, message_class: Any) -> Any:
        return parse_request(message_class, bytes(data))


class _Discreet(_Wrapped):
    """A codec whose errors do not quote the input: that would be patient data."""

    @override
    def decode(self, data: bytes | bytearray, message_class: type[M]) -> M:
        try:
            return self._codec.decode(data, message_class)
        except Exception:  # noqa: BLE001 # whatever a decoder finds wrong, it is the request that is malformed
            raise connect_error(status_of(MalformedRequest())) from None


def _strict_json() -> Codec[Any, Any]:
    # A misspelt field that is passed over in silence would be a loss of what somebody meant to record.
    return google_protobuf_json_codec(ignore_unknown_fields=False)


def _endpoints(edge: Edge) -> Mapping[str, Any]:
    return {f"/{method.rpc}": _endpoint(method, served) for method, served in edge.served.items()}


def _endpoint(method: Method, served: Served) -> Endpoint[Any, Any]:
    info = _method_info(method)
    match method.shape:
        case Shape.UNARY:
            return Endpoint.unary(info, _unary(cast("ServedUnary", served)))
        case Shape.SERVER_STREAM:
            return Endpoint.server_stream(info, _server_stream(cast("ServedServerStream", served)))
        case Shape.CLIENT_STREAM:
            return Endpoint.client_stream(info, _client_stream(cast("ServedClientStream", served)))


def _method_info(method: Method) -> MethodInfo[Any, Any]:
    service = method.rpc.partition("/")[0]
    return MethodInfo(
        name=method.name,
        service_name=service,
        input=method.request,
        output=method.response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=_STREAM_TYPES[method.shape],
    )


def _unary(served: ServedUnary) -> Callable[[Any, Context], Awaitable[Message]]:
    async def function(request: Any, context: Context) -> Message:
        current_authorization.set(context.request_headers.get("authorization"))
        try:
            return await served(request, _traceparent(context))
        except CallFailed as failed:
            raise connect_error(failed.status) from failed

    return function


def _server_stream(served: ServedServerStream) -> Callable[[Any, Context], AsyncGenerator[Message, None]]:
    async def function(request: Any, context: Context) -> AsyncGenerator[Message, None]:
        try:
            async with aclosing(served(request, _traceparent(context))) as responses:
                async for response in responses:
                    yield response
        except CallFailed as failed:
            raise connect_error(failed.status) from failed

    return function


def _client_stream(served: ServedClientStream) -> Callable[[AsyncIterator[Any], Context], Awaitable[Message]]:
    async def function(requests: AsyncIterator[Any], context: Context) -> Message:
        try:
            return await served(_readable(requests), _traceparent(context))
        except CallFailed as failed:
            raise connect_error(failed.status) from failed

    return function


async def _readable(requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
    """The requests of a stream. Raises MalformedRequest where the library could not read the next one."""
    try:
        async for request in requests:
            yield request
    except ConnectError as error:
        raise MalformedRequest from error


def _traceparent(context: Context) -> str | None:
    return context.request_headers.get("traceparent")
