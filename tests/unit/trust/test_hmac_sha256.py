"""Our HMAC is everybody's."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.trust.hmac_sha256 import KEY_BYTES_MAX, KeyedHash, hmac_sha256

RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
]


@pytest.mark.parametrize(("key", "message", "expected"), RFC_4231)
def test_the_vectors_of_the_standard(key: bytes, message: bytes, expected: str) -> None:
    """RFC 4231's answers come out, at once and under a key that is kept."""
    assert hmac_sha256(key, message).hex() == expected
    assert KeyedHash(key).of(message).hex() == expected


@given(st.binary(max_size=KEY_BYTES_MAX), st.lists(st.binary(max_size=300), max_size=3))
def test_as_the_library(key: bytes, messages: list[bytes]) -> None:
    """Any key and message give what Python's own HMAC gives, and no message leaves anything for the next."""
    kept = KeyedHash(key)
    expected = [hmac.digest(key, each, "sha256") for each in messages]
    assert [hmac_sha256(key, each) for each in messages] == expected
    assert [kept.of(each) for each in messages] == expected


def test_a_key_that_would_be_hashed_first() -> None:
    """A key of more than one block is refused, not taken for another."""
    with pytest.raises(ValueError, match="64 bytes"):
        hmac_sha256(b"k" * (KEY_BYTES_MAX + 1), b"")
    with pytest.raises(ValueError, match="64 bytes"):
        KeyedHash(b"k" * (KEY_BYTES_MAX + 1))
