"""Whom an entry is about: the patient of the record, or a newborn of it, by whom its id means by now.

Entries keep the id that somebody signed; nobody writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.domain.state import Entry, RecordState


def led(record: RecordState, subject_id: UUID | None) -> Iterator[UUID]:
    """The id, and each one that it is led to in turn."""
    # It ends: one is led to another only while that stands, so that no two are led to each other.
    while subject_id is not None:
        yield subject_id
        found = record.newborns.get(subject_id)
        subject_id = found.same_as_id if found else None


def subject_meant(record: RecordState, subject_id: UUID | None) -> UUID | None:
    """The subject that the id means by now; None = the patient. An id that nobody has means itself."""
    meant: UUID | None = None
    for meant in led(record, subject_id):  # noqa: B007 - the last one is asked for
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


def about(record: RecordState, subject_id: UUID | None = None) -> Iterator[Entry]:
    """The entries about one subject alone, in their order, drafts and retracted ones too; None = the patient.

    What is owed of one is asked of these: a newborn's note says nothing of the mother, nor the other way round.
    """
    return (each for each in record.entries.values() if subject_of(record, each) == subject_id)
