"""A log as an outsider reads it: its files over HTTP, each wait and each answer bounded, and all of them if asked."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import httpcore
from typing_extensions import override

from consumers.deadline_network import DeadlineNetwork
from ledger.trust.format_fault import NoteFault
from ledger.trust.note import NOTE_BYTES_MAX, Note, parse_note
from ledger.trust.tile import HASH_TILE_BYTES_MAX, TileId

ANSWER_SECONDS_MAX = 30.0
BUNDLE_BYTES_MAX = 272 * 1024 * 1024
_CHECKPOINT = "checkpoint"
_SUCCEEDED = "succeeded"
_OK = 200
_NOT_FOUND = 404
_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ValueError,  # a URL that is none
)


class LogUnreachable(Exception):
    """The log does not answer as a log does."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{self.__doc__} {path}: {what}")
        self.path = path
        self.what = what

    @override
    def __reduce__(self) -> tuple[type[LogUnreachable], tuple[str, str]]:
        """As one process hands it to another."""
        return LogUnreachable, (self.path, self.what)


class LogOverHttp:
    """The files below one URL. Calls block and raise LogUnreachable; to be used by `with`."""

    def __init__(
        self, url: str, token: str = "", seconds_max: float = ANSWER_SECONDS_MAX, in_all_max: float = math.inf
    ) -> None:
        """`token`: of a reader, which entries and bodies need. `seconds_max`: without a byte, then it is given up.

        `in_all_max`: seconds from now on for everything that is read here, however it drips.
        """
        self._url = url.rstrip("/")
        self._headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        self._seconds_max, self._end = seconds_max, time.monotonic() + in_all_max
        self._http = httpcore.ConnectionPool(network_backend=DeadlineNetwork(in_all_max))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def read(self, path: str) -> bytes | None:
        """The bytes of a path; None where the log has no such file."""
        return self._read(path, BUNDLE_BYTES_MAX)

    def tiles(self, tiles: Iterable[TileId]) -> dict[TileId, bytes]:
        """Hash tiles; in the place of a partial one that is gone the full one, which begins with the same hashes."""
        return {tile: self._tile(tile) for tile in tiles}

    def of_number(self, number: int) -> LogOverHttp:
        """The log of this ledger that lies beside it under a number, within the same time. To be used by `with`."""
        left = max(0.0, self._end - time.monotonic())
        return LogOverHttp(f"{self._url}.{number}", seconds_max=self._seconds_max, in_all_max=left)

    def checkpoint(self) -> Note:
        """The published checkpoint; nothing is said of its signatures."""
        note = self._note(_CHECKPOINT)
        if note is None:
            raise LogUnreachable(_CHECKPOINT, "missing")
        return note

    def succeeded(self) -> Note | None:
        """How the log before this one ended; None for a ledger's first log. Nothing is said of its signatures."""
        return self._note(_SUCCEEDED)

    def _note(self, path: str) -> Note | None:
        data = self._read(path, NOTE_BYTES_MAX)
        try:
            return None if data is None else parse_note(data)
        except NoteFault as fault:
            raise LogUnreachable(path, "; ".join(fault.faults)) from None

    def _tile(self, tile: TileId) -> bytes:
        data = self._read(tile.path, HASH_TILE_BYTES_MAX)
        if data is None and not tile.is_full:
            data = self._read(TileId(tile.level, tile.index).path, HASH_TILE_BYTES_MAX)
        if data is None:
            raise LogUnreachable(tile.path, "missing")
        return data

    def _read(self, path: str, bytes_max: int) -> bytes | None:
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds_max)
        try:
            url = f"{self._url}/{path}".encode("ascii")
            with self._http.stream("GET", url, headers=self._headers, extensions={"timeout": waits}) as response:
                if response.status == _NOT_FOUND:
                    return None
                if response.status != _OK:
                    raise LogUnreachable(path, f"status {response.status}")
                return _bounded(path, response, bytes_max)
        except _FAILURES as error:
            raise LogUnreachable(path, type(error).__name__) from error


def _bounded(path: str, response: httpcore.Response, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_stream():
        parts.append(part)
        size += len(part)
        if size > bytes_max:
            raise LogUnreachable(path, f"more than {bytes_max} bytes")
    return b"".join(parts)
