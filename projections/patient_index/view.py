"""How events make a patient's episodes.

A record may be seen before its patient: the two are different streams. So neither writes the other's row, and a
question joins them by patient id or case number.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, events_pb2
from ledger.views.event import ViewEvent, unix_micros
from ledger.views.view import Change, Row, RowKey, Table
from projections.phase import phase_after

_PATIENTS = "patients"
_EPISODES = "episodes"
_BETWEEN = "\x1f"


class Patient(NamedTuple):
    """A patient stream."""

    patient_id: UUID
    version: int
    case_number: str


class EpisodeRow(NamedTuple):
    """A record as an episode. Times are Unix microseconds; departments in order, unit separators between them."""

    record_id: UUID
    version: int
    patient_id: UUID
    case_number: str
    visit_type: int
    visit_sequence: int
    phase: int
    departments: str
    started_at: int | None
    ended_at: int | None
    entries: int


class PatientIndex:
    """Episodes by patient, from every department."""

    name = "patient_index"
    schema_version = 1
    package = "projections.patient_index"
    tables = (Table(_PATIENTS, Patient._make, 1), Table(_EPISODES, EpisodeRow._make, 1))

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The episode's row, or the patient's."""
        body_class = event.body_class
        if body_class is events_pb2.PatientRegistered:
            return (RowKey(_PATIENTS, (event.stream_id,)),)
        return (RowKey(_EPISODES, (event.stream_id,)),) if body_class in _ON_EPISODE else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
        """The row after the event."""
        body_class = event.body_class
        if body_class is events_pb2.PatientRegistered:
            registered = cast("events_pb2.PatientRegistered", event.message)
            return (Change(_PATIENTS, Patient(event.stream_id, event.version, registered.case_number)),)
        if body_class is events_pb2.RecordRegistered:
            return (Change(_EPISODES, _registered(event, cast("events_pb2.RecordRegistered", event.message))),)
        episode = cast("EpisodeRow | None", rows.get(RowKey(_EPISODES, (event.stream_id,))))
        if episode is None:  # its registration was given up by a person
            return ()
        after = _ON_EPISODE[body_class](episode, event)
        phase = phase_after(body_class, episode.phase)
        return (Change(_EPISODES, after._replace(version=event.version, phase=phase)),)


def _registered(event: ViewEvent, body: events_pb2.RecordRegistered) -> EpisodeRow:
    return EpisodeRow(
        record_id=event.stream_id,
        version=event.version,
        patient_id=UUID(body.patient_id),
        case_number=body.case_number,
        visit_type=body.visit_type,
        visit_sequence=body.visit_sequence,
        phase=common_pb2.PHASE_REGISTERED,
        departments=body.department,
        started_at=None,
        ended_at=None,
        entries=0,
    )


def _care_started(episode: EpisodeRow, event: ViewEvent) -> EpisodeRow:
    body = cast("events_pb2.CareStarted", event.message)
    return _entered(episode, body.department)._replace(started_at=unix_micros(body.meta.occurred_at))


def _transferred(episode: EpisodeRow, event: ViewEvent) -> EpisodeRow:
    return _entered(episode, cast("events_pb2.DepartmentTransferred", event.message).to_department)


def _entered(episode: EpisodeRow, department: str) -> EpisodeRow:
    been = episode.departments.split(_BETWEEN) if episode.departments else []
    return episode if been[-1:] == [department] else episode._replace(departments=_BETWEEN.join([*been, department]))


def _care_ended(episode: EpisodeRow, event: ViewEvent) -> EpisodeRow:
    body = cast("events_pb2.CareEnded", event.message)
    return episode._replace(ended_at=unix_micros(body.ended_at) or unix_micros(body.meta.occurred_at))


def _entry_recorded(episode: EpisodeRow, _: ViewEvent) -> EpisodeRow:
    return episode._replace(entries=episode.entries + 1)


def _entry_retracted(episode: EpisodeRow, _: ViewEvent) -> EpisodeRow:
    return episode._replace(entries=episode.entries - 1)


def _phase_only(episode: EpisodeRow, _: Any) -> EpisodeRow:
    return episode


_ON_EPISODE: dict[type[Message], Callable[[EpisodeRow, ViewEvent], EpisodeRow]] = {
    events_pb2.RecordRegistered: _phase_only,
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _transferred,
    events_pb2.EntryRecorded: _entry_recorded,
    events_pb2.EntryRetracted: _entry_retracted,
    events_pb2.CareEnded: _care_ended,
    events_pb2.RecordSubmitted: _phase_only,
    events_pb2.QualityReturned: _phase_only,
    events_pb2.QualityPassed: _phase_only,
    events_pb2.RecordArchived: _phase_only,
}
