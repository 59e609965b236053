"""How events move records and entries on the department board."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, events_pb2
from ledger.views.event import ViewEvent, unix_micros
from ledger.views.view import Change, Row, RowKey, Table
from projections.department_board.rows import BoardEntry, BoardRecord
from projections.phase import phase_after

_RECORDS = "records"
_ENTRIES = "entries"


class DepartmentBoard:
    """Records by the department that has the patient, from registration until they are archived."""

    name = "department_board"
    schema_version = 3
    package = "projections.department_board"
    tables = (Table(_RECORDS, BoardRecord._make, 1), Table(_ENTRIES, BoardEntry._make, 2))

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row, and the entry's where the event is about one."""
        kind = event.body_class
        if kind in _ON_ENTRY:
            return (RowKey(_RECORDS, (event.stream_id,)), _entry_key(event))
        return (RowKey(_RECORDS, (event.stream_id,)),) if kind in _ON_RECORD else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
        """The record's row after the event, and the entry's."""
        kind = event.body_class
        record = cast("BoardRecord | None", rows.get(RowKey(_RECORDS, (event.stream_id,))))
        if kind is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        if record is None:  # its registration was given up by a person
            return ()
        if kind in _ON_ENTRY:
            entry = _ON_ENTRY[kind](event, event.message, cast("BoardEntry | None", rows.get(_entry_key(event))))
            moved = record._replace(version=event.version)
            return (Change(_RECORDS, moved), Change(_ENTRIES, entry)) if entry else (Change(_RECORDS, moved),)
        moved = _ON_RECORD[kind](record, event.message)
        return (Change(_RECORDS, moved._replace(version=event.version, phase=phase_after(kind, record.phase))),)


def _entry_key(event: ViewEvent) -> RowKey:
    return RowKey(_ENTRIES, (event.stream_id, UUID(cast("events_pb2.EntryRecorded", event.message).entry_id)))


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> BoardRecord:
    return BoardRecord(
        record_id=event.stream_id,
        version=event.version,
        case_number=body.case_number,
        visit_type=body.visit_type,
        phase=common_pb2.PHASE_REGISTERED,
        department=body.department,
        bed="",
        responsible="",
        since=unix_micros(body.meta.occurred_at),
        open_consultations=0,
    )


def _care_started(record: BoardRecord, body: events_pb2.CareStarted) -> BoardRecord:
    return record._replace(
        department=body.department,
        bed=body.bed,
        responsible=body.responsible.name,
        since=unix_micros(body.meta.occurred_at),
    )


def _transferred(record: BoardRecord, body: events_pb2.DepartmentTransferred) -> BoardRecord:
    return record._replace(
        department=body.to_department,
        bed=body.bed,
        # Without a physician the one before stays in charge, as in the record itself.
        responsible=body.responsible.name if body.HasField("responsible") else record.responsible,
        since=unix_micros(body.meta.occurred_at),
    )


def _consultation_opened(record: BoardRecord, _: Message) -> BoardRecord:
    return record._replace(open_consultations=record.open_consultations + 1)


def _consultation_closed(record: BoardRecord, _: Message) -> BoardRecord:
    return record._replace(open_consultations=record.open_consultations - 1)


def _phase_only(record: BoardRecord, _: Message) -> BoardRecord:
    return record


def _entry_recorded(event: ViewEvent, body: events_pb2.EntryRecorded, _: BoardEntry | None) -> BoardEntry:
    return BoardEntry(
        record_id=event.stream_id,
        entry_id=UUID(body.entry_id),
        version=event.version,
        first_version=event.version,
        title=body.content.title or body.content.template,
        recorded_at=event.recorded_at,
        retracted=False,
    )


def _entry_amended(event: ViewEvent, body: events_pb2.EntryAmended, entry: BoardEntry | None) -> BoardEntry | None:
    title = body.content.title or body.content.template
    return entry and entry._replace(version=event.version, title=title, recorded_at=event.recorded_at)


def _entry_retracted(event: ViewEvent, _: Message, entry: BoardEntry | None) -> BoardEntry | None:
    return entry and entry._replace(version=event.version, retracted=True)


_ON_RECORD: dict[type[Message], Callable[[BoardRecord, Any], BoardRecord]] = {
    events_pb2.RecordRegistered: _phase_only,
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _transferred,
    events_pb2.ConsultationRequested: _consultation_opened,
    events_pb2.ConsultationAnswered: _consultation_closed,
    events_pb2.CareEnded: _phase_only,
    events_pb2.RecordSubmitted: _phase_only,
    events_pb2.QualityReturned: _phase_only,
    events_pb2.QualityPassed: _phase_only,
    events_pb2.RecordArchived: _phase_only,
}
_ON_ENTRY: dict[type[Message], Callable[[ViewEvent, Any, BoardEntry | None], BoardEntry | None]] = {
    events_pb2.EntryRecorded: _entry_recorded,
    events_pb2.EntryAmended: _entry_amended,
    events_pb2.EntryRetracted: _entry_retracted,
}
