"""Quality control and the archive: the running record becomes an archived case, and is used as one."""

from __future__ import annotations

from datetime import timedelta

from ledger.api.v1 import keeping_pb2, records_pb2, transfers_pb2
from ledger.api.v1.common_pb2 import (
    AMENDMENT_KIND_AUGMENTATION,
    AMENDMENT_KIND_CORRECTION,
    TRANSFER_KIND_REFERRAL,
    Defect,
)
from ledger.api.v1.keeping_values_pb2 import SEAL_MODE_COPY, SEAL_PARTY_PATIENT_SIDE, UNSEAL_GROUND_BOTH_PRESENT
from ledger.cli.demo.handover import until_completed
from ledger.cli.demo.inpatient import documents
from ledger.cli.demo.inpatient.first_stay import DISCHARGED, Case
from ledger.cli.demo.inpatient.timeline import signed

MARK = "Certified copy, records office of hospital west 病案复印件，与原件相符"


async def submit(case: Case, discharge_id: str) -> None:
    """Handed in (refused first), returned with defects, mended, passed, archived."""
    tale, people, record_id = case.tale, case.people, case.record_id
    day = timedelta(days=1)
    hand_in = records_pb2.SubmitRecordRequest(record_id=record_id)
    what = "handed in without its front page"
    await tale.refused(people.rehabilitation, DISCHARGED + day / 4, what, tale.records.SubmitRecord, hand_in)
    await case.write(people.rehabilitation, DISCHARGED + day / 3, "front page", documents.FRONT_PAGE)
    await tale.tell(people.rehabilitation, DISCHARGED + day / 2, "handed in", tale.records.SubmitRecord, hand_in)
    archive = records_pb2.ArchiveRecordRequest(record_id=record_id)
    what = "archiving before quality control"
    await tale.refused(people.archivist, DISCHARGED + day, what, tale.records.ArchiveRecord, archive)
    defect = Defect(code="COURSE_INCOMPLETE", entry_id=discharge_id, text="the stroke is not mentioned")
    back = records_pb2.ReturnRecordRequest(record_id=record_id, defects=[defect])
    what = "returned with a defect: the discharge record is incomplete"
    await tale.tell(people.quality, DISCHARGED + 2 * day, what, tale.records.ReturnRecord, back)
    at = DISCHARGED + 3 * day
    mend = records_pb2.AmendEntryRequest(
        record_id=record_id,
        entry_id=discharge_id,
        entry_version=1,
        kind=AMENDMENT_KIND_CORRECTION,
        reason="the stroke was not mentioned",
        content=documents.MENDED_DISCHARGE_RECORD,
        attestation=signed(people.rehabilitation, at),
    )
    await tale.tell(people.rehabilitation, at, "mended: version 2, and 1 is kept", tale.records.AmendEntry, mend)
    await tale.tell(people.rehabilitation, at + day / 8, "handed in again", tale.records.SubmitRecord, hand_in)
    slip = Defect(code="LANGUAGE", entry_id=discharge_id, text="abbreviations that nobody outside the ward knows")
    round_late = Defect(code="ROUND_LATE", text="the first round was on the third day")
    passed = records_pb2.PassQualityRequest(record_id=record_id, defects=[slip, round_late])
    await tale.tell(people.quality, at + day, "passed with 94 points, grade A", tale.records.PassQuality, passed)
    await tale.tell(people.archivist, at + 2 * day, "archived", tale.records.ArchiveRecord, archive)


async def seal_and_copy(case: Case) -> str:
    """Sealed in a dispute, unsealed with both sides, and copied. The copy's id."""
    tale, people, record_id = case.tale, case.people, case.record_id
    at = DISCHARGED + timedelta(days=30)
    seal = keeping_pb2.SealRecordRequest(
        record_id=record_id, mode=SEAL_MODE_COPY, party=SEAL_PARTY_PATIENT_SIDE, second_person=people.quality
    )
    what = "sealed by the hospital alone"
    await tale.refused(people.archivist, at, what, tale.keeping.SealRecord, seal)
    seal.second_person.CopyFrom(people.patients_son)
    what = "a dispute: every version is sealed with its hash, both sides present"
    sealed = await tale.tell(people.archivist, at, what, tale.keeping.SealRecord, seal)
    unseal = keeping_pb2.UnsealRecordRequest(
        record_id=record_id,
        seal_id=sealed.seal_id,
        ground=UNSEAL_GROUND_BOTH_PRESENT,
        second_person=people.patients_son,
    )
    at += timedelta(days=60)
    await tale.tell(people.archivist, at, "opened, both sides present", tale.keeping.UnsealRecord, unseal)
    copy = keeping_pb2.IssueCopyRequest(record_id=record_id, applicant="Zhao Yun", relation="the patient", mark=MARK)
    at += timedelta(days=1)
    issued = await tale.tell(people.archivist, at, "a certified copy for the patient", tale.keeping.IssueCopy, copy)
    return issued.copy_id


async def lend(case: Case) -> None:
    """Lent, but not to a trainee, and brought back."""
    tale, people, at = case.tale, case.people, DISCHARGED + timedelta(days=200)
    loan = keeping_pb2.LendRecordRequest(record_id=case.record_id, borrower=people.trainee)
    await tale.refused(people.archivist, at, "a trainee wants to borrow the case", tale.keeping.LendRecord, loan)
    loan.borrower.CopyFrom(people.consultant)
    at += timedelta(hours=1)
    lent = await tale.tell(people.archivist, at, "lent to neurology", tale.keeping.LendRecord, loan)
    back = keeping_pb2.ReturnLoanRequest(record_id=case.record_id, loan_id=lent.loan_id)
    await tale.tell(people.archivist, at + timedelta(days=9), "back on the shelf", tale.keeping.ReturnLoan, back)


async def reopen(case: Case, admission_id: str) -> None:
    """Opened by two persons (refused for the same one), amended, archived again."""
    tale, people, record_id = case.tale, case.people, case.record_id
    at, day = DISCHARGED + timedelta(days=400), timedelta(days=1)
    ask = keeping_pb2.RequestReopenRequest(
        record_id=record_id, reason="an allergy is missing", entry_ids=[admission_id]
    )
    what = "asked to be opened, for the admission note only"
    asked = await tale.tell(people.attending, at, what, tale.keeping.RequestReopen, ask)
    approve = keeping_pb2.ApproveReopenRequest(record_id=record_id, reopen_id=asked.reopen_id)
    what = "approved by the same person"
    await tale.refused(people.attending, at + day / 24, what, tale.keeping.ApproveReopen, approve)
    what = "approved by another; the window runs by the ledger's clock"
    await tale.tell(people.medical_affairs, at + day, what, tale.keeping.ApproveReopen, approve)
    amend = records_pb2.AmendEntryRequest(
        record_id=record_id,
        entry_id=admission_id,
        entry_version=1,
        kind=AMENDMENT_KIND_AUGMENTATION,
        reason="an allergy is missing",
        content=documents.AMENDED_ADMISSION_NOTE,
        attestation=signed(people.attending, at + 1.5 * day),
    )
    await tale.tell(people.attending, at + 1.5 * day, "the allergy is added", tale.records.AmendEntry, amend)
    again = keeping_pb2.RearchiveRecordRequest(record_id=record_id)
    await tale.tell(people.archivist, at + 2 * day, "archived again", tale.keeping.RearchiveRecord, again)


async def hand_over(case: Case, recipient: str) -> None:
    """The whole record goes to the other hospital, which checks and accepts it by itself."""
    tale, people = case.tale, case.people
    offer = transfers_pb2.OfferTransferRequest(
        record_id=case.record_id, recipient=recipient, kind=TRANSFER_KIND_REFERRAL
    )
    what = f"offered to hospital {recipient}, with its proofs"
    offered = await tale.tell(people.archivist, None, what, tale.transfers.OfferTransfer, offer)
    await until_completed(tale.records, tale.hospital, case.record_id, offered.transfer_id)
    await tale.note(case.record_id, f"hospital {recipient} received it, checked it, and accepted")
