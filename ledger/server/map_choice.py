"""Which record map a pack goes by: the newest published one, or the one that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from ledger.log.log_files import LogDamaged
from ledger.log.record_maps import RecordMaps
from ledger.server.errors import MapNotThere, NoSuchMap, NotInLogYet
from ledger.server.published_log import PublishedLog
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.format_fault import MapFault
from ledger.trust.log_tiles import ReadFile
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.pack_making import PlacedEvent, PublishedMap
from ledger.trust.proof_pack import PackEvent
from ledger.trust.record_map import MAP_PUBLISHED

Disclose = Callable[[bytes, bytes], Awaitable[tuple[bytes, bytes]]]
"""From a sealed event's envelope and body to the salt of its commitment and its plaintext."""


class MapChoice:
    """The maps of all hospitals; of those that are kept no longer the last one that was made again stays in memory."""

    def __init__(self, disclose: Disclose | None = None) -> None:
        """`disclose` opens the events that publish maps, where bodies are sealed."""
        self._disclose = disclose
        self._made_again: tuple[bytes, ReadFile] | None = None
        # A build cannot be stopped, whoever goes away meanwhile: one thread is the limit, not one waiting caller. It
        # ends with this object, and takes none from those who read the log.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="earlier-map")

    async def of(self, log: PublishedLog, maps: RecordMaps, position: int) -> PublishedMap:
        """The map that the event at a position published; 0: the newest one whose event the checkpoint covers.

        MapNotThere where none is published yet, NoSuchMap where that event published none that can be had,
        NotInLogYet, LogDamaged, BlobError.
        """
        if position == 0:
            return await self._newest(log, maps)
        if position > log.size:
            raise NotInLogYet(position, log.size)
        event = await self._event(log, position)
        if event is None:
            raise NoSuchMap(position)
        kept = {each.position: each.size for each in await asyncio.to_thread(maps.published)}
        if position in kept:
            read = maps.reader(kept[position])
        else:
            read = await self._made(log, maps, event, position)
        return PublishedMap(PlacedEvent(position - 1, event), read)

    async def _newest(self, log: PublishedLog, maps: RecordMaps) -> PublishedMap:
        known = await asyncio.to_thread(maps.published)
        covered = [each for each in known if each.position <= log.size]
        if not covered:
            raise MapNotThere
        event = await self._event(log, covered[-1].position)
        if event is None:
            raise LogDamaged("maps", f"position {covered[-1].position} publishes no map")
        return PublishedMap(PlacedEvent(covered[-1].position - 1, event), maps.reader(covered[-1].size))

    async def _event(self, log: PublishedLog, position: int) -> PackEvent | None:
        """The event that published a map, opened; None where it is of another type."""
        envelope, body = await log.event(position)
        # Whoever writes the log's files must not have other events opened than those of the tree.
        await log.require_leaf(position, envelope)
        place = decode(envelope)
        if place.type != MAP_PUBLISHED:
            return None
        if place.commitment and self._disclose is not None:
            salt, plaintext = await self._disclose(envelope, body)
            return PackEvent(envelope, b"", salt, plaintext)
        return PackEvent(envelope, body)

    async def _made(self, log: PublishedLog, maps: RecordMaps, event: PackEvent, position: int) -> ReadFile:
        """A map that is kept no longer. One at a time: it takes what the map of all records takes in memory.

        A caller that is cancelled leaves a build that is under way to the next one, and takes one back that waits.
        """
        said = _statement(event, position)

        def made() -> ReadFile:
            if self._made_again is None or self._made_again[0] != event.envelope:
                self._made_again = event.envelope, _again(maps, log.head, said, position)
            return self._made_again[1]

        return await asyncio.get_running_loop().run_in_executor(self._thread, made)


def _again(maps: RecordMaps, head: Checkpoint, said: MapStatement, position: int) -> ReadFile:
    tree = maps.earlier(said.size, head)
    if tree is None:
        raise NoSuchMap(position)
    if (tree.rows, tree.root()) != (said.rows, said.root):
        raise LogDamaged("map", f"the entries do not lead to the map published at position {position}")
    return tree.read


def _statement(event: PackEvent, position: int) -> MapStatement:
    try:
        return read_map_published(event.plaintext or event.body)
    except MapFault:
        raise NoSuchMap(position) from None
