"""Requests that are right as they stand; a test changes the one thing that it is about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails
from tests.contract.edge.clients import EdgeClient

PHYSICIAN = common.Actor(
    id="3f2b0a44-52c5-4a06-9f0e-3a2b7d5f0c11", name="Dr Hale", role="physician", department="MED", licence="L-1"
)

CONSULTANT = common.Actor(
    id="3f2b0a44-52c5-4a06-9f0e-3a2b7d5f0c13", name="Dr Gao", role="physician", department="NEU", licence="L-2"
)
IMPORTER = common.Actor(id="3f2b0a44-52c5-4a06-9f0e-3a2b7d5f0c12", name="import", role="interface")
"""The program that takes over what an earlier system holds."""


def context(hospital: str = "north", **fields: Any) -> common.CommandContext:
    """A context with a fresh command id."""
    return common.CommandContext(hospital=hospital, command_id=str(uuid4()), actor=PHYSICIAN, **fields)


def old_item() -> common.SourceItem:
    """An item of an earlier system, which nothing was taken from yet."""
    return common.SourceItem(system="his", type="Old", id=str(uuid4()), content_sha256=bytes(32))


def by(actor: common.Actor) -> common.CommandContext:
    """A context of this person."""
    made = context()
    made.actor.CopyFrom(actor)
    return made


def taken_over(source: common.SourceItem | None = None) -> common.CommandContext:
    """A context in which the import takes over an item of an earlier system."""
    made = context(historical=True, source=source or old_item())
    made.actor.CopyFrom(IMPORTER)
    return made


def register_patient(hospital: str = "north", case_number: str | None = None) -> records.RegisterPatientRequest:
    """A patient of a case number that nobody else has."""
    return records.RegisterPatientRequest(
        context=context(hospital),
        case_number=case_number or f"C{uuid4().hex[:10]}",
        identity=common.IDENTITY_STATUS_MATCHED,
        details=PatientDetails(name="Jane Example", birth_date="1950-01-31", gender="female"),
    )


def register_record(patient_id: str, sequence: int = 1) -> records.RegisterRecordRequest:
    """An inpatient stay."""
    return records.RegisterRecordRequest(
        context=context(),
        patient_id=patient_id,
        visit_type=common.VISIT_TYPE_INPATIENT,
        visit_sequence=sequence,
        department="MED",
    )


def start_care(record_id: str) -> records.StartCareRequest:
    """Care on the ward."""
    return records.StartCareRequest(
        context=context(), record_id=record_id, department="MED", bed="12", responsible=PHYSICIAN
    )


def record_entry(record_id: str, text: str = "Stable overnight.") -> records.RecordEntryRequest:
    """A signed course note."""
    return records.RecordEntryRequest(
        context=context(),
        record_id=record_id,
        content=common.EntryContent(
            template="course_note",
            template_version=1,
            title="Note",
            sections=[common.Section(code="note", text=text)],
            language="en",
        ),
        attestation=common.Attestation(method="session", signer=PHYSICIAN, signed_at=stamp(datetime.now(UTC))),
    )


def stamp(time: datetime) -> Timestamp:
    """A time as protobuf has it."""
    found = Timestamp()
    found.FromDatetime(time)
    return found


def ahead(hours: float) -> Timestamp:
    """A time that many hours from now."""
    return stamp(datetime.now(UTC) + timedelta(hours=hours))


@dataclass(frozen=True)
class Ward:
    """A record under care."""

    client: EdgeClient
    patient_id: str
    record_id: str

    async def enter(self, text: str = "Stable overnight.") -> records.RecordEntryResponse:
        """Records one entry."""
        return await self.client.call("RecordService/RecordEntry", record_entry(self.record_id, text))


async def open_record(client: EdgeClient) -> Ward:
    """Registers a patient and a record, and starts care: three events, and the first time three of the rulebook."""
    patient = await client.call("PatientService/RegisterPatient", register_patient())
    patient_id: str = patient.receipt.record_id
    record = await client.call("RecordService/RegisterRecord", register_record(patient_id))
    record_id: str = record.receipt.record_id
    await client.call("RecordService/StartCare", start_care(record_id))
    return Ward(client, patient_id, record_id)
