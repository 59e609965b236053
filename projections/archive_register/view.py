"""How events move a record through the archive register. Its head moves with EVERY event of the record."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from google.protobuf.message import Message

from ledger.api.v1 import (
    boards_pb2,
    common_pb2,
    course_events_pb2,
    events_pb2,
    identity_events_pb2,
    keeping_events_pb2,
    keeping_values_pb2,
)
from ledger.views.event import ViewEvent, unix_micros
from ledger.views.view import Change, Erased, Row, RowKey, Table
from projections.archive_register.overlays import counted, overlay_after, overlay_key
from projections.archive_register.rows import OverlayRow, RegisteredRecord
from projections.phase import phase_after

_RECORDS = "records"
_OVERLAYS = "overlays"


class ArchiveRegister:
    """All records of a hospital in order of registration."""

    name = "archive_register"
    schema_version = 9
    package = "projections.archive_register"
    tables = (Table(_RECORDS, RegisteredRecord._make, 1), Table(_OVERLAYS, OverlayRow._make, 3))

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row, and the overlay's; streams of other kinds have none. UnknownEventType stops the record."""
        if event.body_class in _OTHER_STREAMS:
            return ()
        record = RowKey(_RECORDS, (event.stream_id,))
        if event.gone or event.body_class is keeping_events_pb2.RecordDestroyed:
            return (record,)
        key = overlay_key(event)
        return (record, RowKey(_OVERLAYS, key)) if key else (record,)

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The record's row after the event, and the overlay's."""
        body_class = event.body_class
        if event.gone and body_class is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _unreadable(event)),)
        if body_class is events_pb2.RecordRegistered:
            return (Change(_RECORDS, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        record = cast("RegisteredRecord | None", rows.get(RowKey(_RECORDS, (event.stream_id,))))
        if record is None:  # its registration was given up by a person
            return ()
        record = record._replace(version=event.version, head_leaf=event.leaf)
        if body_class is keeping_events_pb2.RecordDestroyed:
            return (Change(_RECORDS, _tombstone(record, event)), Erased(_OVERLAYS, event.stream_id))
        if event.gone:
            return (Change(_RECORDS, record),)
        overlays: tuple[Change, ...] = ()
        if key := overlay_key(event):
            before = cast("OverlayRow | None", rows.get(RowKey(_OVERLAYS, key)))
            if after := overlay_after(event, key, before):
                record, overlays = counted(record, before, after), (Change(_OVERLAYS, after),)
        if change := _ON_RECORD.get(body_class):
            record = change(record, event, event.message)
        moved = record._replace(**phase_after(event, record.standing)._asdict())
        return (Change(_RECORDS, moved), *overlays)


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> RegisteredRecord:
    return RegisteredRecord(
        record_id=event.stream_id,
        version=event.version,
        registered_position=event.position,
        head_leaf=event.leaf,
        case_number=body.case_number,
        visit_type=body.visit_type,
        visit_sequence=body.visit_sequence,
        retention_class=body.retention_class,
        department=body.department,
    )


def _unreadable(event: ViewEvent) -> RegisteredRecord:
    """A record that is destroyed further on: its place and its head."""
    place = (event.stream_id, event.version, event.position, event.leaf)
    return RegisteredRecord(*place, phase=common_pb2.PHASE_DESTROYED)


def _tombstone(record: RegisteredRecord, event: ViewEvent) -> RegisteredRecord:
    """That it was there, and by which list it went; nothing of what it said or whose it was."""
    return RegisteredRecord(
        record_id=record.record_id,
        version=record.version,
        registered_position=record.registered_position,
        head_leaf=record.head_leaf,
        phase=common_pb2.PHASE_DESTROYED,
        # Nothing else is destroyed.
        opinion=keeping_values_pb2.DISPOSAL_OPINION_DESTROY,
        approved=True,
        list_id="" if event.gone else cast("keeping_events_pb2.RecordDestroyed", event.message).list_id,
        destroyed_at=event.recorded_at,
    )


def _care_started(record: RegisteredRecord, _: ViewEvent, body: events_pb2.CareStarted) -> RegisteredRecord:
    return record._replace(department=body.department)


def _moved(record: RegisteredRecord, _: ViewEvent, body: events_pb2.DepartmentTransferred) -> RegisteredRecord:
    return record._replace(department=body.to_department)


def _ended(record: RegisteredRecord, _: ViewEvent, body: events_pb2.CareEnded) -> RegisteredRecord:
    return record._replace(ended_at=unix_micros(body.ended_at) or unix_micros(body.meta.occurred_at))


def _corrected(record: RegisteredRecord, _: ViewEvent, body: course_events_pb2.TimeCorrected) -> RegisteredRecord:
    if body.of != common_pb2.TIME_OF_CARE_END:
        return record
    return record._replace(ended_at=unix_micros(body.corrected_at))


def _resumed(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(ended_at=None)


def _identified(record: RegisteredRecord, _: ViewEvent, body: course_events_pb2.PatientIdentified) -> RegisteredRecord:
    return record._replace(case_number=body.case_number)


def _renumbered(record: RegisteredRecord, _: ViewEvent, body: course_events_pb2.VisitRenumbered) -> RegisteredRecord:
    return record._replace(visit_sequence=body.visit_sequence)


def _unknown_again(
    record: RegisteredRecord, _: ViewEvent, body: identity_events_pb2.IdentificationWithdrawn
) -> RegisteredRecord:
    return record._replace(case_number=body.case_number, visit_sequence=body.visit_sequence)


def _submitted(record: RegisteredRecord, event: ViewEvent, _: Message) -> RegisteredRecord:
    return record._replace(submitted_at=event.recorded_at, passed=False)


def _returned(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(returns=record.returns + 1, passed=False)


def _passed(record: RegisteredRecord, _: ViewEvent, body: events_pb2.QualityPassed) -> RegisteredRecord:
    return record._replace(score=body.score, passed=True)


def _assessed(record: RegisteredRecord, _: ViewEvent, body: course_events_pb2.QualityAssessed) -> RegisteredRecord:
    return record._replace(score=body.score, grade=body.grade)


def _sampled(record: RegisteredRecord, event: ViewEvent, body: keeping_events_pb2.SampleAssessed) -> RegisteredRecord:
    found = boards_pb2.SAMPLE_STANDING_PASSED if body.passed else boards_pb2.SAMPLE_STANDING_TO_MEND
    return record._replace(score=body.score, grade=body.grade, sample=int(found), sampled_at=event.recorded_at)


def _archived_again(record: RegisteredRecord, event: ViewEvent, body: Any) -> RegisteredRecord:
    mended = record.sample == boards_pb2.SAMPLE_STANDING_TO_MEND
    standing = int(boards_pb2.SAMPLE_STANDING_TO_CHECK) if mended else record.sample
    return _dated(record, event, body)._replace(sample=standing)


def _archived(record: RegisteredRecord, event: ViewEvent, body: events_pb2.RecordArchived) -> RegisteredRecord:
    return record._replace(
        archived_at=event.recorded_at,
        retain_until=max(record.retain_until, body.retain_until),
        retention_class=body.retention_class or record.retention_class,
    )


def _dated(record: RegisteredRecord, _: ViewEvent, body: Any) -> RegisteredRecord:
    # ISO dates compare as text; a date once promised never moves back.
    return record._replace(retain_until=max(record.retain_until, body.retain_until))


def _term_moved(record: RegisteredRecord, event: ViewEvent, body: Any) -> RegisteredRecord:
    """Another term: what was appraised before no longer counts."""
    return _dated(record, event, body)._replace(opinion=0, approved=False, list_id="")


def _appraised(record: RegisteredRecord, _: ViewEvent, body: keeping_events_pb2.DisposalAppraised) -> RegisteredRecord:
    return record._replace(opinion=body.opinion, approved=False, list_id="")


def _rejected(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(opinion=0, approved=False, list_id="")


def _approved(record: RegisteredRecord, _: ViewEvent, body: keeping_events_pb2.DisposalApproved) -> RegisteredRecord:
    return record._replace(opinion=body.opinion, approved=True, list_id=body.list_id)


def _copied(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(copies=record.copies + 1)


def _restricted(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(restrictions=record.restrictions + 1)


def _restriction_lifted(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(restrictions=max(record.restrictions - 1, 0))


def _every_restriction_lifted(record: RegisteredRecord, _: ViewEvent, __: Message) -> RegisteredRecord:
    return record._replace(restrictions=0)


_OTHER_STREAMS: frozenset[type[Message]] = frozenset(
    {
        events_pb2.PatientRegistered,
        events_pb2.PatientAmended,
        events_pb2.PackageReceived,
        events_pb2.PackageVerified,
        events_pb2.PackageAccepted,
        events_pb2.PackageRejected,
        identity_events_pb2.PatientLinked,
        identity_events_pb2.PatientUnlinked,
        identity_events_pb2.PatientMerged,
        identity_events_pb2.PatientUnmerged,
        identity_events_pb2.IdentifiersStated,
        identity_events_pb2.DetailsStated,
        identity_events_pb2.RecognitionWithdrawn,
    }
)
_ON_RECORD: dict[type[Message], Callable[[RegisteredRecord, ViewEvent, Any], RegisteredRecord]] = {
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _moved,
    events_pb2.CareEnded: _ended,
    course_events_pb2.TimeCorrected: _corrected,
    course_events_pb2.CareResumed: _resumed,
    course_events_pb2.PatientIdentified: _identified,
    course_events_pb2.VisitRenumbered: _renumbered,
    identity_events_pb2.IdentificationWithdrawn: _unknown_again,
    events_pb2.RecordSubmitted: _submitted,
    events_pb2.QualityReturned: _returned,
    events_pb2.QualityPassed: _passed,
    course_events_pb2.QualityAssessed: _assessed,
    events_pb2.RecordArchived: _archived,
    keeping_events_pb2.RecordRearchived: _archived_again,
    keeping_events_pb2.SampleAssessed: _sampled,
    keeping_events_pb2.RetentionExtended: _term_moved,
    keeping_events_pb2.RetentionEnded: _term_moved,
    keeping_events_pb2.DisposalAppraised: _appraised,
    keeping_events_pb2.AppraisalRejected: _rejected,
    keeping_events_pb2.DisposalApproved: _approved,
    keeping_events_pb2.CopyIssued: _copied,
    keeping_events_pb2.UseRestricted: _restricted,
    keeping_events_pb2.UseRestrictionLifted: _every_restriction_lifted,
    keeping_events_pb2.RestrictionLifted: _restriction_lifted,
}
