"""Sealed bodies where a test does not care for keys: one fixed key for every record, in the product's own form."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.trust.envelope import Envelope, Framed, decode
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import NONCE_BYTES, open_body, seal_body, sealed_envelope
from ledger.trust.sealing import Draft, Opened, Opening, Sealed, SealFault, seal_in_order
from ledger.views.event import ViewEvent, view_event

_KEY = RecordKey(b"a key for tests, not for records")


class FixedKey:
    """Sealer and opener of every record under one key."""

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """As Sealer says."""
        return seal_in_order(drafts, sealed_body)

    async def prepare(self, origin: str, stream_ids: Sequence[bytes]) -> None:
        """Nothing is needed."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """As Opener says."""
        return [opened_body(envelope, body) for envelope, body in events]


FIXED_KEY = FixedKey()


def sealed_body(envelope: Envelope, plaintext: bytes) -> tuple[Framed, bytes]:
    """The envelope's bytes with key id and commitment, and the body."""
    return seal_body(_KEY, os.urandom(NONCE_BYTES), envelope, plaintext)


def stored_under_fixed_key(place: Envelope, plaintext: bytes) -> Sealed:
    """One event as it is stored."""
    (stored,) = seal_in_order([Draft(place, plaintext)], sealed_body)
    return stored


def opened_body(envelope: bytes, body: bytes) -> Opening:
    """What was sealed, or what is wrong with it."""
    found = sealed_envelope(envelope)
    return found if isinstance(found, SealFault) else open_body(_KEY, found, body)


def plaintext_of(envelope: bytes, body: bytes) -> bytes:
    """What was sealed; AssertionError where it does not open."""
    opening = opened_body(envelope, body)
    assert isinstance(opening, Opened), opening
    return opening.plaintext


def opened_event(position: int, envelope: bytes, body: bytes) -> ViewEvent:
    """A stored event as a view gets it."""
    return replace(view_event(position, envelope, body), opening=opened_body(envelope, body))


async def disclosed(envelope: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Salt and plaintext, as `ledger.keys.disclosing` gives them."""
    place = decode(envelope)
    return _KEY.salt(place.stream_id, place.stream_version), plaintext_of(envelope, body)


async def open_ledger(settings: Settings) -> Ledger:
    """A ledger whose bodies are sealed under the fixed key."""
    return await Ledger.open(settings, FIXED_KEY, FIXED_KEY)
