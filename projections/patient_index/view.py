"""How events make a patient's episodes.

A record may be seen before its patient, and one patient before the other: they are different streams. So none writes
another's row, and a question joins them by patient id.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, identity_events_pb2, keeping_events_pb2
from ledger.views.event import ViewEvent
from ledger.views.view import Change, Erased, Row, RowKey, Table
from projections.led_newborn import LedNewborn, led_newborn
from projections.patient_index.codes import codes_of
from projections.patient_index.consultations import consultation_after, consultation_named
from projections.patient_index.episode import NO_EPISODE, ON_EPISODE
from projections.patient_index.rows import (
    Duplicate,
    EpisodeConsultation,
    EpisodeEntry,
    EpisodeRow,
    ForeignResult,
    Identity,
    LinkedNewborn,
    Patient,
)
from projections.phase import CHANGES_PHASE, phase_after

_PATIENTS = "patients"
_IDENTITIES = "identities"
_EPISODES = "episodes"
_ENTRIES = "entries"
_DUPLICATES = "duplicates"
_NEWBORNS = "newborns"
_LINKED = "linked_newborns"
_CONSULTATIONS = "consultations"
_RESULTS = "foreign_results"
_OF_RECORD = (_ENTRIES, _DUPLICATES, _NEWBORNS, _LINKED, _CONSULTATIONS, _RESULTS)
_NO_CODES = "[]"


class PatientIndex:
    """Episodes by patient, from every department, with the identities of the patient and the codes of the entries."""

    name = "patient_index"
    schema_version = 8
    package = "projections.patient_index"
    tables = (
        Table(_PATIENTS, Patient._make, 1),
        Table(_IDENTITIES, Identity._make, 2),
        Table(_EPISODES, EpisodeRow._make, 1),
        Table(_ENTRIES, EpisodeEntry._make, 2),
        Table(_DUPLICATES, Duplicate._make, 2),
        Table(_NEWBORNS, LedNewborn._make, 2),
        Table(_LINKED, LinkedNewborn._make, 2),
        Table(_CONSULTATIONS, EpisodeConsultation._make, 2),
        Table(_RESULTS, ForeignResult._make, 2),
    )

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The episode's row, or the patient's with what it says of another patient."""
        body_class = event.body_class
        patient = RowKey(_PATIENTS, (event.stream_id,))
        if body_class is events_pb2.PatientRegistered:
            return (patient,)
        if body_class is keeping_events_pb2.RecordDestroyed:
            return (RowKey(_EPISODES, (event.stream_id,)),)
        if event.gone:
            return ()
        if body_class in _BETWEEN_PATIENTS:
            return (patient, _identity_key(event))
        concerned = body_class in ON_EPISODE or body_class in CHANGES_PHASE
        episode = (RowKey(_EPISODES, (event.stream_id,)),) if concerned else ()
        if body_class in _LEADS_NEWBORN:
            return (*episode, _linked_key(event))
        if body_class in _CHANGES_ENTRY:
            return (*episode, _entry_key(event))
        consultation = consultation_named(event)
        return (*episode, _consultation_key(event, consultation)) if consultation else episode

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The rows after the event."""
        body_class = event.body_class
        if body_class is events_pb2.PatientRegistered:
            registered = cast("events_pb2.PatientRegistered", event.message)
            return (Change(_PATIENTS, Patient(event.stream_id, event.version, registered.case_number, None)),)
        if body_class in _BETWEEN_PATIENTS:
            return _between_patients(event, rows)
        if body_class is keeping_events_pb2.RecordDestroyed:
            gone = NO_EPISODE._replace(record_id=event.stream_id, version=event.version)
            return (Change(_EPISODES, gone), *(Erased(table, event.stream_id) for table in _OF_RECORD))
        if body_class is events_pb2.RecordRegistered:
            return (Change(_EPISODES, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        episode = cast("EpisodeRow | None", rows.get(RowKey(_EPISODES, (event.stream_id,))))
        if episode is None:  # its registration was given up by a person
            return ()
        after = ON_EPISODE[body_class](episode, event.message) if body_class in ON_EPISODE else episode
        standing = phase_after(event, episode.standing)
        moved = after._replace(version=event.version, **standing._asdict())
        return (Change(_EPISODES, moved), *_entry_changes(event, rows), *_course_changes(event, rows))


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> EpisodeRow:
    return EpisodeRow(
        record_id=event.stream_id,
        version=event.version,
        patient_id=UUID(body.patient_id),
        case_number=body.case_number,
        visit_type=body.visit_type,
        visit_sequence=body.visit_sequence,
        phase=common_pb2.PHASE_REGISTERED,
        permanent=False,
        departments=body.department,
        started_at=None,
        ended_at=None,
        registered_at=event.recorded_at,
    )


def _entry_key(event: ViewEvent) -> RowKey:
    body: Any = event.message
    named = body.late_entry_id if event.body_class is course_events_pb2.EntryCorrectedLate else body.entry_id
    return RowKey(_ENTRIES, (event.stream_id, UUID(named)))


def _linked_key(event: ViewEvent) -> RowKey:
    body: Any = event.message
    return RowKey(_LINKED, (event.stream_id, UUID(body.subject_id)))


def _consultation_key(event: ViewEvent, consultation_id: UUID) -> RowKey:
    return RowKey(_CONSULTATIONS, (event.stream_id, consultation_id))


def _course_changes(event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
    """The consultation that the event is about, and what became of another hospital's result."""
    named, body = consultation_named(event), cast("Any", event.message)
    if named is not None:
        before = cast("EpisodeConsultation | None", rows.get(_consultation_key(event, named)))
        if (after := consultation_after(event, before)) is not None:
            yield Change(_CONSULTATIONS, after)
    if event.body_class in _SAYS_OF_RESULT:
        repeated = event.body_class is course_events_pb2.ExaminationRepeated
        entry_id = UUID(body.entry_id) if not repeated and body.entry_id else None
        said = (event.stream_id, event.version, event.version, body.result_id, body.hospital)
        yield Change(_RESULTS, ForeignResult(*said, entry_id, repeated))


def _entry_changes(event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
    """Codes of the newest version of an entry, none once it is retracted; duplicates and newborns as linked."""
    body: Any = event.message
    before = cast("EpisodeEntry | None", rows.get(_entry_key(event))) if event.body_class in _CHANGES_ENTRY else None
    if event.body_class in _WITH_CONTENT:
        entry = EpisodeEntry(
            event.stream_id, UUID(body.entry_id), event.version, retracted=False, codes=codes_of(body.content)
        )
        yield Change(_ENTRIES, entry._replace(corrects=before.corrects if before else None))
    elif event.body_class is course_events_pb2.EntryCorrectedLate:
        # Its filing was given up by a person where there is none.
        if before is not None:
            yield Change(_ENTRIES, before._replace(version=event.version, corrects=UUID(body.entry_id)))
    elif event.body_class is events_pb2.EntryRetracted:
        gone = EpisodeEntry(event.stream_id, UUID(body.entry_id), event.version, retracted=True, codes=_NO_CODES)
        yield Change(_ENTRIES, gone)
    elif event.body_class is course_events_pb2.DuplicateLinked:
        source = body.meta.source
        of = (event.stream_id, event.version, event.version, UUID(body.entry_id) if body.entry_id else None)
        yield Change(_DUPLICATES, Duplicate(*of, source.system, source.type, source.id))
    elif event.body_class in _LEADS_NEWBORN:
        yield Change(_NEWBORNS, led_newborn(event, body))
        linked = cast("LinkedNewborn | None", rows.get(_linked_key(event)))
        if linked is not None:
            withdrawn = event.body_class is course_events_pb2.NewbornWithdrawn
            yield Change(_LINKED, linked._replace(version=event.version, withdrawn=withdrawn))
    elif event.body_class is course_events_pb2.NewbornLinked:
        patient_id = UUID(body.patient_id) if body.patient_id else None
        # Of one who was taken back a link is only taken back, so whoever is linked stands.
        yield Change(_LINKED, LinkedNewborn(event.stream_id, UUID(body.subject_id), event.version, patient_id))


def _identity_key(event: ViewEvent) -> RowKey:
    other_id = cast("identity_events_pb2.PatientLinked", event.message).other_id
    return RowKey(_IDENTITIES, (event.stream_id, UUID(other_id)))


def _between_patients(event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
    patient = cast("Patient | None", rows.get(RowKey(_PATIENTS, (event.stream_id,))))
    if patient is None:  # its registration was given up by a person
        return
    key = _identity_key(event)
    before = cast("Identity | None", rows.get(key))
    other_id: UUID = key.key[1]
    identity = before or Identity(event.stream_id, other_id, event.version, linked=False, absorbed=False)
    match event.message:
        case identity_events_pb2.PatientLinked():
            identity = identity._replace(linked=True)
        case identity_events_pb2.PatientUnlinked():
            identity = identity._replace(linked=False)
        case identity_events_pb2.PatientMerged(survivor=True):
            identity = identity._replace(absorbed=True)
        case identity_events_pb2.PatientMerged():
            patient = patient._replace(merged_into=other_id)
        case _:
            into = None if patient.merged_into == other_id else patient.merged_into
            patient, identity = patient._replace(merged_into=into), identity._replace(absorbed=False)
    yield Change(_PATIENTS, patient._replace(version=event.version))
    yield Change(_IDENTITIES, identity._replace(version=event.version))


_BETWEEN_PATIENTS: frozenset[type[Message]] = frozenset(
    {
        identity_events_pb2.PatientLinked,
        identity_events_pb2.PatientUnlinked,
        identity_events_pb2.PatientMerged,
        identity_events_pb2.PatientUnmerged,
    }
)
_CHANGES_ENTRY: frozenset[type[Message]] = frozenset({events_pb2.EntryAmended, course_events_pb2.EntryCorrectedLate})
_LEADS_NEWBORN: frozenset[type[Message]] = frozenset(
    {course_events_pb2.NewbornWithdrawn, course_events_pb2.NewbornRestored}
)
_SAYS_OF_RESULT: frozenset[type[Message]] = frozenset(
    {course_events_pb2.ResultRecognised, course_events_pb2.ExaminationRepeated}
)
_WITH_CONTENT: frozenset[type[Message]] = frozenset(
    {events_pb2.EntryRecorded, events_pb2.EntryAmended, course_events_pb2.LateItemFiled}
)
