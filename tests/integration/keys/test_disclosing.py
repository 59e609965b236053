"""What is disclosed to everybody: published maps, and nothing of any patient."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from ledger.keys.disclosing import CannotDisclose, Disclosing
from ledger.trust.envelope import FORMAT, Envelope, decode, encode
from ledger.trust.record_key import RecordKey
from ledger.trust.record_map import MAP_PUBLISHED
from ledger.trust.sealed_body import NONCE_BYTES, seal_body
from ledger.trust.sealing import Draft, Sealed, seal_in_order
from tests.integration.keys.conftest import KeyGround, stream


async def sealed(ground: KeyGround, type_: str) -> Sealed:
    """One event of a type, sealed under its stream's key."""
    origin, stream_id = stream(1)
    key = (await ground.store().find_or_make([stream(1)]))[stream(1)]
    assert isinstance(key, RecordKey)
    place = Envelope(
        format=FORMAT, origin=origin, stream_id=stream_id, stream_version=1, type=type_, recorded_at=1, actor=b"",
        key_id=b"", body_sha256=bytes(32), commitment=b"", prev_leaf=b"",
    )  # fmt: skip
    (stored,) = seal_in_order(
        [Draft(place, b"said")], lambda at, text: seal_body(key, os.urandom(NONCE_BYTES), at, text)
    )
    return stored


async def test_only_published_maps_are_disclosed(ground: KeyGround) -> None:
    """A map comes with its salt. An entry of a record does not, neither as it is nor under an envelope that lies."""
    disclosing = Disclosing(ground.store())
    map_event = await sealed(ground, MAP_PUBLISHED)
    _, plaintext = await disclosing.disclose(map_event.envelope, map_event.body)
    assert plaintext == b"said"
    entry = await sealed(ground, "ledger.v1.EntryRecorded")
    place = decode(entry.envelope)
    lying = encode(replace(place, type=MAP_PUBLISHED))
    for envelope in (entry.envelope, lying):
        with pytest.raises(CannotDisclose):
            await disclosing.disclose(envelope, entry.body)
