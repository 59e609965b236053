"""A network on which everything ends by one moment: a peer that sends a byte now and then holds nobody for longer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from ssl import SSLContext

from httpcore import (
    SOCKET_OPTION,
    ConnectTimeout,
    NetworkBackend,
    NetworkStream,
    ReadTimeout,
    SyncBackend,
    TimeoutException,
    WriteTimeout,
)
from typing_extensions import override


class DeadlineNetwork(NetworkBackend):
    """TCP, with or without TLS; each single wait is the caller's or what is left, whichever is less."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: from now on, for all that goes over it."""
        self._end = time.monotonic() + seconds
        self._tcp = SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        left = seconds_left(self._end, timeout, ConnectTimeout)
        return _Stream(self._tcp.connect_tcp(host, port, left, local_address, socket_options), self._end)


class _Stream(NetworkStream):
    def __init__(self, inner: NetworkStream, end: float) -> None:
        self._inner = inner
        self._end = end

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, seconds_left(self._end, timeout, ReadTimeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, seconds_left(self._end, timeout, WriteTimeout))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        left = seconds_left(self._end, timeout, ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._end)

    @override
    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def seconds_left(end: float, asked: float | None, late: type[TimeoutException]) -> float:
    """How long may be waited up to a moment of the monotonic clock; raises `late` behind it."""
    left = end - time.monotonic()
    if left <= 0:
        raise late
    return left if asked is None else min(left, asked)
