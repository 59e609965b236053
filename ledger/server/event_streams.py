"""Replay and tail of events as stored, in batches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from ledger.api.v1.stream_pb2 import (
    CaughtUp,
    ReadHospitalRequest,
    ReadHospitalResponse,
    ReadRecordRequest,
    ReadRecordResponse,
    StoredEvent,
)
from ledger.application.errors import PositionOutOfRange, UnknownRecord
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_timestamp
from ledger.log.log_growth import StoredLeaf
from ledger.server.arguments import batch_events, required_uuid
from ledger.server.errors import VersionOutOfRange
from ledger.server.head_watch import Follower, HeadWatch
from ledger.server.limits import Limits
from ledger.server.old_ranges import OldRanges
from ledger.store.reading import StoredRow, is_last_page
from ledger.trust.tile import TILE_WIDTH


def _batches(rows: Sequence[StoredLeaf | StoredRow], size: int) -> Iterator[Sequence[StoredLeaf | StoredRow]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))


class EventStreams:
    """Handlers of StreamService."""

    def __init__(self, ledger: Ledger, heads: HeadWatch, limits: Limits, old: OldRanges | None = None) -> None:
        """`old` serves what the log's files hold; without them everything comes from PostgreSQL."""
        self._old = old
        self._ledger = ledger
        self._heads = heads
        self._limits = limits

    async def read_hospital(self, request: ReadHospitalRequest) -> AsyncGenerator[ReadHospitalResponse, None]:
        """A hospital's events after a position, to the head; with `follow` for as long as the client stays."""
        batch, after = batch_events(request.batch_size), request.after_position
        head = await self._ledger.head(request.hospital)
        if after > head:
            raise PositionOutOfRange(after, head)
        async for response in self._up_to(request.hospital, after, head, batch):
            yield response
        if not request.follow:
            return
        async with self._heads.follow(request.hospital) as follower:
            async for response in self._tail(request.hospital, head, batch, follower):
                yield response

    async def _tail(
        self, hospital: str, head: int, batch: int, follower: Follower
    ) -> AsyncGenerator[ReadHospitalResponse, None]:
        while True:
            grown = await follower.beyond(head)
            async for response in self._up_to(hospital, head, grown, batch):
                yield response
            head = grown

    async def _up_to(
        self, hospital: str, after: int, head: int, batch: int
    ) -> AsyncGenerator[ReadHospitalResponse, None]:
        """Batches from behind `after` to the head as it was seen, and then the word that this was all."""
        # A full bundle ends between the two, or there is nothing to look for in files.
        looks = self._old is not None and after // TILE_WIDTH < head // TILE_WIDTH
        old = await self._old.below(hospital) if self._old and looks else None
        while after < head:
            rows: Sequence[StoredLeaf | StoredRow] = ()
            if old and after < min(head, old.upto):
                # The log may have grown since the head was asked for.
                rows = [row for row in await old.after(after) if row.position <= head]
            for run in _batches(rows or await self._read(hospital, after, min(batch, head - after)), batch):
                for part in _parts(run, self._limits.batch_bytes_max):
                    yield ReadHospitalResponse(events=part)
                after = run[-1].position
        yield ReadHospitalResponse(caught_up=_caught_up(head))

    async def _read(self, hospital: str, after: int, count: int) -> Sequence[StoredLeaf | StoredRow]:
        return await self._ledger.read_positions(hospital, after, count)

    async def read_record(self, request: ReadRecordRequest) -> AsyncGenerator[ReadRecordResponse, None]:
        """One stream's events after a version, to its head; with `follow` for as long as the client stays."""
        batch, stream_id = batch_events(request.batch_size), required_uuid(request.record_id, "record_id")
        # Before the record is read: what comes between the two wakes the follower once too often, not too late.
        head = await self._ledger.head(request.hospital)
        place = _Place(request.after_version, await self._position_before(request, stream_id))
        async for part in self._record_parts(request.hospital, stream_id, place, batch):
            yield ReadRecordResponse(events=part)
        if place.position == 0:
            raise UnknownRecord(stream_id)
        yield ReadRecordResponse(caught_up=_caught_up(place.position))
        if not request.follow:
            return
        async with self._heads.follow(request.hospital) as follower:
            while True:
                head, before = await follower.beyond(head), place.version
                async for part in self._record_parts(request.hospital, stream_id, place, batch):
                    yield ReadRecordResponse(events=part)
                if place.version > before:
                    yield ReadRecordResponse(caught_up=_caught_up(place.position))

    async def _record_parts(
        self, hospital: str, stream_id: UUID, place: _Place, batch: int
    ) -> AsyncGenerator[list[StoredEvent], None]:
        """The stream's events behind a place, which goes with them to the stream's head."""
        rows = await self._ledger.read_stream(hospital, stream_id, place.version, batch)
        while rows:
            for part in _parts(rows, self._limits.batch_bytes_max):
                yield part
            place.version, place.position = rows[-1].version, rows[-1].position
            if is_last_page(rows, batch):
                break
            rows = await self._ledger.read_stream(hospital, stream_id, place.version, batch)

    async def _position_before(self, request: ReadRecordRequest, stream_id: UUID) -> int:
        """Position of the event behind which the reader wants to begin; 0 = from the first one."""
        version = request.after_version
        if version == 0:
            return 0
        rows = await self._ledger.read_stream(request.hospital, stream_id, version - 1, 1)
        if rows:
            return rows[0].position
        view = await self._ledger.record(request.hospital, stream_id)
        raise VersionOutOfRange(version, view.version)


@dataclass
class _Place:
    """Where a reader of one stream is: the last event that it was sent."""

    version: int
    position: int


def _caught_up(position: int) -> CaughtUp:
    return CaughtUp(position=position, time=to_timestamp(datetime.now(UTC)))


def _parts(rows: Sequence[StoredLeaf | StoredRow], bytes_max: int) -> Iterator[list[StoredEvent]]:
    """The rows in order, in parts that each fit into a message; a single event always does."""
    part: list[StoredEvent] = []
    size = 0
    for row in rows:
        row_size = len(row.envelope) + len(row.body)
        if part and size + row_size > bytes_max:
            yield part
            part, size = [], 0
        part.append(StoredEvent(position=row.position, envelope=row.envelope, body=row.body))
        size += row_size
    if part:
        yield part
