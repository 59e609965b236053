"""A load of commands that remembers every acknowledgement; what stays unanswered is sent again under its own id."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from ledger.api.v1 import events_pb2, records_pb2
from ledger.api.v1.common_pb2 import (
    AMENDMENT_KIND_CORRECTION,
    IDENTITY_STATUS_MATCHED,
    VISIT_TYPE_OUTPATIENT,
    Actor,
    Attestation,
    CommandContext,
)
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.demo.client import note
from ledger.config import Settings
from ledger.trust.sealing import Opened, Opening
from ledger.trust.verify import Row
from tests.eventually import eventually_async

HOSPITAL = "north"
COMMANDS_A_RECORD = 21
AT_ONCE = 48
# What a client sends again under the same id. CANCELLED: a server that goes away ends its calls so, their outcome open.
AGAIN = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
)
_ANSWER_SECONDS_MAX = 20.0
_ACKNOWLEDGED_SECONDS_MAX = 90.0
_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]

Method = Callable[..., Awaitable[Any]]


def open_channel(address: str) -> grpc.aio.Channel:
    """A channel that looks often whether a killed server is back."""
    return grpc.aio.insecure_channel(address, options=_OPTIONS)


@dataclass(frozen=True)
class Acknowledged:
    """One command that the service said is durable; each of this load's commands makes one event."""

    command_id: str
    record_id: str
    version: int
    position: int


class Load:
    """Many records at one hospital, each with commands one after the other."""

    def __init__(self, channel: grpc.aio.Channel, hospital: str = HOSPITAL) -> None:
        self._hospital = hospital
        self.acknowledged: list[Acknowledged] = []
        self.sent_again = 0
        self._requests: list[tuple[str, Any]] = []
        self.patients = PatientServiceStub(channel)
        self._records = RecordServiceStub(channel)
        self._actor = Actor()

    async def run(self, records: int) -> None:
        """Sends COMMANDS_A_RECORD commands for each of so many new records; returns when all are acknowledged."""
        await self.register()
        left = iter(range(records))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._lives(left))

    async def register(self) -> None:
        """Puts the person who acts into the hospital's register."""
        asked = records_pb2.RegisterActorRequest(
            hospital=self._hospital, actor=Actor(name="Dr. Load", role="physician")
        )
        self._actor.CopyFrom((await self._answered(self.patients.RegisterActor, asked)).actor)

    async def reaches(self, acknowledged: int) -> None:
        """Waits for so many acknowledgements."""

        async def reached() -> bool:
            return len(self.acknowledged) >= acknowledged

        await eventually_async(reached, seconds_max=_ACKNOWLEDGED_SECONDS_MAX, what=f"{acknowledged} acknowledged")

    async def _lives(self, left: Iterator[int]) -> None:
        for _ in left:
            await self._life()

    async def _life(self) -> None:
        record_id = await self.opened()
        for number in range((COMMANDS_A_RECORD - 3) // 2):
            content = note("course_note", f"Note {number}", note=f"Stable, look {number}.")
            recorded = await self.send(
                self._records.RecordEntry,
                records_pb2.RecordEntryRequest(record_id=record_id, content=content, attestation=self.signed()),
            )
            content.sections[0].text = f"Stable, looked twice, {number}."
            await self.send(
                self._records.AmendEntry,
                records_pb2.AmendEntryRequest(
                    record_id=record_id,
                    entry_id=recorded.entry_id,
                    kind=AMENDMENT_KIND_CORRECTION,
                    reason="a word was missing",
                    content=content,
                    attestation=self.signed(),
                ),
            )

    async def opened(self) -> str:
        """A new record under care."""
        patient = self.registration(f"L-{uuid.uuid4().hex[:16]}")
        patient_id = (await self.send(self.patients.RegisterPatient, patient)).receipt.record_id
        record = records_pb2.RegisterRecordRequest(
            patient_id=patient_id, visit_type=VISIT_TYPE_OUTPATIENT, visit_sequence=1, department="SURG"
        )
        record_id = (await self.send(self._records.RegisterRecord, record)).receipt.record_id
        start = records_pb2.StartCareRequest(record_id=record_id, department="SURG", responsible=self._actor)
        await self.send(self._records.StartCare, start)
        return record_id

    def registration(self, case_number: str) -> records_pb2.RegisterPatientRequest:
        """A new patient, under a fresh command id."""
        return records_pb2.RegisterPatientRequest(
            context=self.context(),
            case_number=case_number,
            identity=IDENTITY_STATUS_MATCHED,
            details=events_pb2.PatientDetails(name="Load", gender="unknown"),
        )

    def context(self, expected_version: int | None = None) -> CommandContext:
        """A context with a fresh command id."""
        return CommandContext(
            hospital=self._hospital,
            command_id=str(uuid.uuid4()),
            expected_version=expected_version,
            actor=self._actor,
            purpose="TREAT",
        )

    async def send(self, method: Method, request: Any) -> Any:
        """Sends a command under a fresh id until it is acknowledged, and remembers that."""
        request.context.CopyFrom(self.context())
        response = await self._answered(method, request)
        self._requests.append((type(request).__name__.removesuffix("Request"), request))
        self.acknowledged.append(_acknowledged(request, response))
        return response

    async def repeat(self, load: Load) -> list[Acknowledged]:
        """Sends every command of another load again, unchanged; what is acknowledged now."""
        found: list[Acknowledged] = []
        for rpc, request in load._requests:
            response = await self._method(rpc)(request)
            assert response.receipt.repeated
            found.append(_acknowledged(request, response))
        return found

    def _method(self, rpc: str) -> Method:
        return getattr(self.patients if hasattr(self.patients, rpc) else self._records, rpc)

    async def _answered(self, method: Method, request: Message) -> Any:
        async def attempt() -> Any:
            try:
                return await method(request, timeout=_ANSWER_SECONDS_MAX)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                self.sent_again += 1
                return None

        return await eventually_async(attempt, seconds_max=_ACKNOWLEDGED_SECONDS_MAX, what="an answer")

    def signed(self) -> Attestation:
        """The confirmation of the person who acts."""
        return Attestation(method="session", signer=self._actor)


def _acknowledged(request: Any, response: Any) -> Acknowledged:
    receipt = response.receipt
    return Acknowledged(request.context.command_id, receipt.record_id, receipt.record_version, receipt.position)


async def opened(settings: Settings, rows: Sequence[Row]) -> list[Row]:
    """The rows with what is in their bodies, opened with the keys of the service itself."""
    async with bodies_with_keys(settings) as bodies:
        openings = await bodies.opener.open([(row.envelope, row.body) for row in rows])
    return [row._replace(body=_plaintext(opening)) for row, opening in zip(rows, openings, strict=True)]


def _plaintext(opening: Opening) -> bytes:
    assert isinstance(opening, Opened), opening
    return opening.plaintext


def not_kept(rows: Sequence[Row], acknowledged: Sequence[Acknowledged]) -> list[Acknowledged]:
    """Of opened rows: acknowledgements that do not name, as the only one, the event which their own command made."""
    taken: set[int] = set()
    faults: list[Acknowledged] = []
    for each in acknowledged:
        row = rows[each.position - 1] if 0 < each.position <= len(rows) else None
        if row is None or each.position in taken or not _made_by(row, each):
            faults.append(each)
        taken.add(each.position)
    return faults


def _made_by(row: Row, each: Acknowledged) -> bool:
    copies = row.copies
    assert copies is not None
    body = getattr(events_pb2, copies.type.removeprefix("ledger.v1.")).FromString(row.body)
    stored = (str(uuid.UUID(bytes=copies.stream_id)), copies.version, row.position, body.meta.command_id)
    return stored == (each.record_id, each.version, each.position, each.command_id)
