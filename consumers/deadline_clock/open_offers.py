"""Offers to other hospitals: one that nobody has answered by its end has run out, and an event says so."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from consumers.deadline_clock.clock_commands import ClockCommands
from consumers.deadline_clock.work import Act, Work, again
from ledger.api.v1.common_pb2 import CommandContext
from ledger.api.v1.course_pb2 import GetDeadlinesRequest, GetDeadlinesResponse, UnansweredOffer
from ledger.api.v1.transfers_pb2 import ExpireTransferRequest
from ledger.clock import Clock

if TYPE_CHECKING:
    from ledger.api.v1.course_pb2_grpc import CourseServiceAsyncStub
    from ledger.api.v1.transfers_pb2_grpc import TransferServiceAsyncStub

OFFERS = frozenset({"ledger.v1.TransferOffered"})
"""Events after which a record has an offer that may run out."""


class OpenOffers:
    """Asks the write side for a record's offers; whether one has run out it alone says."""

    def __init__(
        self,
        course: CourseServiceAsyncStub,
        transfers: TransferServiceAsyncStub,
        commands: ClockCommands,
        clock: Clock,
    ) -> None:
        self._course = course
        self._transfers = transfers
        self._commands = commands
        self._clock = clock

    async def look(self, record_id: UUID) -> list[Work]:
        """Ends what has run out; when the others will have. Raises ServiceUnavailable, AioRpcError."""
        answer = await self._open(record_id)
        done = [await self._expire(record_id, each) for each in answer.offers if each.over]
        work = [_waits(record_id, each) for each in answer.offers if not each.over]
        # Refused: it was answered meanwhile, or is gone; if not, time will show.
        return work if all(done) else [*work, again(record_id, Act.OFFER, self._clock())]

    async def _open(self, record_id: UUID) -> GetDeadlinesResponse:
        request = GetDeadlinesRequest(hospital=self._commands.hospital, record_id=str(record_id))
        return await self._commands.patience.call(
            "GetDeadlines", lambda seconds: self._course.GetDeadlines(request, timeout=seconds)
        )

    async def _expire(self, record_id: UUID, offer: UnansweredOffer) -> bool:
        async def send(context: CommandContext, seconds: float) -> object:
            request = ExpireTransferRequest(context=context, record_id=str(record_id), transfer_id=offer.transfer_id)
            return await self._transfers.ExpireTransfer(request, timeout=seconds)

        return await self._commands.once("ExpireTransfer", f"{record_id}/{offer.transfer_id}", send)


def _waits(record_id: UUID, offer: UnansweredOffer) -> Work:
    ends = offer.expires_at.ToDatetime(UTC)
    return Work(record_id, Act.OFFER, ends, ends, subject_id=offer.transfer_id)
