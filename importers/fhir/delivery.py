"""Sends a plan: actors, then patients with their records, then the content of many records at once.

The commands of one record go in sequence, since each decides on what the one before has made; a patient's records are
registered in sequence, since each registration bumps the patient.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import grpc.aio

from importers.fhir.catalogue import Item
from importers.fhir.content_digest import again_id
from importers.fhir.entry_content import said_by
from importers.fhir.json_value import Resource
from importers.fhir.patience import Answered, CommandRefused, Patience
from importers.fhir.plan import EntryPlan, PatientPlan, Plan, RecordPlan
from importers.fhir.report import END_IN_FUTURE, PATIENT_REFUSED, RECORD_REFUSED, Outcome, Report
from importers.fhir.requests import Requests
from importers.fhir.taken_up import TakenUp
from ledger.api.v1.common_pb2 import CommandReceipt
from ledger.api.v1.records_pb2 import (
    RecordEntryRequest,
    RegisterPatientRequest,
    RegisterPatientResponse,
    RegisterRecordRequest,
)
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub

Row = TypeVar("Row")
IN_FLIGHT = 64
"""Commands in flight at once."""
_TAKEN_UP = "COMMAND_ID_REUSED"
_NOTABLE = (Outcome.SAME, Outcome.RECORDED, Outcome.AMENDED, Outcome.REFUSED)


class _Durable(Protocol):
    """An answer with a receipt."""

    @property
    def receipt(self) -> CommandReceipt: ...


Response = TypeVar("Response", bound=_Durable)


@dataclass(frozen=True)
class Done:
    """What became of a command, and the stream it acted on (empty where it was refused)."""

    outcome: Outcome
    reason: str = ""
    stream_id: str = ""
    version: int = 0
    """Version of the stream after it."""


@dataclass(frozen=True)
class _OpenRecord:
    """A record that is registered and waits for its content."""

    plan: RecordPlan
    encounter: Resource
    registered: Done


class Delivery:
    """Sends the plan of one import over one channel and writes what became of each line into a report."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        requests: Requests,
        plan: Plan,
        report: Report,
        *,
        progressed: Callable[[int], None],
        patience: Patience | None = None,
    ) -> None:
        """`progressed(n)` is told of n more commands of the plan that are settled."""
        self._patients = PatientServiceStub(channel)
        self._records = RecordServiceStub(channel)
        self._requests = requests
        self._plan = plan
        self._report = report
        self._progressed = progressed
        self._patience = patience or Patience()
        self._taken_up = TakenUp(channel, requests.hospital, self._patience)
        self._open: list[_OpenRecord] = []

    async def deliver(self) -> None:
        """Sends everything. Raises ServiceLost; what was answered until then is durable and counted."""
        await self._register_program()
        await _side_by_side(self._plan.catalogue.actors.values(), self._register_actor)
        await _side_by_side(self._plan.patients, self._register_patient)
        # The longest first, so that no long record is left to run alone at the end.
        self._open.sort(key=lambda each: -len(each.plan.entries))
        await _side_by_side(self._open, self._fill_record)

    async def _register_program(self) -> None:
        request = self._requests.register_program()
        done = await self._patience.call(lambda seconds: self._patients.RegisterActor(request, timeout=seconds))
        self._requests.program = done.answer.actor

    async def _register_actor(self, item: Item) -> None:
        catalogue = self._plan.catalogue
        role = next((each for each in catalogue.roles if each.links[0][1] == item.id), None)
        request = self._requests.register_actor(
            item,
            catalogue.read(item),
            catalogue.read(role) if role else None,
            attending=item.id in catalogue.attending,
        )
        try:
            done = await self._patience.call(lambda seconds: self._patients.RegisterActor(request, timeout=seconds))
        except CommandRefused as refused:
            self._settle([item], Done(Outcome.REFUSED, refused.reason))
            return
        self._requests.people[item.id] = done.answer.actor
        self._settle([item], Done(Outcome.RECORDED if done.answer.changed else Outcome.SAME))

    async def _register_patient(self, plan: PatientPlan) -> None:
        request = self._requests.register_patient(plan.item, self._plan.catalogue.read(plan.item))

        async def send(seconds: float) -> RegisterPatientResponse:
            return await self._patients.RegisterPatient(request, timeout=seconds)

        done = await self._register(request, send)
        if done.outcome is Outcome.SAME and (events := await self._taken_up.stream_version(done.stream_id)) > 1:
            # As with an entry: the same data as once, which others may have replaced since.
            request.context.command_id = again_id(request.context.command_id, events)
            done = replace(await self._register(request, send), stream_id=done.stream_id)
        self._settle([plan.item], done)
        for record in plan.records:
            if done.stream_id:
                await self._register_record(record, done.stream_id)
            else:
                self._give_up(record, PATIENT_REFUSED)

    async def _register_record(self, plan: RecordPlan, patient_id: str) -> None:
        encounter = self._plan.catalogue.read(plan.visit.item)
        request = self._requests.register_record(plan, encounter, patient_id)
        done = await self._register(request, lambda seconds: self._records.RegisterRecord(request, timeout=seconds))
        if done.stream_id:
            self._open.append(_OpenRecord(plan, encounter, done))
        else:
            self._give_up(plan, RECORD_REFUSED, done.reason)

    async def _fill_record(self, record: _OpenRecord) -> None:
        """Start of care, the entries in order, end of care. The encounter's line gets the most notable outcome."""
        plan, encounter, record_id = record.plan, record.encounter, record.registered.stream_id
        steps = [record.registered]
        start = self._requests.start_care(plan, encounter, record_id)
        steps.append(await self._do(lambda seconds: self._records.StartCare(start, timeout=seconds)))
        self._progressed(1)
        for entry in plan.entries:
            done = await self._record_entry(entry, record)
            self._settle(entry.members, done)
        if plan.ends:
            end = self._requests.end_care(plan, encounter, record_id)
            steps.append(await self._do(lambda seconds: self._records.EndCare(end, timeout=seconds)))
            self._progressed(1)
        if plan.end_refused:
            steps.append(Done(Outcome.REFUSED, END_IN_FUTURE))
        self._settle([plan.visit.item], max(steps, key=lambda step: _NOTABLE.index(step.outcome)))

    async def _record_entry(self, entry: EntryPlan, record: _OpenRecord) -> Done:
        said = said_by(entry, [self._plan.catalogue.read(item) for item in entry.members])
        request = self._requests.record_entry(entry, said, record.registered.stream_id)
        self._report.entries += 1
        found, entry_id = await self._send_entry(request)
        if record.registered.outcome is Outcome.RECORDED or found.outcome is Outcome.REFUSED:
            return found
        # Only a record from an earlier import can hold an earlier version; a receipt does not tell the two apart.
        entry_id = entry_id or (await self._taken_up.holder(request.context.source)).entry_id
        versions = await self._taken_up.entry_versions(record.registered.stream_id, entry_id)
        if versions == 1:
            return found
        if found.outcome is Outcome.SAME:
            # This content was taken up once, and other content since, perhaps: the claim on the item knows.
            request.context.command_id = again_id(request.context.command_id, versions)
            found, _ = await self._send_entry(request)
        return replace(found, outcome=Outcome.AMENDED) if found.outcome is Outcome.RECORDED else found

    async def _send_entry(self, request: RecordEntryRequest) -> tuple[Done, str]:
        try:
            done = await self._patience.call(lambda seconds: self._records.RecordEntry(request, timeout=seconds))
        except CommandRefused as refused:
            return self._refused(refused), ""
        return self._answered(done), done.answer.entry_id

    async def _register(
        self,
        request: RegisterPatientRequest | RegisterRecordRequest,
        attempt: Callable[[float], Awaitable[Response]],
    ) -> Done:
        """Registers a stream; its version says whether it was there before."""
        done = await self._do(attempt)
        if done.outcome is Outcome.SAME and not done.stream_id:
            return replace(done, stream_id=(await self._taken_up.holder(request.context.source)).record_id)
        return replace(done, outcome=Outcome.AMENDED) if done.outcome is Outcome.RECORDED and done.version > 1 else done

    async def _do(self, attempt: Callable[[float], Awaitable[Response]]) -> Done:
        """Sends one command."""
        try:
            return self._answered(await self._patience.call(attempt))
        except CommandRefused as refused:
            return self._refused(refused)

    def _answered(self, done: Answered[Response]) -> Done:
        receipt = done.answer.receipt
        self._report.commands += 1
        self._report.events += receipt.events
        self._report.position = max(self._report.position, receipt.position if receipt.events else 0)
        # A command that an earlier attempt of this very import did is new, though its receipt says "repeated".
        new = receipt.events > 0 or (receipt.repeated and done.attempts > 1)
        outcome = Outcome.RECORDED if new else Outcome.SAME
        return Done(outcome, stream_id=receipt.record_id, version=receipt.record_version)

    def _refused(self, refused: CommandRefused) -> Done:
        self._report.commands += 1
        # The id holds the digest of the source: the same content was taken up before, though it was written otherwise
        # then (a practitioner had another name, a bed was another). What was recorded stays as it was.
        if refused.reason == _TAKEN_UP:
            return Done(Outcome.SAME)
        return Done(Outcome.REFUSED, refused.reason)

    def _give_up(self, plan: RecordPlan, reason: str, own: str = "") -> None:
        self._settle([plan.visit.item], Done(Outcome.REFUSED, own or reason), commands=1 + plan.ends)
        for entry in plan.entries:
            self._settle(entry.members, Done(Outcome.REFUSED, reason))

    def _settle(self, items: Iterable[Item], done: Done, commands: int = 1) -> None:
        self._report.settle((item.type for item in items), done.outcome, done.reason)
        self._progressed(commands)


async def _side_by_side(rows: Iterable[Row], work: Callable[[Row], Awaitable[None]]) -> None:
    """Does the work for all rows, at most IN_FLIGHT at once; the first error ends all and is raised."""
    waiting = iter(rows)

    async def worker() -> None:
        for row in waiting:
            await work(row)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(worker())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
