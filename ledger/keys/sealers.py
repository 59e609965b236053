"""Seals and opens with the keys of records: the adapters of the sealing ports that have keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ledger.keys.key_rows import StreamOf
from ledger.keys.key_store import Found, KeyStore
from ledger.trust.envelope import Envelope, decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import NONCE_BYTES, is_sealed, open_body, seal_body
from ledger.trust.sealing import (
    CannotSeal,
    Destroyed,
    Draft,
    Opening,
    Sealed,
    SealFault,
    SealFaultKind,
    seal_in_order,
)


class KeyedSealer:
    """A Sealer."""

    def __init__(self, keys: KeyStore, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keys = keys
        self._random = random

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """As Sealer says. Raises CannotSeal, EnvelopeTooLarge, KeysUnavailable, StoreUnavailable.

        Only a stream that begins gets a new key: a later event without one is a fault, and no second key hides it.
        """
        beginning = {_stream_of(each.envelope) for each in drafts if each.envelope.stream_version == 1}
        going_on = [each for each in map(_of_draft, drafts) if each not in beginning]
        keys = await self._keys.find_or_make(list(beginning)) if beginning else {}
        if going_on:
            keys |= await self._keys.find(going_on)

        def seal_one(envelope: Envelope, plaintext: bytes) -> tuple[Envelope, bytes]:
            key = keys[_stream_of(envelope)]
            if not isinstance(key, RecordKey):
                raise CannotSeal(envelope.stream_id, envelope.stream_version, key)
            return seal_body(key, self._random(NONCE_BYTES), envelope, plaintext)

        return seal_in_order(drafts, seal_one)


class KeyedOpener:
    """An Opener."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """As Opener says. Raises KeysUnavailable, StoreUnavailable."""
        envelopes = [_decoded(envelope) for envelope, _ in events]
        streams = [_stream_of(each) for each in envelopes if each is not None and is_sealed(each)]
        keys = await self._keys.find(streams) if streams else {}
        return [_opened(keys, envelope, body) for envelope, (_, body) in zip(envelopes, events, strict=True)]


def _opened(keys: dict[StreamOf, Found], envelope: Envelope | None, body: bytes) -> Opening:
    if envelope is None:
        return SealFault(SealFaultKind.ENVELOPE)
    if not is_sealed(envelope):
        return SealFault(SealFaultKind.CLEAR)
    match keys[_stream_of(envelope)]:
        case RecordKey() as key:
            return open_body(key, envelope, body)
        case Destroyed() | SealFault() as other:
            return other


def _decoded(envelope: bytes) -> Envelope | None:
    try:
        return decode(envelope)
    except EnvelopeFault:
        return None


def _of_draft(draft: Draft) -> StreamOf:
    return _stream_of(draft.envelope)


def _stream_of(envelope: Envelope) -> StreamOf:
    return envelope.origin, envelope.stream_id
