"""The first stay, in 1985: from the registration to the discharge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ledger.api.v1 import course_pb2, records_pb2
from ledger.api.v1.common_pb2 import (
    DISPOSITION_HOME,
    IDENTITY_STATUS_MATCHED,
    URGENCY_ROUTINE,
    VISIT_TYPE_INPATIENT,
    Actor,
    EntryContent,
    SourceItem,
)
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.cli.demo.inpatient import documents
from ledger.cli.demo.inpatient.people import CARDIOLOGY, NEUROLOGY, REHABILITATION, People
from ledger.cli.demo.inpatient.timeline import Timeline, signed, stamp

ADMITTED = datetime(1985, 3, 4, 8, 0, tzinfo=UTC)
DISCHARGED = datetime(1985, 3, 22, 10, 0, tzinfo=UTC)
CASE_NUMBER = "WEST-1985-0304"


@dataclass(frozen=True)
class Case:
    """A record of the story, with what is needed to go on with it."""

    patient_id: str
    record_id: str
    tale: Timeline
    people: People

    async def write(self, by: Actor, at: datetime, what: str, content: EntryContent, draft_id: str = "") -> str:
        """Records a signed entry; its id."""
        request = records_pb2.RecordEntryRequest(
            record_id=self.record_id, content=content, attestation=signed(by, at), draft_id=draft_id
        )
        return (await self.tale.tell(by, at, what, self.tale.records.RecordEntry, request)).entry_id


async def admit(tale: Timeline, people: People) -> Case:
    """Registers the patient and the record, and starts care."""
    at = ADMITTED - timedelta(minutes=30)
    patient = await tale.tell(
        people.registrar,
        at,
        "the patient gets a case number",
        tale.patients.RegisterPatient,
        records_pb2.RegisterPatientRequest(
            case_number=CASE_NUMBER,
            identity=IDENTITY_STATUS_MATCHED,
            details=PatientDetails(name="Zhao Yun 赵云", birth_date="1931-05-06", gender="male"),
        ),
    )
    return await open_stay(tale, people, patient.receipt.record_id, 1, ADMITTED)


async def open_stay(tale: Timeline, people: People, patient_id: str, sequence: int, at: datetime) -> Case:
    """An inpatient stay of the patient: registered, and care begun."""
    register = records_pb2.RegisterRecordRequest(
        patient_id=patient_id, visit_type=VISIT_TYPE_INPATIENT, visit_sequence=sequence, department=CARDIOLOGY
    )
    # The term of what is registered here begins no earlier than today: the story takes its stays over from a register.
    card = f"{CASE_NUMBER}/{sequence}"
    old = SourceItem(system="admissions", type="Card", id=card, content_sha256=sha256(card.encode()).digest())
    what = f"stay {sequence} is taken over from the old register: retention class and rule pack are fixed"
    began = at - timedelta(minutes=20)
    opened = await tale.tell(people.register, began, what, tale.records.RegisterRecord, register, old)
    case = Case(patient_id, opened.receipt.record_id, tale, people)
    start = records_pb2.StartCareRequest(
        record_id=case.record_id, department=CARDIOLOGY, bed="12", responsible=people.attending
    )
    await tale.tell(people.attending, at, f"care begins: stay {sequence}", tale.records.StartCare, start)
    return case


async def write_notes(case: Case) -> str:
    """Notes on the ward, one of them late; a draft signed; a trainee's note countersigned. The admission note's id."""
    tale, people = case.tale, case.people
    at = ADMITTED
    admission = await case.write(people.attending, at + timedelta(hours=3), "admission note", documents.ADMISSION_NOTE)
    missed = course_pb2.ReportMissedDeadlineRequest(
        record_id=case.record_id, rule="first_course_note", due_at=stamp(at + timedelta(hours=8))
    )
    what = "8 hours are over without a first course note"
    await tale.tell(people.clock, at + timedelta(hours=8, seconds=1), what, tale.course.ReportMissedDeadline, missed)
    what = "first course note, late: tagged, never blocked"
    await case.write(people.attending, at + timedelta(hours=11), what, documents.FIRST_COURSE_NOTE)
    draft = course_pb2.DraftEntryRequest(record_id=case.record_id, content=documents.DRAFT)
    drafted = await tale.tell(
        people.attending, at + timedelta(days=1), "a draft of a course note", tale.course.DraftEntry, draft
    )
    what = "the draft is finished and signed"
    await case.write(
        people.attending, at + timedelta(days=1, hours=1), what, documents.COURSE_NOTE, draft_id=drafted.entry_id
    )
    await _countersign(case, at + timedelta(days=7))
    return admission


async def _countersign(case: Case, at: datetime) -> None:
    tale, people = case.tale, case.people
    what = "a trainee's course note: it waits for a superior"
    entry_id = await case.write(people.trainee, at, what, documents.TRAINEES_NOTE)
    for by, minutes in ((people.trainee, 5), (people.attending, 90)):
        when = at + timedelta(minutes=minutes)
        request = course_pb2.CountersignEntryRequest(
            record_id=case.record_id, entry_id=entry_id, entry_version=1, attestation=signed(by, when)
        )
        if by is people.trainee:
            what = "the trainee countersigns the own note"
            await tale.refused(by, when, what, tale.course.CountersignEntry, request)
        else:
            await tale.tell(by, when, "the superior countersigns", tale.course.CountersignEntry, request)


async def consult(case: Case) -> None:
    """Another department is asked, comes, and answers."""
    tale, people, at = case.tale, case.people, ADMITTED + timedelta(days=8)
    ask = records_pb2.RequestConsultationRequest(
        record_id=case.record_id, to_department=NEUROLOGY, urgency=URGENCY_ROUTINE, question="Weakness of the left arm?"
    )
    asked = await tale.tell(people.attending, at, "neurology is asked", tale.records.RequestConsultation, ask)
    arrive = course_pb2.ArriveAtConsultationRequest(record_id=case.record_id, consultation_id=asked.consultation_id)
    when = at + timedelta(hours=2)
    what = "the arrival is entered later, without a reason"
    await tale.refused(people.consultant, when, what, tale.course.ArriveAtConsultation, arrive)
    arrive.reason = "written down on paper that day"
    await tale.tell(people.consultant, when, "the consultant arrives", tale.course.ArriveAtConsultation, arrive)
    when = at + timedelta(hours=3)
    answer = records_pb2.AnswerConsultationRequest(
        record_id=case.record_id,
        consultation_id=asked.consultation_id,
        opinion="Small infarction; rehabilitation advised.",
        content=documents.CONSULTATION_NOTE,
        attestation=signed(people.consultant, when),
    )
    what = "the answer, with its note"
    await tale.tell(people.consultant, when, what, tale.records.AnswerConsultation, answer)


async def move_and_discharge(case: Case) -> str:
    """To another department, and home. The discharge record's id."""
    tale, people, at = case.tale, case.people, ADMITTED + timedelta(days=9)
    note_id = await case.write(people.attending, at, "transfer-out note", documents.TRANSFER_OUT_NOTE)
    move = records_pb2.TransferDepartmentRequest(
        record_id=case.record_id,
        to_department=REHABILITATION,
        bed="3",
        note_entry_id=note_id,
        responsible=people.rehabilitation,
    )
    when = at + timedelta(hours=1)
    what = "cardiology hands over to rehabilitation"
    await tale.tell(people.attending, when, what, tale.records.TransferDepartment, move)
    when = at + timedelta(hours=5)
    await case.write(people.rehabilitation, when, "transfer-in note", documents.TRANSFER_IN_NOTE)
    what = "discharge record"
    discharge = await case.write(
        people.rehabilitation, DISCHARGED - timedelta(hours=1), what, documents.DISCHARGE_RECORD
    )
    await end_care(case, people.rehabilitation, DISCHARGED)
    return discharge


async def end_care(case: Case, by: Actor, at: datetime) -> None:
    """The patient goes home."""
    request = records_pb2.EndCareRequest(record_id=case.record_id, disposition=DISPOSITION_HOME, ended_at=stamp(at))
    await case.tale.tell(by, at, "the patient goes home", case.tale.records.EndCare, request)
