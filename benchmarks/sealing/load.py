"""The load: entries of an ordinary length on records that exist, and records that begin."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import Message

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
from ledger.application.ledger import Ledger

TEXT = "Stable overnight, no fever; wound dry, drain removed, mobilised with help. " * 2
"""With its envelope of names and codes a body of about 380 bytes, as measured for a structured note."""
_PERSON = Actor(
    id=str(uuid.UUID(int=7, version=4)), name="Dr. Bench", role="physician", department="MED", licence="B-1"
)


@dataclass(frozen=True)
class Rate:
    """What one turn came to."""

    per_second: float
    cpu_us: float
    """CPU of this process per command, microseconds."""


class Caller:
    """One hospital's clients: as many records as callers, each command waits for its receipt."""

    def __init__(self, ledger: Ledger, hospital: str) -> None:
        self._ledger = ledger
        self._hospital = hospital
        self._records: list[UUID] = []

    async def entries(self, in_flight: int, seconds: float) -> Rate:
        """Entries on records that are there."""
        while len(self._records) < in_flight:
            self._records.append(await self._open_record())
        return await self._turn(lambda number: self._entry(self._records[number]), in_flight, seconds)

    async def beginnings(self, in_flight: int, seconds: float) -> Rate:
        """Patients that are registered: each command begins a record, and so needs a key."""
        return await self._turn(lambda _: self._patient(), in_flight, seconds)

    async def _turn(self, send: Callable[[int], Awaitable[object]], in_flight: int, seconds: float) -> Rate:
        done = 0
        began, cpu = time.perf_counter(), time.process_time()
        end = began + seconds

        async def caller(number: int) -> None:
            nonlocal done
            while time.perf_counter() < end:
                await send(number)
                done += 1

        await asyncio.gather(*(caller(number) for number in range(in_flight)))
        elapsed = time.perf_counter() - began
        return Rate(done / elapsed, (time.process_time() - cpu) * 1e6 / done)

    async def _open_record(self) -> UUID:
        patient_id = await self._patient()
        registered = RegisterRecordRequest(
            context=self._context(),
            patient_id=str(patient_id),
            visit_type=VISIT_TYPE_INPATIENT,
            visit_sequence=1,
            department="MED",
        )
        record_id = await self._do("RecordService/RegisterRecord", registered)
        started = StartCareRequest(
            context=self._context(), record_id=str(record_id), department="MED", bed="1", responsible=_PERSON
        )
        await self._do("RecordService/StartCare", started)
        return record_id

    async def _patient(self) -> UUID:
        request = RegisterPatientRequest(
            context=self._context(),
            case_number=f"B-{uuid.uuid4().hex[:16]}",
            identity=IDENTITY_STATUS_MATCHED,
            details=PatientDetails(name="Bench", gender="unknown"),
        )
        return await self._do("PatientService/RegisterPatient", request)

    async def _entry(self, record_id: UUID) -> UUID:
        content = EntryContent(
            template="course_note",
            template_version=1,
            title="Note",
            sections=[Section(code="note", text=TEXT)],
            language="en",
        )
        attestation = Attestation(method="session", signer=_PERSON)
        request = RecordEntryRequest(
            context=self._context(), record_id=str(record_id), content=content, attestation=attestation
        )
        return await self._do("RecordService/RecordEntry", request)

    async def _do(self, rpc: str, request: Message) -> UUID:
        return (await self._ledger.execute(f"ledger.api.v1.{rpc}", request)).record_id

    def _context(self) -> CommandContext:
        return CommandContext(hospital=self._hospital, command_id=str(uuid.uuid4()), actor=_PERSON)
