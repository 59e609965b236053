"""The fast way of reading an envelope takes what the strict one takes, and says the same of it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.envelope import FORMAT, Envelope, decode, encode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import Glance, glance, whole

_id, _digest = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
_envelopes = st.builds(
    Envelope,
    format=st.just(FORMAT),
    origin=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.just("ledger.example/north/1"),
    stream_id=_id,
    stream_version=st.integers(1, 300) | st.integers(1, 2**64 - 1),
    type=st.text("0A.ledgrv1é", min_size=1, max_size=140) | st.just("ledger.v1.EntryRecorded"),
    recorded_at=st.integers(2**49, 2**52) | st.integers(1, 2**64 - 1),
    actor=st.just(b"") | _id,
    key_id=st.just(b""),
    body_sha256=_digest,
    commitment=st.just(b""),
    prev_leaf=_digest,
).map(lambda each: replace(each, prev_leaf=b"") if each.stream_version == 1 else each)
_sealed = st.tuples(_envelopes, _id, _digest).map(lambda each: replace(each[0], key_id=each[1], commitment=each[2]))


def as_decoded(data: bytes) -> Glance | None:
    try:
        envelope = decode(data)
    except EnvelopeFault:
        return None
    return Glance(
        envelope.origin, envelope.stream_id, envelope.stream_version, envelope.type, envelope.recorded_at,
        envelope.body_sha256, envelope.prev_leaf,
    )  # fmt: skip


def as_glanced(data: bytes) -> Glance | None:
    try:
        return glance(data)
    except EnvelopeFault:
        return None


def strictly(data: bytes) -> Envelope | None:
    try:
        return decode(data)
    except EnvelopeFault:
        return None


def as_whole(data: bytes) -> Envelope | None:
    try:
        return whole(data)
    except EnvelopeFault:
        return None


@settings(deadline=None, max_examples=300)
@given(_envelopes | _sealed, st.integers(0), st.integers(0, 7), st.integers(0, 3))
def test_the_fast_way_agrees_with_the_strict_one(envelope: Envelope, at: int, bit: int, what: int) -> None:
    """On every envelope, and on one with a bit flipped, a byte less or a byte more."""
    data = encode(envelope)
    place = at % len(data)
    match what:
        case 0:
            pass
        case 1:
            data = data[:place] + bytes((data[place] ^ 1 << bit,)) + data[place + 1 :]
        case 2:
            data = data[:place] + data[place + 1 :]
        case _:
            data = data[:place] + bytes((bit,)) + data[place:]
    assert as_glanced(data) == as_decoded(data)
    assert as_whole(data) == strictly(data)
