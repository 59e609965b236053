"""Bodies of the later life of a record and of a patient's identity, as building blocks of histories."""

from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2, identity_events_pb2, keeping_events_pb2
from ledger.api.v1 import keeping_values_pb2 as values
from tests.contract.views.histories import at

TRAINEE = common_pb2.Actor(id=str(UUID(int=71)), name="Dr. Young", role="trainee")
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def note(title: str, code: str = "") -> common_pb2.EntryContent:
    """Content with one coded field, if a code is given."""
    coded = common_pb2.Field(code="diagnosis", coding=common_pb2.Coding(system=ICD, code=code, display=f"is {code}"))
    sections = [common_pb2.Section(code="diagnoses", fields=[coded])] if code else []
    return common_pb2.EntryContent(template="course_note", title=title, sections=sections)


def of_subject(body: Any, subject: UUID) -> Message:
    """The same body, about a newborn."""
    body.content.subject_id = str(subject)
    return body


def drafted(entry_id: UUID, title: str = "Draft") -> Message:
    return course_events_pb2.EntryDrafted(
        meta=common_pb2.EventMeta(actor=TRAINEE), entry_id=str(entry_id), entry_version=1, content=note(title)
    )


def signed(entry_id: UUID, state: int, title: str = "Note", code: str = "") -> Message:
    body = events_pb2.EntryRecorded(entry_id=str(entry_id), content=note(title, code), entry_version=2)
    body.state = state  # pyright: ignore[reportAttributeAccessIssue] - a number of this enum
    return body


def authored(entry_id: UUID) -> Message:
    return signed(entry_id, common_pb2.ENTRY_STATE_AUTHORED, "By a trainee", "I10")


def countersigned(entry_id: UUID) -> Message:
    return course_events_pb2.EntryCountersigned(entry_id=str(entry_id), entry_version=2)


def late_item(entry_id: UUID) -> Message:
    return course_events_pb2.LateItemFiled(
        entry_id=str(entry_id), content=note("Pathology", "C50.9"), state=common_pb2.ENTRY_STATE_SIGNED, reason="late"
    )


def corrected_late(entry_id: UUID, late_entry_id: UUID) -> Message:
    return course_events_pb2.EntryCorrectedLate(
        entry_id=str(entry_id), entry_version=1, late_entry_id=str(late_entry_id)
    )


def deficiency(entry_id: UUID) -> Message:
    return course_events_pb2.DeficiencyAccepted(entry_id=str(entry_id), reason="the author has left")


def duplicate(entry_id: UUID | None) -> Message:
    source = common_pb2.SourceItem(system="lis", type="Observation", id="o-7")
    return course_events_pb2.DuplicateLinked(meta=common_pb2.EventMeta(source=source), entry_id=str(entry_id or ""))


def newborn_withdrawn(subject: UUID, same_as: UUID | None = None) -> Message:
    return course_events_pb2.NewbornWithdrawn(
        subject_id=str(subject), same_as_id=str(same_as or ""), reason="registered twice"
    )


def newborn_restored(subject: UUID) -> Message:
    return course_events_pb2.NewbornRestored(subject_id=str(subject), reason="two were born")


def newborn_linked(subject: UUID, patient: UUID | None) -> Message:
    return course_events_pb2.NewbornLinked(subject_id=str(subject), patient_id=str(patient or ""), reason="a number")


def consultation_withdrawn(consultation_id: UUID) -> Message:
    return course_events_pb2.ConsultationWithdrawn(consultation_id=str(consultation_id), reason="another bed")


def missed(subject: UUID | None = None, rule: str = "routine-consultation") -> Message:
    text = str(subject) if subject else ""
    return course_events_pb2.DeadlineMissed(rule=rule, subject_id=text, since=at(1), due_at=at(50))


def miss_withdrawn(subject: UUID | None = None, rule: str = "routine-consultation") -> Message:
    text = str(subject) if subject else ""
    return course_events_pb2.DeadlineMissWithdrawn(rule=rule, subject_id=text, due_at=at(50))


def resumed() -> Message:
    return course_events_pb2.CareResumed(reason="bleeding again")


def recalled() -> Message:
    return course_events_pb2.RecordRecalled(reason="a page is missing")


def voided() -> Message:
    return course_events_pb2.RecordVoided(reason="by mistake")


def entered_in_error() -> Message:
    return course_events_pb2.RecordEnteredInError(reason="a duplicate")


def renumbered(number: int) -> Message:
    return course_events_pb2.VisitRenumbered(visit_sequence=number)


def amended(entry_id: UUID) -> Message:
    content, state = note("By a trainee again"), common_pb2.ENTRY_STATE_AUTHORED
    return events_pb2.EntryAmended(entry_id=str(entry_id), entry_version=2, content=content, state=state, reason="x")


def identified(patient: UUID, case_number: str) -> Message:
    return course_events_pb2.PatientIdentified(patient_id=str(patient), case_number=case_number)


def identification_withdrawn(patient: UUID, case_number: str, number: int) -> Message:
    return identity_events_pb2.IdentificationWithdrawn(
        patient_id=str(patient), case_number=case_number, visit_sequence=number, reason="his brother's papers"
    )


def hold_placed(hold_id: UUID) -> Message:
    return keeping_events_pb2.HoldPlaced(hold_id=str(hold_id), mandate="order 7", authority="district court")


def hold_lifted(hold_id: UUID) -> Message:
    return keeping_events_pb2.HoldLifted(hold_id=str(hold_id), reason="settled")


def sealed(seal_id: UUID) -> Message:
    return keeping_events_pb2.RecordSealed(
        seal_id=str(seal_id),
        mode=values.SEAL_MODE_COPY,
        party=values.SEAL_PARTY_PATIENT_SIDE,
        party_name="Mr. N.",
    )


def unsealed(seal_id: UUID) -> Message:
    return keeping_events_pb2.RecordUnsealed(seal_id=str(seal_id), ground=values.UNSEAL_GROUND_DISPUTE_SETTLED)


def lent(loan_id: UUID, due_on: str = "2024-01-31") -> Message:
    borrower = common_pb2.Actor(id=str(UUID(int=72)), name="Dr. Reader", role="physician")
    return keeping_events_pb2.LoanIssued(loan_id=str(loan_id), borrower=borrower, due_on=due_on)


def loan_renewed(loan_id: UUID) -> Message:
    return keeping_events_pb2.LoanRenewed(loan_id=str(loan_id), due_on="2024-02-15")


def loan_returned(loan_id: UUID) -> Message:
    return keeping_events_pb2.LoanReturned(loan_id=str(loan_id))


def scanned(scan_id: UUID) -> Message:
    return keeping_events_pb2.PaperScanned(scan_id=str(scan_id), title="Consent", pages=2, shelf="B-12")


def shelved(scan_id: UUID) -> Message:
    """It lies elsewhere now."""
    return keeping_events_pb2.PaperMoved(scan_id=str(scan_id), shelf="C-3", reason="the shelf is full")


def accounted(scan_id: UUID) -> Message:
    return keeping_events_pb2.PaperAccounted(scan_id=str(scan_id), outcome=values.PAPER_OUTCOME_KEPT)


def copied(copy_id: UUID) -> Message:
    return keeping_events_pb2.CopyIssued(copy_id=str(copy_id), applicant="Mr. N.", relation="self", mark="true copy")


def requested(request_id: UUID) -> Message:
    return keeping_events_pb2.PatientRequestRecorded(
        request_id=str(request_id), kind=values.REQUEST_KIND_ERASURE, applicant="Mr. N.", due_on="2024-01-10"
    )


def answered(request_id: UUID) -> Message:
    return keeping_events_pb2.PatientRequestAnswered(request_id=str(request_id), granted=False, ground="kept by law")


def restricted(request_id: UUID) -> Message:
    return keeping_events_pb2.UseRestricted(request_id=str(request_id))


def package_outdated(transfer_id: UUID) -> Message:
    return events_pb2.TransferOutdated(transfer_id=str(transfer_id), counterpart="south", entry_id=str(UUID(int=73)))


def copies_outdated(copy_id: UUID) -> Message:
    return keeping_events_pb2.CopiesOutdated(copy_ids=[str(copy_id), str(UUID(int=74))], entry_id=str(UUID(int=73)))


def loans_outdated(loan_id: UUID) -> Message:
    return keeping_events_pb2.LoansOutdated(loan_ids=[str(loan_id)], entry_id=str(UUID(int=73)))


def holder_told(holder_id: UUID) -> Message:
    return keeping_events_pb2.HolderTold(holder_id=str(holder_id), note="by letter")


def unrestricted() -> Message:
    return keeping_events_pb2.UseRestrictionLifted(reason="the claim is settled")


def restriction_lifted(request_id: UUID) -> Message:
    return keeping_events_pb2.RestrictionLifted(request_id=str(request_id), reason="the claim is settled")


def package_delivered(transfer_id: UUID) -> Message:
    return events_pb2.TransferDelivered(transfer_id=str(transfer_id), counterpart="south")


def offer_withdrawn(transfer_id: UUID) -> Message:
    return events_pb2.TransferWithdrawn(transfer_id=str(transfer_id), counterpart="south", reason="went home")


def reopened(reopen_id: UUID) -> Message:
    return keeping_events_pb2.ReopenApproved(reopen_id=str(reopen_id), expires_at=at(9_000))


def rearchived(reopen_id: UUID) -> Message:
    return keeping_events_pb2.RecordRearchived(reopen_id=str(reopen_id), head_leaf=bytes(32), retain_until="2053-11-14")


def extended(until: str = "2054-05-01") -> Message:
    return keeping_events_pb2.RetentionExtended(retain_until=until, cause="readmission")


def term_over() -> Message:
    return keeping_events_pb2.RetentionEnded(retain_until="2053-11-14")


def appraised(opinion: values.DisposalOpinion.ValueType) -> Message:
    return keeping_events_pb2.DisposalAppraised(opinion=opinion, reason="no further use")


def approved(opinion: values.DisposalOpinion.ValueType, list_id: UUID | None = None) -> Message:
    return keeping_events_pb2.DisposalApproved(opinion=opinion, list_id=str(list_id) if list_id else "")


def assigned(physician_id: str) -> Message:
    return course_events_pb2.PhysicianAssigned(responsible=common_pb2.Actor(id=physician_id, name="Dr. Sun"))


def rejected(opinion: values.DisposalOpinion.ValueType) -> Message:
    return keeping_events_pb2.AppraisalRejected(opinion=opinion, reason="of interest after all")


def destroyed(list_id: UUID) -> Message:
    return keeping_events_pb2.RecordDestroyed(list_id=str(list_id), head_leaf=bytes(32))


def linked(other: UUID) -> Message:
    return identity_events_pb2.PatientLinked(other_id=str(other), reason="same birth date")


def unlinked(other: UUID) -> Message:
    return identity_events_pb2.PatientUnlinked(other_id=str(other), reason="a twin")


def merged(other: UUID, *, survivor: bool) -> Message:
    return identity_events_pb2.PatientMerged(other_id=str(other), survivor=survivor, reason="same passport")


def unmerged(other: UUID) -> Message:
    return identity_events_pb2.PatientUnmerged(other_id=str(other), reason="by mistake")


def sampled(*codes: str, passed: bool = False) -> Message:
    """What a sample found, 90 points."""
    found = [common_pb2.Defect(code=code) for code in codes]
    return keeping_events_pb2.SampleAssessed(defects=found, score=90, full_score=100, grade="A", passed=passed)
