"""Old ranges of a ledger out of the files of its log: raw bytes, a bundle at a time, without asking PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ledger.blobs.contract import BlobError
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.log.own_heads import OwnLogs
from ledger.log.proven_entries import RawBundle, matching_bodies, proven_entries, raw_bundle
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.tile import TILE_WIDTH

OriginOf = Callable[[str], Awaitable[str]]
_log = logging.getLogger(__name__)


class OldRange:
    """The full bundles below one signed head."""

    def __init__(self, files: LogFiles, head: Checkpoint | None) -> None:
        """None: nothing is covered."""
        self._files = files
        self._head = head

    @property
    def upto(self) -> int:
        """The last position of the last full bundle; 0 where there is none."""
        return self._head.size // TILE_WIDTH * TILE_WIDTH if self._head else 0

    async def after(self, position: int) -> Sequence[StoredLeaf]:
        """The events above a position to the end of its bundle; empty where the files cannot be believed."""
        if self._head is None or position >= self.upto:
            return ()
        return await asyncio.to_thread(self._after, self._head, position)

    async def raw(self, position: int) -> RawBundle | None:
        """The full bundle behind a position, which is a multiple of 256, unopened; None as `after` is empty."""
        if self._head is None or position >= self.upto:
            return None
        return await asyncio.to_thread(self._raw, self._head, position // TILE_WIDTH)

    def _raw(self, head: Checkpoint, index: int) -> RawBundle | None:
        try:
            return raw_bundle(self._files, index, head)
        except (BlobError, LogDamaged) as error:
            _said(error)
            return None

    def _after(self, head: Checkpoint, position: int) -> Sequence[StoredLeaf]:
        index = position // TILE_WIDTH
        try:
            entries = proven_entries(self._files, index, head)
            bodies = matching_bodies(self._files, index, head.size, entries)
        except (BlobError, LogDamaged) as error:
            _said(error)
            return ()
        pairs = enumerate(zip(entries, bodies, strict=True), index * TILE_WIDTH + 1)
        return [StoredLeaf(at, entry, body) for at, (entry, body) in pairs if at > position]


class OldRanges:
    """Finds what a signed head covers. What it does not vouch for is not served: PostgreSQL is asked instead."""

    def __init__(self, logs: OwnLogs, origin_of: OriginOf) -> None:
        """Nothing is read before it is needed."""
        self._logs = logs
        self._origin_of = origin_of

    async def below(self, hospital: str) -> OldRange:
        """What the newest signed head covers; nothing where there is none, or it cannot be believed."""
        origin = await self._origin_of(hospital)
        try:
            head = await asyncio.to_thread(self._logs.newest, hospital, origin)
        except (BlobError, LogDamaged) as error:
            _said(error)
            head = None
        return OldRange(self._logs.files(hospital, origin), head)


def _said(error: BlobError | LogDamaged) -> None:
    _log.warning("old events are read from PostgreSQL: the log cannot be read", extra={"reason": str(error)})
