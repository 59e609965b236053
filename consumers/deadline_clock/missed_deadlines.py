"""What a record demands by when: what was missed is reported, what was reported falsely is withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from consumers.deadline_clock.clock_commands import ClockCommands
from consumers.deadline_clock.work import NEVER, Act, Work, again
from ledger.api.v1.common_pb2 import CommandContext
from ledger.api.v1.course_pb2 import (
    Deadline,
    GetDeadlinesRequest,
    GetDeadlinesResponse,
    ReportedMiss,
    ReportMissedDeadlineRequest,
    WithdrawMissedDeadlineRequest,
)
from ledger.clock import Clock

if TYPE_CHECKING:
    from ledger.api.v1.course_pb2_grpc import CourseServiceAsyncStub

_Key = tuple[str, str, int, int]


class MissedDeadlines:
    """Asks the write side for a record's deadlines: the pack and the record are its, and it alone computes them."""

    def __init__(self, stub: CourseServiceAsyncStub, commands: ClockCommands, clock: Clock) -> None:
        self._stub = stub
        self._commands = commands
        self._clock = clock

    async def look(self, record_id: UUID) -> list[Work]:
        """Reports and withdraws what is to be now; what is open and when it will have been missed.

        Raises ServiceUnavailable, AioRpcError; looking again repairs what was left undone.
        """
        answer = await self._deadlines(record_id)
        done = [await self._withdraw(record_id, each) for each in answer.reported if not each.holds]
        reported = {_key(each) for each in answer.reported}
        unreported = [each for each in answer.deadlines if _key(each) not in reported]
        done += [await self._report(record_id, each) for each in unreported if each.missed]
        work = [_open(record_id, each) for each in unreported if not each.missed and not each.HasField("met_at")]
        # Reported rightly by today's calendar: another one may take it back.
        work += [_movable(record_id, each) for each in answer.deadlines if each.in_working_days and each.missed]
        # Refused: something happened to the record meanwhile and comes by the stream; if not, time will show.
        return work if all(done) else [*work, again(record_id, Act.DEADLINE, self._clock())]

    async def _deadlines(self, record_id: UUID) -> GetDeadlinesResponse:
        request = GetDeadlinesRequest(hospital=self._commands.hospital, record_id=str(record_id))
        return await self._commands.patience.call(
            "GetDeadlines", lambda seconds: self._stub.GetDeadlines(request, timeout=seconds)
        )

    async def _report(self, record_id: UUID, missed: Deadline) -> bool:
        request = ReportMissedDeadlineRequest(
            record_id=str(record_id), rule=missed.rule, subject_id=missed.subject_id, due_at=missed.due_at
        )

        async def send(context: CommandContext, seconds: float) -> object:
            request.context.CopyFrom(context)
            return await self._stub.ReportMissedDeadline(request, timeout=seconds)

        return await self._commands.once("ReportMissedDeadline", _named(record_id, missed), send)

    async def _withdraw(self, record_id: UUID, wrong: ReportedMiss) -> bool:
        request = WithdrawMissedDeadlineRequest(
            record_id=str(record_id), rule=wrong.rule, subject_id=wrong.subject_id, due_at=wrong.due_at
        )

        async def send(context: CommandContext, seconds: float) -> object:
            request.context.CopyFrom(context)
            return await self._stub.WithdrawMissedDeadline(request, timeout=seconds)

        return await self._commands.once("WithdrawMissedDeadline", _named(record_id, wrong), send)


def first_missed(due_at: datetime) -> datetime:
    """When it has been missed: it holds at its second, and whole seconds are compared."""
    return due_at.replace(microsecond=0) + timedelta(seconds=1)


def _open(record_id: UUID, each: Deadline) -> Work:
    due_at = _time(each.due_at)
    since = _time(each.since)
    return Work(record_id, Act.DEADLINE, first_missed(due_at), due_at, each.rule, each.subject_id, since)


def _movable(record_id: UUID, each: Deadline) -> Work:
    return Work(record_id, Act.DEADLINE, NEVER, _time(each.due_at), each.rule, each.subject_id)


def _key(each: Deadline | ReportedMiss) -> _Key:
    return each.rule, each.subject_id, each.due_at.seconds, each.due_at.nanos


def _named(record_id: UUID, each: Deadline | ReportedMiss) -> str:
    return f"{record_id}/{each.rule}/{each.subject_id}/{_time(each.due_at).isoformat()}"


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
