"""Bodies of consultations and of other hospitals' results, as building blocks of histories."""

from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2


def called(consultation_id: UUID, at: Timestamp) -> Message:
    return course_events_pb2.ConsultationCalled(consultation_id=str(consultation_id), called_at=at)


def arrived(consultation_id: UUID) -> Message:
    return course_events_pb2.ConsultationArrived(consultation_id=str(consultation_id))


def answered(consultation_id: UUID, entry_id: UUID) -> Message:
    return events_pb2.ConsultationAnswered(consultation_id=str(consultation_id), entry_id=str(entry_id))


def consultation_time_corrected(consultation_id: UUID, of: common_pb2.TimeOf.ValueType, to: Timestamp) -> Message:
    return course_events_pb2.TimeCorrected(
        of=of, consultation_id=str(consultation_id), corrected_at=to, reason="a slip"
    )


def recognised(result_id: str, entry_id: UUID | None = None) -> Message:
    return course_events_pb2.ResultRecognised(result_id=result_id, hospital="east", entry_id=str(entry_id or ""))


def repeated(result_id: str) -> Message:
    return course_events_pb2.ExaminationRepeated(result_id=result_id, hospital="east", reason="broken off")
