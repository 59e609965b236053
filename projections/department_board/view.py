"""How events move records and entries on the department board."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, identity_events_pb2, keeping_events_pb2
from ledger.views.event import ViewEvent, unix_micros
from ledger.views.view import Change, Erased, Row, RowKey, Table
from projections.department_board.entries import ON_ENTRY
from projections.department_board.rows import BoardEntry, BoardRecord
from projections.led_newborn import LedNewborn, led_newborn
from projections.phase import CHANGES_PHASE, phase_after

_RECORDS = "records"
_ENTRIES = "entries"
_NEWBORNS = "newborns"


class DepartmentBoard:
    """Records by the department that has the patient, from registration until they are archived."""

    name = "department_board"
    schema_version = 9
    package = "projections.department_board"
    tables = (
        Table(_RECORDS, BoardRecord._make, 1),
        Table(_ENTRIES, BoardEntry._make, 2),
        Table(_NEWBORNS, LedNewborn._make, 2),
    )

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row, and the entry's where the event is about one."""
        kind = event.body_class
        if kind is keeping_events_pb2.RecordDestroyed:
            return (RowKey(_RECORDS, (event.stream_id,)),)
        if event.gone:
            return ()
        if kind in ON_ENTRY:
            return (RowKey(_RECORDS, (event.stream_id,)), _entry_key(event))
        return (RowKey(_RECORDS, (event.stream_id,)),) if kind in _ON_RECORD or kind in CHANGES_PHASE else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The record's row after the event, and the entry's."""
        kind = event.body_class
        if kind is keeping_events_pb2.RecordDestroyed:
            gone = (Erased(_ENTRIES, event.stream_id), Erased(_NEWBORNS, event.stream_id))
            return (Change(_RECORDS, _tombstone(event)), *gone)
        record = cast("BoardRecord | None", rows.get(RowKey(_RECORDS, (event.stream_id,))))
        if kind is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        if record is None:  # its registration was given up by a person
            return ()
        if kind in ON_ENTRY:
            entry = ON_ENTRY[kind](event, event.message, cast("BoardEntry | None", rows.get(_entry_key(event))))
            moved = record._replace(version=event.version)
            return (Change(_RECORDS, moved), Change(_ENTRIES, entry)) if entry else (Change(_RECORDS, moved),)
        moved = _ON_RECORD.get(kind, _phase_only)(record, event.message)
        standing = phase_after(event, record.standing)
        change = Change(_RECORDS, moved._replace(version=event.version, **standing._asdict()))
        return (
            (change, Change(_NEWBORNS, led_newborn(event, cast("course_events_pb2.NewbornWithdrawn", event.message))))
            if kind in _LEADS_NEWBORN
            else (change,)
        )


def _entry_key(event: ViewEvent) -> RowKey:
    if event.body_class is course_events_pb2.EntryCorrectedLate:
        late_id = cast("course_events_pb2.EntryCorrectedLate", event.message).late_entry_id
        return RowKey(_ENTRIES, (event.stream_id, UUID(late_id)))
    return RowKey(_ENTRIES, (event.stream_id, UUID(cast("events_pb2.EntryRecorded", event.message).entry_id)))


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> BoardRecord:
    return BoardRecord(
        record_id=event.stream_id,
        version=event.version,
        case_number=body.case_number,
        visit_type=body.visit_type,
        phase=common_pb2.PHASE_REGISTERED,
        permanent=False,
        identity=body.identity,
        department=body.department,
        bed="",
        responsible="",
        since=unix_micros(body.meta.occurred_at),
        open_consultations=0,
        moves=0,
    )


def _tombstone(event: ViewEvent) -> BoardRecord:
    return BoardRecord(
        record_id=event.stream_id,
        version=event.version,
        case_number="",
        visit_type=0,
        phase=common_pb2.PHASE_DESTROYED,
        permanent=False,
        identity=0,
        department="",
        bed="",
        responsible="",
        since=None,
        open_consultations=0,
        moves=0,
    )


def _care_started(record: BoardRecord, body: events_pb2.CareStarted) -> BoardRecord:
    return record._replace(
        department=body.department,
        bed=body.bed,
        responsible=body.responsible.name,
        since=unix_micros(body.meta.occurred_at),
        responsible_id=body.responsible.id,
    )


def _transferred(record: BoardRecord, body: events_pb2.DepartmentTransferred) -> BoardRecord:
    # Without a physician the one before stays in charge, as in the record itself.
    named = body.HasField("responsible")
    return record._replace(
        department=body.to_department,
        bed=body.bed,
        responsible=body.responsible.name if named else record.responsible,
        since=unix_micros(body.meta.occurred_at),
        moves=record.moves + 1,
        responsible_id=body.responsible.id if named else record.responsible_id,
    )


def _corrected(record: BoardRecord, body: course_events_pb2.TimeCorrected) -> BoardRecord:
    """Since when the department has the patient: the last move, or the start of care where there was none."""
    last = common_pb2.TIME_OF_MOVE if record.moves else common_pb2.TIME_OF_CARE_START
    if (body.of, body.move) != (last, record.moves):
        return record
    return record._replace(since=unix_micros(body.corrected_at))


def _assigned(record: BoardRecord, body: course_events_pb2.PhysicianAssigned) -> BoardRecord:
    return record._replace(responsible=body.responsible.name, responsible_id=body.responsible.id)


def _consultation_opened(record: BoardRecord, _: Message) -> BoardRecord:
    return record._replace(open_consultations=record.open_consultations + 1)


def _consultation_closed(record: BoardRecord, _: Message) -> BoardRecord:
    return record._replace(open_consultations=record.open_consultations - 1)


def _identified(record: BoardRecord, body: course_events_pb2.PatientIdentified) -> BoardRecord:
    return record._replace(case_number=body.case_number, identity=common_pb2.IDENTITY_STATUS_MATCHED)


def _unknown_again(record: BoardRecord, body: identity_events_pb2.IdentificationWithdrawn) -> BoardRecord:
    return record._replace(case_number=body.case_number, identity=common_pb2.IDENTITY_STATUS_UNVERIFIED)


def _phase_only(record: BoardRecord, _: Message) -> BoardRecord:
    return record


_LEADS_NEWBORN: tuple[type[Message], ...] = (course_events_pb2.NewbornWithdrawn, course_events_pb2.NewbornRestored)
_ON_RECORD: dict[type[Message], Callable[[BoardRecord, Any], BoardRecord]] = {
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _transferred,
    events_pb2.ConsultationRequested: _consultation_opened,
    events_pb2.ConsultationAnswered: _consultation_closed,
    course_events_pb2.ConsultationWithdrawn: _consultation_closed,
    course_events_pb2.TimeCorrected: _corrected,
    course_events_pb2.PhysicianAssigned: _assigned,
    course_events_pb2.PatientIdentified: _identified,
    identity_events_pb2.IdentificationWithdrawn: _unknown_again,
    events_pb2.QualityPassed: _phase_only,
    **dict.fromkeys(_LEADS_NEWBORN, _phase_only),
}
