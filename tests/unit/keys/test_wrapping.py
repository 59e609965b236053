"""A wrapped key opens for its own record and generation only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.keys.wrapping import KeyPlace, Wrapped, unwrap, wrap

KEK, NONCE, DATA_KEY = bytes(range(32)), bytes(range(12)), bytes(range(100, 132))
PLACE = KeyPlace("ledger.example/north/1", bytes(range(16)), b"\xaa" * 16)
WRAPPED = wrap(KEK, 3, NONCE, PLACE, DATA_KEY)
GOLDEN = (
    "01000102030405060708090a0b"
    "2367b07cad8ca870e12cf9e4c1980a1ef7a3f14388022507441a9bfa9de88231245e015fc6144f380d0db8d73a39e184"
)


def test_golden_bytes() -> None:
    """What this code wrote once it must unwrap for ever."""
    assert Wrapped(3, bytes.fromhex(GOLDEN)) == WRAPPED
    assert unwrap(KEK, PLACE, Wrapped(3, bytes.fromhex(GOLDEN))) == DATA_KEY


@pytest.mark.parametrize(
    ("place", "generation"),
    [
        (replace(PLACE, origin="ledger.example/south/1"), 3),
        (replace(PLACE, stream_id=bytes(16)), 3),
        (replace(PLACE, key_id=bytes(16)), 3),
        (PLACE, 4),
    ],
    ids=["origin", "record", "key id", "generation"],
)
def test_an_exchanged_row_does_not_unwrap(place: KeyPlace, generation: int) -> None:
    """Two rows swapped, or a row of another generation, are found."""
    assert unwrap(KEK, place, replace(WRAPPED, generation=generation)) is None


def test_an_altered_or_cut_row_does_not_unwrap() -> None:
    """Every byte counts, and so does another key-encryption key."""
    for at in range(len(WRAPPED.data)):
        changed = WRAPPED.data[:at] + bytes([WRAPPED.data[at] ^ 1]) + WRAPPED.data[at + 1 :]
        assert unwrap(KEK, PLACE, Wrapped(3, changed)) is None
    assert unwrap(KEK, PLACE, Wrapped(3, WRAPPED.data[:-1])) is None
    assert unwrap(bytes(32), PLACE, WRAPPED) is None
