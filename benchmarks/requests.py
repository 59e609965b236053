"""The requests that benchmarks send: a patient, a record under care, and entries of an ordinary length."""

from __future__ import annotations

import uuid

from ledger.api.v1.common_pb2 import (
    IDENTITY_STATUS_MATCHED,
    VISIT_TYPE_INPATIENT,
    Actor,
    Attestation,
    CommandContext,
    EntryContent,
    Section,
)
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.records_pb2 import (
    RecordEntryRequest,
    RegisterPatientRequest,
    RegisterRecordRequest,
    StartCareRequest,
)

TEXT = "Stable overnight, no fever; wound dry, drain removed, mobilised with help. " * 2
"""With its envelope of names and codes a body of about 380 bytes, as measured for a structured note."""
DEPARTMENT = "MED"
_PERSON = Actor(
    id=str(uuid.UUID(int=7, version=4)), name="Dr. Bench", role="physician", department="MED", licence="B-1"
)


def patient(hospital: str) -> RegisterPatientRequest:
    """A patient of no name that repeats."""
    return RegisterPatientRequest(
        context=_context(hospital),
        case_number=f"B-{uuid.uuid4().hex[:16]}",
        identity=IDENTITY_STATUS_MATCHED,
        details=PatientDetails(name="Bench", gender="unknown"),
    )


def record(hospital: str, patient_id: str, department: str = DEPARTMENT) -> RegisterRecordRequest:
    """The patient's first record."""
    return RegisterRecordRequest(
        context=_context(hospital),
        patient_id=patient_id,
        visit_type=VISIT_TYPE_INPATIENT,
        visit_sequence=1,
        department=department,
    )


def care(hospital: str, record_id: str, department: str = DEPARTMENT) -> StartCareRequest:
    """What opens the record for entries."""
    return StartCareRequest(
        context=_context(hospital), record_id=record_id, department=department, bed="1", responsible=_PERSON
    )


def entry(hospital: str, record_id: str) -> RecordEntryRequest:
    """A course note."""
    content = EntryContent(
        template="course_note",
        template_version=1,
        title="Note",
        sections=[Section(code="note", text=TEXT)],
        language="en",
    )
    attestation = Attestation(method="session", signer=_PERSON)
    return RecordEntryRequest(context=_context(hospital), record_id=record_id, content=content, attestation=attestation)


def _context(hospital: str) -> CommandContext:
    return CommandContext(hospital=hospital, command_id=str(uuid.uuid4()), actor=_PERSON)
