"""The sealed form of a body: its bytes can never change again, and whatever is altered is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from ledger.trust.envelope import ENVELOPE_BYTES_MAX, Envelope, associated_data, decode, encode
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import (
    PLAINTEXT_BYTES_MAX,
    SEALED_BYTES_MAX,
    open_body,
    seal_body,
    size_class,
)
from ledger.trust.sealing import Draft, Opened, SealFault, SealFaultKind, seal_in_order
from tests.unit.trust.make_vectors import DATA_KEY, NONCE, envelopes

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("sealed_vectors.json").read_text(encoding="utf-8"))
PLACE = envelopes()["second of the stream"]
KEY = RecordKey(DATA_KEY)
TEXT = b"Stable overnight."


def sealed(plaintext: bytes = TEXT, place: Envelope = PLACE) -> tuple[Envelope, bytes]:
    """A body as it is stored, with its envelope read back from the stored bytes."""
    around, body = seal_body(KEY, NONCE, place, plaintext)
    return decode(around.with_digest(sha256(body).digest())), body


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_golden_vector(vector: dict[str, Any]) -> None:
    """The committed bytes are what this code writes and reads."""
    raw = {name: bytes.fromhex(value) for name, value in vector.items() if name != "name"}
    envelope = decode(raw["envelope"])
    key = RecordKey(raw["data_key"])
    assert open_body(key, envelope, raw["body"]) == Opened(raw["plaintext"])
    place = replace(envelope, key_id=b"", commitment=b"", body_sha256=b"")
    again, body = seal_body(key, raw["nonce"], place, raw["plaintext"])
    assert (body, again.with_digest(sha256(body).digest())) == (raw["body"], raw["envelope"])
    assert key.salt(envelope.stream_id, envelope.stream_version) == raw["salt"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_document_alone_opens_it(vector: dict[str, Any]) -> None:
    """Who has only the formats' description and a library of ciphers finds key id, salt, commitment and text."""
    raw = {name: bytes.fromhex(value) for name, value in vector.items() if name != "name"}
    envelope = decode(raw["envelope"])

    def derived(info: bytes) -> bytes:
        return HKDF(SHA256(), 32, None, info).derive(raw["data_key"])

    assert envelope.key_id == derived(b"id")[:16]
    salt = derived(envelope.stream_id + envelope.stream_version.to_bytes(8, "big"))
    assert salt == raw["salt"]
    at = raw["envelope"].index(b"\x4a\x20" + envelope.body_sha256)
    without_digest = raw["envelope"][:at] + raw["envelope"][at + 34 :]
    content = AESGCM(raw["data_key"]).decrypt(raw["body"][1:13], raw["body"][13:], without_digest)
    length = int.from_bytes(content[:4], "big")
    assert content[4 : 4 + length] == raw["plaintext"]


@given(st.binary(max_size=2000), st.binary(min_size=32, max_size=32), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_opens(plaintext: bytes, data_key: bytes, nonce: bytes) -> None:
    """Any text under any key and nonce comes back, and its length is told by its class alone."""
    key = RecordKey(data_key)
    around, body = seal_body(key, nonce, PLACE, plaintext)
    assert open_body(key, decode(around.with_digest(sha256(body).digest())), body) == Opened(plaintext)
    assert len(body) == size_class(len(plaintext) + 4) + 29


def test_every_bit_counts() -> None:
    """A flipped bit anywhere in the body is found."""
    envelope, body = sealed()
    for at in range(len(body)):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        found = open_body(KEY, envelope, changed)
        assert found == SealFault(SealFaultKind.FORMAT if at == 0 else SealFaultKind.TAG)


CHANGES: list[tuple[str, Callable[[Envelope], Envelope], SealFaultKind]] = [
    ("origin", lambda it: replace(it, origin="ledger.example/south/1"), SealFaultKind.TAG),
    ("stream", lambda it: replace(it, stream_id=b"\x0c" * 16), SealFaultKind.TAG),
    ("version", lambda it: replace(it, stream_version=3), SealFaultKind.TAG),
    ("type", lambda it: replace(it, type="ledger.v1.CareEnded"), SealFaultKind.TAG),
    ("time", lambda it: replace(it, recorded_at=it.recorded_at + 1), SealFaultKind.TAG),
    ("actor", lambda it: replace(it, actor=b""), SealFaultKind.TAG),
    ("commitment", lambda it: replace(it, commitment=b"\x01" * 32), SealFaultKind.TAG),
    ("predecessor", lambda it: replace(it, prev_leaf=b"\x01" * 32), SealFaultKind.TAG),
    ("key id", lambda it: replace(it, key_id=b"\x01" * 16), SealFaultKind.KEY_ID),
    ("clear", lambda it: replace(it, key_id=b"", commitment=b""), SealFaultKind.CLEAR),
    ("digest", lambda it: replace(it, body_sha256=bytes(32)), SealFaultKind.DIGEST),
]


@pytest.mark.parametrize(("name", "change", "kind"), CHANGES, ids=[name for name, _, _ in CHANGES])
def test_a_body_opens_at_its_own_place_only(
    name: str, change: Callable[[Envelope], Envelope], kind: SealFaultKind
) -> None:
    """Every field of the envelope is bound to the body."""
    del name
    envelope, body = sealed()
    assert open_body(KEY, change(envelope), body) == SealFault(kind)


def test_another_key_is_told_by_its_id() -> None:
    """Keys that were exchanged are named as that, before anything is deciphered."""
    envelope, body = sealed()
    assert open_body(RecordKey(bytes(32)), envelope, body) == SealFault(SealFaultKind.KEY_ID)


@pytest.mark.parametrize("content", [b"\x00\x00\x00\x02ab" + bytes(249) + b"\x01", bytes(3), b"\xff" * 256, bytes(512)])
def test_other_padding_is_a_fault(content: bytes) -> None:
    """What is well enciphered but padded otherwise was not written by this form."""
    commitment = KEY.commitment(PLACE.stream_id, PLACE.stream_version, b"ab")
    envelope = replace(PLACE, key_id=KEY.key_id, commitment=commitment, body_sha256=b"")
    body = b"\x01" + NONCE + KEY.cipher.encrypt(NONCE, content, associated_data(envelope))
    expected = SealFaultKind.LENGTH if len(content) < 256 else SealFaultKind.PADDING
    assert open_body(KEY, envelope, body) == SealFault(expected)


def test_a_commitment_to_another_text_is_a_fault() -> None:
    """The key's owner cannot commit to one text and seal another."""
    commitment = KEY.commitment(PLACE.stream_id, PLACE.stream_version, b"another text")
    envelope = replace(PLACE, key_id=KEY.key_id, commitment=commitment, body_sha256=b"")
    content = len(TEXT).to_bytes(4, "big") + TEXT + bytes(252 - len(TEXT))
    body = b"\x01" + NONCE + KEY.cipher.encrypt(NONCE, content, associated_data(envelope))
    assert open_body(KEY, envelope, body) == SealFault(SealFaultKind.COMMITMENT)


def test_size_classes() -> None:
    """Classes only grow, at most a quarter is padding, and 46 of them hold every body there may be."""
    sizes = range(4, PLAINTEXT_BYTES_MAX + 5, 1)
    classes = [size_class(size) for size in sizes]
    assert classes == sorted(classes)
    assert all(size <= found <= max(256, size * 1.25) for size, found in zip(sizes, classes, strict=True))
    assert len(set(classes)) == 46
    assert classes[-1] + 29 == SEALED_BYTES_MAX


def test_the_largest_body_fits_and_a_larger_one_is_refused() -> None:
    """512 KiB can be sealed and opened; one byte more cannot."""
    text = bytes(PLAINTEXT_BYTES_MAX)
    envelope, body = sealed(text)
    assert (open_body(KEY, envelope, body), len(body)) == (Opened(text), SEALED_BYTES_MAX)
    with pytest.raises(ValueError, match="512 KiB"):
        seal_body(KEY, NONCE, PLACE, text + b"!")


def test_an_envelope_stays_small() -> None:
    """Key id and commitment take 52 bytes; an origin of a hundred characters leaves more than 3 KiB to spare."""
    envelope, _ = sealed(place=replace(PLACE, origin=f"{'o' * 100}/{'h' * 31}/1"))
    assert len(encode(envelope)) < ENVELOPE_BYTES_MAX - 3000


def test_the_events_of_a_command_are_bound_to_each_other() -> None:
    """Each event is sealed after the one before it, whose leaf is in its associated data."""
    drafts = [Draft(replace(PLACE, stream_version=version, body_sha256=b""), TEXT) for version in (2, 3)]
    nonces = iter([bytes(12), NONCE])
    first, second = seal_in_order(drafts, lambda at, text: seal_body(KEY, next(nonces), at, text))
    opened = decode(second.envelope)
    assert opened.prev_leaf == first.leaf
    assert open_body(KEY, opened, second.body) == Opened(TEXT)
    assert open_body(KEY, replace(opened, prev_leaf=PLACE.prev_leaf), second.body) == SealFault(SealFaultKind.TAG)


def test_a_key_does_not_show_itself() -> None:
    """Logs and tracebacks that print a key tell nothing of it."""
    assert DATA_KEY.hex() not in repr(KEY)
    assert repr(DATA_KEY) not in repr(KEY)
