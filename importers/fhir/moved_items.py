"""Takes items out of the entries that they have left: a result whose issue time moved stands in one entry only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC

import grpc.aio

from importers.fhir.content_digest import digest
from importers.fhir.plan import RecordPlan
from importers.fhir.report import Outcome, Report
from importers.fhir.requests import MOVED, Requests
from importers.fhir.resource_types import GROUP_TYPES
from importers.fhir.sending import Sending
from importers.fhir.taken_up import TakenUp
from ledger.api.v1.common_pb2 import EntryContent, EntryState, Field, Section, SourceItem
from ledger.api.v1.records_pb2 import Entry, Record
from ledger.api.v1.records_pb2_grpc import RecordServiceStub

_TEMPLATES = frozenset({"result", "general"})


class MovedItems:
    """Looks through a record of an earlier import after its entries were sent."""

    def __init__(
        self, channel: grpc.aio.Channel, requests: Requests, report: Report, sending: Sending, taken_up: TakenUp
    ) -> None:
        self._records = RecordServiceStub(channel)
        self._requests = requests
        self._report = report
        self._sending = sending
        self._taken_up = taken_up

    async def take_out(self, plan: RecordPlan, record_id: str) -> None:
        """Amends each group of this system that still shows what another entry holds by now. Raises ServiceLost."""
        record = await self._taken_up.record(record_id)
        for member, entries in _shown_twice(plan, record).items():
            type_, _, id_ = member.partition("/")
            holder = await self._taken_up.holder(SourceItem(system=self._requests.system, type=type_, id=id_))
            if holder.entry_id not in {each.entry_id for each in entries}:
                continue  # another system's item of the same id
            for entry in entries:
                if entry.entry_id != holder.entry_id:
                    await self._amend(plan, record_id, entry, member)

    async def _amend(self, plan: RecordPlan, record_id: str, shown: Entry, member: str) -> None:
        # Read again: the entry may have lost another member a moment ago.
        record = await self._taken_up.record(record_id)
        entry = next(each for each in record.entries if each.entry_id == shown.entry_id)
        group = await self._group_of(plan, entry)
        last = entry.versions[-1]
        content = _without(last.content, member)
        if group is None:
            return
        group.content_sha256 = digest(["moved", sorted(_members(content))])
        request = self._requests.take_out(group, last.occurred_at, record_id, entry.entry_id, content, last.version)
        done = await self._sending.do(lambda seconds: self._records.AmendEntry(request, timeout=seconds))
        self._report.still_twice += done.outcome is Outcome.REFUSED

    async def _group_of(self, plan: RecordPlan, entry: Entry) -> SourceItem | None:
        """The group of this system and encounter that the entry was made from; None where it is not ours."""
        at = entry.versions[-1].occurred_at.ToDatetime(tzinfo=UTC).isoformat()
        for type_ in GROUP_TYPES.values():
            source = SourceItem(system=self._requests.system, type=type_, id=f"{plan.visit.item.id}@{at}")
            if (await self._taken_up.holder(source)).entry_id == entry.entry_id:
                return source
        return None


def _shown_twice(plan: RecordPlan, record: Record) -> dict[str, list[Entry]]:
    """The plan's grouped items that stand in more than one entry of the record."""
    planned = {f"{item.type}/{item.id}" for entry in plan.entries if entry.grouped for item in entry.members}
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in record.entries:
        last = entry.versions[-1]
        if entry.state != EntryState.ENTRY_STATE_RETRACTED and last.content.template in _TEMPLATES:
            for member in _members(last.content) & planned:
                found[member].append(entry)
    return {member: entries for member, entries in sorted(found.items()) if len(entries) > 1}


def _members(content: EntryContent) -> set[str]:
    return {_member(field) for section in content.sections for field in section.fields if field.result_id}


def _member(field: Field) -> str:
    return field.result_id.partition("#")[0]


def _without(content: EntryContent, member: str) -> EntryContent:
    """The content without one member; of a group that has lost its last one, only that it did stays."""
    left = EntryContent()
    left.CopyFrom(content)
    del left.sections[:]
    for section in content.sections:
        fields = [field for field in section.fields if _member(field) != member]
        if section.text or _measured(fields):
            left.sections.append(Section(code=section.code, text=section.text, fields=fields))
    if not left.sections:
        left.sections.append(Section(code=content.sections[0].code, text=MOVED))
    return left


def _measured(fields: Iterable[Field]) -> bool:
    return any(field.result_id for field in fields)
