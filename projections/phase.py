"""Which phase of a record an event leads to."""

from typing import NamedTuple, cast

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, keeping_events_pb2, keeping_values_pb2
from ledger.views.event import ViewEvent

_PHASE_AFTER: dict[type[Message], int] = {
    events_pb2.RecordRegistered: int(common_pb2.PHASE_REGISTERED),
    events_pb2.CareStarted: int(common_pb2.PHASE_ACTIVE),
    events_pb2.CareEnded: int(common_pb2.PHASE_CLOSED),
    events_pb2.RecordSubmitted: int(common_pb2.PHASE_SUBMITTED),
    events_pb2.QualityReturned: int(common_pb2.PHASE_RETURNED),
    events_pb2.RecordArchived: int(common_pb2.PHASE_ARCHIVED),
    course_events_pb2.CareResumed: int(common_pb2.PHASE_ACTIVE),
    course_events_pb2.RecordVoided: int(common_pb2.PHASE_VOIDED),
    course_events_pb2.RecordEnteredInError: int(common_pb2.PHASE_ENTERED_IN_ERROR),
    course_events_pb2.RecordRecalled: int(common_pb2.PHASE_CLOSED),
    keeping_events_pb2.ReopenApproved: int(common_pb2.PHASE_REOPENED),
    keeping_events_pb2.RetentionEnded: int(common_pb2.PHASE_DUE),
    keeping_events_pb2.RecordDestroyed: int(common_pb2.PHASE_DESTROYED),
}
CHANGES_PHASE: frozenset[type[Message]] = frozenset(_PHASE_AFTER) | {
    keeping_events_pb2.RecordRearchived,
    keeping_events_pb2.RetentionExtended,
    keeping_events_pb2.DisposalApproved,
}
"""The events that may lead to another phase."""


class RecordPhase(NamedTuple):
    """A record's phase. Of one kept for ever `permanent` stays, so that a reopening leads back to PERMANENT; of one
    that was entered in error `in_error`, so that a longer term leads back to ENTERED_IN_ERROR.
    """

    phase: int
    permanent: bool
    in_error: bool = False


def phase_after(event: ViewEvent, before: RecordPhase) -> RecordPhase:
    """The phase after the event; most events leave it as it was."""
    kind = event.body_class
    if kind is keeping_events_pb2.RecordRearchived:
        phase = common_pb2.PHASE_PERMANENT if before.permanent else common_pb2.PHASE_ARCHIVED
        return before._replace(phase=int(phase))
    if kind is keeping_events_pb2.RetentionExtended:
        before_due = common_pb2.PHASE_ENTERED_IN_ERROR if before.in_error else common_pb2.PHASE_ARCHIVED
        return before._replace(phase=int(before_due)) if before.phase == common_pb2.PHASE_DUE else before
    if kind is keeping_events_pb2.DisposalApproved:
        opinion = cast("keeping_events_pb2.DisposalApproved", event.message).opinion
        kept = opinion == keeping_values_pb2.DISPOSAL_OPINION_KEEP
        return before._replace(phase=int(common_pb2.PHASE_PERMANENT), permanent=True) if kept else before
    in_error = before.in_error or kind is course_events_pb2.RecordEnteredInError
    return before._replace(phase=_PHASE_AFTER.get(kind, before.phase), in_error=in_error)
