"""What the views show once an appraisal was rejected or a stay got another number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import keeping_values_pb2 as values
from ledger.views.view import Row, RowKey, View
from projections.archive_register.rows import RegisteredRecord
from projections.archive_register.view import ArchiveRegister
from projections.fold import fold, plan
from projections.patient_index.rows import EpisodeRow
from projections.patient_index.view import PatientIndex
from projections.worklist.rows import WorkItemRow
from projections.worklist.view import Worklist
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.services.sealed import opened_event

DESTROY = values.DISPOSAL_OPINION_DESTROY
KNOWN = UUID(int=7)


def row_after(view: View, bodies: Iterable[Message], table: str, *key: str) -> Any:
    """The row of the record after these events of its life."""
    stream, rows = h.EventStream(), dict[RowKey, Row]()
    sealed = [stream.seal(body) for body in (h.registered(), h.care_started(), *bodies)]
    events = [opened_event(position, each.envelope, each.body) for position, each in enumerate(sealed, 1)]
    assert not fold(view, plan(view, events), rows).poison
    return rows[RowKey(table, (stream.stream_id, *key))]


def test_a_rejected_appraisal_is_gone_from_register_and_worklist() -> None:
    """Approved or not: the record is due and waits to be appraised, as before anybody did."""
    for done in ([life.appraised(DESTROY)], [life.appraised(DESTROY), life.approved(DESTROY, KNOWN)]):
        bodies = [h.archived(), life.term_over(), *done]
        item: WorkItemRow = row_after(Worklist(), bodies, "items", "retention")
        assert item.rule in {"APPRAISED", "APPROVED"}
        bodies.append(life.rejected(DESTROY))
        item = row_after(Worklist(), bodies, "items", "retention")
        assert item.rule == "TERM_OVER"
        record: RegisteredRecord = row_after(ArchiveRegister(), bodies, "records")
        assert (record.opinion, record.approved, record.list_id) == (0, False, "")


def test_a_stay_is_shown_by_its_number_under_the_known_patient() -> None:
    """In the register and in the patient's index."""
    bodies = [life.identified(KNOWN, "C8"), life.renumbered(4)]
    record: RegisteredRecord = row_after(ArchiveRegister(), bodies, "records")
    episode: EpisodeRow = row_after(PatientIndex(), bodies, "episodes")
    assert (record.case_number, record.visit_sequence) == ("C8", 4)
    assert (episode.patient_id, episode.visit_sequence) == (KNOWN, 4)
