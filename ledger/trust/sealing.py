"""The ports through which every body passes: sealed before the append, opened on every read.

Both are asynchronous and take batches, since the keys live elsewhere. The form of a sealed body is `sealed_body`'s, the
keys are `ledger.keys`'. There is no adapter that leaves bodies in the clear.

A sealer gets whole drafts and not bodies alone: the associated data is the envelope without the digest of the sealed
body, and that names the event before, whose leaf is known only when that one is sealed. So the port chains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Protocol

from ledger.trust.envelope import Envelope, Framed
from ledger.trust.leaf import leaf_hash


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before sealing: `key_id`, `body_sha256` and `commitment` of its envelope are still empty.

    `prev_leaf` counts for the first draft of a stream; each later one follows the draft before it.
    """

    envelope: Envelope
    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event as it is stored: `leaf` is the hash of `envelope`, which names the digest of `body`."""

    envelope: bytes
    body: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The body in the clear."""

    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The key is gone by a RecordDestroyed: a normal case."""


class SealFaultKind(Enum):
    """Why a body cannot be opened; the values are for people."""

    CLEAR = "the body lies in the clear, and this release takes sealed ones only"
    ENVELOPE = "the envelope's bytes are not well formed"
    LATER = "a later release wrote the envelope"
    FORMAT = "the body has a format that this release does not know"
    LENGTH = "the body is shorter or longer than any sealed one"
    KEY_MISSING = "the record has no key, and nothing says that it was destroyed"
    KEY_UNWRAPPED = "the record's key cannot be unwrapped: it, its row or its key-encryption key is not the right one"
    KEY_ID = "the record's key is not the one that the envelope names"
    TOMBSTONE = "the record's key was removed, and the ledger holds no RecordDestroyed where its tombstone says"
    TAG = "the body or its envelope was altered, or exchanged for another"
    PADDING = "the body is padded otherwise than its length demands"
    COMMITMENT = "the body is not the one that the envelope commits to"
    DIGEST = "the body is not the one whose digest the envelope names"
    NOT_STORED = "the record is destroyed, and the envelope is not one that the ledger holds of it"
    UNKNOWN = "the key service names a fault that this release does not know"


@dataclass(frozen=True, slots=True)
class SealFault:
    """The body cannot be opened although nothing destroyed its key."""

    kind: SealFaultKind


Opening = Opened | Destroyed | SealFault


class CannotSeal(Exception):
    """Nothing more can be sealed for a record: its key is destroyed or at fault."""

    def __init__(self, stream_id: bytes, version: int, why: Destroyed | SealFault) -> None:
        super().__init__(f"{CannotSeal.__doc__} {why}")
        self.stream_id = stream_id
        self.version = version
        self.why = why


SealOne = Callable[[Envelope, bytes], tuple[Framed, bytes]]
"""From an envelope with its `prev_leaf` and the plaintext to that envelope's bytes with key id and commitment, where
the digest is still missing, and the body."""


class Sealer(Protocol):
    """Seals events before they are appended."""

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """One result per draft, in order. A new record's key is durable before this returns."""
        ...

    async def prepare(self, origin: str, stream_ids: Sequence[bytes]) -> None:
        """Makes durable now what sealing the first events of new streams will need; `seal` does it too."""
        ...


class Opener(Protocol):
    """Opens stored bodies on every read."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """One result per (envelope, body), in order."""
        ...


def seal_in_order(drafts: Sequence[Draft], seal_one: SealOne) -> list[Sealed]:
    """Seals one draft after the other, each following the one before of its stream. Raises EnvelopeTooLarge."""
    heads: dict[bytes, bytes] = {}
    results: list[Sealed] = []
    for draft in drafts:
        stream_id = draft.envelope.stream_id
        before = heads.get(stream_id)
        placed = draft.envelope if before is None else replace(draft.envelope, prev_leaf=before)
        around, body = seal_one(placed, draft.plaintext)
        data = around.with_digest(sha256(body).digest())
        heads[stream_id] = leaf_hash(data)
        results.append(Sealed(data, body, heads[stream_id]))
    return results
