"""The ports through which every body passes: sealed before the append, opened on every read.

Both are asynchronous and take batches, since the keys live elsewhere. Until sealing is built the clear adapter is the
only one: the body lies in the clear, key id and commitment stay empty, and every other byte is final.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body as it is stored, and what the envelope says of its key."""

    body: bytes
    key_id: bytes = b""
    commitment: bytes = b""


@dataclass(frozen=True, slots=True)
class ToSeal:
    """A body before sealing, with the envelope's fields known by then, encoded, as associated data."""

    hospital: str
    stream_id: bytes
    stream_version: int
    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The body in the clear."""

    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The key is gone by a RecordDestroyed: a normal case."""


@dataclass(frozen=True, slots=True)
class SealFault:
    """The body cannot be opened although nothing destroyed its key."""

    reason: str


Opening = Opened | Destroyed | SealFault


class Sealer(Protocol):
    """Seals bodies before they are appended."""

    async def seal(self, bodies: Sequence[ToSeal]) -> list[Sealed]:
        """One result per body, in order. A new record's key is durable before this returns."""
        ...


class Opener(Protocol):
    """Opens stored bodies on every read."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """One result per (envelope, body), in order."""
        ...


class ClearSealer:
    """Leaves bodies in the clear."""

    async def seal(self, bodies: Sequence[ToSeal]) -> list[Sealed]:
        """Every body as it came."""
        return [Sealed(each.plaintext) for each in bodies]


class ClearOpener:
    """Takes bodies in the clear."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Every body as stored."""
        return [Opened(body) for _, body in events]
