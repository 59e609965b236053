"""The handlers of PurgeService."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from ledger.api.v1.purges_pb2 import (
    HOLDER_KIND_UNSPECIFIED,
    AcknowledgePurgeRequest,
    AcknowledgePurgeResponse,
    HolderKind,
    ListPurgesRequest,
    ListPurgesResponse,
    Purge,
    PurgeHolder,
)
from ledger.application.message_codec import to_timestamp
from ledger.clock import Clock
from ledger.keys.key_file import KeyFile
from ledger.keys.purge_entry import Holder
from ledger.keys.purge_rows import REGISTER_START, PurgePlace, PurgeRows
from ledger.keys.purge_rows import Purge as PurgeRow
from ledger.server import page_token
from ledger.server.arguments import invalid, required_uuid
from ledger.server.errors import ForeignPageToken, UnknownHolder
from ledger.trust.lineage import first_of
from ledger.views.page_size import page_rows

_PREFIX = "HOLDER_KIND_"
OriginOf = Callable[[str], Awaitable[str]]
"""The origin of a hospital's ledger. Raises UnknownHospital."""
Generations = Callable[[], Awaitable[KeyFile]]
"""The key-encryption keys as they stand. Raises KeysUnavailable."""


class Purges:
    """Reads the register, and takes acknowledgements."""

    def __init__(self, purges: PurgeRows, origin_of: OriginOf, generations: Generations, clock: Clock) -> None:
        self._purges = purges
        self._origin_of = origin_of
        self._generations = generations
        self._clock = clock

    async def list_purges(self, request: ListPurgesRequest) -> ListPurgesResponse:
        """A page of destroyed records."""
        rows_max = page_rows(request.page_size)
        after = _place(page_token.decode(request, request.page_token))
        origin = first_of(await self._origin_of(request.hospital))
        rows = await self._purges.page(origin, after, rows_max + 1, only_open=request.only_open)
        generations, now = await self._generations(), self._clock()
        response = ListPurgesResponse(purges=[_message(each, generations, now) for each in rows[:rows_max]])
        if len(rows) > rows_max:
            last = rows[rows_max - 1].place
            response.next_page_token = page_token.encode(request, f"{last.position} {last.stream_id}".encode())
        return response

    async def acknowledge_purge(self, request: AcknowledgePurgeRequest) -> AcknowledgePurgeResponse:
        """Notes that a holder has deleted."""
        record_id = required_uuid(request.record_id, "record_id")
        by = required_uuid(request.actor.id, "actor.id")
        if request.kind == HOLDER_KIND_UNSPECIFIED or request.kind not in HolderKind.values():
            raise invalid("kind", "REQUIRED", "a kind of holder that this release knows is required")
        stream = (first_of(await self._origin_of(request.hospital)), record_id.bytes)
        kind = HolderKind.Name(request.kind).removeprefix(_PREFIX).lower()
        if not await self._purges.acknowledge(stream, kind, request.item, self._clock(), by):
            raise UnknownHolder(record_id)
        return AcknowledgePurgeResponse()


def _place(cursor: bytes) -> PurgePlace:
    """Where a page begins; a token of an earlier release names no stream, and may bring rows of its position again."""
    if not cursor:
        return REGISTER_START
    try:
        position, _, stream_id = cursor.decode().partition(" ")
        return PurgePlace(int(position), UUID(stream_id) if stream_id else UUID(int=0))
    except ValueError as error:
        raise ForeignPageToken from error


def _message(row: PurgeRow, generations: KeyFile, now: datetime) -> Purge:
    message = Purge(
        record_id=str(row.stream_id),
        position=row.position,
        unreadable_at=to_timestamp(row.unreadable_at),
        generation=row.generation,
        # Of a row that somebody changed nothing is said in his favour; `ledger verify keys` names it.
        holders_known=row.holders_known and row.proven,
        holders=map(_holder, row.holders),
    )
    complete_at = generations.complete_at(row.generation, row.unreadable_at, now) if row.proven else None
    if complete_at is not None:
        message.complete_at.CopyFrom(to_timestamp(complete_at))
    return message


def _holder(holder: Holder) -> PurgeHolder:
    message = PurgeHolder(
        kind=HolderKind.Value(_PREFIX + holder.kind.upper()),
        item=holder.item,
        name=holder.name,
        acknowledged_by=str(holder.acknowledged_by or ""),
    )
    if holder.acknowledged_at is not None:
        message.acknowledged_at.CopyFrom(to_timestamp(holder.acknowledged_at))
    return message
