"""What the list of a seal says, of which each side keeps a copy: every version that was sealed, no content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.api.v1.common_pb2 import PHASE_DESTROYED
from ledger.api.v1.keeping_values_pb2 import SEAL_MODE_ORIGINAL, EntryRef, Seal
from ledger.api.v1.records_pb2 import Record
from ledger.cli.printed_copy.copied_record import (
    CopiedEntry,
    CopyDestroyed,
    CopyFace,
    CopyNotPrinted,
    OtherHistory,
    head_lines,
    record_number,
)
from ledger.cli.printed_copy.entry_text import Line, attested_lines, said_time

MARK = "List of what was sealed, in two copies of the same words: one for each side"
AGAIN = "for its countersignature, its retraction, or whom it is about since"
_SIGNED = "For the hospital: ______________________    For the other side: ______________________"


class UnknownSeal(CopyNotPrinted):
    """No seal of that id stands on this record."""


@dataclass(frozen=True)
class SealList:
    """Everything that the pages show."""

    page_head: tuple[str, ...]
    notes: tuple[str, ...]
    entries: tuple[CopiedEntry, ...]


def standing_seal(now: Record, seal_id: str) -> Seal:
    """The seal of that id. Raises UnknownSeal, CopyDestroyed."""
    if now.phase == PHASE_DESTROYED:
        raise CopyDestroyed
    found = next((each for each in now.keeping.seals if each.seal_id == seal_id), None)
    if found is None:
        raise UnknownSeal
    return found


def seal_list(seal: Seal, then: Record, face: CopyFace) -> SealList:
    """What the list says, from the record as of the version that the seal reaches. Raises OtherHistory."""
    if then.version != seal.reaches:
        raise OtherHistory
    whose = (face.hospital, face.patient)
    return SealList(
        page_head=head_lines(whose, record_number(then), then.version, then.head_leaf.hex(), MARK),
        notes=tuple(_notes(seal, face)),
        entries=tuple(_listed(seal, then, face)),
    )


def _notes(seal: Seal, face: CopyFace) -> Iterator[str]:
    of = "the original" if seal.mode == SEAL_MODE_ORIGINAL else "a copy"
    whole = "of a record that was not finished" if seal.unfinished else "of a finished record"
    placed = said_time(seal.sealed_at, face.zone)
    yield f"Seal {seal.seal_id} of {of}, {whole}, placed {placed}: {len(seal.versions)} versions are listed."
    # The seal is extended by two persons, and the list printed anew: this one says that it is behind.
    if seal.came_since:
        yield f"{len(seal.came_since)} versions came or changed since, and are not listed until the seal is extended."
    for each in seal.second_persons:
        yield f"Beside the hospital's person stood {each.name} ({each.role})."
    yield f"All times are those of {face.zone.key}, with their distance from UTC."
    yield _SIGNED


def _listed(seal: Seal, then: Record, face: CopyFace) -> Iterator[CopiedEntry]:
    seen: Counter[tuple[str, int]] = Counter()
    for number, each in enumerate(seal.versions, 1):
        again = seen[each.entry_id, each.version] > 0
        seen[each.entry_id, each.version] += 1
        yield _version(number, each, then, face, again=again)


def _version(number: int, of: EntryRef, then: Record, face: CopyFace, *, again: bool) -> CopiedEntry:
    entry = next((each for each in then.entries if each.entry_id == of.entry_id), None)
    found = next((each for each in entry.versions if each.version == of.version), None) if entry else None
    if found is None:
        raise OtherHistory
    where = f"entry {of.entry_id}, brought by version {found.record_version} of the record"
    listed_again = [Line("Listed again", AGAIN)] if again else []
    title = f"{number}. {found.content.title or found.content.template}"
    return CopiedEntry(title, (*attested_lines(found, face.zone), Line("Where", where), *listed_again))
