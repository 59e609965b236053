"""Which records were destroyed after a backup was taken, by the log that lives on: their keys must not come back.

The type of an event stands in its envelope in the clear, so this needs no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from ledger.backup.manifest import Ledger
from ledger.keys.erasing import RECORD_DESTROYED
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.proven_entries import proven_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.lineage import first_of
from ledger.trust.tile import TILE_WIDTH, new_bundles


@dataclass(frozen=True, slots=True)
class LaterDestruction:
    """A record whose key goes before anybody is served."""

    origin: str
    """Under which its key is kept."""
    stream_id: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What the log says of the positions that a backup lacks."""

    destroyed: tuple[LaterDestruction, ...]
    unread: tuple[str, ...]
    """Its damaged or missing files, in which more may be."""


def later_destructions(files: LogFiles, ledger: Ledger) -> Looked:
    """Those between the backup's end and the newest head of the log. LogDamaged, BlobError."""
    heads = [parse_checkpoint(note.text) for note in (files.signed(), files.published()) if note]
    found, unread = list[LaterDestruction](), list[str]()
    if not heads:
        return Looked((), ())
    head = max(heads, key=lambda each: each.size)
    for index in sorted({bundle.index for bundle in new_bundles(0, head.size)}):
        if (index + 1) * TILE_WIDTH <= ledger.head_position:
            continue
        try:
            found += _destroyed_in(files, index, head, ledger)
        except LogDamaged as damage:
            unread.append(f"{damage.name}: {damage.what}")
    return Looked(tuple(found), tuple(unread))


def _destroyed_in(files: LogFiles, index: int, head: Checkpoint, ledger: Ledger) -> Iterator[LaterDestruction]:
    for position, entry in enumerate(proven_entries(files, index, head), index * TILE_WIDTH + 1):
        try:
            envelope = decode(entry)
        except EnvelopeFault:
            raise LogDamaged(f"position {position}", "no envelope") from None
        if envelope.type == RECORD_DESTROYED and position > ledger.head_position:
            yield LaterDestruction(first_of(envelope.origin), UUID(bytes=envelope.stream_id), position)
