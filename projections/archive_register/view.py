"""How events move a record through the archive register. Its head moves with EVERY event of the record."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, events_pb2
from ledger.views.event import ViewEvent, unix_micros
from ledger.views.view import Change, Row, RowKey, Table
from projections.phase import phase_after

_RECORDS = "records"


class RegisteredRecord(NamedTuple):
    """A record in the register. Times are Unix microseconds."""

    record_id: UUID
    version: int
    registered_position: int
    case_number: str
    visit_type: int
    visit_sequence: int
    phase: int
    ended_at: int | None
    submitted_at: int | None
    archived_at: int | None
    retention_class: str
    retain_until: str
    head_leaf: bytes
    returns: int
    score: int


class ArchiveRegister:
    """All records of a hospital in order of registration."""

    name = "archive_register"
    schema_version = 1
    package = "projections.archive_register"
    tables = (Table(_RECORDS, RegisteredRecord._make, 1),)

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row; streams of other kinds have none. UnknownEventType stops the record."""
        return (RowKey(_RECORDS, (event.stream_id,)),) if event.body_class not in _OTHER_STREAMS else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
        """The record's row after the event."""
        body_class = event.body_class
        if body_class is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        record = cast("RegisteredRecord | None", rows.get(RowKey(_RECORDS, (event.stream_id,))))
        if record is None:  # its registration was given up by a person
            return ()
        change = _ON_RECORD.get(body_class)
        after = change(record, event) if change else record
        phase = phase_after(body_class, record.phase)
        return (Change(_RECORDS, after._replace(version=event.version, head_leaf=event.leaf, phase=phase)),)


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> RegisteredRecord:
    return RegisteredRecord(
        record_id=event.stream_id,
        version=event.version,
        registered_position=event.position,
        case_number=body.case_number,
        visit_type=body.visit_type,
        visit_sequence=body.visit_sequence,
        phase=common_pb2.PHASE_REGISTERED,
        ended_at=None,
        submitted_at=None,
        archived_at=None,
        retention_class=body.retention_class,
        retain_until="",
        head_leaf=event.leaf,
        returns=0,
        score=0,
    )


def _ended(record: RegisteredRecord, event: ViewEvent) -> RegisteredRecord:
    body = cast("events_pb2.CareEnded", event.message)
    return record._replace(ended_at=unix_micros(body.ended_at) or unix_micros(body.meta.occurred_at))


def _submitted(record: RegisteredRecord, event: ViewEvent) -> RegisteredRecord:
    return record._replace(submitted_at=event.recorded_at)


def _returned(record: RegisteredRecord, _: ViewEvent) -> RegisteredRecord:
    return record._replace(returns=record.returns + 1)


def _passed(record: RegisteredRecord, event: ViewEvent) -> RegisteredRecord:
    return record._replace(score=cast("events_pb2.QualityPassed", event.message).score)


def _archived(record: RegisteredRecord, event: ViewEvent) -> RegisteredRecord:
    body = cast("events_pb2.RecordArchived", event.message)
    return record._replace(
        archived_at=event.recorded_at,
        retain_until=body.retain_until,
        retention_class=body.retention_class or record.retention_class,
    )


_OTHER_STREAMS: frozenset[type[Message]] = frozenset(
    {
        events_pb2.PatientRegistered,
        events_pb2.PatientAmended,
        events_pb2.PackageReceived,
        events_pb2.PackageVerified,
        events_pb2.PackageAccepted,
        events_pb2.PackageRejected,
    }
)
_ON_RECORD: dict[type[Message], Callable[[RegisteredRecord, ViewEvent], RegisteredRecord]] = {
    events_pb2.CareEnded: _ended,
    events_pb2.RecordSubmitted: _submitted,
    events_pb2.QualityReturned: _returned,
    events_pb2.QualityPassed: _passed,
    events_pb2.RecordArchived: _archived,
}
