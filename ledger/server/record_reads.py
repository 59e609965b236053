"""Reads from the write side: always up to date."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ledger.api.v1.records_pb2 import (
    FindRecordsRequest,
    FindRecordsResponse,
    GetCommandRequest,
    GetCommandResponse,
    GetEntryRequest,
    GetEntryResponse,
    GetRecordRequest,
    GetRecordResponse,
    ListRecordsRequest,
    ListRecordsResponse,
    RecordReference,
    RecordSummary,
)
from ledger.application.errors import RecordDestroyed
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_timestamp
from ledger.application.views_of_state import Found, StreamRow
from ledger.domain.state import is_destroyed
from ledger.server import page_token
from ledger.server.arguments import invalid, required_uuid, server_time
from ledger.server.commands import receipt_of
from ledger.server.errors import ForeignPageToken, VersionOutOfRange
from ledger.server.record_message import entry_message, record_message
from ledger.views.page_size import PAGE_ROWS_MAX, page_rows

_POSITION_MAX = 2**63 - 1
_ID_BYTES = 16


class RecordReads:
    """Handlers of RecordService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_record(self, request: GetRecordRequest) -> GetRecordResponse:
        """A record now, as of a version or as of a server time."""
        record_id = required_uuid(request.record_id, "record_id")
        version, time = _as_of(request)
        view = await self._ledger.record(request.hospital, record_id, version, time)
        if version is not None and view.version != version:
            raise VersionOutOfRange(version, view.version)
        return GetRecordResponse(record=record_message(view))

    async def get_entry(self, request: GetEntryRequest) -> GetEntryResponse:
        """One entry with all its versions."""
        record_id = required_uuid(request.record_id, "record_id")
        entry_id = required_uuid(request.entry_id, "entry_id")
        view = await self._ledger.record(request.hospital, record_id)
        if is_destroyed(view.state):
            raise RecordDestroyed(record_id)
        return GetEntryResponse(entry=entry_message(view.state, entry_id))

    async def find_records(self, request: FindRecordsRequest) -> FindRecordsResponse:
        """Records by case number, by source item, or by a fact that an item states."""
        rows_max = page_rows(request.page_size, PAGE_ROWS_MAX)
        after = _id_of(page_token.decode(request, request.page_token))
        found = await self._found(request, after, rows_max + 1)
        response = FindRecordsResponse(records=[_reference(each) for each in found[:rows_max]])
        if len(found) > rows_max:
            response.next_page_token = page_token.encode(request, found[rows_max - 1].stream_id.bytes)
        return response

    async def _found(self, request: FindRecordsRequest, after: UUID | None, rows_max: int) -> list[Found]:
        """What was found behind an id; a source item or a fact leads to one stream, which is the first page."""
        match request.WhichOneof("by"):
            case "case_number":
                return await self._ledger.find_by_case_number(request.hospital, request.case_number, after, rows_max)
            case "source":
                source = request.source
                return await self._ledger.find_by_source(request.hospital, source.system, source.type, source.id)
            case "fact":
                patient_id = required_uuid(request.fact.patient_id, "fact.patient_id")
                return await self._ledger.find_by_fact(request.hospital, patient_id, request.fact.fact_sha256)
            case None:
                raise invalid("by", "REQUIRED", "a case number, a source item or a fact is required")

    async def list_records(self, request: ListRecordsRequest) -> ListRecordsResponse:
        """Records in the order of their registration."""
        rows_max = page_rows(request.page_size)
        after = _position(page_token.decode(request, request.page_token))
        rows = await self._ledger.list_records(request.hospital, after, rows_max + 1)
        response = ListRecordsResponse(records=[_summary(each) for each in rows[:rows_max]])
        if len(rows) > rows_max:
            last = rows[rows_max - 1].first_position
            response.next_page_token = page_token.encode(request, str(last).encode())
        return response

    async def get_command(self, request: GetCommandRequest) -> GetCommandResponse:
        """What became of a command."""
        command_id = required_uuid(request.command_id, "command_id")
        outcome, rpc = await self._ledger.command(request.hospital, command_id)
        return GetCommandResponse(receipt=receipt_of(outcome), rpc=rpc)


def _as_of(request: GetRecordRequest) -> tuple[int | None, datetime | None]:
    match request.WhichOneof("as_of"):
        case "version" if request.version == 0:
            raise invalid("version", "OUT_OF_RANGE", "versions begin at 1")
        case "version":
            return request.version, None
        case "time":
            return None, server_time(request.time)
        case None:
            return None, None


def _position(cursor: bytes) -> int:
    if not cursor:
        return 0
    if not cursor.isdigit() or (position := int(cursor)) > _POSITION_MAX:
        raise ForeignPageToken
    return position


def _id_of(cursor: bytes) -> UUID | None:
    if not cursor:
        return None
    if len(cursor) != _ID_BYTES:
        raise ForeignPageToken
    return UUID(bytes=cursor)


def _reference(found: Found) -> RecordReference:
    entry_id = str(found.entry_id) if found.entry_id else ""
    return RecordReference(record_id=str(found.stream_id), kind=found.kind, entry_id=entry_id, linked=found.linked)


def _summary(row: StreamRow) -> RecordSummary:
    return RecordSummary(
        record_id=str(row.stream_id),
        version=row.version,
        first_position=row.first_position,
        last_position=row.last_position,
        updated_at=to_timestamp(row.recorded_at),
    )
