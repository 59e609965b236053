"""What opens and closes an entry's item, where more than one event has to do with it."""

from collections.abc import Iterable
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, worklist_pb2
from ledger.views.view import Row, RowKey
from projections.fold import fold, plan
from projections.worklist.rows import DONE
from projections.worklist.view import Worklist
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.services.sealed import opened_event

ENTRY = UUID(int=1)
COUNTERSIGN, DRAFT = int(worklist_pb2.WORK_KIND_COUNTERSIGN), int(worklist_pb2.WORK_KIND_DRAFT)
SIGNED = common_pb2.ENTRY_STATE_SIGNED


def kind_after(bodies: Iterable[Message]) -> int:
    stream, rows = h.EventStream(), dict[RowKey, Row]()
    sealed = [stream.seal(body) for body in (h.registered(), h.care_started(), *bodies)]
    events = [opened_event(position, each.envelope, each.body) for position, each in enumerate(sealed, 1)]
    assert not fold(Worklist(), plan(Worklist(), events), rows).poison
    return rows[RowKey("items", (stream.stream_id, f"entry:{ENTRY}"))][3]


def historical() -> Message:
    body = life.authored(ENTRY)
    body.meta.historical = True  # pyright: ignore[reportAttributeAccessIssue] - every body has a meta
    return body


@pytest.mark.parametrize(
    ("bodies", "kind"),
    [
        ([life.drafted(ENTRY)], DRAFT),
        ([life.drafted(ENTRY), life.authored(ENTRY)], COUNTERSIGN),
        ([life.drafted(ENTRY), life.signed(ENTRY, SIGNED)], DONE),
        ([life.authored(ENTRY), life.countersigned(ENTRY)], DONE),
        ([life.authored(ENTRY), life.signed(ENTRY, SIGNED), life.authored(ENTRY)], COUNTERSIGN),
        ([life.authored(ENTRY), life.deficiency(ENTRY), life.authored(ENTRY)], DONE),
        ([life.authored(ENTRY), life.deficiency(ENTRY), life.amended(ENTRY)], COUNTERSIGN),
        ([life.drafted(ENTRY), life.deficiency(ENTRY)], DRAFT),
        ([historical()], DONE),
        ([life.authored(ENTRY), h.entry_retracted(ENTRY)], DONE),
    ],
)
def test_an_entry_waits_while_somebody_has_to_sign_it(bodies: list[Message], kind: int) -> None:
    """A signature, or an accepted defect, covers one version; an earlier system's notes wait for nobody."""
    assert kind_after(bodies) == kind
