"""Old ranges of a ledger out of the files of its log: raw bytes, a bundle at a time, without asking PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ledger.blobs.contract import BlobError, Blobs
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.tile import TILE_WIDTH, BundleId

FolderOf = Callable[[str], Awaitable[str]]
"""From a hospital to the folder of its present log. Raises UnknownHospital."""
_log = logging.getLogger(__name__)


class OldRanges:
    """Reads what a signed checkpoint covers in full bundles."""

    def __init__(self, blobs: Blobs, folder_of: FolderOf) -> None:
        """Nothing is read before it is needed."""
        self._blobs = blobs
        self._folder_of = folder_of

    async def covered(self, hospital: str) -> int:
        """The position up to which full bundles are there; 0 where there are none, or they cannot be read."""
        return await asyncio.to_thread(self._covered, LogFiles(self._blobs, await self._folder_of(hospital)))

    async def after(self, hospital: str, position: int) -> Sequence[StoredLeaf]:
        """The events above a position to the end of its bundle; empty where the files cannot be read."""
        return await asyncio.to_thread(self._after, LogFiles(self._blobs, await self._folder_of(hospital)), position)

    def _covered(self, files: LogFiles) -> int:
        try:
            note = files.signed()
        except (BlobError, LogDamaged) as error:
            _said(error)
            return 0
        return 0 if note is None else parse_checkpoint(note.text).size // TILE_WIDTH * TILE_WIDTH

    def _after(self, files: LogFiles, position: int) -> Sequence[StoredLeaf]:
        bundle = BundleId(position // TILE_WIDTH)
        try:
            entries, bodies = files.entries(bundle), files.bodies(bundle)
        except (BlobError, LogDamaged) as error:
            _said(error)
            return ()
        pairs = enumerate(zip(entries, bodies, strict=True), bundle.first_leaf + 1)
        return [StoredLeaf(at, entry, body) for at, (entry, body) in pairs if at > position]


def _said(error: BlobError | LogDamaged) -> None:
    _log.warning("old events are read from PostgreSQL: the log cannot be read", extra={"reason": str(error)})
