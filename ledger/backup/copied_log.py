"""Copies one log from store to store, whole under its newest head, while it may grow on.

Tiles are not copied but made again from the entries, and must lead to the root of that head; bodies must have the
digests that the entries name. So what is copied is the log, or LogDamaged says where it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from hashlib import sha256

from ledger.blobs.contract import Blobs
from ledger.log.key_register import PERIODS_MAX, key_register, line_path
from ledger.log.log_files import ENDED, HALTING_ROLES, KNOWN, SUCCEEDED, LogDamaged, LogFiles
from ledger.log.proven_entries import matching_bodies, proven_entries
from ledger.log.record_maps import RecordMaps
from ledger.log.seen_files import note_seen, read_seen
from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import TileFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import HASH_BYTES, Node, perfect_root
from ledger.trust.note import Note
from ledger.trust.pack_making import map_folder
from ledger.trust.tile import (
    TILE_HEIGHT,
    TILE_WIDTH,
    BundleId,
    TileId,
    edge_tiles,
    new_bundles,
    new_tiles,
    tiles_of,
)
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes, decode_hash_tile, root_of_edge

_log = logging.getLogger(__name__)
_BATCH_BYTES = 16 << 20
_MAPS = "map/published"


def copy_log(source: Blobs, target: Blobs, folder: str) -> Checkpoint | None:
    """Copies the log of a folder; the newest head, None where nothing was signed. LogDamaged, BlobError.

    Of the texts of heads those of the copied ones go along, and what was seen beyond them: a log grows, smaller sizes
    are never signed again.
    """
    files, copied = LogFiles(source, folder), LogFiles(target, folder)
    kept, shown = files.signed(), files.published()
    heads = sorted((parse_checkpoint(note.text) for note in (kept, shown) if note), key=lambda head: head.size)
    if not heads:
        return None
    _copy_tree(files, copied, heads[-1])
    for head in heads:
        _copy_edge(files, copied, head.size)
        copied.fence(head)
    _copy_maps(source, target, folder)
    for role in HALTING_ROLES:
        if reason := files.halted_by(role):
            copied.halt(role, reason)
    _copy_ends(files, copied)
    _copy_register(files, copied)
    _copy_notes(copied, kept, shown)
    return heads[-1]


def copy_remains(source: Blobs, target: Blobs, folder: str) -> list[str]:
    """Copies of a log whose bundles are damaged or gone what is left under its newest head, for a repair; what is not.

    Its hash tiles must be there: by them each bundle that is left shows that it was signed. LogDamaged, BlobError.
    """
    files, copied = LogFiles(source, folder), LogFiles(target, folder)
    # Before anything that looks like a log: what comes back without its end would grow on.
    _copy_ends(files, copied)
    kept, shown = files.signed(), files.published()
    heads = sorted((parse_checkpoint(note.text) for note in (kept, shown) if note), key=lambda head: head.size)
    if not heads:
        return []
    head = heads[-1]
    missing = [said for tile in new_tiles(0, head.size) if (said := _copy_tile(files, copied, tile, head))]
    missing += [said for bundle in new_bundles(0, head.size) if (said := _copy_bundle(files, copied, bundle, head))]
    for each in heads:
        copied.write({tile.path: files.tile(tile)[: tile.width * HASH_BYTES] for tile in edge_tiles(each.size)})
        copied.fence(each)
    _copy_register(files, copied)
    _copy_notes(copied, kept, shown)
    return missing


def _copy_tile(files: LogFiles, copied: LogFiles, tile: TileId, head: Checkpoint) -> str:
    """What is wrong with a full tile; empty where it was copied. LogDamaged for one of the edge: the root needs it."""
    edge = edge_tiles(head.size)
    above = Node((tile.level + 1) * TILE_HEIGHT, tile.index)
    try:
        data = files.tile(tile)[: tile.width * HASH_BYTES]
        if tile in edge:
            holds = root_of_edge(head.size, files.tiles(edge)) == head.root
        else:
            hashes = decode_hash_tile(tile, data)
            holds = perfect_root(hashes) == TileHashes(head.size, files.tiles(tiles_of([above], head.size))).node(above)
    except TileFault:
        holds, data = False, b""
    except LogDamaged as damage:
        if tile in edge:
            raise
        return f"{damage.name}: {damage.what}"
    if tile in edge and not holds:
        raise LogDamaged("tile", f"the tiles of size {head.size} do not have the root that was signed")
    if holds:
        copied.write({tile.path: data})
    return "" if holds else f"{tile.path}: not the hashes that were signed"


def _copy_bundle(files: LogFiles, copied: LogFiles, bundle: BundleId, head: Checkpoint) -> str:
    """What is wrong with a bundle; empty where it was copied."""
    try:
        entries = proven_entries(files, bundle.index, head)
        bodies = matching_bodies(files, bundle.index, head.size, entries)
    except LogDamaged as damage:
        return f"{damage.name}: {damage.what}"
    copied.write({bundle.entries_path: encode_entries(entries), bundle.bodies_path: encode_bodies(bodies)})
    return ""


def copy_end(source: Blobs, target: Blobs, folder: str) -> bool:
    """Copies of a log that ended what says so: the note of its end and its last heads, by which its successor is found
    and nothing more is signed under its origin. False where it has not ended there. BlobError.
    """
    files, copied = LogFiles(source, folder), LogFiles(target, folder)
    if files.read(ENDED) is None:
        return False
    _copy_ends(files, copied)
    _copy_register(files, copied)
    _copy_notes(copied, files.signed(), files.published())
    return True


def _copy_ends(files: LogFiles, copied: LogFiles) -> None:
    copied.write({path: data for path in (SUCCEEDED, ENDED) if (data := files.read(path)) is not None})
    if files.read(KNOWN) is not None:
        copied.note_known(files.known())
    for head in read_seen(files):
        note_seen(copied, head)


def _copy_register(files: LogFiles, copied: LogFiles) -> None:
    """Byte for byte: it proves nothing of the log, so a torn line is named and keeps nobody from a copy."""
    for number in range(1, PERIODS_MAX + 1):
        if (line := files.read(line_path(number))) is None:
            break
        copied.write({line_path(number): line})
    try:
        key_register(files)
    except LogDamaged as damage:
        _log.error("a line of a key register is damaged; copied as it is", extra={"reason": str(damage)})


def _copy_notes(copied: LogFiles, kept: Note | None, shown: Note | None) -> None:
    """Last: a log without its notes is none."""
    if shown is not None:
        copied.publish(shown)
    if kept is not None:
        copied.keep_signed(kept)


def _copy_tree(files: LogFiles, copied: LogFiles, head: Checkpoint) -> None:
    growth, written, size = TileGrowth(), dict[str, bytes](), 0
    for bundle in new_bundles(0, head.size):
        entries, bodies = files.entries(bundle), files.bodies(bundle)
        _check_bodies(bundle, entries, bodies)
        written[bundle.entries_path] = encode_entries(entries)
        written[bundle.bodies_path] = encode_bodies(bodies)
        written |= {tile.id.path: tile.data for tile in growth.extend(map(leaf_hash, entries))}
        size += len(written[bundle.entries_path]) + len(written[bundle.bodies_path])
        if size > _BATCH_BYTES:
            copied.write(written)
            written, size = {}, 0
    copied.write(written | {tile.id.path: tile.data for tile in growth.edge()})
    if growth.root() != head.root:
        raise LogDamaged("tile/entries", f"the entries do not lead to the root of size {head.size}")


def _check_bodies(bundle: BundleId, entries: Sequence[bytes], bodies: Sequence[bytes]) -> None:
    for position, (entry, body) in enumerate(zip(entries, bodies, strict=True), bundle.first_leaf + 1):
        try:
            digest = decode(entry).body_sha256
        except EnvelopeFault:
            raise LogDamaged(bundle.entries_path, f"position {position} is no envelope") from None
        if digest != sha256(body).digest():
            raise LogDamaged(bundle.bodies_path, f"position {position} has not the digest of its envelope")


def _copy_edge(files: LogFiles, copied: LogFiles, size: int) -> None:
    """The partial files of a head, for those who read under it."""
    copied.write({tile.path: files.tile(tile)[: tile.width * HASH_BYTES] for tile in edge_tiles(size)})
    if width := size % TILE_WIDTH:
        bundle = BundleId(size // TILE_WIDTH, width)
        bodies = encode_bodies(files.bodies(bundle))
        copied.write({bundle.entries_path: encode_entries(files.entries(bundle)), bundle.bodies_path: bodies})


def _copy_maps(source: Blobs, target: Blobs, folder: str) -> None:
    """The record maps that are kept; one that is dropped meanwhile is left out, a newer one was published then."""
    whole: list[str] = []
    for each in RecordMaps(source, folder).published():
        names = source.names(f"{folder}/{map_folder(each.size).rstrip('/')}")
        found = {name: data for name in names if (data := source.get(name)) is not None}
        if names and len(found) == len(names):
            target.put_if_absent(found)
            whole.append(f"{each.size} {each.position}\n")
    if whole:
        target.put(f"{folder}/{_MAPS}", "".join(whole).encode())
