"""Sends a plan: actors, then patients with their records, then the content of many records at once.

The commands of one record go in sequence, since each decides on what the one before has made; a patient's records are
registered in sequence, since each registration bumps the patient.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

import grpc.aio

from importers.fhir.catalogue import Item
from importers.fhir.content_digest import again_id
from importers.fhir.entry_delivery import EntryDelivery, Target
from importers.fhir.json_value import Resource
from importers.fhir.moved_items import MovedItems
from importers.fhir.patience import CommandRefused, Patience
from importers.fhir.plan import PatientPlan, Plan, RecordPlan
from importers.fhir.report import END_IN_FUTURE, PATIENT_REFUSED, RECORD_REFUSED, Outcome, Report
from importers.fhir.requests import Requests
from importers.fhir.sending import Done, Sending
from importers.fhir.taken_up import TakenUp
from ledger.api.v1.common_pb2 import SourceItem
from ledger.api.v1.records_pb2 import (
    RegisterPatientRequest,
    RegisterPatientResponse,
    RegisterRecordRequest,
)
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub

Row = TypeVar("Row")
IN_FLIGHT = 64
"""Commands in flight at once."""
SEQUENCES_TRIED_MAX = 1_000
"""Running numbers that are tried for one visit."""
_NOTABLE = (Outcome.SAME, Outcome.LINKED, Outcome.RECORDED, Outcome.AMENDED, Outcome.REFUSED)


_NUMBER_TAKEN = (("visit_sequence", "ALREADY_EXISTS"),)


@dataclass(frozen=True)
class _OpenRecord:
    """A record that is registered and waits for its content."""

    plan: RecordPlan
    encounter: Resource
    registered: Done
    patient_id: str
    linked: bool
    """Another system had registered the visit: it started care and ends it."""


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
        self._sending = Sending(report, self._patience)
        self._entries = EntryDelivery(channel, requests, plan.catalogue, report, self._sending, self._taken_up)
        self._moved = MovedItems(channel, requests, report, self._sending, self._taken_up)
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
        done, answer = await self._send_patient(request)
        if done.outcome is Outcome.SAME and (events := await self._taken_up.stream_version(done.stream_id)) > 1:
            # As with an entry: the same data as once, which others may have replaced since.
            request.context.command_id = again_id(request.context.command_id, events)
            again, latest = await self._send_patient(request)
            # An item that was taken back from whom it was led to is another patient's by now.
            done = replace(again, stream_id=again.stream_id or done.stream_id)
        else:
            latest = answer
        told = latest or answer
        if told is not None and told.possible_matches:
            self._report.alike.append((done.stream_id, _uuids(told.possible_matches)))
        self._settle([plan.item], done)
        # Of who was merged into another, the next visits are the other's.
        patient_id = (latest.recognised_id if latest else "") or done.stream_id
        for record in plan.records:
            if patient_id:
                await self._register_record(record, patient_id)
            else:
                self._give_up(record, PATIENT_REFUSED)

    async def _send_patient(self, request: RegisterPatientRequest) -> tuple[Done, RegisterPatientResponse | None]:
        done, answer = await self._sending.ask(lambda seconds: self._patients.RegisterPatient(request, timeout=seconds))
        done = await self._with_stream(request.context.source, done)
        if done.outcome is Outcome.AMENDED and answer is not None and answer.recognised_id == done.stream_id:
            return replace(done, outcome=Outcome.LINKED), answer
        return done, answer

    async def _register_record(self, plan: RecordPlan, patient_id: str) -> None:
        encounter = self._plan.catalogue.read(plan.visit.item)
        request = self._requests.register_record(plan, encounter, patient_id)
        done = await self._send_record(request)
        linked = False
        if done.duplicates:
            stating = await self._taken_up.stating(patient_id, request.context.fact_sha256)
            if stating.record_id:
                done = await self._entries.link(request.context.source, plan.visit.start, stating)
                linked = True
        elif done.outcome is Outcome.SAME:
            linked = (await self._taken_up.holder(request.context.source)).linked
        if done.stream_id:
            self._open.append(_OpenRecord(plan, encounter, done, patient_id, linked))
        else:
            self._give_up(plan, RECORD_REFUSED, done.reason)

    async def _send_record(self, request: RegisterRecordRequest) -> Done:
        """Registers a visit under the next running number that is free: nothing is renumbered."""
        done = await self._sending.do(lambda seconds: self._records.RegisterRecord(request, timeout=seconds))
        for _ in range(SEQUENCES_TRIED_MAX):
            if done.faults != _NUMBER_TAKEN:
                break
            request.visit_sequence += 1
            done = await self._sending.do(lambda seconds: self._records.RegisterRecord(request, timeout=seconds))
        return await self._with_stream(request.context.source, done)

    async def _fill_record(self, record: _OpenRecord) -> None:
        """Start of care, the entries in order, end of care. The encounter's line gets the most notable outcome."""
        plan, encounter, record_id = record.plan, record.encounter, record.registered.stream_id
        steps = [record.registered]
        if not record.linked:
            start = self._requests.start_care(plan, encounter, record_id)
            steps.append(await self._sending.do(lambda seconds: self._records.StartCare(start, timeout=seconds)))
        self._progressed(1)
        target = Target(record_id, record.patient_id, known=record.registered.outcome is not Outcome.RECORDED)
        for entry in plan.entries:
            for items, done in await self._entries.record(entry, target):
                self._settle(items, done, commands=0)
            self._progressed(1)
        if target.known:
            await self._moved.take_out(plan, record_id)
        if plan.ends and not record.linked:
            end = self._requests.end_care(plan, encounter, record_id)
            steps.append(await self._sending.do(lambda seconds: self._records.EndCare(end, timeout=seconds)))
        self._progressed(int(plan.ends))
        if plan.end_refused:
            steps.append(Done(Outcome.REFUSED, END_IN_FUTURE))
        self._settle([plan.visit.item], max(steps, key=lambda step: _NOTABLE.index(step.outcome)))

    async def _with_stream(self, source: SourceItem, done: Done) -> Done:
        """With the stream that holds the item, where the answer does not say; a stream that was there is amended."""
        if done.outcome is Outcome.SAME and not done.stream_id:
            return replace(done, stream_id=(await self._taken_up.holder(source)).record_id)
        return replace(done, outcome=Outcome.AMENDED) if done.outcome is Outcome.RECORDED and done.version > 1 else done

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


def _uuids(data: bytes) -> tuple[str, ...]:
    return tuple(str(UUID(bytes=data[at : at + 16])) for at in range(0, len(data), 16))
