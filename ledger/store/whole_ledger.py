"""A hospital's ledger as PostgreSQL holds it, checked whole: events, the columns beside them, stream heads, head.

Everything is read in one snapshot, which several processes share: appends go on meanwhile, and no lock of theirs waits
for a reader. (What such a snapshot does hold back is the clearing of dead rows, in tables that have hardly any.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, IsolationLevel

from ledger.store.errors import StoreUnavailable, UnknownHospital
from ledger.store.reading import LedgerHead, StreamHead
from ledger.store.statements import statements
from ledger.store.stored_range import EARLIER_ROWS, RangeOfRows, walk_stored_range
from ledger.trust.chain import FaultKind
from ledger.trust.envelope import EnvelopeFault
from ledger.trust.glance import glance
from ledger.trust.range_walk import Progress, RangeFound, RangeJoin, Stood, no_progress
from ledger.trust.root_watch import RootWatch
from ledger.trust.side_by_side import RANGE_EVENTS, side_by_side
from ledger.trust.verify import Fault, RowFault, Summary

_ROWS_MAX = 2_000
_ANY_SIZE = 1 << 40
"""Bytes of bodies that are read at once: of one row whatever it has."""
_Connection = AsyncConnection[tuple[Any, ...]]


async def registered_hospitals(url: str) -> list[str]:
    """The hospitals of the registry whose schema is there. StoreUnavailable where PostgreSQL cannot be asked."""
    try:
        async with await AsyncConnection.connect(url, cursor_factory=AsyncRawCursor, connect_timeout=5) as connection:
            rows = await (await connection.execute(statements("reading")["list_hospitals"])).fetchall()
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error
    return [hospital for hospital, _, _, _, state, *_ in rows if state != "adding"]


async def verify_stored(
    url: str,
    hospital: str,
    *,
    watch: RootWatch | None = None,
    since: int = 0,
    processes: int = 1,
    range_events: int = RANGE_EVENTS,
    progress: Progress = no_progress,
) -> Fault | Summary:
    """The first fault of a ledger, or what was checked, all of it in one snapshot.

    `watch` compares signed tree heads. Events up to position `since` are not looked at again: their leaf hashes alone
    are read, which must lead to a root that `watch` knows. Raises UnknownHospital; StoreUnavailable where PostgreSQL
    cannot be asked.
    """
    try:
        async with await AsyncConnection.connect(url, cursor_factory=AsyncRawCursor, connect_timeout=5) as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            reading = _Reading(connection, hospital, RangeJoin(watch or RootWatch()))
            return await reading.check(url, since, processes, range_events, progress)
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable) as error:
        raise UnknownHospital(hospital) from error
    except psycopg.OperationalError as error:
        raise StoreUnavailable(error.sqlstate) from error


class _Reading:
    """One check on its snapshot."""

    def __init__(self, connection: _Connection, hospital: str, join: RangeJoin) -> None:
        self._connection = connection
        self._hospital = hospital
        self._join = join

    async def check(
        self, url: str, since: int, processes: int, range_events: int, progress: Progress
    ) -> Fault | Summary:
        snapshot = (await self._rows("export_snapshot", ()))[0][0]
        kept = await self._kept_head()
        head = kept.position if kept else 0
        fault = await self._earlier(min(since, head))
        if fault:
            return fault
        ranges = _ranges(url, self._hospital, snapshot, self._join.position, head, range_events)
        progress(self._join.position, head)
        async for found in _walked(ranges, processes):
            fault = self._join.take(found)
            if fault:
                return fault
            progress(self._join.position, head)
        if kept != LedgerHead(self._join.position, self._join.leaf):
            return Fault(RowFault.LEDGER_HEAD, self._join.position, b"", 0)
        return await self._fault_of_streams() or self._join.watch.end() or self._join.summary()

    async def _earlier(self, since: int) -> Fault | None:
        """Where the streams stood at a position, as the columns have it."""
        streams: dict[bytes, Stood] = {}
        leaves: list[bytes] = []
        while len(leaves) < since:
            rows = await self._rows("read_leaves", (len(leaves), min(EARLIER_ROWS, since - len(leaves))))
            if not rows or rows[-1][0] != len(leaves) + len(rows):
                return Fault(RowFault.POSITION, len(leaves) + 1, b"", 0)
            for position, stream_id, version, recorded_at, leaf in rows:
                before = streams.get(stream_id.bytes)
                first = before.first_position if before else position
                streams[stream_id.bytes] = Stood(version, leaf, recorded_at, first, position)
                leaves.append(leaf)
        if not since:
            return self._join.known(streams, leaves)
        # The origin is said by the envelope alone: what follows must go on from this log.
        rows = await self._rows("read_positions", (since - 1, 1, _ANY_SIZE))
        try:
            return self._join.known(streams, leaves, glance(rows[0][5]).origin)
        except EnvelopeFault:
            return Fault(FaultKind.ENVELOPE, since, rows[0][1].bytes, 0)

    async def _kept_head(self) -> LedgerHead | None:
        rows = await self._rows("head", ())
        return LedgerHead(*rows[0]) if len(rows) == 1 else None

    async def _fault_of_streams(self) -> Fault | None:
        """The stream of the lowest position whose head is not what its events say, or that has no head or no events.

        The kind is left out: it stands beside the events alone, no envelope says it.
        """
        stood = {UUID(bytes=stream_id): _head(stream_id, each) for stream_id, each in self._join.streams.items()}
        wrong: list[StreamHead] = []
        async for kept in self._stream_heads():
            expected = stood.pop(kept.stream_id, None)
            if expected is None or replace(kept, kind="") != expected:
                wrong.append(expected or kept)
        first = min((*wrong, *stood.values()), key=lambda head: head.last_position, default=None)
        if first is None:
            return None
        return Fault(RowFault.STREAM_HEAD, first.last_position, first.stream_id.bytes, first.version)

    async def _stream_heads(self) -> AsyncGenerator[StreamHead]:
        after = UUID(int=0)
        while rows := await self._rows("stream_heads", (after, _ROWS_MAX)):
            for row in rows:
                yield StreamHead(*row)
            after = rows[-1][0]

    async def _rows(self, name: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor(binary=True)
        await cursor.execute(statements("reading", self._hospital)[name], parameters)
        return await cursor.fetchall()


def _head(stream_id: bytes, stood: Stood) -> StreamHead:
    return StreamHead(
        UUID(bytes=stream_id),
        "",
        stood.version,
        stood.leaf,
        stood.first_position,
        stood.last_position,
        stood.recorded_at,
    )


def _ranges(url: str, hospital: str, snapshot: str, after: int, head: int, events: int) -> list[RangeOfRows]:
    """The ranges of a ledger; the last is open, so that rows beyond the head are found too."""
    begins = list(range(after, max(head, after + 1), events))
    ends = [*begins[1:], None]
    return [RangeOfRows(url, hospital, snapshot, begin, end) for begin, end in zip(begins, ends, strict=True)]


async def _walked(ranges: list[RangeOfRows], processes: int) -> AsyncIterator[RangeFound]:
    """What the ranges hold, in order."""
    with closing(side_by_side(walk_stored_range, ranges, min(processes, len(ranges)))) as found:
        for each in found:
            yield await asyncio.wrap_future(each)
