"""What a record says about a newborn, under its own id and under each that is led to it, and who its newborns are."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.keeping_state import Hold, Seal
from ledger.domain.state import Entry, RecordState
from ledger.domain.subjects import led


def entries_about(record: RecordState, subject_id: UUID) -> Iterator[Entry]:
    """The entries that stand, drafts too, about a newborn or about one that is led over it."""
    for entry in record.entries.values():
        if not entry.retracted and subject_id in led(record, entry.last.content.subject_id):
            yield entry


def listed_about(record: RecordState, overlay: Hold | Seal, subject_id: UUID) -> bool:
    """Whether a hold or seal lists an entry about the newborn, retracted or not, or about one that is led over it."""
    listed = {each.entry_id for each in overlay.versions}
    return any(
        subject_id in led(record, version.content.subject_id)
        for entry_id in listed
        for version in record.entries[entry_id].versions
    )


def persons_born(record: RecordState, facts: Facts, but: UUID | None = None) -> set[UUID]:
    """The persons who newborns of the record are, of those that stand, but the one of this subject id."""
    born = (each for each in record.newborns.values() if not each.withdrawn and each.subject_id != but)
    return {facts.person(each.patient_id) for each in born if each.patient_id is not None}
