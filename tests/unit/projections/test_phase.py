"""Which phase an event leads to, where the event alone does not say it."""

from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2
from ledger.api.v1 import keeping_values_pb2 as values
from projections.phase import RecordPhase, phase_after
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.services.sealed import opened_event

ID = UUID(int=1)
ARCHIVED, DUE, PERMANENT = common_pb2.PHASE_ARCHIVED, common_pb2.PHASE_DUE, common_pb2.PHASE_PERMANENT
REOPENED, CLOSED = common_pb2.PHASE_REOPENED, common_pb2.PHASE_CLOSED
IN_ERROR = common_pb2.PHASE_ENTERED_IN_ERROR


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        (RecordPhase(REOPENED, permanent=False), life.rearchived(ID), ARCHIVED),
        (RecordPhase(REOPENED, permanent=True), life.rearchived(ID), PERMANENT),
        (RecordPhase(DUE, permanent=False), life.extended(), ARCHIVED),
        (RecordPhase(DUE, permanent=False, in_error=True), life.extended(), IN_ERROR),
        (RecordPhase(REOPENED, permanent=False), life.extended(), REOPENED),
        (RecordPhase(PERMANENT, permanent=True), life.extended(), PERMANENT),
        (RecordPhase(DUE, permanent=False), life.approved(values.DISPOSAL_OPINION_DESTROY, ID), DUE),
        (RecordPhase(CLOSED, permanent=False), life.late_item(ID), CLOSED),
    ],
)
def test_it_depends_on_what_was_before(before: RecordPhase, body: Message, after: int) -> None:
    """A record kept for ever comes back to PERMANENT; a longer term matters to one that is due only."""
    assert _after(before, body) == before._replace(phase=after)


def test_what_stays_of_a_record_is_said_with_its_phase() -> None:
    """That it is kept for ever, and that it was entered in error."""
    kept = life.approved(values.DISPOSAL_OPINION_KEEP)
    assert _after(RecordPhase(DUE, permanent=False), kept) == RecordPhase(PERMANENT, permanent=True)
    declared = _after(RecordPhase(CLOSED, permanent=False), life.entered_in_error())
    assert declared == RecordPhase(IN_ERROR, permanent=False, in_error=True)
    assert _after(declared._replace(phase=DUE), kept) == RecordPhase(PERMANENT, permanent=True, in_error=True)


def _after(before: RecordPhase, body: Message) -> RecordPhase:
    sealed = h.EventStream().seal(body)
    return phase_after(opened_event(1, sealed.envelope, sealed.body), before)
