"""Follows a transfer topic: each message handled once, poison put aside, the checkpoint after the work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from consumers.checkpoint_file import CheckpointFile
from consumers.dead_letters import DEAD_LETTERS_MAX, DeadLetter, DeadLetterFile, DeadLetterLimit
from consumers.transfer_message import BodyGone, PoisonMessage, TransferMessage
from consumers.transfer_topic import Delivered, OpenTopic
from consumers.waiting_room import NotNow, WaitingRoom, WaitingRoomFull
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.sealing import Opener

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_MESSAGES_MAX = 100

Handle = Callable[[TransferMessage], Awaitable[None]]
"""Does the work of a message. It may be called again with the same one after a crash, and must then change nothing."""

Say = Callable[[str, int, int], Awaitable[None]]
"""Tells whoever runs the service: state, dead letters, waiting messages. Raises ServiceUnavailable."""


class Follower:
    """One consumer of one hospital's transfer topic; its checkpoint and its dead letters lie in its own folder."""

    def __init__(
        self,
        hospital: str,
        *,
        open_topic: OpenTopic,
        handle: Handle,
        opener: Opener,
        folder: Path,
        clock: Callable[[], datetime],
        say: Say,
        dead_letters_max: int = DEAD_LETTERS_MAX,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hospital = hospital
        self._open_topic = open_topic
        self._handle = handle
        self._opener = opener
        self._clock = clock
        self._say = say
        self._checkpoint = CheckpointFile(folder / "checkpoint.json")
        self._waiting = WaitingRoom(folder / "waiting")
        self._dead_letters = DeadLetterFile(folder / "dead-letters.jsonl", dead_letters_max)

    async def run(self, stop: asyncio.Event, leave_at_rest: Callable[[], bool] = lambda: False) -> None:
        """Follows until `stop`, or until the topic has nothing more for the moment and `leave_at_rest()` says so.

        DeadLetterLimit or WaitingRoomFull where too much cannot be handled; ServiceUnavailable where the own service
        does not answer: nothing is lost then, the next run begins where this one stood.
        """
        topic = await self._open_topic(self._hospital, self._checkpoint.places)
        try:
            while not stop.is_set():
                await self._take_waiting()  # first: a full room would let no batch pass, and so never empty
                batch = await topic.poll(_POLL_SECONDS, _MESSAGES_MAX)
                await self._take(batch)
                await self._say("running", len(self._dead_letters), len(self._waiting))
                if not batch and leave_at_rest():
                    return
        except (DeadLetterLimit, WaitingRoomFull):
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
            await self._handle(await self._opened(message))
        except BodyGone:
            about = {"hospital": self._hospital, "origin": message.origin, "position": message.position}
            _log.info("message of a destroyed record passed over", extra=about)
        except NotNow as later:
            _log.warning("message waits", extra={"hospital": self._hospital, "why": str(later)})
            self._waiting.put(message)
            return False
        except PoisonMessage as poison:
            letter = DeadLetter(message.origin, message.position, _type_of(message), poison.reason, self._clock())
            _log.error(
                "message put aside",
                extra={
                    "hospital": self._hospital,
                    "origin": letter.origin,
                    "position": letter.position,
                    "why": letter.reason,
                },
            )
            self._dead_letters.put(letter)
        return True

    async def _opened(self, message: TransferMessage) -> TransferMessage:
        """Opened for the moment of its handling: what waits or is put aside stays sealed on disk."""
        (opening,) = await self._opener.open([(message.envelope, message.body)])
        return replace(message, opening=opening)


def _type_of(message: TransferMessage) -> str:
    try:
        return decode(message.envelope).type
    except EnvelopeFault:
        return ""
