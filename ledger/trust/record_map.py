"""The record map: where every record stands at a size of the ledger's tree, in one order, so that a gap is seen.

A row is a record with its version and the leaf hash of its last event. Rows lie in 65,536 buckets by the digest of the
record's id, in ascending order of id: whoever sees a whole bucket sees that a record stands in it once, and where.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from ledger.trust.envelope import decode
from ledger.trust.format_fault import BucketFull, MapFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import HASH_BYTES

MAP_VERSION = 1
MAP_PUBLISHED = "ledger.v1.MapPublished"
"""Events of this type are in no map: a map cannot name the event that publishes it."""
BUCKETS = 1 << 16
ROWS_MAX = 1000
"""Rows of one bucket; about 40 million records fill no bucket, since they spread evenly."""
ROW_BYTES = 56
BUCKET_BYTES_MAX = ROWS_MAX * ROW_BYTES

_ID_BYTES = 16
_VERSION_BYTES = 8
_VERSION_END = _ID_BYTES + _VERSION_BYTES


@dataclass(frozen=True, slots=True)
class MapRow:
    """Where one record stands."""

    record_id: bytes
    """16 bytes: the stream's id."""
    version: int
    """Of its last event, from 1."""
    head_leaf: bytes
    """Leaf hash of that event, 32 bytes."""

    def encode(self) -> bytes:
        """56 bytes: id, version as uint64 big-endian, leaf hash."""
        return self.record_id + self.version.to_bytes(_VERSION_BYTES, "big") + self.head_leaf


def bucket_of(record_id: bytes) -> int:
    """The first 16 bits of SHA-256(record id)."""
    return int.from_bytes(sha256(record_id).digest()[:2], "big")


def encode_bucket(rows: Iterable[MapRow]) -> bytes:
    """The bytes of a bucket, whatever the order given; BucketFull above 1,000 rows. An empty bucket is empty."""
    ordered = sorted(rows, key=lambda row: row.record_id)
    if len(ordered) > ROWS_MAX:
        raise BucketFull(f"{len(ordered)} rows in one bucket, at most {ROWS_MAX}")
    return b"".join(row.encode() for row in ordered)


def decode_bucket(number: int, data: bytes) -> list[MapRow]:
    """The rows of a bucket; MapFault where they are torn, not in strictly ascending order or of another bucket."""
    if len(data) % ROW_BYTES or len(data) > BUCKET_BYTES_MAX:
        raise MapFault(f"{len(data)} bytes are not 0 to {ROWS_MAX} rows")
    rows = [_row_of(data[at : at + ROW_BYTES]) for at in range(0, len(data), ROW_BYTES)]
    if any(before.record_id >= row.record_id for before, row in pairwise(rows)):
        raise MapFault("the rows are not in strictly ascending order: a record may stand there twice")
    if any(row.version == 0 or bucket_of(row.record_id) != number for row in rows):
        raise MapFault("a row without a version, or of another bucket")
    return rows


def with_rows(number: int, data: bytes, rows: Iterable[MapRow]) -> bytes:
    """A bucket with these rows put in, each in the place of the one of its record."""
    held = {row.record_id: row for row in decode_bucket(number, data)}
    held.update((row.record_id, row) for row in rows)
    return encode_bucket(held.values())


def without_rows(number: int, data: bytes, record_ids: Iterable[bytes]) -> bytes:
    """A bucket without the rows of these records; one that has none is not missed."""
    gone = set(record_ids)
    return encode_bucket(row for row in decode_bucket(number, data) if row.record_id not in gone)


def heads_before(envelopes: Iterable[bytes]) -> dict[bytes, MapRow | None]:
    """Where the records of these events stood before them, by record id; None for one that was not there yet.

    The events in order of position; each names the one before it of its record. EnvelopeFault as `heads_of`.
    """
    before: dict[bytes, MapRow | None] = {}
    for data in envelopes:
        envelope = decode(data)
        record_id, version = envelope.stream_id, envelope.stream_version - 1
        if envelope.type != MAP_PUBLISHED and record_id not in before:
            before[record_id] = MapRow(record_id, version, envelope.prev_leaf) if version else None
    return before


def heads_of(envelopes: Iterable[bytes]) -> dict[bytes, MapRow]:
    """Where the records of these events stand after them, by record id; the events in order of position.

    EnvelopeFault where one is not well formed.
    """
    heads: dict[bytes, MapRow] = {}
    for data in envelopes:
        envelope = decode(data)
        if envelope.type != MAP_PUBLISHED:
            heads[envelope.stream_id] = MapRow(envelope.stream_id, envelope.stream_version, leaf_hash(data))
    return heads


def _row_of(data: bytes) -> MapRow:
    version = int.from_bytes(data[_ID_BYTES:_VERSION_END], "big")
    return MapRow(data[:_ID_BYTES], version, data[_VERSION_END : _VERSION_END + HASH_BYTES])
