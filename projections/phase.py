"""Which phase of a record an event leads to."""

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, events_pb2

_PHASE_AFTER: dict[type[Message], int] = {
    events_pb2.RecordRegistered: int(common_pb2.PHASE_REGISTERED),
    events_pb2.CareStarted: int(common_pb2.PHASE_ACTIVE),
    events_pb2.CareEnded: int(common_pb2.PHASE_CLOSED),
    events_pb2.RecordSubmitted: int(common_pb2.PHASE_SUBMITTED),
    events_pb2.QualityReturned: int(common_pb2.PHASE_RETURNED),
    events_pb2.RecordArchived: int(common_pb2.PHASE_ARCHIVED),
}


def phase_after(kind: type[Message], before: int) -> int:
    """The phase after an event of this kind; most events leave it as it was."""
    return _PHASE_AFTER.get(kind, before)
