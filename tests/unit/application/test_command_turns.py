"""Whoever comes while others are under way is answered: no command waits for a turn that looks no more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from ledger.api.v1.records_pb2 import RecordEntryRequest
from ledger.application.command_turns import CommandTurns
from ledger.application.outcome import Outcome

CALLERS, COMMANDS = 40, 50


class _Alone:
    """Executes at once, after the loop has gone round a given number of times."""

    def __init__(self) -> None:
        self.rounds = 1
        self.done = 0

    async def execute(self, *_: Any) -> Outcome:
        for _round in range(self.rounds):
            await asyncio.sleep(0)
        self.done += 1
        return cast("Outcome", self.done)


class _Together:
    """Settles every second command of a turn, as one that meets conflicts."""

    overtaken = False

    def __init__(self) -> None:
        self.settled = 0
        self.gate: asyncio.Event | None = None

    async def execute_apart(self, asked: Sequence[Any], _: Sequence[Any]) -> list[Any]:
        for _round in range(len(asked) % 3):
            await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        self.settled += (len(asked) + 1) // 2
        return [None if index % 2 else "settled" for index in range(len(asked))]


async def test_every_command_is_answered_once_however_turns_end() -> None:
    """Turns end in the same round of the loop in which others come; each command is settled by a turn or alone."""
    alone, together = _Alone(), _Together()
    turns = CommandTurns(cast("Any", alone), cast("Any", together))

    async def calls(caller: int) -> int:
        for number in range(COMMANDS):
            for _round in range((caller * 7 + number) % 5):
                await asyncio.sleep(0)
            await turns.execute("RecordEntry", RecordEntryRequest(), frozenset())
        return COMMANDS

    async with asyncio.timeout(60):
        done = await asyncio.gather(*(calls(each) for each in range(CALLERS)))
    assert sum(done) == CALLERS * COMMANDS == alone.done + together.settled
    assert together.settled > 0
    await turns.close()


async def test_who_comes_in_the_moment_in_which_both_turns_end_begins_another() -> None:
    """A task that is over is still among the turns for one round of the loop: nobody may wait for it."""
    alone, together, gate = _Alone(), _Together(), asyncio.Event()
    alone.rounds = 200
    together.gate = gate
    turns = CommandTurns(cast("Any", alone), cast("Any", together))

    def command() -> asyncio.Task[Outcome]:
        return asyncio.create_task(turns.execute("RecordEntry", RecordEntryRequest(), frozenset()))

    async with asyncio.timeout(10):
        calls: list[asyncio.Task[Outcome]] = [command()]
        for _turn in range(2):
            calls += [command(), command()]
            for _round in range(8):
                await asyncio.sleep(0)
        taking = [each for each in asyncio.all_tasks() if each.get_name() == "commands together"]
        assert len(taking) == 2
        gate.set()
        for _round in range(50):
            if all(each.done() for each in taking):
                break
            await asyncio.sleep(0)
        await turns.execute("RecordEntry", RecordEntryRequest(), frozenset())
        await asyncio.gather(*calls)
    await turns.close()
