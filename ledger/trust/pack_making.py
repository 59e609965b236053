"""Puts a record's proof pack together from its events and a log's tiles. What comes out is checked like any other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.log_tiles import LogTiles, ReadFile
from ledger.trust.map_tree import buckets_in
from ledger.trust.note import Note
from ledger.trust.proof_pack import LeafPlace, PackEvent, ProofPack
from ledger.trust.record_map import BUCKETS, bucket_of, decode_bucket
from ledger.trust.tile import TILE_WIDTH, BundleId


class RecordNotMapped(FormatFault):
    """No published map knows this record yet:"""


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event with its index in the log's tree."""

    index: int
    event: PackEvent


@dataclass(frozen=True, slots=True)
class PublishedMap:
    """A map with the event that published it."""

    published: PlacedEvent
    read: ReadFile
    """Reads the map's own files: its tiles, and its buckets as bundles of entries."""
    audit: Note | None = None
    """What a monitor said about it, where one did."""


def map_folder(size: int) -> str:
    """Where the files of the map of this size lie among those of the log."""
    return f"map/{size}/"


def make_pack(
    record_id: bytes, events: Sequence[PlacedEvent], published: PublishedMap, checkpoint: Note, read: ReadFile
) -> ProofPack:
    """The pack of a record whose events are given from version 1 on.

    Events beyond the checkpoint are left out. RecordNotMapped where the map has no row of the record; FileMissing,
    TileFault, MapFault and BundleFault for broken files.
    """
    tiles = LogTiles(read, parse_checkpoint(checkpoint.text).size)
    number = bucket_of(record_id)
    bucket = _bucket(published.read, number)
    row = next((each for each in decode_bucket(number, bucket) if each.record_id == record_id), None)
    held = [each for each in events if each.index < tiles.size]
    if row is None or row.version > len(held):
        raise RecordNotMapped(f"record {record_id.hex()}")
    places = [LeafPlace(each.index, tiles.inclusion(each.index)) for each in held[row.version - 1 :]]
    return ProofPack(
        record_id=record_id,
        events=tuple(each.event for each in held),
        head=places[0],
        later=tuple(places[1:]),
        map_event=published.published.event,
        map_place=LeafPlace(published.published.index, tiles.inclusion(published.published.index)),
        bucket=bucket,
        bucket_hashes=LogTiles(published.read, BUCKETS).inclusion(number),
        audit=published.audit,
        checkpoint=checkpoint,
    )


def _bucket(read: ReadFile, number: int) -> bytes:
    bundle = BundleId(number // TILE_WIDTH)
    return buckets_in(bundle, read(bundle.entries_path)).get(number, b"")
