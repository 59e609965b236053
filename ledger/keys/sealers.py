"""Seals and opens with the keys of records: the adapters of the sealing ports that have keys."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence

from ledger.keys.held_back import HeldBack
from ledger.keys.key_rows import StreamOf
from ledger.keys.key_store import Found, KeyStore
from ledger.keys.purge_rows import PurgeRows
from ledger.trust.envelope import Envelope, Framed
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import first_of
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import NONCE_BYTES, has_digest, open_body, seal_body, sealed_envelope
from ledger.trust.sealing import (
    CannotSeal,
    Destroyed,
    Draft,
    Opened,
    Opening,
    Sealed,
    SealFault,
    SealFaultKind,
    seal_in_order,
)

_RECORD_DESTROYED = "ledger.v1.RecordDestroyed"
EventPlace = tuple[str, bytes, int]
"""Origin, stream id and version of an event."""
LeavesOf = Callable[[Sequence[EventPlace]], Awaitable[dict[EventPlace, bytes]]]
"""The leaf hashes that the ledger holds of events; those that it does not hold are left out."""


class KeyedSealer:
    """A Sealer."""

    def __init__(self, keys: KeyStore, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keys = keys
        self._random = random

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """As Sealer says. Raises CannotSeal, EnvelopeTooLarge, KeysUnavailable, StoreUnavailable.

        Only a stream that begins gets a new key: a later event without one is a fault, and no second key hides it.
        """
        streams = [_stream_of(each.envelope) for each in drafts]
        beginning = [each for each, draft in zip(streams, drafts, strict=True) if draft.envelope.stream_version == 1]
        keys = await self._keys.find_or_make(beginning) if beginning else {}
        if going_on := [each for each in streams if each not in keys]:
            keys |= await self._keys.find(going_on)

        def seal_one(envelope: Envelope, plaintext: bytes) -> tuple[Framed, bytes]:
            key = keys[_stream_of(envelope)]
            if not isinstance(key, RecordKey):
                raise CannotSeal(envelope.stream_id, envelope.stream_version, key)
            return seal_body(key, self._random(NONCE_BYTES), envelope, plaintext)

        return seal_in_order(drafts, seal_one)

    async def prepare(self, origin: str, stream_ids: Sequence[bytes]) -> None:
        """As Sealer says. Raises KeysUnavailable, StoreUnavailable."""
        await self._keys.find_or_make([(first_of(origin), each) for each in stream_ids])


class KeyedOpener:
    """An Opener. Of a destroyed record it opens the RecordDestroyed itself, which the purge register keeps."""

    def __init__(
        self, keys: KeyStore, purges: PurgeRows, leaves_of: LeavesOf, held_back: HeldBack | None = None
    ) -> None:
        """Without `held_back` it opens whatever is: for who checks alone, and shows nobody what an event says."""
        self._held_back = held_back
        self._keys = keys
        self._purges = purges
        self._leaves_of = leaves_of

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """As Opener says. Raises KeysUnavailable, KeysHeldBack, StoreUnavailable."""
        envelopes = [sealed_envelope(envelope) for envelope, _ in events]
        streams = [_stream_of(each) for each in envelopes if isinstance(each, Envelope)]
        if self._held_back is not None:
            await self._held_back.refuse({origin for origin, _ in streams})
        keys = await self._keys.find(streams) if streams else {}
        openings = [_opened(keys, envelope, body) for envelope, (_, body) in zip(envelopes, events, strict=True)]
        openings = await self._only_stored(events, envelopes, openings)
        return await self._with_statements(envelopes, openings)

    async def _only_stored(
        self, events: Sequence[tuple[bytes, bytes]], envelopes: list[Envelope | SealFault], openings: list[Opening]
    ) -> list[Opening]:
        """No key tells any more whether an event of a destroyed record is the one that was sealed; the ledger does."""
        gone = {
            index: each
            for index, each in enumerate(envelopes)
            if isinstance(each, Envelope) and openings[index] == Destroyed()
        }
        if not gone:
            return openings
        stored = await self._leaves_of([(each.origin, each.stream_id, each.stream_version) for each in gone.values()])
        checked = list(openings)
        for index, envelope in gone.items():
            envelope_bytes, body = events[index]
            place = envelope.origin, envelope.stream_id, envelope.stream_version
            if stored.get(place) != leaf_hash(envelope_bytes):
                checked[index] = SealFault(SealFaultKind.NOT_STORED)
            elif not has_digest(envelope, body):
                checked[index] = SealFault(SealFaultKind.DIGEST)
        return checked

    async def _with_statements(self, envelopes: list[Envelope | SealFault], openings: list[Opening]) -> list[Opening]:
        asked = {
            index: each
            for index, each in enumerate(envelopes)
            if isinstance(each, Envelope) and each.type == _RECORD_DESTROYED and openings[index] == Destroyed()
        }
        if not asked:
            return openings
        kept = await self._purges.statements([_stream_of(each) for each in asked.values()])
        for index, envelope in asked.items():
            statement = kept.get(_stream_of(envelope))
            if statement is not None and statement.proven_by(envelope):
                openings[index] = Opened(statement.plaintext)
        return openings


def _opened(keys: dict[StreamOf, Found], envelope: Envelope | SealFault, body: bytes) -> Opening:
    if isinstance(envelope, SealFault):
        return envelope
    key = keys[_stream_of(envelope)]
    return open_body(key, envelope, body) if isinstance(key, RecordKey) else key


def _stream_of(envelope: Envelope) -> StreamOf:
    # A key is its record's, whichever log of the ledger an event of the record is in.
    return first_of(envelope.origin), envelope.stream_id
