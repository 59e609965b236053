"""The heads that somebody was shown beyond what a log still has, as they lie among its files: none is lost unnoticed.

`seen/<size>` holds each, `heads/<size>` fences its size, `seen/sizes` names it. Where head and name are taken away
together the fence still says it, up to the position of which somebody knew (`known`), and next above the newest head
without that too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.log.log_files import HEADS, SEEN, SEEN_SIZES, LogDamaged, LogFiles, head_path, seen_path
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import FormatFault, TileFault
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.tile import edge_tiles
from ledger.trust.tile_hashes import root_of_edge

_SIZES_A_FOLDER = 1000
_FOLDERS_MAX = 1000
"""So far above the newest head fences are looked for: a witness may claim any number, and it becomes `known`."""


def note_seen(files: LogFiles, head: Checkpoint) -> None:
    """Keeps a head of which the log has not the leaves any more, and fences its size. BlobDiffers, LogDamaged."""
    files.fence(head)
    # Before its name: a kill in between leaves a head that its fence vouches for, and no name without a head.
    files.write({seen_path(head.size): head.text().encode()})
    _name(files, {*_named_sizes(files), head.size})


def read_seen(files: LogFiles) -> list[Checkpoint]:
    """What was kept so, however far the log has come since, each as its fence says. LogDamaged, BlobError.

    One without a name was broken off, or is of a release that kept no names.
    """
    named = _named_sizes(files)
    found = {path: _size_of(path) for path in files.paths(SEEN) if path != SEEN_SIZES}
    for path in map(seen_path, named):
        if path not in found:
            raise LogDamaged(path, f"missing, though {SEEN_SIZES} names it")
    heads = [_head(files, size) for size in sorted(found.values())]
    _require_fenced(files, {head.size for head in heads})
    return heads


def named_seen(files: LogFiles) -> list[Checkpoint]:
    """The same, and each has its name afterwards: for who writes the log. LogDamaged, BlobError."""
    heads = read_seen(files)
    _name(files, {head.size for head in heads})
    return heads


def _name(files: LogFiles, sizes: set[int]) -> None:
    if sizes != set(_named_sizes(files)):
        files.put(SEEN_SIZES, "".join(f"{size}\n" for size in sorted(sizes)).encode())


def _named_sizes(files: LogFiles) -> list[int]:
    data = files.read(SEEN_SIZES)
    if data is None:
        return []
    text = data.decode("ascii", "replace")
    sizes = [size for line in text.splitlines() if (size := from_decimal(line)) is not None]
    if not sizes or text != "".join(f"{size}\n" for size in sorted(set(sizes))):
        raise LogDamaged(SEEN_SIZES, "not sizes in ascending order")
    return sizes


def _size_of(path: str) -> int:
    size = from_decimal(path.removeprefix(f"{SEEN}/"))
    if size is None:
        raise LogDamaged(path, "not the name of a head")
    return size


def _head(files: LogFiles, size: int) -> Checkpoint:
    """What a fence lets nobody sign otherwise, nobody may have seen otherwise either."""
    path, fence = seen_path(size), head_path(size)
    data = files.read(path) or b""
    if data != files.read(fence):
        raise LogDamaged(path, f"not what {fence} says")
    head = _parsed(path, data)
    if head.size != size:
        raise LogDamaged(path, f"the head of size {head.size}")
    return head


def _require_fenced(files: LogFiles, kept: set[int]) -> None:
    """Every fence beyond the newest head is of a head that is kept, or of one that this log was about to sign."""
    notes = [note for note in (files.signed(), files.published()) if note]
    newest = max((parse_checkpoint(note.text).size for note in notes), default=0)
    for path in _fences(files, newest, files.known()):
        if _fenced_size(path) <= newest:
            continue
        head = _parsed(path, files.read(path) or b"")
        if head.size not in kept and not _was_begun(files, head):
            raise LogDamaged(seen_path(head.size), f"missing, though {path} fences a head that is not in the log")


def _fences(files: LogFiles, newest: int, known: int) -> Iterator[str]:
    """Those above one size and up to another, and some beside them; by folders, since a log has no end of them.

    Those next above the newest head in any case: where `known` is taken away with what was seen, these are left.
    """
    upto = max(known, newest + _SIZES_A_FOLDER)
    first = (newest + 1) // _SIZES_A_FOLDER
    folders = range(first, min(upto // _SIZES_A_FOLDER + 1, first + _FOLDERS_MAX))
    for number in folders:
        # Those below the first thousand lie beside the folders: of so small a log there is little more.
        yield from files.paths(_folder(number) if number else HEADS)
    if upto // _SIZES_A_FOLDER not in folders and files.read(head_path(known)) is not None:
        yield head_path(known)


def _folder(number: int) -> str:
    return head_path(number * _SIZES_A_FOLDER).rpartition("/")[0]


def _fenced_size(path: str) -> int:
    digits = path.removeprefix(f"{HEADS}/").replace("/", "").replace("x", "").lstrip("0")
    size = from_decimal(digits or "0")
    if size is None or head_path(size) != path:
        raise LogDamaged(path, "not the name of a head")
    return size


def _was_begun(files: LogFiles, head: Checkpoint) -> bool:
    """Whether a kill between fence and signature explains it: the tiles are written before the fence."""
    try:
        tiles = {tile: files.tile(tile)[: tile.width * HASH_BYTES] for tile in edge_tiles(head.size)}
        return root_of_edge(head.size, tiles) == head.root
    except (LogDamaged, TileFault):
        return False


def _parsed(path: str, data: bytes) -> Checkpoint:
    try:
        return parse_checkpoint(data.decode("utf-8", "replace"))
    except FormatFault as fault:
        raise LogDamaged(path, "; ".join(fault.faults)) from None
