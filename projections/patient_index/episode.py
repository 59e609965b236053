"""How events move an episode of the patient index."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, identity_events_pb2
from ledger.views.event import unix_micros
from projections.patient_index.consultations import ON_CONSULTATION
from projections.patient_index.rows import EpisodeRow

BETWEEN_DEPARTMENTS = "\x1f"
NO_EPISODE = EpisodeRow(
    record_id=UUID(int=0),
    version=0,
    patient_id=UUID(int=0),
    case_number="",
    visit_type=0,
    visit_sequence=0,
    phase=common_pb2.PHASE_DESTROYED,
    permanent=False,
    departments="",
    started_at=None,
    ended_at=None,
)
"""What is left of a destroyed record: nobody's episode."""


def _care_started(episode: EpisodeRow, body: events_pb2.CareStarted) -> EpisodeRow:
    return _entered(episode, body.department)._replace(started_at=unix_micros(body.meta.occurred_at))


def _corrected(episode: EpisodeRow, body: course_events_pb2.TimeCorrected) -> EpisodeRow:
    if body.of == common_pb2.TIME_OF_CARE_START:
        return episode._replace(started_at=unix_micros(body.corrected_at))
    if body.of == common_pb2.TIME_OF_CARE_END:
        return episode._replace(ended_at=unix_micros(body.corrected_at))
    return episode


def _transferred(episode: EpisodeRow, body: events_pb2.DepartmentTransferred) -> EpisodeRow:
    return _entered(episode, body.to_department)


def _entered(episode: EpisodeRow, department: str) -> EpisodeRow:
    been = episode.departments.split(BETWEEN_DEPARTMENTS) if episode.departments else []
    if been[-1:] == [department]:
        return episode
    return episode._replace(departments=BETWEEN_DEPARTMENTS.join([*been, department]))


def _care_ended(episode: EpisodeRow, body: events_pb2.CareEnded) -> EpisodeRow:
    return episode._replace(ended_at=unix_micros(body.ended_at) or unix_micros(body.meta.occurred_at))


def _resumed(episode: EpisodeRow, _: Message) -> EpisodeRow:
    return episode._replace(ended_at=None)


def _identified(episode: EpisodeRow, body: course_events_pb2.PatientIdentified) -> EpisodeRow:
    return episode._replace(patient_id=UUID(body.patient_id), case_number=body.case_number)


def _renumbered(episode: EpisodeRow, body: course_events_pb2.VisitRenumbered) -> EpisodeRow:
    return episode._replace(visit_sequence=body.visit_sequence)


def _unknown_again(episode: EpisodeRow, body: identity_events_pb2.IdentificationWithdrawn) -> EpisodeRow:
    known = episode._replace(visit_sequence=body.visit_sequence)
    return known._replace(patient_id=UUID(body.patient_id), case_number=body.case_number)


def _as_it_was(episode: EpisodeRow, _: Message) -> EpisodeRow:
    return episode


ON_EPISODE: dict[type[Message], Callable[[EpisodeRow, Any], EpisodeRow]] = {
    events_pb2.CareStarted: _care_started,
    events_pb2.DepartmentTransferred: _transferred,
    course_events_pb2.TimeCorrected: _corrected,
    events_pb2.EntryRecorded: _as_it_was,
    events_pb2.EntryAmended: _as_it_was,
    course_events_pb2.LateItemFiled: _as_it_was,
    course_events_pb2.EntryCorrectedLate: _as_it_was,
    events_pb2.EntryRetracted: _as_it_was,
    events_pb2.CareEnded: _care_ended,
    course_events_pb2.CareResumed: _resumed,
    course_events_pb2.PatientIdentified: _identified,
    course_events_pb2.VisitRenumbered: _renumbered,
    identity_events_pb2.IdentificationWithdrawn: _unknown_again,
    course_events_pb2.DuplicateLinked: _as_it_was,
    course_events_pb2.NewbornWithdrawn: _as_it_was,
    course_events_pb2.NewbornRestored: _as_it_was,
    course_events_pb2.NewbornLinked: _as_it_was,
    course_events_pb2.ResultRecognised: _as_it_was,
    course_events_pb2.ExaminationRepeated: _as_it_was,
    **dict.fromkeys(ON_CONSULTATION - {course_events_pb2.TimeCorrected}, _as_it_was),
}
