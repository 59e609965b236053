"""An approved list, executed: every record is destroyed or left out by name, then the report is recorded.

It may be killed at any moment and started again, also twice at once: each step has a command id that is the same at
every start, a record that is gone is not asked for again, and the service takes no report that is not true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import grpc.aio

from consumers.disposal.refusal import reason_of, violations_of
from consumers.patience import Patience
from ledger.api.v1 import disposal_pb2 as lists
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1.common_pb2 import Actor, CommandContext
from ledger.api.v1.disposal_pb2_grpc import DisposalServiceStub
from ledger.api.v1.disposal_values_pb2 import (
    DISPOSAL_LIST_PHASE_APPRAISED,
    DISPOSAL_LIST_PHASE_DRAWN_UP,
    DISPOSAL_LIST_PHASE_EXECUTED,
    ReportedRecord,
)
from ledger.api.v1.keeping_pb2_grpc import KeepingServiceStub
from ledger.api.v1.records_pb2 import GetRecordRequest
from ledger.api.v1.records_pb2_grpc import RecordServiceStub

_STEPS = UUID("2f1c7f52-6d3c-5b0e-8c5e-0a5b0b9d7e41")
_REPORTS_MAX = 5
_SUPERVISORS = 2
_NOT_APPROVED = frozenset({DISPOSAL_LIST_PHASE_DRAWN_UP, DISPOSAL_LIST_PHASE_APPRAISED})
_OF_THE_EXECUTION = ("supervisors", "approved_by", "context.", "list_id")
"""Fields whose faults are those of this execution: a record is not left out for them."""
_OF_THE_RECORD = frozenset({"NOT_APPLICABLE"})
"""Except where the record is to be kept: somebody has appraised it otherwise since."""
_DONE_BEFORE = frozenset({"ALREADY_APPROVED"})
_OVERTAKEN = frozenset({"REPORT_UNTRUE", "REASON_UNTRUE"})
"""Of a report: somebody has destroyed a record meanwhile, or taken away what kept it."""
ANOTHER_LIST = "DESTROYED_BY_ANOTHER_LIST"


class ListNotApproved(Exception):
    """The destruction list is not approved by the head of the hospital."""

    def __init__(self) -> None:
        super().__init__(ListNotApproved.__doc__)


class ListNotSupervised(Exception):
    """Two supervisors sign for the execution of the destruction list before it begins, each by an own command."""

    def __init__(self) -> None:
        super().__init__(ListNotSupervised.__doc__)


class ExecutionRefused(Exception):
    """The execution itself is refused; nothing of the list is left out for that."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"{ExecutionRefused.__doc__} ({', '.join(reasons)})")
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class Executors:
    """Who destroys, before those two who signed for it."""

    executor: Actor
    covers: tuple[str, ...] = ()
    """What else goes: `paper`, `films`, `recipients_copies`."""


class ListExecution:
    """Executes lists of one hospital over the public contract."""

    def __init__(
        self, channel: grpc.aio.Channel, hospital: str, executors: Executors, patience: Patience | None = None
    ) -> None:
        self._lists = DisposalServiceStub(channel)
        self._keeping = KeepingServiceStub(channel)
        self._records = RecordServiceStub(channel)
        self._hospital = hospital
        self._executors = executors
        self._patience = patience or Patience()

    async def execute(
        self, list_id: str, progressed: Callable[[ReportedRecord], None] = lambda _: None
    ) -> lists.DisposalList:
        """The list with its report.

        Raises ListNotApproved, ListNotSupervised, ExecutionRefused, ServiceUnavailable.
        """
        listed = await self.read(list_id)
        if listed.phase in _NOT_APPROVED:
            raise ListNotApproved
        if len(listed.supervisors) != _SUPERVISORS:
            raise ListNotSupervised
        for _ in range(_REPORTS_MAX):
            if listed.phase == DISPOSAL_LIST_PHASE_EXECUTED:
                return listed
            outcomes: list[ReportedRecord] = []
            for each in listed.records:
                outcomes.append(await self._destroyed_or_left_out(listed, each.record_id))
                progressed(outcomes[-1])
            refused = await self._report(listed, outcomes)
            # Another execution of the same list may have been faster: what it did is read, and reported.
            listed = await self.read(list_id)
            if refused and listed.phase != DISPOSAL_LIST_PHASE_EXECUTED and not _OVERTAKEN & set(refused):
                raise ExecutionRefused(refused)
        raise ExecutionRefused(sorted(_OVERTAKEN))

    async def read(self, list_id: str) -> lists.DisposalList:
        """The list as it stands."""
        asked = lists.GetDisposalListRequest(hospital=self._hospital, list_id=list_id)
        answer = await self._patience.call("GetDisposalList", lambda s: self._lists.GetDisposalList(asked, timeout=s))
        return answer.list

    async def _destroyed_or_left_out(self, listed: lists.DisposalList, record_id: str) -> ReportedRecord:
        outcome = await self._tombstone(listed, record_id)
        if outcome is not None:
            return outcome
        rules = await self._approve(listed, record_id) or await self._destroy(listed, record_id)
        if not rules:
            return ReportedRecord(record_id=record_id, destroyed=True)
        return await self._tombstone(listed, record_id) or ReportedRecord(record_id=record_id, rules=rules)

    async def _tombstone(self, listed: lists.DisposalList, record_id: str) -> ReportedRecord | None:
        """What is to be reported of a record that is gone; None while it is there."""
        asked = GetRecordRequest(hospital=self._hospital, record_id=record_id)
        answer = await self._patience.call("GetRecord", lambda s: self._records.GetRecord(asked, timeout=s))
        if not answer.record.HasField("tombstone"):
            return None
        ours = answer.record.tombstone.list_id == listed.list_id
        return ReportedRecord(record_id=record_id, destroyed=ours, rules=() if ours else (ANOTHER_LIST,))

    async def _approve(self, listed: lists.DisposalList, record_id: str) -> list[str]:
        """That the list is approved, entered into the record's own stream."""
        request = keeping.ApproveDisposalRequest(
            context=self._context(listed, record_id, "approve", self._executors.executor),
            record_id=record_id,
            list_id=listed.list_id,
        )
        try:
            await self._patience.call("ApproveDisposal", lambda s: self._keeping.ApproveDisposal(request, timeout=s))
        except grpc.aio.AioRpcError as error:
            rules = _rules(error)
            return [] if set(rules) <= _DONE_BEFORE else rules
        return []

    async def _destroy(self, listed: lists.DisposalList, record_id: str) -> list[str]:
        request = keeping.DestroyRecordRequest(
            context=self._context(listed, record_id, "destroy", self._executors.executor),
            record_id=record_id,
            list_id=listed.list_id,
            covers=self._executors.covers,
        )
        try:
            await self._patience.call("DestroyRecord", lambda s: self._keeping.DestroyRecord(request, timeout=s))
        except grpc.aio.AioRpcError as error:
            return _rules(error)
        return []

    async def _report(self, listed: lists.DisposalList, outcomes: Sequence[ReportedRecord]) -> list[str]:
        request = lists.RecordDisposalReportRequest(
            context=self._context(listed, "", "report", self._executors.executor),
            list_id=listed.list_id,
            outcomes=outcomes,
        )
        call = self._lists.RecordDisposalReport
        try:
            await self._patience.call("RecordDisposalReport", lambda s: call(request, timeout=s))
        except grpc.aio.AioRpcError as error:
            return [each.rule for each in violations_of(error)] or [reason_of(error)]
        return []

    def _context(self, listed: lists.DisposalList, record_id: str, step: str, actor: Actor) -> CommandContext:
        # Each executor has ids of his own: what one began another goes on with, and finds done what was done.
        who = actor.SerializeToString(deterministic=True).hex()
        command_id = uuid5(_STEPS, f"{self._hospital}/{listed.list_id}/{record_id}/{step}/{who}")
        return CommandContext(hospital=self._hospital, command_id=str(command_id), actor=actor, purpose="RECORDMGT")


def _rules(error: grpc.aio.AioRpcError) -> list[str]:
    """Why a record is left out, each rule once. Raises ExecutionRefused where the record is not the reason."""
    faults = violations_of(error)
    excused = _DONE_BEFORE | _OF_THE_RECORD
    own = [each.rule for each in faults if each.field.startswith(_OF_THE_EXECUTION) and each.rule not in excused]
    if own or not faults:
        raise ExecutionRefused(own or [reason_of(error)]) from error
    return list(dict.fromkeys(each.rule for each in faults))
