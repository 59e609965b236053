"""The envelope's bytes, which can never change again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.api.v1 import events_pb2
from ledger.trust.envelope import ENVELOPE_BYTES_MAX, FORMAT, Envelope, decode, encode, prev_leaf_of
from ledger.trust.fault import EnvelopeFault, EnvelopeTooLarge
from ledger.trust.leaf import leaf_hash

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
BYTE_FIELDS = ("stream_id", "actor", "key_id", "body_sha256", "commitment", "prev_leaf")
FIRST = bytes.fromhex(VECTORS[0]["envelope"])
SECOND = bytes.fromhex(VECTORS[1]["envelope"])

uint64 = st.integers(1, 2**64 - 1)


def octets(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    version = draw(uint64)
    sealed = draw(st.booleans())
    return Envelope(
        format=FORMAT,
        origin=draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)),
        stream_id=draw(octets(16)),
        stream_version=version,
        type=draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)),
        recorded_at=draw(uint64),
        actor=draw(octets(16) | st.just(b"")),
        key_id=draw(octets(16)) if sealed else b"",
        body_sha256=draw(octets(32)),
        commitment=draw(octets(32)) if sealed else b"",
        prev_leaf=draw(octets(32)) if version > 1 else b"",
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_golden_vector(vector: dict[str, Any]) -> None:
    """The committed bytes and leaf hashes are what this code writes and reads."""
    fields: dict[str, Any] = {
        key: bytes.fromhex(value) if key in BYTE_FIELDS else value for key, value in vector["fields"].items()
    }
    envelope = Envelope(**fields)
    data = bytes.fromhex(vector["envelope"])
    assert encode(envelope) == data
    assert decode(data) == envelope
    assert leaf_hash(data).hex() == vector["leaf_hash"]
    assert prev_leaf_of(data) == envelope.prev_leaf


@given(envelopes())
def test_protobuf_runtime_reads_and_writes_the_same(envelope: Envelope) -> None:
    """Any protobuf implementation of an outsider understands the envelope."""
    data = encode(envelope)
    message = events_pb2.Envelope()
    message.ParseFromString(data)
    for field in Envelope.__slots__:
        assert getattr(message, field) == getattr(envelope, field)
    assert message.SerializeToString(deterministic=True) == data


@given(envelopes())
def test_round_trip(envelope: Envelope) -> None:
    """What is written is read back, and its previous leaf is found without decoding."""
    data = encode(envelope)
    assert decode(data) == envelope
    assert prev_leaf_of(data) == envelope.prev_leaf


@given(st.binary(max_size=300) | st.sampled_from([SECOND[:cut] for cut in range(len(SECOND))]))
def test_other_bytes_are_refused_or_canonical(data: bytes) -> None:
    """Whatever decodes is exactly what the encoder writes: one envelope, one form."""
    try:
        envelope = decode(data)
    except EnvelopeFault:
        return
    assert encode(envelope) == data


@given(st.integers(0, len(SECOND) - 1), st.integers(1, 255))
def test_changed_byte_is_refused_or_another_envelope(at: int, flip: int) -> None:
    """No two byte strings stand for one envelope."""
    changed = SECOND[:at] + bytes([SECOND[at] ^ flip]) + SECOND[at + 1 :]
    try:
        assert decode(changed) != decode(SECOND)
    except EnvelopeFault:
        assert changed != SECOND


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"\x08\x00" + FIRST[2:], "default value", 0),
        (b"\x08\x81\x00" + FIRST[2:], "shortest form", 1),
        (FIRST[:2] + FIRST[:2] + FIRST[2:], "repeated or out of order", 2),
        (FIRST + b"\x60\x01", "unknown field", len(FIRST)),
        (FIRST[:-1], "longer than the data", len(FIRST) - 34),
        (FIRST + b"\x08", "repeated or out of order", len(FIRST)),
        (b"\x0a\x01\x01" + FIRST[2:], "wrong wire type", 0),
        (b"\x08\x02" + FIRST[2:], "format is not 1", len(FIRST)),
        (FIRST[2:], "format is not 1", len(FIRST) - 2),
        (SECOND[:-34], "prev_leaf", len(SECOND) - 34),
        (FIRST + SECOND[-34:], "prev_leaf", len(FIRST) + 34),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "above 64 bits", 1),
        (b"\x08" + b"\xff" * 10, "longer than 10 bytes", 1),
        (b"", "format is not 1", 0),
    ],
)
def test_fault_is_named_with_its_place(data: bytes, reason: str, offset: int) -> None:
    """A fault says what is wrong and where."""
    with pytest.raises(EnvelopeFault) as caught:
        decode(data)
    assert reason in caught.value.reason
    assert caught.value.offset == offset


def test_size_limit() -> None:
    """4096 bytes are an envelope, 4097 are not, written or read."""
    envelope = decode(FIRST)
    room = ENVELOPE_BYTES_MAX - len(FIRST) + len(envelope.origin) - 1
    largest = replace(envelope, origin="o" * room)
    assert len(encode(largest)) == ENVELOPE_BYTES_MAX
    with pytest.raises(EnvelopeTooLarge):
        encode(replace(envelope, origin="o" * (room + 1)))
    with pytest.raises(EnvelopeFault, match="more than 4096"):
        decode(encode(largest) + b"\x00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": 2},
        {"origin": ""},
        {"type": ""},
        {"stream_version": 0},
        {"recorded_at": 2**64},
        {"stream_id": b"short"},
        {"body_sha256": b""},
        {"actor": b"x"},
        {"key_id": b"x"},
        {"commitment": b"x"},
        {"prev_leaf": b"\x01" * 32},
    ],
)
def test_encoder_refuses_a_field_against_its_definition(wrong: dict[str, Any]) -> None:
    """Nothing that the decoder would refuse is ever written."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        encode(replace(decode(FIRST), **wrong))
