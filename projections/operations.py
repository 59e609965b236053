"""What a person does about a view: look at its state, retry or skip a dead letter."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from ledger.api.v1 import stream_pb2
from ledger.trust.sealing import Opener
from ledger.views.errors import ReasonMissing, ViewAbsent, ViewsUnreadable
from ledger.views.event import ViewEvent
from ledger.views.page_size import page_rows
from ledger.views.view import View
from projections.connections import Connection, Pool, borrowed
from projections.dead_letters import STOPPED_MAX, DeadLetterTable
from projections.fold import Poison, fold, plan
from projections.generation import serving
from projections.page_token import read_token, write_token
from projections.rows import ROW_REFUSED, RowTables
from projections.tables import shared_statements

_log = logging.getLogger(__name__)
_STATES = {"live": "running"}


class ViewOperations:
    """State and dead letters of the views, for the edge's OperationsService."""

    def __init__(self, pool: Pool, views: Sequence[View], opener: Opener, stopped_max: int = STOPPED_MAX) -> None:
        """What was put aside lies sealed; `opener` opens it when it is tried again."""
        self._pool = pool
        self._opener = opener
        self._views = {view.name: view for view in views}
        self._stopped_max = stopped_max

    async def statuses(self, hospital: str, head: int) -> list[stream_pb2.ViewStatus]:
        """Every view of a hospital against its ledger's head; one that was not built is `absent`.

        ViewsUnreadable where the hospital's views are closed to us.
        """
        try:
            async with borrowed(self._pool) as connection:
                cursor = await connection.execute(shared_statements(hospital)["statuses"], (hospital,))
                found = {row[0]: _status(row, head) for row in await cursor.fetchall()}
        except psycopg.errors.UndefinedTable:
            found = {}
        except psycopg.ProgrammingError as error:
            raise ViewsUnreadable(hospital) from error
        absent = {name: stream_pb2.ViewStatus(view=name, lag=head, state="absent") for name in self._views}
        return [found.get(name, status) for name, status in absent.items()]

    async def list_dead_letters(
        self, hospital: str, view: str, page_size: int, page_token: str, *, decided: bool = False
    ) -> stream_pb2.ListDeadLettersResponse:
        """Open dead letters by view and position; with `decided` also all decisions; view "" = all.

        ViewAbsent, BadPageSize, BadPageToken.
        """
        if view and view not in self._views:
            raise ViewAbsent(view, hospital)
        limit = page_rows(page_size)
        of = f"dead letters {view} {decided}"
        after = read_token(of, page_token, ("", 0, 0))
        try:
            async with borrowed(self._pool) as connection:
                parameters = (view, *after, limit + 1, decided)
                cursor = await connection.execute(shared_statements(hospital)["list_dead_letters"], parameters)
                rows = await cursor.fetchall()
        except psycopg.errors.UndefinedTable:
            rows = []
        token = write_token(of, *rows[limit - 1][:3]) if len(rows) > limit else ""
        letters = [_dead_letter(row) for row in rows[:limit]]
        return stream_pb2.ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    async def retry(self, hospital: str, view: str, position: int, reason: str) -> stream_pb2.RetryDeadLetterResponse:
        """Handles a dead letter again and, where it goes through, what is parked behind it, in order.

        DeadLetterAbsent, ViewAbsent, ReasonMissing.
        """
        async with borrowed(self._pool) as connection, connection.transaction():
            release = await self._release(connection, hospital, view, reason)
            event = await release.opened(await release.dead.take(connection, position))
            error = await release.attempt(connection, event)
            if error:
                await release.dead.fail_again(connection, position, error, reason)
                _say_decided("dead letter failed again", hospital, view, position, reason)
                return stream_pb2.RetryDeadLetterResponse(handled=False)
            await release.dead.resolve(connection, position, "retried", reason)
            released = await release.release_behind(connection, event)
        _say_decided("dead letter retried", hospital, view, position, reason)
        return stream_pb2.RetryDeadLetterResponse(handled=True, released=released)

    async def skip(self, hospital: str, view: str, position: int, reason: str) -> stream_pb2.SkipDeadLetterResponse:
        """Gives a dead letter up and handles what is parked behind it, in order; errors as `retry`."""
        async with borrowed(self._pool) as connection, connection.transaction():
            release = await self._release(connection, hospital, view, reason)
            event = await release.dead.take(connection, position)
            await release.dead.resolve(connection, position, "skipped", reason)
            released = await release.release_behind(connection, event)
        _say_decided("dead letter skipped", hospital, view, position, reason)
        return stream_pb2.SkipDeadLetterResponse(released=released)

    async def _release(self, connection: Connection, hospital: str, name: str, reason: str) -> "_Release":
        if not reason.strip():
            raise ReasonMissing
        view = self._views.get(name)
        try:
            live = await serving(connection, hospital, view) if view else None
        except psycopg.errors.UndefinedTable:
            live = None
        if view is None or live is None:
            raise ViewAbsent(name, hospital)
        await connection.execute(shared_statements(hospital)["lock_generation"], (name, live.number))
        return _Release(hospital, view, live.number, self._stopped_max, self._opener)


@dataclass(slots=True)
class _Release:
    """Handles events of one stopped stream while the runner waits for the generation's lock."""

    hospital: str
    view: View
    generation: int
    stopped_max: int
    opener: Opener

    async def opened(self, event: ViewEvent) -> ViewEvent:
        """The event with what is in its body."""
        (opening,) = await self.opener.open([(event.envelope, event.body)])
        return replace(event, opening=opening)

    @property
    def dead(self) -> DeadLetterTable:
        return DeadLetterTable(shared_statements(self.hospital), self.view.name, self.generation)

    async def attempt(self, connection: Connection, event: ViewEvent) -> str:
        """Handles one event; the kind of error, or nothing."""
        tables = RowTables(self.hospital, self.view, self.generation)
        planned = plan(self.view, (event,))
        folded = fold(self.view, planned, await tables.load(connection, planned))
        if folded.poison:
            return folded.poison[0].error
        try:
            async with connection.transaction():
                await tables.store(connection, folded)
        except ROW_REFUSED as error:
            return type(error).__name__
        return ""

    async def release_behind(self, connection: Connection, stopped_at: ViewEvent) -> int:
        """Handles what is parked of the stream until the next poison, which becomes a dead letter of its own."""
        released = 0
        for event in await self.dead.parked_behind(connection, stopped_at.stream_id):
            error = await self.attempt(connection, await self.opened(event))
            await self.dead.unpark(connection, event)
            if error:
                await self.dead.add(connection, Poison(event, error))
                break
            released += 1
        await self._let_go_on(connection)
        return released

    async def _let_go_on(self, connection: Connection) -> None:
        if len(await self.dead.stopped_streams(connection)) < self.stopped_max:
            parameters = (self.view.name, self.generation, "live")
            await connection.execute(shared_statements(self.hospital)["set_state"], parameters)


def _status(row: tuple[str, str, bool, int, int, int, int], head: int) -> stream_pb2.ViewStatus:
    view, state, rebuilding, lowest, events, stopped, letters = row
    return stream_pb2.ViewStatus(
        view=view,
        position=head if events >= head else lowest,
        events=events,
        lag=max(head - events, 0),
        stopped_records=stopped,
        dead_letters=letters,
        state="rebuilding" if rebuilding else _STATES.get(state, state),
    )


def _say_decided(what: str, hospital: str, view: str, position: int, reason: str) -> None:
    about = {"hospital": hospital, "view": view, "position": position, "reason": reason}
    _log.warning(what, extra=about)


def _dead_letter(row: tuple[Any, ...]) -> stream_pb2.DeadLetter:
    view, position, _, stream_id, version, event_type, error, failed_at, parked, decision, reason, decided_at = row
    letter = stream_pb2.DeadLetter(
        view=view,
        position=position,
        record_id=str(stream_id),
        record_version=version,
        type=event_type,
        error=error,
        parked=parked,
        decision=decision,
        reason=reason,
    )
    letter.failed_at.FromDatetime(failed_at)
    if decided_at is not None:
        letter.decided_at.FromDatetime(decided_at)
    return letter
