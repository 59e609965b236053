"""Who is meant by a newborn's id: one that was registered twice is led to the right one, in every question.

Entries keep the id that somebody signed; nobody writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.keeping_state import Hold, Seal
from ledger.domain.state import Entry, RecordState


def _led(record: RecordState, subject_id: UUID | None) -> Iterator[UUID]:
    """The id, and each one that it is led to in turn."""
    # It ends: one is led to another only while that stands, so that no two are led to each other.
    while subject_id is not None:
        yield subject_id
        found = record.newborns.get(subject_id)
        subject_id = found.same_as_id if found else None


def subject_meant(record: RecordState, subject_id: UUID | None) -> UUID | None:
    """The subject that the id means by now; None = the patient. An id that nobody has means itself."""
    meant = None
    for meant in _led(record, subject_id):  # noqa: B007 - the last one is asked for
        pass
    return meant


def is_subject(record: RecordState, subject_id: UUID | None) -> bool:
    """Whether an entry may be about it: the patient, or a newborn who stands or is led to one who does."""
    meant = subject_meant(record, subject_id)
    found = record.newborns.get(meant) if meant is not None else None
    return meant is None or (found is not None and not found.withdrawn)


def subject_of(record: RecordState, entry: Entry) -> UUID | None:
    """Whom the entry is about by now; None = the patient."""
    return subject_meant(record, entry.last.content.subject_id)


def entries_about(record: RecordState, subject_id: UUID) -> Iterator[Entry]:
    """The entries that stand, drafts too, about a newborn or about one that is led over it."""
    for entry in record.entries.values():
        if not entry.retracted and subject_id in _led(record, entry.last.content.subject_id):
            yield entry


def listed_about(record: RecordState, overlay: Hold | Seal, subject_id: UUID) -> bool:
    """Whether a hold or seal lists an entry about the newborn, retracted or not, or about one that is led over it."""
    listed = {each.entry_id for each in overlay.versions}
    return any(
        subject_id in _led(record, version.content.subject_id)
        for entry_id in listed
        for version in record.entries[entry_id].versions
    )


def persons_born(record: RecordState, facts: Facts, but: UUID | None = None) -> set[UUID]:
    """The persons who newborns of the record are, of those that stand, but the one of this subject id."""
    born = (each for each in record.newborns.values() if not each.withdrawn and each.subject_id != but)
    return {facts.person(each.patient_id) for each in born if each.patient_id is not None}
