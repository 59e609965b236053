"""Copies one log from store to store, whole under its newest head, while it may grow on.

Tiles are not copied but made again from the entries, and must lead to the root of that head; bodies must have the
digests that the entries name. So what is copied is the log, or LogDamaged says where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.blobs.contract import Blobs
from ledger.log.log_files import ENDED, HALTING_ROLES, SUCCEEDED, LogDamaged, LogFiles
from ledger.log.record_maps import RecordMaps
from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.note import Note
from ledger.trust.pack_making import map_folder
from ledger.trust.tile import TILE_WIDTH, BundleId, edge_tiles, new_bundles
from ledger.trust.tile_growth import TileGrowth

_BATCH_BYTES = 16 << 20
_MAPS = "map/published"


def copy_log(source: Blobs, target: Blobs, folder: str) -> Checkpoint | None:
    """Copies the log of a folder; the newest head, None where nothing was signed. LogDamaged, BlobError.

    Of the texts of heads only those of the copied ones go along: a log grows, smaller sizes are never signed again.
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
    copied.write({path: data for path in (SUCCEEDED, ENDED) if (data := files.read(path)) is not None})
    _copy_notes(copied, kept, shown)
    return heads[-1]


def copy_end(source: Blobs, target: Blobs, folder: str) -> bool:
    """Copies of a log that ended what says so: the note of its end and its last heads, by which its successor is found
    and nothing more is signed under its origin. False where it has not ended there. BlobError.
    """
    files, copied = LogFiles(source, folder), LogFiles(target, folder)
    if (ended := files.read(ENDED)) is None:
        return False
    before = files.read(SUCCEEDED)
    copied.write({ENDED: ended} | ({SUCCEEDED: before} if before is not None else {}))
    _copy_notes(copied, files.signed(), files.published())
    return True


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
    copied.write({tile.path: files.tile(tile)[: tile.width * 32] for tile in edge_tiles(size)})
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
