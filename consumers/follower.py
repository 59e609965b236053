"""Follows a transfer topic: each message handled once, poison put aside, the checkpoint after the work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from consumers.checkpoint_file import CheckpointFile
from consumers.dead_letters import DEAD_LETTERS_MAX, DeadLetter, DeadLetterFile, DeadLetterLimit
from consumers.transfer_message import BodyGone, PoisonMessage, TransferMessage
from consumers.transfer_topic import Delivered, OpenTopic
from consumers.waiting_room import WAITING_OF_SENDER_MAX, NotNow, WaitEnd, WaitingRoom
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.sealing import Opener

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_MESSAGES_MAX = 100


class Desk(Protocol):
    """Does the work of messages. It may be called again with the same one, and must then change nothing."""

    async def handle(self, message: TransferMessage) -> None:
        """Takes a message; PoisonMessage where it never can be, NotNow where its time has not come."""
        ...

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:
        """Answers a message that cannot be handled and may not wait; False where nobody waits for an answer."""
        ...


Say = Callable[[str, int, int], Awaitable[None]]
"""Tells whoever runs the service: state, dead letters, waiting messages. Raises ServiceUnavailable."""


class Follower:
    """One consumer of one hospital's transfer topic; its checkpoint and its dead letters lie in its own folder."""

    def __init__(
        self,
        hospital: str,
        *,
        open_topic: OpenTopic,
        desk: Desk,
        opener: Opener,
        folder: Path,
        clock: Callable[[], datetime],
        say: Say,
        dead_letters_max: int = DEAD_LETTERS_MAX,
        waiting_of_sender_max: int = WAITING_OF_SENDER_MAX,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hospital = hospital
        self._open_topic = open_topic
        self._desk = desk
        self._opener = opener
        self._clock = clock
        self._say = say
        self._checkpoint = CheckpointFile(folder / "checkpoint.json")
        self._waiting = WaitingRoom(folder / "waiting", waiting_of_sender_max)
        self._dead_letters = DeadLetterFile(folder / "dead-letters.jsonl", dead_letters_max)

    async def run(self, stop: asyncio.Event, leave_at_rest: Callable[[], bool] = lambda: False) -> None:
        """Follows until `stop`, or until the topic has nothing more for the moment and `leave_at_rest()` says so.

        DeadLetterLimit where too much cannot be handled; ServiceUnavailable where the own service does not answer:
        nothing is lost then, the next run begins where this one stood.
        """
        topic = await self._open_topic(self._hospital, self._checkpoint.places)
        try:
            while not stop.is_set():
                await self._take_waiting()
                batch = await topic.poll(_POLL_SECONDS, _MESSAGES_MAX)
                await self._take(batch)
                await self._say("running", len(self._dead_letters), len(self._waiting))
                if not batch and leave_at_rest():
                    return
        except DeadLetterLimit:
            await self._say("stopped", len(self._dead_letters), len(self._waiting))
            raise
        finally:
            await topic.close()

    async def _take(self, batch: Sequence[Delivered]) -> None:
        try:
            for delivered in batch:
                if not self._checkpoint.is_repeat(delivered):
                    await self._handle_or_put_aside(delivered.message)
                self._checkpoint.advance(delivered)
        finally:
            if batch:
                self._checkpoint.save()

    async def _take_waiting(self) -> None:
        for message in self._waiting.due():
            if await self._handle_or_put_aside(message):
                self._waiting.remove(message)

    async def _handle_or_put_aside(self, message: TransferMessage) -> bool:
        """Whether the message is done with; one whose time has not come waits for it."""
        try:
            return await self._handle(message)
        except BodyGone:
            about = {"hospital": self._hospital, "origin": message.origin, "position": message.position}
            _log.info("message of a destroyed record passed over", extra=about)
        except PoisonMessage as poison:
            self._put_aside(message, poison.reason)
        return True

    async def _handle(self, message: TransferMessage) -> bool:
        opened = await self._opened(message)
        try:
            await self._desk.handle(opened)
        except NotNow as later:
            now = self._clock()
            end = self._waiting.end_of(message, now)
            _log.warning("message waits", extra={"hospital": self._hospital, "why": str(later)})
            if end is not None and await self._desk.give_up(opened, end, later):
                return True
            # One letter for all that its sender cannot have checked: a hundred of them would stop everybody's.
            if end is not None and not self._dead_letters.stands_for(message.origin, end.name):
                self._put_aside(message, f"{end.name}: {end.value} ({later.status})")
            if end is WaitEnd.TOO_MANY_WAIT:
                return True
            self._waiting.put(message, now)
            return False
        return True

    def _put_aside(self, message: TransferMessage, reason: str) -> None:
        letter = DeadLetter(message.origin, message.position, _type_of(message), reason, self._clock())
        about = {"hospital": self._hospital, "origin": letter.origin, "position": letter.position, "why": reason}
        _log.error("message put aside", extra=about)
        self._dead_letters.put(letter)

    async def _opened(self, message: TransferMessage) -> TransferMessage:
        """Opened for the moment of its handling: what waits or is put aside stays sealed on disk."""
        (opening,) = await self._opener.open([(message.envelope, message.body)])
        return replace(message, opening=opening)


def _type_of(message: TransferMessage) -> str:
    try:
        return decode(message.envelope).type
    except EnvelopeFault:
        return ""
