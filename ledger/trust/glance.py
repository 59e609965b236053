"""What a chain needs of an envelope, read at the speed of a whole ledger: as strict as `decode`, and much faster.

A pattern takes the envelopes that nearly all are; any other goes through `decode`, which alone says what is wrong.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ledger.trust.envelope import ENVELOPE_BYTES_MAX, decode
from ledger.trust.varint import read_varint

# What follows format and origin. Types without the digit 0 only: 0 is the tag of the field that follows, so a longer
# match could not be told apart. Times of eight bytes: 1987 to 4253. Everything else is rare enough for the slow way.
_USUAL = re.compile(
    rb"\x1a\x10(.{16})\x20([\x80-\xff]{0,8}[\x01-\x7f])\x2a([\x01-\x7f][A-Za-z.1-9]+)\x30([\x80-\xff]{7}[\x01-\x7f])"
    rb"(?:\x3a\x10.{16})?(?:\x4a\x20(.{32})|\x42\x10.{16}\x4a\x20(.{32})\x52\x20.{32})(?:\x5a\x20(.{32}))?",
    re.DOTALL,
)
_ORIGIN_AT = 4
_KNOWN_MAX = 1000
_origins: dict[bytes, str] = {}
"""The bytes of format and origin that envelopes began with, as `decode` has accepted them."""
_types: dict[bytes, str] = {}
"""Length and bytes of the types seen."""


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
    head = data[: _ORIGIN_AT + data[_ORIGIN_AT - 1]] if len(data) > _ORIGIN_AT else b""
    origin = _origins.get(head)
    found = _USUAL.fullmatch(data, len(head)) if origin is not None and len(data) <= ENVELOPE_BYTES_MAX else None
    if origin is not None and found is not None:
        stream_id, version, type_, time, clear, sealed, prev_leaf = found.groups()
        name = _types.get(type_) or _type_of(type_)
        if name and (version == b"\x01") == (prev_leaf is None):
            number = version[0] if len(version) == 1 else read_varint(version, 0)[0]
            return Glance(origin, stream_id, number, name, _eight_bytes(time), clear or sealed, prev_leaf or b"")
    return _decoded(data, head)


def _decoded(data: bytes, head: bytes) -> Glance:
    envelope = decode(data)
    if data[_ORIGIN_AT - 1] < 0x80 and len(_origins) < _KNOWN_MAX:  # a length of one byte: the head is all of the two
        _origins[head] = envelope.origin
    return Glance(
        envelope.origin, envelope.stream_id, envelope.stream_version, envelope.type, envelope.recorded_at,
        envelope.body_sha256, envelope.prev_leaf,
    )  # fmt: skip


def _type_of(field: bytes) -> str:
    """The type behind its length; empty where the length is another."""
    if field[0] != len(field) - 1:
        return ""
    name = field[1:].decode()
    if len(_types) < _KNOWN_MAX:
        _types[field] = name
    return name


def _eight_bytes(varint: bytes) -> int:
    """A varint of eight bytes, without a loop."""
    a, b, c, d, e, f, g, h = varint
    return (
        a & 127 | (b & 127) << 7 | (c & 127) << 14 | (d & 127) << 21
        | (e & 127) << 28 | (f & 127) << 35 | (g & 127) << 42 | h << 49
    )  # fmt: skip
