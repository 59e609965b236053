"""Which records were destroyed after a backup was taken, by the log that lives on: their keys must not come back.

The type of an event stands in its envelope in the clear, so this needs no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from ledger.backup.manifest import Ledger
from ledger.keys.erasing import RECORD_DESTROYED
from ledger.keys.upheld import DESTRUCTIONS_UPHELD
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
class Unseen:
    """Positions in which a record may have been destroyed, of which nothing is left to say so."""

    hospital: str
    origin: str
    """Of the ledger's present log."""
    first: int
    upto: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What the log says of the positions that a backup lacks."""

    destroyed: tuple[LaterDestruction, ...]
    unseen: Unseen | None
    """From the first to the last position of which it says nothing, and that the keys do not reach."""


def later_destructions(files: LogFiles, ledger: Ledger, erased_up_to: int) -> Looked:
    """Those between the backup's end and the last position that is known. LogDamaged, BlobError.

    `erased_up_to`: the position up to which every destruction is applied to the keys that are put back.
    """
    heads = [parse_checkpoint(note.text) for note in (files.signed(), files.published()) if note]
    head = max(heads, key=lambda each: each.size, default=None)
    found, dark = list[LaterDestruction](), list[range]()
    for index in sorted({bundle.index for bundle in new_bundles(0, head.size)}) if head else ():
        if (index + 1) * TILE_WIDTH <= ledger.head_position:
            continue
        try:
            for each in _said_in(files, index, head, ledger) if head else ():
                if isinstance(each, range):
                    dark.append(each)
                else:
                    found.append(each)
        except LogDamaged:
            dark.append(range(index * TILE_WIDTH + 1, min((index + 1) * TILE_WIDTH, head.size if head else 0) + 1))
    # Of what a witness or a topic knew beyond the log no entry is here to be looked at.
    dark.append(range((head.size if head else 0) + 1, files.known() + 1))
    return Looked(tuple(found), _unseen(ledger, dark, max(erased_up_to, ledger.head_position)))


def _unseen(ledger: Ledger, dark: list[range], seen_to: int) -> Unseen | None:
    left = [range(max(each.start, seen_to + 1), each.stop) for each in dark]
    left = sorted((each for each in left if each), key=lambda each: each.start)
    if not left:
        return None
    return Unseen(ledger.hospital, ledger.origin, left[0].start, left[-1].stop - 1)


def _said_in(files: LogFiles, index: int, head: Checkpoint, ledger: Ledger) -> Iterator[LaterDestruction | range]:
    """Also the place of a list of upheld destructions: which records are on it, its sealed body alone says."""
    for position, entry in enumerate(proven_entries(files, index, head), index * TILE_WIDTH + 1):
        try:
            envelope = decode(entry)
        except EnvelopeFault:
            raise LogDamaged(f"position {position}", "no envelope") from None
        if envelope.type == DESTRUCTIONS_UPHELD and position > ledger.head_position:
            yield range(position, position + 1)
        if envelope.type == RECORD_DESTROYED and position > ledger.head_position:
            yield LaterDestruction(first_of(envelope.origin), UUID(bytes=envelope.stream_id), position)
