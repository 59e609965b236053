"""A hospital's log as it was published: what proofs are made from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.own_heads import PublishedHead
from ledger.log.record_maps import file_reader
from ledger.trust.format_fault import FormatFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_tiles import FileMissing, LogTiles
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.pack_making import RecordNotMapped
from ledger.trust.tile import TILE_WIDTH, BundleId

T = TypeVar("T")


class PublishedLog:
    """A log's files at one published checkpoint."""

    def __init__(self, files: LogFiles, head: PublishedHead) -> None:
        """Nothing is read before it is needed."""
        self.note = head.note
        self.head = head.checkpoint
        self.read = file_reader(files)
        self.tiles = LogTiles(self.read, self.head.size)
        self._files = files

    @property
    def size(self) -> int:
        """Events that the published checkpoint covers."""
        return self.head.size

    async def asked(self, ask: Callable[[], T]) -> T:
        """Reads files beside the loop; LogDamaged for every way in which they can be wrong."""
        try:
            return await asyncio.to_thread(ask)
        except RecordNotMapped:
            raise
        except (FormatFault, FileMissing) as fault:
            raise LogDamaged("tiles", str(fault)) from fault

    async def require_leaf(self, position: int, envelope: bytes) -> None:
        """LogDamaged where the envelope is not the tree's leaf at a position."""
        path = await self.asked(lambda: self.tiles.inclusion(position - 1))
        leaf = leaf_hash(envelope)
        await self.asked(lambda: check_inclusion(leaf, position - 1, self.size, path, self.head.root))

    async def event(self, position: int) -> tuple[bytes, bytes]:
        """Envelope and body of a position, out of the bundles."""
        index, at = divmod(position - 1, TILE_WIDTH)
        bundle = BundleId(index, min(TILE_WIDTH, self.size - index * TILE_WIDTH))
        entries = await asyncio.to_thread(self._files.entries, bundle)
        bodies = await asyncio.to_thread(self._files.bodies, bundle)
        return entries[at], bodies[at]
