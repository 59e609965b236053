"""The logs over HTTP, as tlog-tiles asks: `/log/<hospital>/checkpoint`, hash tiles, entries, and bodies beside them.

Below `/log/<hospital>.<n>/` any log of a ledger, also one that ended: its receivers ask it for proofs once more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.application.errors import UnknownHospital
from ledger.blobs.contract import BlobError
from ledger.log.key_register import KEYS
from ledger.log.log_files import CHECKPOINT, SUCCEEDED, LogFiles
from ledger.log.own_heads import OwnLogs, PublishedHead
from ledger.server.errors import LogUnavailable, NoSuchLogFile
from ledger.server.log_readers import LogReader, admit
from ledger.server.old_ranges import OriginOf
from ledger.trust.format_fault import TileFault
from ledger.trust.lineage import number_of, with_ended
from ledger.trust.tile import TileId, parse_bundle_path, parse_tile_path

PREFIX = "/log/"
_PATH = re.compile(
    r"/log/(?P<hospital>[a-z][a-z0-9-]{1,30})(\.(?P<number>[1-9][0-9]{0,8}))?/(?P<file>.{1,128})", re.ASCII
)
_KEY_LINE = re.compile(rf"{KEYS}/[0-9]{{3}}", re.ASCII)
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_FOR_EVER = "max-age=31536000, immutable"
_PARTIAL = "max-age=60"
"""A partial tile never changes either, but it goes once the full one is there."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """What is answered with status 200."""

    content_type: str
    caching: str
    """The header Cache-Control."""
    body: bytes


class LogPages:
    """Serves what the published checkpoint covers, and nothing beyond it; one that is not ours covers nothing."""

    def __init__(self, logs: OwnLogs, origin_of: OriginOf, readers: Sequence[LogReader]) -> None:
        """Without readers, entries and bodies are nobody's."""
        self._logs = logs
        self._origin_of = origin_of
        self._readers = readers

    async def page(self, path: str, authorization: str) -> LogPage:
        """The file of a path below `/log/`. Raises NoSuchLogFile, ReaderUnknown, ReaderNotAllowed,
        LogUnavailable, LogDamaged for a checkpoint that none of the log's keys has signed.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise NoSuchLogFile
        try:
            origin = await self._origin(found["hospital"], int(found["number"] or 0))
            return await self._page(found["hospital"], origin, found["file"], authorization)
        except BlobError as error:
            raise LogUnavailable from error

    async def _page(self, hospital: str, origin: str, file: str, authorization: str) -> LogPage:
        if file == CHECKPOINT:
            return LogPage(_TEXT, "no-cache", (await self._published(hospital, origin)).note.encode())
        if file == SUCCEEDED or _KEY_LINE.fullmatch(file):
            return LogPage(_TEXT, "no-cache", await _read(self._logs.files(hospital, origin), file))
        if file.startswith(("tile/entries/", "bodies/")):
            admit(self._readers, hospital, authorization)
            return await self._covered(hospital, origin, file, _bundle_tile(file), "private")
        return await self._covered(hospital, origin, file, _tile(file), "public")

    async def _covered(self, hospital: str, origin: str, path: str, tile: TileId, whose: str) -> LogPage:
        published = (await self._published(hospital, origin)).checkpoint
        if not tile.exists_in(published.size):
            raise NoSuchLogFile
        caching = f"{whose}, {_FOR_EVER if tile.is_full else _PARTIAL}"
        return LogPage(_BYTES, caching, await _read(self._logs.files(hospital, origin), path))

    async def _published(self, hospital: str, origin: str) -> PublishedHead:
        head = await asyncio.to_thread(self._logs.published, hospital, origin)
        if head is None:
            raise NoSuchLogFile
        return head

    async def _origin(self, hospital: str, number: int) -> str:
        """That of the hospital's present log; with a number that of any, also of one that ended."""
        try:
            present = await self._origin_of(hospital)
        except UnknownHospital:
            raise NoSuchLogFile from None
        if number > number_of(present):
            raise NoSuchLogFile
        return with_ended(present)[-number] if number else present


async def _read(files: LogFiles, path: str) -> bytes:
    data = await asyncio.to_thread(files.read, path)
    if data is None:
        raise NoSuchLogFile
    return data


def _tile(path: str) -> TileId:
    try:
        return parse_tile_path(path)
    except TileFault:
        raise NoSuchLogFile from None


def _bundle_tile(path: str) -> TileId:
    """The tile of level 0 that a bundle goes with."""
    try:
        _, bundle = parse_bundle_path(path)
    except TileFault:
        raise NoSuchLogFile from None
    return TileId(0, bundle.index, bundle.width)
