"""Sends the entries of one record: what is new is recorded, what another system had said before is linked to that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import grpc.aio

from importers.fhir.catalogue import Catalogue, Item
from importers.fhir.content_digest import again_id
from importers.fhir.entry_content import said_by
from importers.fhir.json_value import Resource
from importers.fhir.plan import EntryPlan
from importers.fhir.report import Outcome, Report
from importers.fhir.requests import Requests
from importers.fhir.sending import Done, Sending
from importers.fhir.stated_fact import fact_of
from importers.fhir.taken_up import TakenUp
from ledger.api.v1.common_pb2 import SourceItem
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.api.v1.records_pb2 import RecordEntryRequest, RecordReference
from ledger.api.v1.records_pb2_grpc import RecordServiceStub

_MEMBER = re.compile(r"also\[(\d+)\]")
_CONTENDED = "DUPLICATE_FACT"
_IDLE_ROUNDS_MAX = 3
"""Rounds in which the service names duplicates that nobody states when they are looked up."""

Settled = tuple[tuple[Item, ...], Done]


@dataclass(frozen=True)
class Target:
    """The record that takes entries."""

    record_id: str
    patient_id: str
    known: bool
    """It may hold earlier versions: it was registered before this import, or by another system."""


@dataclass(frozen=True)
class _Member:
    """One item of an entry, as read, with the fact that it states."""

    item: Item
    resource: Resource
    fact: bytes


class EntryDelivery:
    """Sends the entries of one import."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        requests: Requests,
        catalogue: Catalogue,
        report: Report,
        sending: Sending,
        taken_up: TakenUp,
    ) -> None:
        self._records = RecordServiceStub(channel)
        self._course = CourseServiceStub(channel)
        self._requests = requests
        self._catalogue = catalogue
        self._report = report
        self._sending = sending
        self._taken_up = taken_up

    async def record(self, entry: EntryPlan, target: Target) -> list[Settled]:
        """What became of each item of an entry. Raises ServiceLost, CommandRefused."""
        resources = ((item, self._catalogue.read(item)) for item in entry.members)
        members = [_Member(item, resource, fact_of(resource)) for item, resource in resources]
        settled: list[Settled] = []
        idle = 0
        while members and idle < _IDLE_ROUNDS_MAX:
            done = await self._send(entry, members, target)
            duplicates = [members[_place(field)] for field in done.duplicates]
            if not duplicates:
                self._report.entries += 1
                return [*settled, (tuple(each.item for each in members), done)]
            # A refusal names as many as fit; the rest follows in the next round.
            linked = [(each, await self._link_member(each, target)) for each in duplicates]
            settled += [((each.item,), done) for each, done in linked if done is not None]
            gone = {each.item for each, done in linked if done is not None}
            members = [each for each in members if each.item not in gone]
            idle = 0 if gone else idle + 1
        return [*settled, *(((each.item,), Done(Outcome.REFUSED, _CONTENDED)) for each in members)]

    async def _send(self, entry: EntryPlan, members: Sequence[_Member], target: Target) -> Done:
        part = replace(entry, members=tuple(each.item for each in members))
        said = said_by(part, [each.resource for each in members])
        request = self._requests.record_entry(part, said, target.record_id, [each.fact for each in members])
        found, entry_id = await self._send_entry(request)
        if not target.known or found.outcome is Outcome.REFUSED:
            return found
        # Only a record from an earlier import can hold an earlier version; a receipt does not tell the two apart.
        entry_id = entry_id or (await self._taken_up.holder(request.context.source)).entry_id
        versions = await self._taken_up.entry_versions(target.record_id, entry_id)
        if versions == 1:
            return found
        if found.outcome is Outcome.SAME:
            # This content was taken up once, and other content since, perhaps: the claim on the item knows.
            request.context.command_id = again_id(request.context.command_id, versions)
            found, _ = await self._send_entry(request)
        return replace(found, outcome=Outcome.AMENDED) if found.outcome is Outcome.RECORDED else found

    async def _send_entry(self, request: RecordEntryRequest) -> tuple[Done, str]:
        done, answer = await self._sending.ask(lambda seconds: self._records.RecordEntry(request, timeout=seconds))
        return done, answer.entry_id if answer else ""

    async def _link_member(self, member: _Member, target: Target) -> Done | None:
        """Links an item to the entry that says the same; None where nobody says so any more."""
        stating = await self._taken_up.stating(target.patient_id, member.fact)
        if not stating.record_id:
            return None
        return await self.link(self._requests.source(member.item), member.item.at, stating)

    async def link(self, source: SourceItem, at: datetime | None, stating: RecordReference) -> Done:
        """Links a source item to what states the same. Raises ServiceLost, CommandRefused."""
        request = self._requests.link_duplicate(source, at, stating.record_id, stating.entry_id)
        done = await self._sending.do(lambda seconds: self._course.LinkDuplicate(request, timeout=seconds))
        if done.outcome is Outcome.SAME:
            holder = await self._taken_up.holder(source)
            if not holder.linked or holder.entry_id != stating.entry_id:
                # It was linked once, said something else since, and comes back.
                version = await self._taken_up.stream_version(stating.record_id)
                request.context.command_id = again_id(request.context.command_id, version)
                done = await self._sending.do(lambda seconds: self._course.LinkDuplicate(request, timeout=seconds))
        done = replace(done, stream_id=stating.record_id)
        return replace(done, outcome=Outcome.LINKED) if done.outcome is Outcome.RECORDED else done


def _place(field: str) -> int:
    """Which member a fault names; a document is its own only one."""
    match = _MEMBER.match(field)
    return int(match[1]) if match else 0
