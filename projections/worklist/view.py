"""How events move records and what waits in them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, identity_events_pb2, keeping_events_pb2
from ledger.views.event import ViewEvent
from ledger.views.view import Change, Erased, Row, RowKey, Table
from projections.phase import CHANGES_PHASE, phase_after
from projections.worklist.items import CHANGES_ITEMS, items_after, items_named
from projections.worklist.rows import WorkItemRow, WorkRecord

_RECORDS = "records"
_ITEMS = "items"


class Worklist:
    """What waits, by record; whom it waits for is joined from the record when somebody asks."""

    name = "worklist"
    schema_version = 8
    package = "projections.worklist"
    tables = (Table(_RECORDS, WorkRecord._make, 1), Table(_ITEMS, WorkItemRow._make, 2))

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row, and the items that the event is about."""
        kind = event.body_class
        record = RowKey(_RECORDS, (event.stream_id,))
        if kind is keeping_events_pb2.RecordDestroyed:
            return (record,)
        if event.gone:
            return ()
        if kind in CHANGES_ITEMS:
            return (record, *(RowKey(_ITEMS, (event.stream_id, item)) for item in items_named(event)))
        return (record,) if kind in _ON_RECORD or kind in CHANGES_PHASE else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The record's row after the event, and its items."""
        kind = event.body_class
        if kind is keeping_events_pb2.RecordDestroyed:
            gone = WorkRecord(event.stream_id, event.version, phase=common_pb2.PHASE_DESTROYED)
            return (Change(_RECORDS, gone), Erased(_ITEMS, event.stream_id))
        if kind is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        record = cast("WorkRecord | None", rows.get(RowKey(_RECORDS, (event.stream_id,))))
        if record is None:  # its registration was given up by a person
            return ()
        after = _ON_RECORD[kind](record, event.message) if kind in _ON_RECORD else record
        standing = phase_after(event, record.standing)
        moved = after._replace(version=event.version, **standing._asdict())
        return (Change(_RECORDS, moved), *(Change(_ITEMS, item) for item in items_after(event, _known(event, rows))))


def _known(event: ViewEvent, rows: Mapping[RowKey, Row]) -> dict[str, WorkItemRow]:
    found = {item: rows.get(RowKey(_ITEMS, (event.stream_id, item))) for item in items_named(event)}
    return {item: cast("WorkItemRow", row) for item, row in found.items() if row is not None}


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> WorkRecord:
    return WorkRecord(event.stream_id, event.version, case_number=body.case_number, department=body.department)


def _care_started(record: WorkRecord, body: events_pb2.CareStarted) -> WorkRecord:
    return record._replace(department=body.department, responsible_id=body.responsible.id)


def _transferred(record: WorkRecord, body: events_pb2.DepartmentTransferred) -> WorkRecord:
    # Without a physician the one before stays in charge, as in the record itself.
    responsible_id = body.responsible.id if body.HasField("responsible") else record.responsible_id
    return record._replace(department=body.to_department, responsible_id=responsible_id)


def _assigned(record: WorkRecord, body: course_events_pb2.PhysicianAssigned) -> WorkRecord:
    return record._replace(responsible_id=body.responsible.id)


def _filed_under(
    record: WorkRecord, body: course_events_pb2.PatientIdentified | identity_events_pb2.IdentificationWithdrawn
) -> WorkRecord:
    return record._replace(case_number=body.case_number)


_ON_RECORD: dict[type[Message], Callable[[WorkRecord, Any], WorkRecord]] = {
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _transferred,
    course_events_pb2.PhysicianAssigned: _assigned,
    course_events_pb2.PatientIdentified: _filed_under,
    identity_events_pb2.IdentificationWithdrawn: _filed_under,
}
