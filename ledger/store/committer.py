"""Group commit: commands queue, one writer per hospital takes what arrived during the last flush.

It never waits to fill a group.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

import psycopg

from ledger.store.append import Append, Appended, Verdict, check_append
from ledger.store.connections import Connection, ConnectionPool, is_usable
from ledger.store.errors import (
    AppendQueueFull,
    AppendRefused,
    HospitalClosed,
    LogEnded,
    OutcomeUnknown,
    StoreUnavailable,
)
from ledger.store.flush import flush_whole, were_appended
from ledger.store.grouping import COMMANDS_MAX, Group, Waiting, take_group
from ledger.store.hint import HeadHint
from ledger.store.outcome import LostBackend, Outcome, resolve
from ledger.store.patience import flush_patiently

FLUSHES_MAX = 2
SPLIT_MIN = 48
"""From so many waiting commands on, two halves on two connections beat one group: this process and PostgreSQL then work
at the same time. Measured: 1.64 against 1.31 of pgbench at 64 in flight, 0.96 against 1.02 at 32."""

WAITING_MAX = 10_000
"""Commands that may wait for one hospital's writer."""

_CLOSED = "LE002"
"""What the schema's own trigger answers, in `sql/hospital/0001_tables.sql`."""
_ENDED = "LE003"
"""What `sql/control/0008_ended_logs.sql` answers to a process that has not seen a succession yet."""


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

        A caller that stops waiting does not stop the append. Raises AppendQueueFull, StoreUnavailable,
        HospitalClosed, LogEnded and AppendRefused (nothing was written), OutcomeUnknown, and MalformedAppend for a
        defect of the caller.
        """
        check_append(append)
        if len(self._queue) >= WAITING_MAX:
            raise AppendQueueFull(self._hospital, len(self._queue))
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(append, verdict))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name=f"append {self._hospital}")
        return await verdict

    async def append_whole(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Appends all of them in one transaction of its own, or nothing, and past the queue; see `flush_whole`.

        No verdicts where it is not known what became of them: the command ids tell whoever appends them again.
        """
        for each in appends:
            check_append(each)
        self._flushes += 1
        self._commands += len(appends)
        try:
            async with self._writers.borrow() as connection:
                verdicts = await flush_patiently(connection, self._hospital, appends, flush_whole)
        except (StoreUnavailable, psycopg.Error):
            return ()
        if self._hint and were_appended(verdicts):
            self._hint.tell(self._hospital, max(each.last_position for each in verdicts if isinstance(each, Appended)))
        return verdicts

    async def close(self) -> None:
        """Waits until everything that was queued has its verdict."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def _write(self) -> None:
        try:
            while self._queue:
                if len(self._queue) < SPLIT_MIN:
                    await self._flush(take_group(self._queue).members)
                else:
                    await self._write_overlapping()
                # Those who were just answered get their turn: their next commands need no new task.
                await asyncio.sleep(0)
        finally:
            self._writer = None

    async def _write_overlapping(self) -> None:
        """Two groups on their way for as long as there is something for both."""
        flushing: dict[asyncio.Task[None], Group] = {}
        while groups := self._next_groups(flushing.values()):
            for group in groups:
                flushing[asyncio.create_task(self._flush(group.members), name=f"flush {self._hospital}")] = group
            done, _ = await asyncio.wait(flushing, return_when=asyncio.FIRST_COMPLETED)
            for flush_done in done:
                del flushing[flush_done]
            await asyncio.sleep(0)
        if flushing:
            await asyncio.wait(flushing)

    def _next_groups(self, on_their_way: Collection[Group]) -> list[Group]:
        """Takes what waits: as two groups where nothing is on its way and it is worth it, else as one.

        The second group waits inside PostgreSQL for the first one's lock, and this process answers and prepares
        while the database works.
        """
        groups: list[Group] = []
        limit = len(self._queue) // 2 if not on_their_way and len(self._queue) >= SPLIT_MIN else COMMANDS_MAX
        while self._queue and len(on_their_way) + len(groups) < FLUSHES_MAX:
            group = take_group(self._queue, [*on_their_way, *groups], limit)
            if not group.members:
                break
            groups.append(group)
            limit = COMMANDS_MAX
        return groups

    async def _flush(self, group: Sequence[Waiting]) -> None:
        self._flushes += 1
        self._commands += len(group)
        try:
            outcomes = await self._outcomes([waiting.append for waiting in group])
        except Exception as error:  # noqa: BLE001 - a defect of ours: whoever waits is told, and the writer goes on
            outcomes = [error] * len(group)
        except BaseException:
            _answer(group, [OutcomeUnknown(waiting.append.command_id) for waiting in group])
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
            return await flush_patiently(connection, self._hospital, appends)
        except psycopg.OperationalError as error:
            if not is_usable(connection):
                raise
            # PostgreSQL itself has answered that it did not commit: nothing has to be asked, no backend ended.
            return [StoreUnavailable(error.sqlstate)] * len(appends)
        except psycopg.Error as error:
            if error.sqlstate == _CLOSED:
                return [HospitalClosed(self._hospital)] * len(appends)
            if error.sqlstate == _ENDED:
                return [LogEnded(self._hospital)] * len(appends)
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
