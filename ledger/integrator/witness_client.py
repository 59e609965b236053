"""Asks one witness to cosign a checkpoint (tlog-witness, over HTTP). Every answer has a limit in time and in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import NoteFault
from ledger.trust.note import Note, Signature, parse_signatures
from ledger.trust.policy import Peer
from ledger.trust.witness_request import AddCheckpoint

ANSWER_SECONDS_MAX = 5.0
ANSWER_BYTES_MAX = 16 * 1024
_ASKED_MAX = 3
"""The witness may have another size in mind than we, and learn another from somebody else meanwhile."""
_OK = 200
_CONFLICT = 409
_INCONSISTENT = 422

Prove = Callable[[int, int], tuple[bytes, ...]]
"""The consistency proof from an old size to a size; blocks."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness has cosigned."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class Ahead:
    """The witness says that it has cosigned a larger tree under this origin: it remembers what we do not."""

    size: int

    @property
    def what(self) -> str:
        return f"has cosigned {self.size}"


@dataclass(frozen=True, slots=True)
class Forked:
    """The witness says that what it has cosigned is not the beginning of our tree, as our own tiles prove it."""

    @property
    def what(self) -> str:
        return "has cosigned another tree under this origin"


@dataclass(frozen=True, slots=True)
class NotCosigned:
    """The witness is away, or does not cosign."""

    why: str


Answer = Cosigned | Ahead | Forked | NotCosigned


class WitnessClient:
    """Remembers the size that the witness knows, so that one request is the rule."""

    def __init__(self, peer: Peer, http: httpx.AsyncClient) -> None:
        self._peer = peer
        self._http = http
        self._known_size = 0

    @property
    def name(self) -> str:
        """The name of the witness's key."""
        return self._peer.key.name

    async def ask(self, note: Note, checkpoint: Checkpoint, prove: Prove) -> Answer:
        """What it answers within ANSWER_SECONDS_MAX. Raises what `prove` raises."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._ask(note, checkpoint, prove)
        except TimeoutError:
            return NotCosigned(f"no answer within {ANSWER_SECONDS_MAX:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return NotCosigned(type(error).__name__)

    async def _ask(self, note: Note, checkpoint: Checkpoint, prove: Prove) -> Answer:
        self._known_size = min(self._known_size, checkpoint.size)
        for _ in range(_ASKED_MAX):
            old = self._known_size
            proof = await asyncio.to_thread(prove, old, checkpoint.size)
            status, body = await self._post(AddCheckpoint(old, proof, note).encode())
            if status == _OK:
                return self._cosigned(checkpoint, body)
            if status == _INCONSISTENT:
                return Forked()
            size = from_decimal(body.decode("ascii", "replace").removesuffix("\n")) if status == _CONFLICT else None
            if size is None:
                return NotCosigned(f"status {status}")
            if size > checkpoint.size:
                return Ahead(size)
            if size == old == checkpoint.size:
                # It has the very size that it was asked from: what it does not take is the root.
                return Forked()
            self._known_size = size
        return NotCosigned("its size changes with every answer")

    def _cosigned(self, checkpoint: Checkpoint, body: bytes) -> Answer:
        try:
            signatures = parse_signatures(body.decode())
        except (NoteFault, UnicodeDecodeError):
            return NotCosigned("the answer is no signature")
        text = checkpoint.text()
        for signature in signatures:
            if self._peer.key.time_of(text, signature):
                self._known_size = checkpoint.size
                return Cosigned(signature)
        return NotCosigned("the answer is not signed by its key")

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        url = f"{self._peer.url.rstrip('/')}/add-checkpoint"
        async with self._http.stream("POST", url, content=body) as response:
            read = b""
            async for part in response.aiter_bytes():
                read += part
                if len(read) > ANSWER_BYTES_MAX:
                    raise httpx.DecodingError("answer too long")
            return response.status_code, read
