"""The witness over HTTP: `POST /add-checkpoint`, as tlog-witness has it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.blobs.contract import BlobError
from ledger.trust.format_fault import WitnessRequestFault
from ledger.trust.note_key import SigningKey, VerifierKey
from ledger.trust.witness import SIZE_CONTENT_TYPE, Conflict, Refused, claimed_origin, witness_answer
from ledger.trust.witness_request import REQUEST_BYTES_MAX, AddCheckpoint, parse_add_checkpoint
from ledger.witness.witness_memory import MemoryDamaged, WitnessMemory

PATH = "/add-checkpoint"
IN_FLIGHT_MAX = 64
REQUEST_SECONDS_MAX = 10.0
_TEXT = "text/plain; charset=utf-8"
_log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = _TEXT


class RequestRefused(Exception):
    """The request is not read to its end."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{self.__doc__} {status}")
        self.status = status


class WitnessApp:
    """The ASGI application. One request of an origin at a time: read, compare, remember and cosign are one step."""

    def __init__(
        self,
        logs: Mapping[str, Sequence[VerifierKey]],
        memory: WitnessMemory,
        key: SigningKey,
        clock: Callable[[], int],
    ) -> None:
        """`clock` gives Unix seconds."""
        self._logs = logs
        self._memory = memory
        self._key = key
        self._clock = clock
        self._turns = {origin: asyncio.Lock() for origin in logs}
        # A cancelled request gives its turn back while its thread works on: only this keeps the next one out.
        self._cosigning = {origin: threading.Lock() for origin in logs}
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        if scope["path"] != PATH:
            answered = Answered(404, b"POST /add-checkpoint\n")
        elif scope["method"] != "POST":
            answered = Answered(405, b"POST only\n")
        elif self._in_flight >= IN_FLIGHT_MAX:
            answered = Answered(503, b"too many requests at once\n")
        else:
            self._in_flight += 1
            try:
                answered = await self._answer(receive)
            finally:
                self._in_flight -= 1
        await _send(send, answered)

    async def _answer(self, receive: Receive) -> Answered:
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                body = await _body(receive)
            request = parse_add_checkpoint(body)
            return await self._add(request, claimed_origin(request))
        except TimeoutError:
            return Answered(408, b"the request takes too long\n")
        except RequestRefused as refused:
            return Answered(refused.status)
        except WitnessRequestFault as fault:
            return Answered(400, f"{'; '.join(fault.faults)}\n".encode())
        except (BlobError, MemoryDamaged) as error:
            _log.error("nothing is cosigned: the memory fails", extra={"reason": str(error)})
            return Answered(503, b"the witness cannot remember\n")

    async def _add(self, request: AddCheckpoint, origin: str) -> Answered:
        if origin not in self._logs:
            return Answered(404, b"not a log that is followed here\n")
        async with self._turns[origin]:
            return await asyncio.to_thread(self._cosign, request, origin)

    def _cosign(self, request: AddCheckpoint, origin: str) -> Answered:
        with self._cosigning[origin]:
            return self._cosigned(request, origin)

    def _cosigned(self, request: AddCheckpoint, origin: str) -> Answered:
        known = self._memory.known(origin)
        answer = witness_answer(request, self._logs[origin], known)
        if isinstance(answer, Conflict):
            return Answered(409, answer.body, SIZE_CONTENT_TYPE)
        if isinstance(answer, Refused):
            _log.warning(
                "not cosigned",
                extra={"origin": origin, "known": known.size, "refusal": answer.refusal.name, "faults": answer.faults},
            )
            return Answered(int(answer.refusal), f"{'; '.join(answer.faults)}\n".encode())
        if (answer.checkpoint.size, answer.checkpoint.root) != (known.size, known.root) or known.size == 0:
            # On disk first: whatever happens to the answer, the tree that it vouches for is not forgotten.
            self._memory.remember(answer.checkpoint)
        return Answered(200, self._key.cosign(request.note.text, self._clock()).line().encode())


async def _body(receive: Receive) -> bytes:
    read = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400)
        read += message.get("body", b"")
        if len(read) > REQUEST_BYTES_MAX:
            raise RequestRefused(413)
        if not message.get("more_body", False):
            return read


async def _send(send: Send, answered: Answered) -> None:
    headers = [
        (b"content-type", answered.content_type.encode()),
        (b"content-length", str(len(answered.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": answered.body})
