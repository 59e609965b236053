"""What a MapPublished event says, read from its body strictly: the courts' verifiers know no protobuf."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import MapFault
from ledger.trust.merkle import HASH_BYTES, TREE_SIZE_MAX
from ledger.trust.record_map import MAP_VERSION
from ledger.trust.varint import read_varint

_META, _SIZE, _ROWS, _ROOT, _VERSION = b"\x0a", b"\x10", b"\x18", b"\x22\x20", b"\x28"


@dataclass(frozen=True, slots=True)
class MapStatement:
    """A published map."""

    size: int
    """N: the map says where every record stands after position N."""
    rows: int
    """Records in it."""
    root: bytes
    """Of the tree over its buckets, 32 bytes."""


def read_map_published(body: bytes) -> MapStatement:
    """The statement in a body in the clear; MapFault for any other bytes than the fields in order, each once.

    Field 1 (about the event) is passed over. A map of another version is a MapFault too: its rows mean something else.
    """
    try:
        meta_bytes, at = _field(body, 0, _META)
        size, at = _field(body, at + meta_bytes, _SIZE)
        rows, at = _optional(body, at, _ROWS)
        root, at = _root_at(body, at)
        version, at = _field(body, at, _VERSION)
    except EnvelopeFault as fault:
        raise MapFault(fault.reason) from None
    if at != len(body) or not 1 <= size <= TREE_SIZE_MAX or rows > size:
        raise MapFault("fields that a published map has not")
    if version != MAP_VERSION:
        raise MapFault(f"map version {version}; only {MAP_VERSION} is understood")
    return MapStatement(size, rows, root)


def _field(body: bytes, at: int, tag: bytes) -> tuple[int, int]:
    """The number after a tag, and the offset after it."""
    if not body.startswith(tag, at):
        raise MapFault("a field is missing or out of order")
    value, after = read_varint(body, at + len(tag))
    if value == 0:
        raise MapFault("a default value, which must be absent")
    return value, after


def _optional(body: bytes, at: int, tag: bytes) -> tuple[int, int]:
    return _field(body, at, tag) if body.startswith(tag, at) else (0, at)


def _root_at(body: bytes, at: int) -> tuple[bytes, int]:
    begin = at + len(_ROOT)
    root = body[begin : begin + HASH_BYTES]
    if not body.startswith(_ROOT, at) or len(root) != HASH_BYTES:
        raise MapFault("the root is not 32 bytes")
    return root, begin + HASH_BYTES
