"""Replay in raw bundles: what lies in the log's files goes out as it lies there, the rest in the same form."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, datetime

from ledger.api.v1.stream_pb2 import CaughtUp, EventBundle, ReadBundlesRequest, ReadBundlesResponse
from ledger.application.errors import PositionOutOfRange
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_timestamp
from ledger.log.log_growth import StoredLeaf
from ledger.server.limits import Limits
from ledger.server.old_ranges import OldRange, OldRanges
from ledger.store.reading import StoredRow
from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.leaf import leaf_hash
from ledger.trust.tile import TILE_WIDTH


class RawBundles:
    """Handler of StreamService.ReadBundles."""

    def __init__(self, ledger: Ledger, limits: Limits, old: OldRanges | None = None) -> None:
        """`old` serves what the log's files hold; without them everything comes from PostgreSQL."""
        self._ledger = ledger
        self._bytes_max = limits.batch_bytes_max
        self._old = old

    async def read_bundles(self, request: ReadBundlesRequest) -> AsyncGenerator[ReadBundlesResponse, None]:
        """A hospital's events after a position, to the head of now."""
        hospital, after = request.hospital, request.after_position
        head = await self._ledger.head(hospital)
        if after > head:
            raise PositionOutOfRange(after, head)
        looks = self._old is not None and after // TILE_WIDTH < head // TILE_WIDTH
        old = await self._old.below(hospital) if self._old and looks else None
        while after < head:
            for bundle in await self._next(hospital, after, head, old):
                yield ReadBundlesResponse(bundle=bundle)
                after += bundle.events
        yield ReadBundlesResponse(caught_up=CaughtUp(position=head, time=to_timestamp(datetime.now(UTC))))

    async def _next(self, hospital: str, after: int, head: int, old: OldRange | None) -> Sequence[EventBundle]:
        """What follows a position, to the end of its bundle at most; never nothing below the head."""
        if old and after < min(head, old.upto):
            raw = await old.raw(after) if after % TILE_WIDTH == 0 and after + TILE_WIDTH <= head else None
            if raw and len(raw.entries) + len(raw.bodies) <= self._bytes_max:
                return [EventBundle(first_position=after + 1, events=TILE_WIDTH, **raw._asdict())]
            # The log may have grown since the head was asked for: what lies beyond it is not sent under it.
            if rows := [row for row in await old.after(after) if row.position <= head]:
                return [*_packed(rows, self._bytes_max)]
        count = min(TILE_WIDTH - after % TILE_WIDTH, head - after)
        return [*_packed(await self._ledger.read_positions(hospital, after, count), self._bytes_max)]


def _packed(rows: Sequence[StoredLeaf | StoredRow], bytes_max: int) -> Iterator[EventBundle]:
    """The rows in order, in bundles that each fit into a message; a single event always does."""
    part: list[StoredLeaf | StoredRow] = []
    size = 0
    for row in rows:
        row_size = len(row.envelope) + len(row.body)
        if part and size + row_size > bytes_max:
            yield _bundle(part)
            part, size = [], 0
        part.append(row)
        size += row_size
    if part:
        yield _bundle(part)


def _bundle(rows: Sequence[StoredLeaf | StoredRow]) -> EventBundle:
    leaves = (row.leaf_hash if isinstance(row, StoredRow) else leaf_hash(row.envelope) for row in rows)
    return EventBundle(
        first_position=rows[0].position,
        events=len(rows),
        entries=encode_entries([row.envelope for row in rows]),
        bodies=encode_bodies([row.body for row in rows]),
        leaf_hashes=b"".join(leaves),
    )
