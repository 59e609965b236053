"""Group commit: commands queue, one writer per hospital takes what arrived during the last flush."""

import asyncio
from collections import deque
from collections.abc import Sequence

import psycopg

from ledger.store.append import Append, Appended, Verdict, check_append
from ledger.store.connections import Connection, ConnectionPool
from ledger.store.errors import AppendQueueFull, AppendRefused, StoreUnavailable
from ledger.store.flush import flush
from ledger.store.grouping import Waiting, take_group
from ledger.store.hint import HeadHint
from ledger.store.outcome import LostBackend, Outcome, resolve

WAITING_MAX = 10_000
"""Commands that may wait for one hospital's writer."""


class GroupCommitter:
    """Appends the commands of one hospital in this process; other processes may append to it too.

    While nothing waits there is no task, no connection and no timer.
    """

    def __init__(self, hospital: str, writers: ConnectionPool, hint: HeadHint | None = None) -> None:
        self._hospital = hospital
        self._writers = writers
        self._hint = hint
        self._queue: deque[Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._flushes = 0
        self._commands = 0

    @property
    def waiting(self) -> int:
        """Commands that wait for the next flush."""
        return len(self._queue)

    @property
    def group_size(self) -> float:
        """Mean commands per flush since this committer was made; 0 before the first."""
        return self._commands / self._flushes if self._flushes else 0.0

    async def append(self, append: Append) -> Verdict:
        """Waits until the command is durable or refused, and says which.

        A caller that stops waiting does not stop the append. Raises AppendQueueFull, StoreUnavailable and
        AppendRefused (nothing was written), OutcomeUnknown, and MalformedAppend for a defect of the caller.
        """
        check_append(append)
        if len(self._queue) >= WAITING_MAX:
            raise AppendQueueFull(self._hospital, len(self._queue))
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(append, verdict))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name=f"append {self._hospital}")
        return await verdict

    async def close(self) -> None:
        """Waits until everything that was queued has its verdict."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def _write(self) -> None:
        try:
            while self._queue:
                group = take_group(self._queue)
                self._flushes += 1
                self._commands += len(group)
                await self._flush(group)
        finally:
            self._writer = None

    async def _flush(self, group: Sequence[Waiting]) -> None:
        try:
            outcomes = await self._outcomes([waiting.append for waiting in group])
        except BaseException as error:
            _answer(group, [StoreUnavailable(repr(error))] * len(group))
            raise
        head = _answer(group, outcomes)
        if self._hint and head:
            self._hint.tell(self._hospital, head)

    async def _outcomes(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        backend: LostBackend | None = None
        try:
            async with self._writers.borrow() as connection:
                backend = LostBackend(connection)
                return await self._flush_apart(connection, appends)
        except StoreUnavailable as error:
            return [error] * len(appends)
        except psycopg.OperationalError:
            return await resolve(self._writers, self._hospital, backend, appends)

    async def _flush_apart(self, connection: Connection, appends: Sequence[Append]) -> Sequence[Outcome]:
        """Flushes the group; where the database refuses its rows, each command alone, so that one spoils no other."""
        try:
            return await flush(connection, self._hospital, appends)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            if len(appends) == 1:
                return [AppendRefused(appends[0].command_id, error.sqlstate)]
        return [outcome for append in appends for outcome in await self._flush_apart(connection, [append])]


def _answer(group: Sequence[Waiting], outcomes: Sequence[Outcome]) -> int:
    """Hands every caller its outcome; the highest position appended, 0 if none was."""
    head = 0
    for waiting, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, Appended):
            head = max(head, outcome.last_position)
        if waiting.verdict.done():
            continue
        if isinstance(outcome, Exception):
            waiting.verdict.set_exception(outcome)
        else:
            waiting.verdict.set_result(outcome)
    return head
