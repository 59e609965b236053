"""Commands that arrive while others are under way are executed together by the next turn, as a bulk load's are.

Nothing waits to fill a turn: a command that arrives alone is executed at once, by itself. What a turn does not settle
is executed as any command, so that here nothing is refused and no conflict is settled either (`command_batch`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from ledger.application.asked_for import OF_THE_RECORD
from ledger.application.command_batch import BATCH_MIN, CommandBatch, Settled
from ledger.application.command_path import CommandPath
from ledger.application.outcome import Outcome
from ledger.telemetry.trace import current_traceparent

TURNS_MAX = 2
"""One decides while the other is on its way to the disk."""
TOGETHER_MAX = 64
"""Commands of a turn: so long, about 20 ms, nobody else's call gets on."""
WAITING_MAX = 10_000
"""Above what a server lets in; whoever comes beyond it is executed alone."""
_TAKEN = frozenset(f"{each.__name__}Request" for each in OF_THE_RECORD)

_log = logging.getLogger(__name__)


class CommandTurns:
    """The way of every single command of one hospital. While nothing waits there is no task."""

    def __init__(self, alone: CommandPath, together: CommandBatch) -> None:
        self._alone = alone
        self._together = together
        self._waiting: deque[_Waiting] = deque()
        self._turns: set[asyncio.Task[None]] = set()
        self._taking = 0
        """Turns that will still look at what waits: one that is over may stand in `_turns` for a moment longer."""
        self._under_way = 0

    async def execute(self, rpc: str, request: Message, known_hospitals: frozenset[str]) -> Outcome:
        """As CommandPath says."""
        if self._under_way and self._takes(request):
            answer = await self._next_turn(rpc, request)
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                return answer
        self._under_way += 1
        try:
            return await self._alone.execute(rpc, request, known_hospitals)
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Waits for the turns under way."""
        while self._turns:
            await asyncio.wait(self._turns)

    def _takes(self, request: Message) -> bool:
        return (
            type(request).__name__ in _TAKEN
            and len(self._waiting) < WAITING_MAX
            and not self._together.overtaken  # then records are read before they are decided on, each by its command
        )

    async def _next_turn(self, rpc: str, request: Message) -> Settled:
        waiting = _Waiting(rpc, request, current_traceparent.get(), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._taking < TURNS_MAX:
            self._taking += 1
            turn = asyncio.create_task(self._turn(), name="commands together")
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
        return await waiting.answer

    async def _turn(self) -> None:
        try:
            while self._waiting:
                await self._take()
                # Those who were just answered get on: their next commands need no new task.
                await asyncio.sleep(0)
        finally:
            # Nothing is awaited from the last look at what waits to here: whoever comes now begins a turn.
            self._taking -= 1

    async def _take(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]
        self._under_way += 1
        try:
            answers = await self._answers(taken)
        finally:
            self._under_way -= 1
        for each, answer in zip(taken, answers, strict=True):
            if not each.answer.done():
                each.answer.set_result(answer)

    async def _answers(self, taken: Sequence[_Waiting]) -> Sequence[Settled]:
        if len(taken) < BATCH_MIN:
            return [None] * len(taken)
        try:
            return await self._together.execute_apart(
                [(each.rpc, each.request) for each in taken], [each.traceparent for each in taken]
            )
        except Exception as error:  # noqa: BLE001 - each by itself meets that again, or finds by its id that it is done
            _log.warning("commands are executed one by one", extra={"error": type(error).__name__})
            return [None] * len(taken)


@dataclass(slots=True, eq=False)
class _Waiting:
    rpc: str
    request: Message
    traceparent: str | None
    answer: asyncio.Future[Settled]
