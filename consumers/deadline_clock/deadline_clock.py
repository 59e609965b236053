"""Follows a hospital's records, keeps what is open, and does what is due when its time has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import grpc
import psycopg

from consumers.deadline_clock.clock_tables import ClockTables, Fenced, Look
from consumers.deadline_clock.missed_deadlines import MissedDeadlines
from consumers.deadline_clock.open_offers import OFFERS, OpenOffers
from consumers.deadline_clock.records_stream import Batch, Place, RecordsStream
from consumers.deadline_clock.retention_terms import LINKS, TERMS, VISITS, RetentionTerms
from consumers.deadline_clock.work import Act, Work, again
from consumers.patience import ServiceUnavailable
from ledger.clock import Clock
from ledger.lease import Keeping, Lease, Leases, kept
from ledger.stream.contract import GapFound, StreamUnavailable

ROLE = "deadline-clock"
"""Role of the lease."""

_log = logging.getLogger(__name__)
_EVENTS_MAX = 500
_DUE_MAX = 100
_AT_ONCE = 8
_LEASE_LOOK_SECONDS = 1.0
_STILL_NOT = timedelta(seconds=1)
_POLL_SECONDS = 0.3
_AFTER = {Act.RETENTION: TERMS, Act.READMISSION: VISITS, Act.LINK: LINKS, Act.OFFER: OFFERS}
"""Events after which a stream is looked at, beside its deadlines."""
_OTHER_CALENDAR = frozenset({"ledger.v1.RulePackChosen"})
"""Events of the rulebook after which working days may be others, of every record."""
_GATHER_SECONDS = 0.2
"""Events are let gather this long, so that under load a record is asked for once for many, not once for each."""

OpenRecords = Callable[[str, Mapping[int, Place]], Awaitable[RecordsStream]]
"""Opens a hospital's records stream at these places. Raises StreamUnavailable."""

Say = Callable[[str], Awaitable[None]]
"""Tells whoever runs the service the state of this reader. Raises ServiceUnavailable."""

T = TypeVar("T")


@dataclass(slots=True)
class DeadlineClock:
    """The clock of one hospital. Any number may run: one works, the others wait for its lease."""

    hospital: str
    open_records: OpenRecords
    tables: ClockTables
    leases: Leases
    deadlines: MissedDeadlines
    terms: RetentionTerms
    offers: OpenOffers
    clock: Clock
    say: Say

    async def run(self, stop: asyncio.Event, leave_at_rest: Callable[[], bool] = lambda: False) -> None:
        """Works until `stop`, or until nothing is due and `leave_at_rest()` says so; returns too where another works.

        Raises ServiceUnavailable, StreamUnavailable; the next run goes on where this one stood.
        """
        lease = await _of_database(self.leases.acquire(self.hospital, ROLE))
        if lease is None:
            await _pause(stop, _LEASE_LOOK_SECONDS)
            return
        try:
            async with kept(lease, "deadline clock", self.hospital) as keeping:
                await self._hold(lease, keeping, stop, leave_at_rest)
        except Fenced:
            _log.warning("another deadline clock has taken over", extra={"hospital": self.hospital})
        finally:
            with suppress(ServiceUnavailable):
                await _of_database(lease.release())

    async def _hold(
        self, lease: Lease, keeping: Keeping, stop: asyncio.Event, leave_at_rest: Callable[[], bool]
    ) -> None:
        await self.tables.prepare()
        stream = await self.open_records(self.hospital, await self.tables.places())
        try:
            while not stop.is_set() and not keeping.lost:
                batch = await stream.poll(_POLL_SECONDS, _EVENTS_MAX)
                await self._take(lease, keeping, batch)
                due = await self._do_due(lease, keeping)
                if not batch.types and not due and leave_at_rest():
                    return
                if batch.types:
                    await _pause(stop, _GATHER_SECONDS)
        except GapFound as gap:
            # A partition that was cut and filled again has other offsets under the same topic id.
            _log.error("events are missing on the stream", extra={"hospital": self.hospital, "error": str(gap)})
            await self.say("gap")
            await self.tables.read_again(lease.epoch)
            raise StreamUnavailable(str(gap)) from gap
        finally:
            await stream.close()

    async def _take(self, lease: Lease, keeping: Keeping, batch: Batch) -> None:
        """Each record of the batch is asked for once, however much happened to it."""
        looks = [(record_id, Act.DEADLINE) for record_id in batch.types]
        looks += [
            (stream_id, act)
            for stream_id, types in batch.types.items()
            for act, after in _AFTER.items()
            if types & after
        ]
        work = await self._look(keeping, looks)
        if batch.places:
            chosen = any(types & _OTHER_CALENDAR for types in batch.types.values())
            await self.tables.write(lease.epoch, looks, work, batch.places, other_calendar=chosen)
            # Not before something was new: what is read again from its start because of a gap proves nothing.
            await self.say("running")

    async def _do_due(self, lease: Lease, keeping: Keeping) -> int:
        """Does some of what is due; how much that was."""
        now = self.clock()
        due = await self.tables.due(now, _DUE_MAX)
        if due:
            work = await self._look(keeping, due)
            await self.tables.write(lease.epoch, due, [_not_before(each, now) for each in work])
        return len(due)

    async def _look(self, keeping: Keeping, looks: Sequence[Look]) -> list[Work]:
        work: list[Work] = []
        for first in range(0, len(looks), _AT_ONCE):
            if keeping.lost:
                raise Fenced
            some = looks[first : first + _AT_ONCE]
            found = await asyncio.gather(*(self._one(*each) for each in some), return_exceptions=True)
            work += _all(found)
        return work

    async def _one(self, record_id: UUID, act: Act) -> list[Work]:
        return await self._unless_refused(record_id, act, self._looking(record_id, act))

    def _looking(self, stream_id: UUID, act: Act) -> Awaitable[list[Work]]:
        match act:
            case Act.DEADLINE:
                return self.deadlines.look(stream_id)
            case Act.RETENTION:
                return self.terms.look(stream_id)
            case Act.READMISSION:
                return self.terms.move_earlier(stream_id)
            case Act.LINK:
                return self.terms.move_linked(stream_id)
            case Act.OFFER:
                return self.offers.look(stream_id)

    async def _unless_refused(self, record_id: UUID, act: Act, looking: Awaitable[list[Work]]) -> list[Work]:
        """What looking brings; a record that cannot be read is looked at again later and holds no other up."""
        try:
            return await looking
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return []  # a patient, a package: no record
            about = {"hospital": self.hospital, "record": str(record_id), "why": error.code().name}
            _log.error("a record's deadlines are not known", extra=about)
            return [again(record_id, act, self.clock())]


def _not_before(work: Work, now: datetime) -> Work:
    """What the write side's clock does not call over yet waits a little, lest it be asked without a pause."""
    return work if work.act_at > now else replace(work, act_at=now + _STILL_NOT)


def _all(found: Iterable[list[Work] | BaseException]) -> list[Work]:
    work: list[Work] = []
    for each in found:
        if isinstance(each, BaseException):
            raise each
        work += each
    return work


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _of_database(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except psycopg.Error as error:
        raise ServiceUnavailable("the lease", 1, type(error).__name__) from error
