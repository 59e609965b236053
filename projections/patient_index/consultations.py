"""How events move the consultations of an episode.

A request that comes again under its id does so because its answer was retracted: whoever was asked has been asked since
the first time, and an arrival stays.
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2
from ledger.views.event import ViewEvent, unix_micros
from projections.patient_index.rows import EpisodeConsultation

_TIMES = {common_pb2.TIME_OF_CONSULTATION_REQUEST, common_pb2.TIME_OF_CONSULTATION_ARRIVAL}


def consultation_named(event: ViewEvent) -> UUID | None:
    """The consultation that the event is about; None = it is about none."""
    if event.body_class is course_events_pb2.TimeCorrected:
        corrected = cast("course_events_pb2.TimeCorrected", event.message)
        return UUID(corrected.consultation_id) if corrected.of in _TIMES else None
    if event.body_class not in _STEPS:
        return None
    return UUID(cast("events_pb2.ConsultationRequested", event.message).consultation_id)


def consultation_after(event: ViewEvent, row: EpisodeConsultation | None) -> EpisodeConsultation | None:
    """Its row after the event; None = its request was given up by a person."""
    body: Any = event.message
    if event.body_class is events_pb2.ConsultationRequested:
        return _requested(event, body, row)
    return None if row is None else _STEPS[event.body_class](event, body, row)._replace(version=event.version)


def _requested(
    event: ViewEvent, body: events_pb2.ConsultationRequested, row: EpisodeConsultation | None
) -> EpisodeConsultation:
    if row is not None:
        return row._replace(version=event.version, answered_at=None, entry_id=None)
    return EpisodeConsultation(
        record_id=event.stream_id,
        consultation_id=UUID(body.consultation_id),
        version=event.version,
        requested_version=event.version,
        from_department=body.from_department,
        to_department=body.to_department,
        urgency=body.urgency,
        requested_at=min(unix_micros(body.meta.occurred_at) or event.recorded_at, event.recorded_at),
    )


def _called(_: ViewEvent, body: course_events_pb2.ConsultationCalled, row: EpisodeConsultation) -> EpisodeConsultation:
    called_at = unix_micros(body.called_at)
    return row if called_at is None else row._replace(requested_at=min(row.requested_at, called_at))


def _arrived(
    _: ViewEvent, body: course_events_pb2.ConsultationArrived, row: EpisodeConsultation
) -> EpisodeConsultation:
    return row._replace(arrived_at=unix_micros(body.meta.occurred_at))


def _answered(event: ViewEvent, body: events_pb2.ConsultationAnswered, row: EpisodeConsultation) -> EpisodeConsultation:
    return row._replace(answered_at=event.recorded_at, entry_id=UUID(body.entry_id) if body.entry_id else None)


def _withdrawn(event: ViewEvent, _: Message, row: EpisodeConsultation) -> EpisodeConsultation:
    return row._replace(withdrawn_at=event.recorded_at)


def _corrected(
    event: ViewEvent, body: course_events_pb2.TimeCorrected, row: EpisodeConsultation
) -> EpisodeConsultation:
    to = unix_micros(body.corrected_at) or 0
    if body.of == common_pb2.TIME_OF_CONSULTATION_ARRIVAL:
        return row._replace(arrived_at=to)
    return row._replace(requested_at=min(to, event.recorded_at))


_STEPS: dict[type[Message], Callable[[ViewEvent, Any, EpisodeConsultation], EpisodeConsultation]] = {
    events_pb2.ConsultationRequested: _requested,
    course_events_pb2.ConsultationCalled: _called,
    course_events_pb2.ConsultationArrived: _arrived,
    events_pb2.ConsultationAnswered: _answered,
    course_events_pb2.ConsultationWithdrawn: _withdrawn,
    course_events_pb2.TimeCorrected: _corrected,
}
ON_CONSULTATION = frozenset(_STEPS)
