"""The end: a readmission moves the term, a hold stops the disposal, and five persons destroy the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger.api.v1 import disposal_pb2, keeping_pb2
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.disposal_values_pb2 import ReportedRecord
from ledger.api.v1.keeping_values_pb2 import DISPOSAL_OPINION_DESTROY
from ledger.cli.demo.inpatient import documents
from ledger.cli.demo.inpatient.first_stay import Case, end_care, open_stay

READMITTED = datetime(1989, 11, 6, 9, 0, tzinfo=UTC)
LEFT = datetime(1990, 1, 15, 10, 0, tzinfo=UTC)
NEW_TERM = "2020-01-15"
"""30 years after the last discharge."""


async def readmit(case: Case) -> None:
    """The patient comes back: the term of the first record begins anew with the end of the second stay."""
    tale, people = case.tale, case.people
    before = (await tale.record(case.record_id)).retain_until
    again = await open_stay(tale, people, case.patient_id, 2, READMITTED)
    end = keeping_pb2.EndRetentionRequest(record_id=case.record_id)
    what = "stay 1: is its term over? The patient is in the house"
    await tale.refused(people.archivist, READMITTED + timedelta(days=1), what, tale.keeping.EndRetention, end)
    await again.write(
        people.attending, READMITTED + timedelta(hours=2), "stay 2: admission note", documents.ADMISSION_NOTE
    )
    await end_care(again, people.attending, LEFT)
    extend = keeping_pb2.ExtendRetentionRequest(
        record_id=case.record_id, retain_until=NEW_TERM, cause="readmission", cause_record_id=again.record_id
    )
    what = f"stay 1: kept until {NEW_TERM} now, not {before}"
    await tale.tell(people.archivist, LEFT + timedelta(hours=2), what, tale.keeping.ExtendRetention, extend)


async def hold_and_condemn(case: Case) -> tuple[str, str]:
    """A hold is placed; the term ends; the appraisal is approved by another person. Ids of hold and list."""
    tale, people, record_id = case.tale, case.people, case.record_id
    hold = keeping_pb2.PlaceHoldRequest(record_id=record_id, mandate="civil case 2019/118", authority="people's court")
    at = datetime(2019, 6, 3, 14, 0, tzinfo=UTC)
    await tale.refused(people.attending, at, "the ward wants to place a hold", tale.keeping.PlaceHold, hold)
    held = await tale.tell(people.legal, at, "a court wants everything kept", tale.keeping.PlaceHold, hold)
    end = keeping_pb2.EndRetentionRequest(record_id=record_id)
    await tale.tell(people.archivist, None, "the term is over", tale.keeping.EndRetention, end)
    appraise = keeping_pb2.AppraiseDisposalRequest(
        record_id=record_id, opinion=DISPOSAL_OPINION_DESTROY, reason="30 years are over, of no further use"
    )
    what = "appraised: to be destroyed"
    await tale.tell(people.appraiser, None, what, tale.keeping.AppraiseDisposal, appraise)
    list_id = await _listed(case)
    approve = keeping_pb2.ApproveDisposalRequest(record_id=record_id, list_id=list_id)
    what = "approved by the proposer"
    await tale.refused(people.appraiser, None, what, tale.keeping.ApproveDisposal, approve)
    what = "approved by the appraisal group"
    await tale.tell(people.appraisal_group, None, what, tale.keeping.ApproveDisposal, approve)
    return held.hold_id, list_id


async def _listed(case: Case) -> str:
    """The destruction list on which the record stands: drawn up, passed and approved by three persons; its id."""
    tale, people = case.tale, case.people
    draw_up = disposal_pb2.DrawUpDisposalListRequest(title="stays that ended before 1987", record_ids=[case.record_id])
    what = "put on a destruction list"
    listed = await tale.tell(people.appraiser, None, what, tale.disposal.DrawUpDisposalList, draw_up)
    list_id: str = listed.receipt.record_id
    passed = disposal_pb2.ApproveDisposalListRequest(list_id=list_id)
    what = "the appraisal group passes the list"
    await tale.tell(people.appraisal_group, None, what, tale.disposal.ApproveDisposalList, passed)
    approve = disposal_pb2.AuthoriseDisposalListRequest(list_id=list_id)
    what = "approved in the name of the head"
    await tale.refused(people.appraisal_group, None, what, tale.disposal.AuthoriseDisposalList, approve)
    what = "the head of the hospital approves it"
    await tale.tell(people.head, None, what, tale.disposal.AuthoriseDisposalList, approve)
    return list_id


async def _supervise(case: Case, list_id: str, who: Actor, what: str) -> None:
    sign = disposal_pb2.SuperviseDisposalListRequest(list_id=list_id)
    await case.tale.tell(who, None, what, case.tale.disposal.SuperviseDisposalList, sign)


async def destroy(case: Case, hold_id: str, list_id: str) -> None:
    """Refused under the hold; the hold is lifted; refused until two supervisors have signed; done."""
    tale, people, record_id = case.tale, case.people, case.record_id
    await _supervise(case, list_id, people.first_supervisor, "the first supervisor signs")
    request = keeping_pb2.DestroyRecordRequest(record_id=record_id, list_id=list_id)
    what = "to be destroyed while the hold stands"
    await tale.refused(people.archivist, None, what, tale.keeping.DestroyRecord, request)
    lift = keeping_pb2.LiftHoldRequest(record_id=record_id, hold_id=hold_id, reason="the case is closed")
    await tale.tell(people.legal, None, "the hold is lifted", tale.keeping.LiftHold, lift)
    what = "to be destroyed before one supervisor"
    await tale.refused(people.archivist, None, what, tale.keeping.DestroyRecord, request)
    sign = disposal_pb2.SuperviseDisposalListRequest(list_id=list_id)
    what = "one supervisor wants to sign twice"
    await tale.refused(people.first_supervisor, None, what, tale.disposal.SuperviseDisposalList, sign)
    await _supervise(case, list_id, people.second_supervisor, "the second supervisor signs")
    what = "destroyed before two supervisors; list and chain remain"
    await tale.tell(people.archivist, None, what, tale.keeping.DestroyRecord, request)
    outcome = ReportedRecord(record_id=record_id, destroyed=True)
    report = disposal_pb2.RecordDisposalReportRequest(list_id=list_id, outcomes=[outcome])
    what = "the list is reported: one record destroyed, none left out"
    await tale.tell(people.archivist, None, what, tale.disposal.RecordDisposalReport, report)
    copy = keeping_pb2.IssueCopyRequest(record_id=record_id, applicant="Zhao Min", relation="daughter", mark="copy")
    await tale.refused(people.archivist, None, "a copy is asked for", tale.keeping.IssueCopy, copy)
