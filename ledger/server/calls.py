"""What every call passes on its way to its handler, whatever the protocol: limits, trace, metrics, the error table."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from ledger.server.call_metrics import CallMetrics, Meter
from ledger.server.error_status import status_of
from ledger.server.error_table import row_of
from ledger.server.errors import RequestTooLarge, ResponseTooLarge, TooManyCalls
from ledger.server.limits import Limits
from ledger.server.method import Method
from ledger.server.read_meter import ReadMeter
from ledger.telemetry.trace import current_traceparent

UnaryHandler = Callable[[Any], Awaitable[Message]]
ServerStreamHandler = Callable[[Any], AsyncGenerator[Message, None]]
ClientStreamHandler = Callable[[AsyncIterator[Any]], Awaitable[Message]]

ServedUnary = Callable[[Message, str | None], Awaitable[Message]]
ServedServerStream = Callable[[Message, str | None], AsyncGenerator[Message, None]]
ServedClientStream = Callable[[AsyncIterator[Message], str | None], Awaitable[Message]]

_log = logging.getLogger(__name__)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_OURS = frozenset({code_pb2.INTERNAL, code_pb2.DATA_LOSS})
_WORTH_A_LINE = frozenset({code_pb2.UNKNOWN, code_pb2.UNAVAILABLE, code_pb2.RESOURCE_EXHAUSTED})


class CallFailed(Exception):
    """The call failed; `status` is what the client is told."""

    def __init__(self, status: Status) -> None:
        super().__init__(code_pb2.Code.Name(status.code))
        self.status = status


class Calls:
    """Wraps handlers. A wrapped handler raises CallFailed, or lets a cancellation through."""

    def __init__(self, limits: Limits, metrics: CallMetrics, reads: ReadMeter) -> None:
        self._limits = limits
        self._metrics = metrics
        self._reads = reads
        self._unary = _InFlight(limits.calls_in_flight_max)
        self._streams = _InFlight(limits.streams_in_flight_max)
        metrics.in_flight.labels("unary").set_function(lambda: self._unary.count)
        metrics.in_flight.labels("stream").set_function(lambda: self._streams.count)

    def unary(self, method: Method, handler: UnaryHandler) -> ServedUnary:
        """One request, one response."""
        meter, counted = self._metrics.of(method), self._reads.of(method)

        async def call(request: Any, traceparent: str | None) -> Message:
            with self._watched(method, meter, self._unary, traceparent):
                check_request_size(request, self._limits)
                response = await handler(request)
                size = self._checked_size(response)
                if counted:
                    counted(request.hospital, 1, size)
                return response

        return call

    def server_stream(self, method: Method, handler: ServerStreamHandler) -> ServedServerStream:
        """One request, many responses; closing the iterator closes the handler."""
        meter, counted = self._metrics.of(method), self._reads.of(method)

        async def call(request: Any, traceparent: str | None) -> AsyncGenerator[Message, None]:
            with self._watched(method, meter, self._streams, traceparent):
                check_request_size(request, self._limits)
                reads = 1  # the first answer counts the read, each its bytes: one that follows may never end
                async with aclosing(handler(request)) as responses:
                    async for response in responses:
                        if counted:
                            counted(request.hospital, reads, response.ByteSize())
                            reads = 0
                        yield response

        return call

    def client_stream(self, method: Method, handler: ClientStreamHandler) -> ServedClientStream:
        """Many requests, one response; the handler bounds each request's size, since only it can name the one."""
        meter = self._metrics.of(method)

        async def call(requests: AsyncIterator[Message], traceparent: str | None) -> Message:
            with self._watched(method, meter, self._streams, traceparent):
                return await handler(requests)

        return call

    @contextmanager
    def _watched(self, method: Method, meter: Meter, in_flight: _InFlight, traceparent: str | None) -> Generator[None]:
        # Each call runs in a task, and so in a context, of its own: there is nothing to set back.
        if traceparent is not None and _TRACEPARENT.fullmatch(traceparent):
            current_traceparent.set(traceparent)
        started = time.perf_counter()
        code: code_pb2.Code = code_pb2.CANCELLED
        try:
            with in_flight:
                yield
            code = code_pb2.OK
        except Exception as error:
            status = failure_status(method.rpc, error)
            code = row_of(error).code
            raise CallFailed(status) from error
        finally:
            meter.ended(time.perf_counter() - started, code)

    def _checked_size(self, response: Message) -> int:
        size = response.ByteSize()
        if size > self._limits.response_bytes_max:
            raise ResponseTooLarge(size, self._limits.response_bytes_max)
        return size


def check_request_size(request: Message, limits: Limits) -> None:
    """Raises RequestTooLarge where a request exceeds the contract's limit."""
    size = request.ByteSize()
    if size > limits.request_bytes_max:
        raise RequestTooLarge(size, limits.request_bytes_max)


def failure_status(rpc: str, error: Exception) -> Status:
    """What the client is told of an error; what is ours goes to the log under an incident id, and only there."""
    code = row_of(error).code
    if code in _OURS:
        incident = uuid4().hex[:16]
        _log.error("call failed", exc_info=error, extra={"rpc": rpc, "incident": incident})
        return status_of(error, incident)
    if code in _WORTH_A_LINE:
        _log.warning("call failed", extra={"rpc": rpc, "reason": row_of(error).reason})
    return status_of(error)


class _InFlight:
    def __init__(self, limit: int) -> None:
        self.count = 0
        self._limit = limit

    def __enter__(self) -> None:
        if self.count >= self._limit:
            raise TooManyCalls(self._limit)
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1
