"""How long a record is kept: a later visit or a link moves the dates of the patient's records, and a term ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from consumers.deadline_clock.clock_commands import ClockCommands
from consumers.deadline_clock.work import Act, Work, again
from ledger.api.v1.common_pb2 import (
    PHASE_ARCHIVED,
    PHASE_DUE,
    PHASE_ENTERED_IN_ERROR,
    PHASE_REOPENED,
    CommandContext,
)
from ledger.api.v1.keeping_pb2 import (
    EndRetentionRequest,
    ExtendRetentionRequest,
    GetPatientVisitsRequest,
    GetPatientVisitsResponse,
    GetRetentionRequest,
    GetRetentionResponse,
    PatientVisit,
)
from ledger.clock import Clock

if TYPE_CHECKING:
    from ledger.api.v1.keeping_pb2_grpc import KeepingServiceAsyncStub

VISITS = frozenset(
    f"ledger.v1.{each}"
    for each in ("RecordRegistered", "CareEnded", "CareResumed", "PatientIdentified", "TimeCorrected")
)
"""Events of a visit that may move the dates of the patient's earlier records."""

LINKS = frozenset(f"ledger.v1.{each}" for each in ("PatientLinked", "PatientMerged"))
"""Events of a patient after which another identity's visits count too; taking them back moves nothing."""

TERMS = frozenset(
    f"ledger.v1.{each}"
    for each in (
        "RecordArchived",
        "RecordRearchived",
        "RecordEnteredInError",
        "RetentionExtended",
        "RetentionEnded",
        "DisposalApproved",
        "RecordDestroyed",
    )
)
"""Events after which a record's own term begins, moves or is no longer waited for."""

_ENDING = frozenset({PHASE_ARCHIVED, PHASE_ENTERED_IN_ERROR})
_MOVING = frozenset({PHASE_ARCHIVED, PHASE_DUE, PHASE_REOPENED})


class RetentionTerms:
    """Asks the write side for a record's term: it counts over all visits of the patient, and it alone."""

    def __init__(self, stub: KeepingServiceAsyncStub, commands: ClockCommands, clock: Clock) -> None:
        self._stub = stub
        self._commands = commands
        self._clock = clock

    async def look(self, record_id: UUID) -> list[Work]:
        """Ends a term that is over; otherwise the day on which it will be. Raises ServiceUnavailable, AioRpcError."""
        answer = await self._retention(str(record_id))
        if answer.phase not in _ENDING:
            return []
        if not answer.term_over:
            day = answer.term_over_at.ToDatetime(tzinfo=UTC)
            return [Work(record_id, Act.RETENTION, day, day)]
        ended = await self._end(record_id, answer)
        return [] if ended else [again(record_id, Act.RETENTION, self._clock())]

    async def move_earlier(self, record_id: UUID) -> list[Work]:
        """Moves the dates of the patient's other records on, where this visit does that. Nothing is left to look at."""
        answer = await self._retention(str(record_id))
        others = [each for each in answer.visits if each.record_id != str(record_id)]
        return await self._move(others, "readmission", str(record_id))

    async def move_linked(self, patient_id: UUID) -> list[Work]:
        """Moves the dates of all records of a person on whose identities were linked or merged.

        Both patients' streams say so, and either brings the same: the second finds every date where it should be.
        """
        request = GetPatientVisitsRequest(hospital=self._commands.hospital, patient_id=str(patient_id))
        answer: GetPatientVisitsResponse = await self._commands.patience.call(
            "GetPatientVisits", lambda seconds: self._stub.GetPatientVisits(request, timeout=seconds)
        )
        return await self._move(answer.visits, "link", "")

    async def _move(self, visits: Iterable[PatientVisit], cause: str, cause_record_id: str) -> list[Work]:
        for visit in visits:
            if visit.phase not in _MOVING:
                continue
            found = await self._retention(visit.record_id)
            if found.retain_until and found.retain_until < found.computed_until:
                await self._extend(visit.record_id, found.computed_until, cause, cause_record_id)
        return []

    async def _retention(self, record_id: str) -> GetRetentionResponse:
        request = GetRetentionRequest(hospital=self._commands.hospital, record_id=record_id)
        return await self._commands.patience.call(
            "GetRetention", lambda seconds: self._stub.GetRetention(request, timeout=seconds)
        )

    async def _end(self, record_id: UUID, answer: GetRetentionResponse) -> bool:
        async def send(context: CommandContext, seconds: float) -> object:
            request = EndRetentionRequest(context=context, record_id=str(record_id))
            return await self._stub.EndRetention(request, timeout=seconds)

        return await self._commands.once("EndRetention", f"{record_id}/{answer.computed_until}", send)

    async def _extend(self, record_id: str, retain_until: str, cause: str, cause_record_id: str) -> None:
        async def send(context: CommandContext, seconds: float) -> object:
            request = ExtendRetentionRequest(
                context=context,
                record_id=record_id,
                retain_until=retain_until,
                cause=cause,
                cause_record_id=cause_record_id,
            )
            return await self._stub.ExtendRetention(request, timeout=seconds)

        # Refused: the date has moved on meanwhile, or the record is gone; nothing is left to do then.
        await self._commands.once("ExtendRetention", f"{record_id}/{retain_until}/{cause_record_id or cause}", send)
