"""One client of the edge for each protocol; the suite knows only what both can do."""

import base64
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import grpc.aio
import httpx
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from typing_extensions import override

from ledger.api.v1.common_pb2 import Violations
from ledger.server.method import Method, methods

M = TypeVar("M", bound=Message)
_METHODS = {each.rpc: each for each in methods()}
_PREFIX = "ledger.api.v1."
_END_OF_STREAM = 2


@dataclass
class RpcFailed(Exception):
    """A call that failed, as its client sees it."""

    code: str
    """As gRPC spells it, for example `INVALID_ARGUMENT`."""
    message: str
    details: list[AnyMessage] = field(default_factory=list[AnyMessage])

    @property
    def infos(self) -> list[ErrorInfo]:
        """Every ErrorInfo; the contract says that there is exactly one."""
        return list(self._unpacked(ErrorInfo))

    @property
    def reason(self) -> str:
        """The stable reason."""
        (info,) = self.infos
        return info.reason

    @property
    def facts(self) -> dict[str, str]:
        """The facts of the ErrorInfo."""
        (info,) = self.infos
        return dict(info.metadata)

    @property
    def violations(self) -> list[tuple[str, str]]:
        """Field and rule of every fault."""
        return [(each.field, each.rule) for found in self._unpacked(Violations) for each in found.violations]

    @property
    def texts(self) -> list[str]:
        """What is said of every fault."""
        return [each.text for found in self._unpacked(Violations) for each in found.violations]

    def _unpacked(self, cls: type[M]) -> Iterable[M]:
        for detail in self.details:
            message = cls()
            if detail.Unpack(message):
                yield message


class EdgeClient(ABC):
    """Calls methods by their name within the contract, for example `RecordService/GetRecord`."""

    @abstractmethod
    async def call(self, rpc: str, request: Message) -> Any:
        """The response of a unary call. Raises RpcFailed."""

    @abstractmethod
    def stream(self, rpc: str, request: Message) -> AsyncGenerator[Any, None]:
        """The responses of a server stream; closing the generator is the client going away. Raises RpcFailed."""

    @abstractmethod
    async def send(self, rpc: str, requests: Iterable[Message]) -> Any:
        """The response to a client stream. Raises RpcFailed."""


class GrpcClient(EdgeClient):
    """gRPC by grpc.aio."""

    def __init__(self, address: str, token: str = "") -> None:
        """`token`: goes with every unary call."""
        self._channel = grpc.aio.insecure_channel(address)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()

    @override
    async def call(self, rpc: str, request: Message) -> Any:
        method = _METHODS[_PREFIX + rpc]
        try:
            call = self._channel.unary_unary(f"/{method.rpc}", _serialized, _parser(method))
            return await call(request, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise grpc_failure(error) from error

    @override
    async def stream(self, rpc: str, request: Message) -> AsyncGenerator[Any, None]:
        method = _METHODS[_PREFIX + rpc]
        call = self._channel.unary_stream(f"/{method.rpc}", _serialized, _parser(method))(request)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise grpc_failure(error) from error
        finally:
            call.cancel()

    @override
    async def send(self, rpc: str, requests: Iterable[Message]) -> Any:
        method = _METHODS[_PREFIX + rpc]
        try:
            return await self._channel.stream_unary(f"/{method.rpc}", _serialized, _parser(method))(iter(requests))
        except grpc.aio.AioRpcError as error:
            raise grpc_failure(error) from error


class ConnectClient(EdgeClient):
    """Connect with JSON by httpx, as a program without any of our code would write it."""

    def __init__(self, url: str, token: str = "") -> None:
        """`token`: goes with every call."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, headers=headers)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    @override
    async def call(self, rpc: str, request: Message) -> Any:
        method = _METHODS[_PREFIX + rpc]
        headers = {"content-type": "application/json", "connect-protocol-version": "1"}
        answer = await self._http.post(f"/{method.rpc}", content=json_format.MessageToJson(request), headers=headers)
        if answer.status_code != 200:
            raise connect_failure(answer.json())
        return json_format.Parse(answer.content, method.response())

    @override
    async def stream(self, rpc: str, request: Message) -> AsyncGenerator[Any, None]:
        method = _METHODS[_PREFIX + rpc]
        async with self._http.stream("POST", f"/{method.rpc}", **_streaming([request])) as answer:
            async for flags, data in _envelopes(answer.aiter_bytes()):
                if flags & _END_OF_STREAM:
                    _raise_at_end(data)
                    return
                yield json_format.Parse(data, method.response())

    @override
    async def send(self, rpc: str, requests: Iterable[Message]) -> Any:
        (response,) = [each async for each in self.stream_of(rpc, requests)]
        return response

    async def stream_of(self, rpc: str, requests: Iterable[Message]) -> AsyncGenerator[Any, None]:
        """The responses to a client stream, of which there should be one."""
        method = _METHODS[_PREFIX + rpc]
        async with self._http.stream("POST", f"/{method.rpc}", **_streaming(requests)) as answer:
            async for flags, data in _envelopes(answer.aiter_bytes()):
                if flags & _END_OF_STREAM:
                    _raise_at_end(data)
                    return
                yield json_format.Parse(data, method.response())


def _serialized(message: Any) -> bytes:
    return cast("Message", message).SerializeToString()


def _parser(method: Method) -> Any:
    return method.response.FromString


def grpc_failure(error: grpc.aio.AioRpcError) -> RpcFailed:
    """What a gRPC call failed with."""
    status: Status | None = cast("Any", rpc_status).from_call(error)
    return RpcFailed(error.code().name, error.details() or "", list(status.details) if status else [])


def _streaming(requests: Iterable[Message]) -> dict[str, Any]:
    bodies = [json_format.MessageToJson(each).encode() for each in requests]
    content = b"".join(struct.pack(">BI", 0, len(body)) + body for body in bodies)
    return {"content": content, "headers": {"content-type": "application/connect+json"}}


async def _envelopes(chunks: AsyncIterator[bytes]) -> AsyncGenerator[tuple[int, bytes], None]:
    buffer = b""
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= 5 and len(buffer) >= 5 + (size := int.from_bytes(buffer[1:5], "big")):
            yield buffer[0], buffer[5 : 5 + size]
            buffer = buffer[5 + size :]


def _raise_at_end(data: bytes) -> None:
    error = json.loads(data).get("error")
    if error:
        raise connect_failure(error)


def connect_failure(error: dict[str, Any]) -> RpcFailed:
    """What a Connect call failed with, from its JSON."""
    details = [
        AnyMessage(type_url=f"type.googleapis.com/{each['type']}", value=base64.b64decode(each["value"] + "==="))
        for each in error.get("details", [])
    ]
    code: str = error["code"]
    code = "CANCELLED" if code == "canceled" else code.upper()
    return RpcFailed(code, error.get("message", ""), details)
