"""Envelopes, and what a chain needs of them, read at the speed of a whole ledger: as strict as `decode`, much faster.

A pattern takes the envelopes that nearly all are; any other goes through `decode`, which alone says what is wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ledger.trust.envelope import ENVELOPE_BYTES_MAX, FORMAT, Envelope, decode
from ledger.trust.varint import read_varint

# What follows format and origin. Types without the digit 0 only: 0 is the tag of the field that follows, so a longer
# match could not be told apart. Times of eight bytes: 1987 to 4253. Everything else is rare enough for the slow way.
_PLACE = (
    rb"\x1a\x10(.{16})\x20([\x80-\xff]{0,8}[\x01-\x7f])\x2a([\x01-\x7f][A-Za-z.1-9]+)\x30([\x80-\xff]{7}[\x01-\x7f])"
)
USUAL_FIELDS = (
    _PLACE + rb"(?:\x3a\x10.{16})?(?:\x42\x10.{16}\x4a\x20(.{32})\x52\x20.{32}|\x4a\x20(.{32}))(?:\x5a\x20(.{32}))?"
)
"""Pattern of what lies behind an envelope's head, where it has the usual form: stream id, version, type with its
length, time, body digest sealed or in the clear, `prev_leaf`. With a type that is known it is no longer than it may
be."""
_USUAL = re.compile(USUAL_FIELDS, re.DOTALL)
_WHOLE = re.compile(
    _PLACE
    + rb"(?:\x3a\x10(.{16}))?(?:\x4a\x20(.{32})|\x42\x10(.{16})\x4a\x20(.{32})\x52\x20(.{32}))(?:\x5a\x20(.{32}))?",
    re.DOTALL,
)
_HIGH_BITS = sum(0x80 << 7 * at for at in range(7))  # of the first seven bytes of a varint of eight
_ORIGIN_AT = 4
_LONG = 0x80  # a varint that begins so goes on
_KNOWN_MAX = 1000
_origins: dict[bytes, str] = {}
"""The bytes of format and origin that envelopes began with, as `decode` has accepted them."""


class Glance(NamedTuple):
    """An envelope as far as chains and columns need it."""

    origin: str
    stream_id: bytes
    version: int
    type: str
    recorded_at: int
    body_sha256: bytes
    prev_leaf: bytes


def glance(data: bytes) -> Glance:
    """The fields of well-formed envelope bytes; EnvelopeFault for others, UnknownFormat for a later format."""
    head = head_of(data)
    origin = _origins.get(head)
    found = _USUAL.fullmatch(data, len(head)) if origin is not None and len(data) <= ENVELOPE_BYTES_MAX else None
    if origin is not None and found is not None:
        stream_id, version, type_, time, sealed, clear, prev_leaf = found.groups()
        name = type_of(type_)
        if name and (version == b"\x01") == (prev_leaf is None):
            number = version[0] if len(version) == 1 else read_varint(version, 0)[0]
            return Glance(origin, stream_id, number, name, eight_bytes(time), sealed or clear, prev_leaf or b"")
    return _decoded(data, head)


def whole(data: bytes) -> Envelope:
    """As `decode`."""
    head = head_of(data)
    origin = _origins.get(head)
    found = _WHOLE.fullmatch(data, len(head)) if origin is not None and len(data) <= ENVELOPE_BYTES_MAX else None
    if origin is not None and found is not None:
        stream_id, version, type_, time, actor, clear, key_id, sealed, commitment, prev_leaf = found.groups(b"")
        name = type_of(type_)
        if name and (version == b"\x01") == (not prev_leaf):
            number = version[0] if len(version) == 1 else read_varint(version, 0)[0]
            return Envelope(
                FORMAT, origin, stream_id, number, name, eight_bytes(time), actor, key_id, clear or sealed, commitment,
                prev_leaf,
            )  # fmt: skip
    return _known_from_now(data, head)


def head_of(data: bytes) -> bytes:
    """Format and origin of well-formed envelope bytes; empty where the origin is longer than 127 bytes."""
    if len(data) <= _ORIGIN_AT or data[_ORIGIN_AT - 1] >= _LONG:
        return b""
    return data[: _ORIGIN_AT + data[_ORIGIN_AT - 1]]


def origin_at_head(data: bytes) -> str | None:
    """The origin of bytes that begin as an envelope which was read before; None for any other."""
    return _origins.get(head_of(data))


def _known_from_now(data: bytes, head: bytes) -> Envelope:
    envelope = decode(data)
    if head and len(_origins) < _KNOWN_MAX:
        _origins[head] = envelope.origin
    return envelope


def _decoded(data: bytes, head: bytes) -> Glance:
    envelope = _known_from_now(data, head)
    return Glance(
        envelope.origin, envelope.stream_id, envelope.stream_version, envelope.type, envelope.recorded_at,
        envelope.body_sha256, envelope.prev_leaf,
    )  # fmt: skip


@lru_cache(_KNOWN_MAX)
def type_of(field: bytes) -> str:
    """The type behind its length; empty where the length is another."""
    return field[1:].decode() if field[0] == len(field) - 1 else ""


def eight_bytes(varint: bytes) -> int:
    """A varint of eight bytes, without a loop."""
    a, b, c, d, e, f, g, h = varint
    return a + (b << 7) + (c << 14) + (d << 21) + (e << 28) + (f << 35) + (g << 42) + (h << 49) - _HIGH_BITS
