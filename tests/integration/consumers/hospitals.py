"""Two hospitals as their staff uses them, and their consumers, each with a folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc.aio

from consumers.every_hospital import EveryHospital
from consumers.follower import Follower
from consumers.patience import Patience
from consumers.reader_report import ReaderReport
from consumers.receiving_hospital.policy import AnswerPolicy, accept_verified
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub, StreamServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.desks import Desks
from ledger.cli.senders_trust import SendersTrust
from ledger.cli.transfer_topics import transfer_topics
from ledger.config import Settings
from ledger.stream.postgres.reader import transfers_reader
from ledger.trust.envelope import decode
from tests.eventually import eventually_async
from tests.services.sealed import FIXED_KEY

Clock = Callable[[], datetime]

PHYSICIAN = common.Actor(
    id="3f2b0a44-52c5-4a06-9f0e-3a2b7d5f0c11", name="Dr Hale", role="physician", department="MED", licence="L-1"
)


def _now() -> datetime:
    return datetime.now(UTC)


def context(hospital: str) -> common.CommandContext:
    """A context with a fresh command id."""
    return common.CommandContext(hospital=hospital, command_id=str(uuid4()), actor=PHYSICIAN)


@dataclass
class Hospitals:
    """What a test does at north and south."""

    channel: grpc.aio.Channel
    address: str
    settings: Settings
    folder: Path
    sender: str = "north"
    trust: SendersTrust | None = None
    """In the logs of other hospitals."""
    patience: Patience = field(default_factory=lambda: Patience(attempts_max=4, first_pause_seconds=0.02))

    async def record(self, notes: int = 3) -> str:
        """A record under care at the sender with some notes; its id."""
        patients, stub = PatientServiceStub(self.channel), RecordServiceStub(self.channel)
        patient = await patients.RegisterPatient(
            records.RegisterPatientRequest(
                context=context(self.sender),
                case_number=f"C{uuid4().hex[:10]}",
                identity=common.IDENTITY_STATUS_MATCHED,
                details=PatientDetails(name="Jane Example", birth_date="1950-01-31", gender="female"),
            )
        )
        registered = await stub.RegisterRecord(
            records.RegisterRecordRequest(
                context=context(self.sender),
                patient_id=patient.receipt.record_id,
                visit_type=common.VISIT_TYPE_INPATIENT,
                visit_sequence=1,
                department="MED",
            )
        )
        record_id: str = registered.receipt.record_id
        await stub.StartCare(
            records.StartCareRequest(
                context=context(self.sender), record_id=record_id, department="MED", bed="12", responsible=PHYSICIAN
            )
        )
        for number in range(notes):
            await self.note(record_id, f"Note {number}.")
        return record_id

    async def note(self, record_id: str, text: str) -> None:
        """One signed course note."""
        attestation = common.Attestation(method="session", signer=PHYSICIAN)
        attestation.signed_at.FromDatetime(datetime.now(UTC))
        content = common.EntryContent(
            template="course_note",
            template_version=1,
            title="Note",
            sections=[common.Section(code="note", text=text)],
            language="en",
        )
        await RecordServiceStub(self.channel).RecordEntry(
            records.RecordEntryRequest(
                context=context(self.sender), record_id=record_id, content=content, attestation=attestation
            )
        )

    async def amend(self, record_id: str) -> None:
        """The first note says something else from now on."""
        stub = RecordServiceStub(self.channel)
        shown = await stub.GetRecord(records.GetRecordRequest(hospital=self.sender, record_id=record_id))
        (entry, *_) = shown.record.entries
        content = entry.versions[-1].content
        content.sections[0].text = "Mended."
        await stub.AmendEntry(
            records.AmendEntryRequest(
                context=context(self.sender),
                record_id=record_id,
                entry_id=entry.entry_id,
                kind=common.AMENDMENT_KIND_CORRECTION,
                reason="misheard",
                content=content,
                attestation=entry.versions[-1].attestation,
            )
        )

    async def offer(self, record_id: str, ends_in: timedelta = timedelta(days=1)) -> str:
        """The sender offers the record to south; the transfer's id."""
        request = transfers.OfferTransferRequest(
            context=context(self.sender), record_id=record_id, recipient="south", kind=common.TRANSFER_KIND_REFERRAL
        )
        request.expires_at.FromDatetime(datetime.now(UTC) + ends_in)
        response = await TransferServiceStub(self.channel).OfferTransfer(request)
        return response.transfer_id

    async def sent(self, record_id: str, transfer_id: str) -> records.TransferStatus:
        """The transfer as the sender's record has it."""
        answer = await RecordServiceStub(self.channel).GetRecord(
            records.GetRecordRequest(hospital=self.sender, record_id=record_id)
        )
        return next(each for each in answer.record.transfers if each.transfer_id == transfer_id)

    async def received(self, transfer_id: str) -> transfers.ReceivedPackage | None:
        """The package as south's ledger has it."""
        request = transfers.GetPackageRequest(hospital="south", transfer_id=transfer_id)
        try:
            return (await TransferServiceStub(self.channel).GetPackage(request)).package
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise

    async def sent_state(self, record_id: str, transfer_id: str, state: common.TransferState.ValueType) -> None:
        """Waits until the sender's record says that the transfer has this state."""

        async def there() -> bool:
            return (await self.sent(record_id, transfer_id)).state == state

        await eventually_async(there, what=f"transfer {common.TransferState.Name(state)}")

    async def received_state(
        self, transfer_id: str, state: common.TransferState.ValueType
    ) -> transfers.ReceivedPackage:
        """Waits until south's package has this state."""

        async def there() -> transfers.ReceivedPackage | None:
            package = await self.received(transfer_id)
            return package if package is not None and package.state == state else None

        found = await eventually_async(there, what=f"package {common.TransferState.Name(state)}")
        assert found is not None
        return found

    async def outdated(self, transfer_id: str) -> None:
        """Waits until south has marked the package."""

        async def there() -> bool:
            package = await self.received(transfer_id)
            return package is not None and package.outdated

        await eventually_async(there, what="package outdated")

    async def event_types(self, hospital: str, after: int = 0) -> list[str]:
        """Stored names of a hospital's events, in order."""
        request = ReadHospitalRequest(hospital=hospital, after_position=after)
        return [
            decode(event.envelope).type.removeprefix("ledger.v1.")
            async for batch in StreamServiceStub(self.channel).ReadHospital(request)
            for event in batch.events
        ]

    def kept(self, transfer_id: str) -> Path:
        """Where south keeps a package."""
        return self.folder / "south" / "packages" / f"{transfer_id}.pkg"

    async def follower(self, hospital: str, clock: Clock = _now, policy: AnswerPolicy = accept_verified) -> Follower:
        """The consumer of a hospital's topic, both sides, on that hospital's own folder."""
        desks = Desks(self.channel, self.address, self.folder, clock, policy, self.patience, self.trust)
        report = ReaderReport(OperationsServiceStub(self.channel), hospital, "transfers", self.patience)
        return Follower(
            hospital,
            open_topic=transfer_topics(self.settings),
            desk=await desks.both_sides(hospital),
            opener=FIXED_KEY,
            folder=self.folder / hospital / "transfers",
            clock=clock,
            say=desks.say_for(hospital, report.say),
        )

    @asynccontextmanager
    async def following(self, *hospitals: str) -> AsyncGenerator[None]:
        """Runs these hospitals' consumers meanwhile, as the program does: begun again until their topics are there."""
        stop = asyncio.Event()
        registry = Desks(self.channel, self.address, self.folder).registry

        async def follow(hospital: str, stop: asyncio.Event, others_wait: Callable[[], bool]) -> None:
            await (await self.follower(hospital)).run(stop, others_wait)

        runs = [EveryHospital(registry, follow, only=each).run(stop, lambda: None) for each in hospitals]
        tasks = [asyncio.create_task(run) for run in runs]
        yield
        stop.set()
        await asyncio.gather(*tasks)

    async def once(self, hospital: str, clock: Clock = _now, policy: AnswerPolicy = accept_verified) -> None:
        """Runs a hospital's consumer until its topic has nothing more."""
        await (await self.follower(hospital, clock, policy)).run(asyncio.Event(), lambda: True)

    async def arrives(self, hospital: str, messages: int) -> None:
        """Waits until so many messages lie on a hospital's topic."""
        reader = transfers_reader(self.settings.postgres_stream_url, hospital)
        try:
            await eventually_async(lambda: asyncio.to_thread(lambda: reader.end(0) >= messages))
        finally:
            reader.close()
