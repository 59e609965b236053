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


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        (RecordPhase(REOPENED, permanent=False), life.rearchived(ID), (ARCHIVED, False)),
        (RecordPhase(REOPENED, permanent=True), life.rearchived(ID), (PERMANENT, True)),
        (RecordPhase(DUE, permanent=False), life.extended(), (ARCHIVED, False)),
        (RecordPhase(REOPENED, permanent=False), life.extended(), (REOPENED, False)),
        (RecordPhase(PERMANENT, permanent=True), life.extended(), (PERMANENT, True)),
        (RecordPhase(DUE, permanent=False), life.approved(values.DISPOSAL_OPINION_KEEP), (PERMANENT, True)),
        (RecordPhase(DUE, permanent=False), life.approved(values.DISPOSAL_OPINION_DESTROY, ID), (DUE, False)),
        (RecordPhase(CLOSED, permanent=False), life.late_item(ID), (CLOSED, False)),
    ],
)
def test_it_depends_on_what_was_before(before: RecordPhase, body: Message, after: tuple[int, bool]) -> None:
    """A record kept for ever comes back to PERMANENT; a longer term matters to one that is due only."""
    sealed = h.EventStream().seal(body)
    assert phase_after(opened_event(1, sealed.envelope, sealed.body), before) == after
