"""What the views show once an appraisal was rejected or a stay got another number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, worklist_pb2
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.views.view import Row, RowKey, View
from projections.archive_register.rows import RegisteredRecord
from projections.archive_register.view import ArchiveRegister
from projections.department_board.rows import BoardRecord
from projections.department_board.view import DepartmentBoard
from projections.fold import fold, plan
from projections.patient_index.rows import EpisodeRow
from projections.patient_index.view import PatientIndex
from projections.worklist.rows import DONE, WorkItemRow, WorkRecord
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


def test_a_stay_of_nobody_known_is_shown_under_the_provisional_person_again() -> None:
    """In every view, with its old number; the board says again that nobody knows who it is."""
    provisional = UUID(int=8)
    bodies = [life.identified(KNOWN, "C8"), life.renumbered(4), life.identification_withdrawn(provisional, "P1", 1)]
    record: RegisteredRecord = row_after(ArchiveRegister(), bodies, "records")
    episode: EpisodeRow = row_after(PatientIndex(), bodies, "episodes")
    work: WorkRecord = row_after(Worklist(), bodies, "records")
    board: BoardRecord = row_after(DepartmentBoard(), bodies, "records")
    assert (record.case_number, record.visit_sequence) == ("P1", 1)
    assert (episode.patient_id, episode.case_number, episode.visit_sequence) == (provisional, "P1", 1)
    assert work.case_number == "P1"
    assert (board.case_number, board.identity) == ("P1", common_pb2.IDENTITY_STATUS_UNVERIFIED)


def test_a_restriction_that_ends_leaves_the_others() -> None:
    """Each by its request; what an earlier release wrote ended all of them."""
    both = [life.restricted(UUID(int=1)), life.restricted(UUID(int=2))]
    for last, left in ((life.restriction_lifted(UUID(int=1)), 1), (life.unrestricted(), 0)):
        record: RegisteredRecord = row_after(ArchiveRegister(), [*both, last], "records")
        assert record.restrictions == left


def test_who_has_the_package_waits_to_be_told_whatever_becomes_of_the_offer() -> None:
    """Taken back or rejected, once it was delivered; one that nobody fetched is nobody's business any more."""
    offer = UUID(int=9)
    for over in (life.offer_withdrawn(offer), h.transfer_rejected(offer)):
        for got, waits in (([life.package_delivered(offer)], worklist_pb2.WORK_KIND_HOLDER), ([], DONE)):
            for bodies in ([*got, life.package_outdated(offer), over], [*got, over, life.package_outdated(offer)]):
                if not got and bodies[-1] is not over:
                    continue  # nobody is told of what nobody has
                item: WorkItemRow = row_after(Worklist(), bodies, "items", f"holder:{offer}")
                assert item.kind == waits
    told = [life.package_delivered(offer), life.package_outdated(offer), life.holder_told(offer)]
    item = row_after(
        Worklist(), [*told, life.package_outdated(offer), life.offer_withdrawn(offer)], "items", f"holder:{offer}"
    )
    assert item.kind == worklist_pb2.WORK_KIND_HOLDER
