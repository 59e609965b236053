"""Old visits that are due, destruction lists, and the people of a records office, at a real ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import disposal_pb2 as lists
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.disposal_values_pb2 import ReportedRecord
from ledger.api.v1.keeping_values_pb2 import DISPOSAL_OPINION_DESTROY
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.cli.bodies import Bodies
from ledger.keys.erasing import Erasing
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute

Note = Callable[[str, str], records.RecordEntryRequest]
"""From a record's id and a text to the request that writes it."""
LONG_AGO = datetime(2000, 3, 1, tzinfo=UTC)


def erasing_for(bodies: Bodies, at: datetime, *offices: str) -> Erasing:
    """What applies destructions in a process, which says that it is then; its archive offices."""
    return Erasing(
        bodies.keys, bodies.purges, bodies.events, lambda _: offices, lambda: at, bodies.upheld, bodies.held_back
    )


def person(number: int, name: str, role: str = "records_office") -> common.Actor:
    """Somebody of the hospital."""
    return common.Actor(id=str(UUID(int=(4 << 76) | (8 << 60) | number)), name=name, role=role)


PROPOSER = person(1, "Ms. Hu")
APPROVER = person(2, "Dr. Sun", "appraisal_group")
HEAD = person(3, "Mr. He", "head")
FIRST, SECOND = person(4, "Mr. Gao"), person(5, "Ms. Lin")
EXECUTOR = person(6, "Ms. Ma")
LEGAL = person(7, "Ms. Ren", "legal")


def context(actor: common.Actor, *, historical: bool = False) -> common.CommandContext:
    """A context of this person under a fresh command id."""
    made = common.CommandContext(hospital=HOSPITAL, command_id=str(uuid4()), actor=actor, historical=historical)
    if historical:
        # Only what a program brings of an earlier system, with its item there, is historical.
        made.source.CopyFrom(requests.old_item())
    return made


@dataclass
class Office:
    """The records office at one ledger."""

    ledger: Ledger

    async def do(self, request: Any, actor: common.Actor, *, historical: bool = False) -> Outcome:
        """Does a command as this person."""
        request.context.CopyFrom(context(actor, historical=historical))
        return await execute(self.ledger, request)

    async def patient(self) -> str:
        """A patient."""
        return str((await execute(self.ledger, requests.register_patient())).record_id)

    async def due(self, patient_id: str, sequence: int = 1, note: Note = requests.record_entry) -> str:
        """An outpatient visit of long ago with a note, its retention term over, appraised for destruction."""
        register = records.RegisterRecordRequest(
            patient_id=patient_id,
            visit_type=common.VISIT_TYPE_OUTPATIENT,
            visit_sequence=sequence,
            department="MED",
        )
        record_id = str((await self.do(register, requests.IMPORTER, historical=True)).record_id)
        start = records.StartCareRequest(record_id=record_id, department="MED", team="clinic")
        await self.do(start, requests.IMPORTER, historical=True)
        await execute(self.ledger, note(record_id, "An old secret."))
        end = records.EndCareRequest(
            record_id=record_id, disposition=common.DISPOSITION_HOME, ended_at=requests.stamp(LONG_AGO)
        )
        await self.do(end, requests.IMPORTER, historical=True)
        await self.do(records.ArchiveRecordRequest(record_id=record_id), PROPOSER)
        await self.do(keeping.EndRetentionRequest(record_id=record_id), PROPOSER)
        appraise = keeping.AppraiseDisposalRequest(
            record_id=record_id, opinion=DISPOSAL_OPINION_DESTROY, reason="term over"
        )
        await self.do(appraise, PROPOSER)
        return record_id

    async def drawn_up(self, record_ids: Sequence[str]) -> str:
        """A list of these records."""
        request = lists.DrawUpDisposalListRequest(title="First list", record_ids=record_ids)
        return str((await self.do(request, PROPOSER)).record_id)

    async def approved(self, record_ids: Sequence[str]) -> str:
        """The same, approved, and signed for by two supervisors."""
        list_id = await self.drawn_up(record_ids)
        await self.pass_and_authorise(list_id)
        for each in (FIRST, SECOND):
            await self.do(lists.SuperviseDisposalListRequest(list_id=list_id), each)
        return list_id

    async def pass_and_authorise(self, list_id: str) -> None:
        """By the appraisal group, then by the head of the hospital."""
        await self.do(lists.ApproveDisposalListRequest(list_id=list_id), APPROVER)
        await self.do(lists.AuthoriseDisposalListRequest(list_id=list_id), HEAD)

    async def condemned(self, patient_id: str, note: Note = requests.record_entry) -> tuple[str, str]:
        """A due record whose destruction is approved by a list: record and list."""
        record_id = await self.due(patient_id, note=note)
        list_id = await self.approved([record_id])
        await self.do(keeping.ApproveDisposalRequest(record_id=record_id, list_id=list_id), APPROVER)
        return record_id, list_id

    async def destroy(self, record_id: str, list_id: str) -> Outcome:
        """The execution of one record."""
        return await self.do(destruction(record_id, list_id), EXECUTOR)

    async def report(self, list_id: str, *outcomes: ReportedRecord) -> Outcome:
        """The report."""
        request = lists.RecordDisposalReportRequest(list_id=list_id, outcomes=outcomes)
        return await self.do(request, EXECUTOR)


def destruction(record_id: str, list_id: str) -> Message:
    """The request that destroys a record."""
    return keeping.DestroyRecordRequest(record_id=record_id, list_id=list_id)
