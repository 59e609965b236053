"""North as its staff uses it, on a clock that the test drives, and its deadline clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio

from consumers.patience import Patience
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.identity_pb2_grpc import IdentityServiceStub
from ledger.api.v1.keeping_pb2_grpc import KeepingServiceStub
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.stream_pb2 import GetStatusRequest, ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub, StreamServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.deadline_clocks import DeadlineClocks
from ledger.config import Settings
from ledger.lease import Leases, lease_pool
from ledger.trust.envelope import decode
from projections.connections import connection_pool
from tests.integration.consumers.hospitals import PHYSICIAN, context

NORTH = "north"
BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def by_steward() -> common.CommandContext:
    """A context of who keeps the patient index."""
    made = context(NORTH)
    made.actor.role = "identity_steward"
    return made


@dataclass
class DrivenHospital:
    """What a test does at north, and when."""

    channel: grpc.aio.Channel
    settings: Settings
    clock_file: Path
    now: datetime = BEGIN

    def at(self, now: datetime) -> None:
        """It is so late now; whoever reads the clock meanwhile sees the time before or this one."""
        self.now = now
        part = self.clock_file.with_suffix(".part")
        part.write_text(now.isoformat())
        part.replace(self.clock_file)

    def after(self, span: timedelta) -> None:
        """Time goes by."""
        self.at(self.now + span)

    @asynccontextmanager
    async def clocks(self) -> AsyncGenerator[DeadlineClocks]:
        """The clocks of one program."""
        url = self.settings.postgres_views_url
        async with connection_pool(url) as pool, lease_pool(url) as leases:
            yield DeadlineClocks(self.settings, self.channel, pool, Leases(leases.connection), Patience(4, 0.02))

    async def tick(self) -> None:
        """The clock looks until nothing more is to be done now."""
        async with self.clocks() as clocks:
            await (await clocks.of(NORTH)).run(asyncio.Event(), lambda: True)

    async def patient(self) -> str:
        """A patient; its id."""
        answer = await PatientServiceStub(self.channel).RegisterPatient(
            records.RegisterPatientRequest(
                context=context(NORTH),
                case_number=f"C{uuid4().hex[:10]}",
                identity=common.IDENTITY_STATUS_MATCHED,
                details=PatientDetails(name="Jane Example", birth_date="1950-01-31", gender="female"),
            )
        )
        return answer.receipt.record_id

    async def visit(
        self, patient: str, number: int = 1, kind: common.VisitType.ValueType = common.VISIT_TYPE_INPATIENT
    ) -> str:
        """A visit under care; the record's id."""
        stub = RecordServiceStub(self.channel)
        registered = await stub.RegisterRecord(
            records.RegisterRecordRequest(
                context=context(NORTH), patient_id=patient, visit_type=kind, visit_sequence=number, department="MED"
            )
        )
        record_id: str = registered.receipt.record_id
        await stub.StartCare(
            records.StartCareRequest(
                context=context(NORTH), record_id=record_id, department="MED", bed="12", responsible=PHYSICIAN
            )
        )
        return record_id

    async def enter(self, record_id: str, template: str, *sections: str) -> records.RecordEntryResponse:
        """A signed entry with a text in each section."""
        attestation = common.Attestation(method="session", signer=PHYSICIAN)
        attestation.signed_at.FromDatetime(self.now)
        content = common.EntryContent(
            template=template,
            template_version=1,
            sections=[common.Section(code=each, text="As seen.") for each in sections],
            language="en",
        )
        return await RecordServiceStub(self.channel).RecordEntry(
            records.RecordEntryRequest(
                context=context(NORTH), record_id=record_id, content=content, attestation=attestation
            )
        )

    async def end(self, record_id: str) -> None:
        """The patient goes home."""
        await RecordServiceStub(self.channel).EndCare(
            records.EndCareRequest(context=context(NORTH), record_id=record_id, disposition=common.DISPOSITION_HOME)
        )

    async def resume(self, record_id: str) -> None:
        """The discharge is withdrawn."""
        await CourseServiceStub(self.channel).ResumeCare(
            course.ResumeCareRequest(context=context(NORTH), record_id=record_id, reason="bleeding again")
        )

    async def begin_care_at(self, record_id: str, began_at: datetime) -> None:
        """Care began at another time than was typed."""
        request = course.CorrectTimeRequest(
            context=context(NORTH), record_id=record_id, of=common.TIME_OF_CARE_START, reason="typed wrongly"
        )
        request.context.actor.role = "attending"
        request.corrected_at.FromDatetime(began_at)
        await CourseServiceStub(self.channel).CorrectTime(request)

    async def archived(self, patient: str, number: int = 1) -> str:
        """An outpatient visit that is over and archived; the record's id."""
        record_id = await self.visit(patient, number, common.VISIT_TYPE_OUTPATIENT)
        await self.enter(record_id, "course_note", "note")
        await self.end(record_id)
        await RecordServiceStub(self.channel).ArchiveRecord(
            records.ArchiveRecordRequest(context=context(NORTH), record_id=record_id)
        )
        return record_id

    async def link(self, one: str, other: str) -> None:
        """Two patients may be the same person."""
        await IdentityServiceStub(self.channel).LinkPatients(
            identity.LinkPatientsRequest(context=by_steward(), patient_id=one, other_id=other, reason="same birthday")
        )

    async def unlink(self, one: str, other: str) -> None:
        """They are not."""
        await IdentityServiceStub(self.channel).UnlinkPatients(
            identity.UnlinkPatientsRequest(context=by_steward(), patient_id=one, other_id=other, reason="a brother")
        )

    async def merge(self, one: str, survivor: str) -> None:
        """They are one person."""
        await IdentityServiceStub(self.channel).MergePatients(
            identity.MergePatientsRequest(
                context=by_steward(), patient_id=one, survivor_id=survivor, reason="same passport"
            )
        )

    async def offer(self, record_id: str, ends: datetime, recipient: str = "south") -> str:
        """The record is offered to another hospital until then; the transfer's id."""
        request = transfers.OfferTransferRequest(
            context=context(NORTH), record_id=record_id, recipient=recipient, kind=common.TRANSFER_KIND_REFERRAL
        )
        request.expires_at.FromDatetime(ends)
        return (await TransferServiceStub(self.channel).OfferTransfer(request)).transfer_id

    async def heard(self, record_id: str, transfer_id: str, answer: transfers.TransferAnswer.ValueType) -> None:
        """The other hospital's answer comes."""
        request = transfers.RecordTransferAnswerRequest(
            context=context(NORTH), record_id=record_id, transfer_id=transfer_id, recipient="south", answer=answer
        )
        await TransferServiceStub(self.channel).RecordTransferAnswer(request)

    async def transfer_state(self, record_id: str, transfer_id: str) -> common.TransferState.ValueType:
        """How the transfer stands."""
        request = records.GetRecordRequest(hospital=NORTH, record_id=record_id)
        found = (await RecordServiceStub(self.channel).GetRecord(request)).record.transfers
        return next(each.state for each in found if each.transfer_id == transfer_id)

    async def deadlines(self, record_id: str) -> course.GetDeadlinesResponse:
        """The record's deadlines."""
        request = course.GetDeadlinesRequest(hospital=NORTH, record_id=record_id)
        return await CourseServiceStub(self.channel).GetDeadlines(request)

    async def retention(self, record_id: str) -> keeping.GetRetentionResponse:
        """How long the record is kept."""
        request = keeping.GetRetentionRequest(hospital=NORTH, record_id=record_id)
        return await KeepingServiceStub(self.channel).GetRetention(request)

    async def reported(self, record_id: str) -> set[str]:
        """Rules whose deadlines stand reported as missed."""
        return {each.rule for each in (await self.deadlines(record_id)).reported}

    async def state_of_clock(self) -> str:
        """What the service shows of the deadline clock."""
        answer = await OperationsServiceStub(self.channel).GetStatus(GetStatusRequest(hospital=NORTH))
        (reader,) = answer.hospitals[0].readers
        assert reader.reader == "deadline-clock"
        return reader.state

    async def events(self) -> Counter[str]:
        """How many events of each kind north has."""
        request = ReadHospitalRequest(hospital=NORTH)
        batches: Any = StreamServiceStub(self.channel).ReadHospital(request)
        kinds = [decode(event.envelope).type async for batch in batches for event in batch.events]
        return Counter(each.removeprefix("ledger.v1.") for each in kinds)
