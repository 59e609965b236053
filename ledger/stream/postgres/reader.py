"""Reads the events of a hospital, or the transfers for one, in order of position. One partition; offset = position."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor
from psycopg.sql import Identifier

from ledger.stream.contract import UNREADABLE, PublishedEvent, StreamUnavailable
from ledger.stream.postgres.shared_log import Log, Row, SharedLog, give_back_shared_log, take_shared_log
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import whole
from ledger.views.statements import render, templates

_CONNECT_SECONDS_MAX = 5
_LOOK_SECONDS = 1.0


class PostgresLogReader:
    """A StreamReader over a table that grows at its end; NOTIFY only shortens the wait.

    All readers of a process share a few connections: one of its own for each would be one for every idle hospital.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        hints: tuple[str, str],
        rows: Callable[[Log, int, int], Sequence[PublishedEvent]],
        end: Callable[[Log], int],
    ) -> None:
        """`hints`: the channel, and whose growth concerns this reader. Raises StreamUnavailable."""
        self._url = url
        self._identity = identity
        self._hints = hints
        self._rows = rows
        self._end = end
        self._cursor = 0
        self._log: SharedLog | None = take_shared_log(url, lambda: connect(url))
        try:
            with self._asking():
                pass
        except StreamUnavailable:
            self.close()
            raise

    @contextmanager
    def _asking(self) -> Generator[Log]:
        with log_errors(), self._shared().asking() as connection:
            yield connection

    def _shared(self) -> SharedLog:
        if self._log is None:
            raise StreamUnavailable("the reader is closed")
        return self._log

    def partitions(self) -> int:
        """One."""
        return 1

    def topic_id(self) -> str:
        """Identity of the log: origin or recipient."""
        return self._identity

    def seek(self, partition: int, next_offset: int) -> None:
        """Goes on after a position."""
        self._only(partition)
        self._cursor = next_offset

    def _only(self, partition: int) -> None:
        if partition != 0:
            raise ValueError("the log has one partition")

    def poll(self, timeout_s: float, events_max: int) -> Sequence[PublishedEvent]:
        """The next events; waits for a hint, or looks again each second."""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = self._shared().hints(self._hints)
            with self._asking() as connection:
                found = self._rows(connection, self._cursor, events_max)
            left = deadline - time.monotonic()
            if found or left <= 0:
                break
            self._shared().wait(self._hints, seen, min(left, _LOOK_SECONDS))
        if found:
            self._cursor = found[-1].next_offset
        return found

    def end(self, partition: int) -> int:
        """The last position."""
        self._only(partition)
        with self._asking() as connection:
            return self._end(connection)

    def close(self) -> None:
        """Gives the shared connections back; again: nothing."""
        if self._log is not None:
            self._log = None
            give_back_shared_log(self._url)


def records_reader(url: str, hospital: str) -> PostgresLogReader:
    """All events of a hospital. Raises StreamUnavailable."""
    after, head = _of_hospital("after", hospital), _of_hospital("head", hospital)
    with log_errors(), connect(url) as connection:
        origin = connection.execute(_sql("origin"), (hospital,)).fetchone()
    if origin is None:
        raise StreamUnavailable(f"hospital {hospital} is not registered")

    def rows(connection: Log, cursor: int, limit: int) -> Sequence[PublishedEvent]:
        found = connection.execute(after, (cursor, limit), binary=True).fetchall()
        return [_event_of_row(hospital, origin[0], row) for row in found]

    return PostgresLogReader(
        url, origin[0], ("ledger_head", hospital), rows, lambda connection: _one(connection, head, ())
    )


def transfers_reader(url: str, recipient: str) -> PostgresLogReader:
    """What concerns transfers and is meant for one hospital; repeats are told by (origin, position)."""

    def rows(connection: Log, cursor: int, limit: int) -> Sequence[PublishedEvent]:
        found = connection.execute(_sql("transfers_after"), (recipient, cursor, limit), binary=True).fetchall()
        return [_transfer_of_row(row) for row in found]

    return PostgresLogReader(
        url,
        f"transfers/{recipient}",
        ("ledger_transfers", recipient),
        rows,
        lambda connection: _one(connection, _sql("transfers_end"), (recipient,)),
    )


def _event_of_row(hospital: str, origin: str, row: Row) -> PublishedEvent:
    position, stream_id, version, recorded_at, envelope, body, traceparent = row
    event = PublishedEvent(
        hospital=hospital,
        origin=origin,
        position=position,
        stream_id=stream_id,
        version=version,
        type=UNREADABLE,
        recorded_at=recorded_at,
        envelope=envelope,
        body=body,
        partition=0,
        prev_position=position - 1,
        next_offset=position,
        traceparent=traceparent,
    )
    return _as_its_envelope_says(event)


def _transfer_of_row(row: Row) -> PublishedEvent:
    sequence, source, position, envelope, body = row
    event = PublishedEvent(
        hospital=source.split("/")[-2],
        origin=source,
        position=position,
        stream_id=UUID(int=0),
        version=0,
        type=UNREADABLE,
        recorded_at=0,
        envelope=envelope,
        body=body,
        partition=0,
        prev_position=position - 1,
        next_offset=sequence,
    )
    return _as_its_envelope_says(event)


def _as_its_envelope_says(event: PublishedEvent) -> PublishedEvent:
    """The event with what its envelope knows; one that cannot be read stays UNREADABLE and stops its record alone."""
    try:
        clear = whole(event.envelope)
    except EnvelopeFault:
        return event
    return event._replace(
        origin=clear.origin,
        stream_id=UUID(bytes=clear.stream_id),
        version=clear.stream_version,
        type=clear.type,
        recorded_at=clear.recorded_at,
    )


def connect(url: str) -> Log:
    """An autocommitting connection with numbered parameters."""
    return Connection.connect(url, autocommit=True, cursor_factory=RawCursor, connect_timeout=_CONNECT_SECONDS_MAX)


@contextmanager
def log_errors() -> Generator[None]:
    """Turns the driver's errors into StreamUnavailable."""
    try:
        yield
    except psycopg.Error as error:
        raise StreamUnavailable(
            f"the PostgreSQL log: {type(error).__name__}", "PostgreSQL does not run", "a missing right of ledger_stream"
        ) from error


def _one(connection: Log, query: bytes, parameters: Row) -> int:
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0


@cache
def _of_hospital(name: str, hospital: str) -> bytes:
    return render(templates("ledger.stream.postgres", "reading")[name], {"schema": Identifier(f"h_{hospital}")})


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.stream.postgres", "reading")[name].encode()
