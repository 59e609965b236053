"""Bundles of up to 256 stored items in order: entries as tlog-tiles defines them, bodies in a form of our own.

Entries are the leaf bytes (envelopes), each behind its length as uint16 big-endian; bodies lie beside them in the same
grouping, each behind its length as uint32 big-endian. An entry is checked by its leaf hash, a body by the digest in
its envelope.

A bundle is nothing but its items one after the other: the wider one of the same index begins with the bytes of the
narrower, so a log that grows appends `encode_entries(new)` to what it has stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.trust.envelope import ENVELOPE_BYTES_MAX
from ledger.trust.format_fault import BundleFault
from ledger.trust.tile import TILE_WIDTH, BundleId

ENTRY_BYTES_MAX = ENVELOPE_BYTES_MAX
STORED_BODY_BYTES_MAX = 1 << 20
"""More than the 512 KiB that a body in the clear may have, for padding and tag."""

_ENTRY_LENGTH_BYTES = 2
_BODY_LENGTH_BYTES = 4


def encode_entries(entries: Sequence[bytes], *, entry_bytes_max: int = ENTRY_BYTES_MAX) -> bytes:
    """The bundle of 1 to 256 leaves; BundleFault for another number or a leaf above the limit.

    `entry_bytes_max` is raised (to 65,535) by who keeps other leaves than envelopes: the record map.
    """
    return _encode(entries, _ENTRY_LENGTH_BYTES, entry_bytes_max)


def decode_entries(bundle: BundleId, data: bytes, *, entry_bytes_max: int = ENTRY_BYTES_MAX) -> list[bytes]:
    """The leaves of a bundle, exactly as many as its width; BundleFault for any other bytes.

    `entry_bytes_max` is raised (to 65,535) by who reads other people's logs.
    """
    return _decode(bundle, data, _ENTRY_LENGTH_BYTES, entry_bytes_max)


def encode_bodies(bodies: Sequence[bytes]) -> bytes:
    """The bundle of 1 to 256 bodies as stored; BundleFault for another number or a body above 1 MiB."""
    return _encode(bodies, _BODY_LENGTH_BYTES, STORED_BODY_BYTES_MAX)


def decode_bodies(bundle: BundleId, data: bytes) -> list[bytes]:
    """The bodies of a bundle, exactly as many as its width; BundleFault for any other bytes."""
    return _decode(bundle, data, _BODY_LENGTH_BYTES, STORED_BODY_BYTES_MAX)


def _encode(items: Sequence[bytes], length_bytes: int, item_bytes_max: int) -> bytes:
    if not 1 <= len(items) <= TILE_WIDTH:
        raise BundleFault("not 1 to 256 items")
    sizes = list(map(len, items))
    if max(sizes) > item_bytes_max:
        raise BundleFault(f"an item of more than {item_bytes_max} bytes")
    parts: list[bytes] = []
    for size, item in zip(sizes, items, strict=True):
        parts += (size.to_bytes(length_bytes, "big"), item)
    return b"".join(parts)


def _decode(bundle: BundleId, data: bytes, length_bytes: int, item_bytes_max: int) -> list[bytes]:
    items: list[bytes] = []
    at = 0
    for number in range(bundle.width):
        begin = at + length_bytes
        size = int.from_bytes(data[at:begin], "big")
        at = begin + size
        if size > item_bytes_max:
            raise BundleFault(f"item {number} is of more than {item_bytes_max} bytes")
        if at > len(data):
            raise BundleFault(f"cut short at item {number} of {bundle.width}")
        items.append(data[begin:at])
    if at != len(data):
        raise BundleFault(f"bytes after item {bundle.width - 1}")
    return items
