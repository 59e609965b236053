"""What a printed copy says: the entries in its scope as the record held them when it was issued.

A copy is printed from the record as of the version that it shows, and the record as it stands now: what was retracted
since is left out, and the copy says so.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from ledger.api.v1.common_pb2 import ENTRY_STATE_RETRACTED, PHASE_DESTROYED, VisitType
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.keeping_values_pb2 import EntryRef
from ledger.api.v1.records_pb2 import Entry, IssuedCopy, Record
from ledger.cli.printed_copy.copied_text import copied_lines
from ledger.cli.printed_copy.corrected_times import CorrectedTimes
from ledger.cli.printed_copy.entry_text import Line, attested_lines, content_lines, said_time
from ledger.cli.printed_copy.late_corrections import LateCorrections

NAME_CHARACTERS_MAX = 200
"""Characters of a name that the head of a page shows."""
_STATEMENT = "Statement of the patient"
ACCEPTED = "none that is final; that it is missing was accepted as a deficiency"


class CopyNotPrinted(Exception):
    """The copy cannot be printed."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class UnknownCopy(CopyNotPrinted):
    """No copy of that id was issued from this record."""


class CopyDestroyed(CopyNotPrinted):
    """The record was destroyed; copies of it are not printed any more."""


class OtherHistory(CopyNotPrinted):
    """The record's head at the version of the copy is not the one that the copy names."""


@dataclass(frozen=True)
class CopyFace:
    """Whose copy it is: what the record itself does not say."""

    hospital: str
    """Name of the hospital."""
    patient: str
    """Name and date of birth, as known when the copy was issued."""
    zone: ZoneInfo
    """The hospital's, by which every time is shown."""


@dataclass(frozen=True)
class CopiedEntry:
    """One entry version of the scope."""

    title: str
    lines: tuple[Line, ...]


class PrintedPages(Protocol):
    """What is put on pages, whatever it is."""

    @property
    def page_head(self) -> tuple[str, ...]:
        """What stands on every page; the mark comes last."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said before the first entry."""
        ...

    @property
    def entries(self) -> tuple[CopiedEntry, ...]:
        """What is shown."""
        ...


@dataclass(frozen=True)
class CopiedRecord:
    """Everything that the pages show."""

    hospital: str
    patient: str
    zone: str
    """Name of the time zone of every time that is shown."""
    number: str
    """Case number and visit."""
    version: int
    head: str
    mark: str
    issued: str
    applicant: str
    entries: tuple[CopiedEntry, ...]
    withdrawn: int
    """Entries of the scope that were retracted since."""
    statements: tuple[str, ...] = ()
    """What the patient says against the record as a whole."""
    corrected: tuple[str, ...] = ()
    """Times of the stay that were corrected."""

    @property
    def page_head(self) -> tuple[str, ...]:
        """What stands on every page."""
        return head_lines((self.hospital, self.patient), self.number, self.version, self.head, self.mark)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the copy says before its first entry."""
        shown = f"{len(self.entries)} entries. Issued {self.issued} to {self.applicant}."
        if self.withdrawn:
            shown += f" {self.withdrawn} of its entries were retracted since and are not shown."
        times = f"All times are those of {self.zone}, with their distance from UTC."
        return (shown, times, *self.corrected, *(f"{_STATEMENT}: {each}" for each in self.statements))


def issued_copy(now: Record, copy_id: str) -> IssuedCopy:
    """The copy of that id. Raises UnknownCopy, CopyDestroyed."""
    found = next((each for each in now.copies if each.copy_id == copy_id), None)
    if found is None:
        raise UnknownCopy
    if now.phase == PHASE_DESTROYED:
        raise CopyDestroyed
    return found


def head_lines(whose: tuple[str, str], number: str, version: int, head: str, mark: str) -> tuple[str, ...]:
    """What stands on every page of what is printed of a record: hospital and patient, which record, and as of when."""
    hospital, patient = map(_short, whose)
    return (f"{hospital}. Patient: {patient}", f"Record {number}", f"Version {version}, head {head}", mark)


def record_number(then: Record) -> str:
    """Case number and visit, as people call the record."""
    visit = VisitType.Name(then.visit_type).removeprefix("VISIT_TYPE_").lower()
    return f"{then.case_number}, {visit} visit {then.visit_sequence}"


def _short(name: str) -> str:
    # The head of a page leaves room for the record, whatever somebody is called.
    return name if len(name) <= NAME_CHARACTERS_MAX else f"{name[:NAME_CHARACTERS_MAX]}…"


def patient_shown(details: PatientDetails) -> str:
    """A person as a copy names them."""
    born = f", born {details.birth_date}" if details.birth_date else ""
    return f"{details.name or 'name not known'}{born}"


def copied_record(copy: IssuedCopy, then: Record, now: Record, face: CopyFace) -> CopiedRecord:
    """What the copy shows, from the record as of the copy's version and as it stands. Raises OtherHistory."""
    if then.version != copy.record_version or then.head_leaf != copy.head_leaf:
        raise OtherHistory
    hidden = {each.entry_id for each in now.entries if each.state == ENTRY_STATE_RETRACTED}
    shown = [each for each in copy.versions if each.entry_id not in hidden]
    beside = LateCorrections(then, now, hidden)
    said: dict[str, list[str]] = {}
    for each in then.statements:
        said.setdefault(each.entry_id, []).append(each.text)
    corrected, newborn = CorrectedTimes(then, now), _of_newborn(beside.entries, copy.versions)
    return CopiedRecord(
        hospital=face.hospital,
        patient=f"a newborn of {face.patient}" if newborn else face.patient,
        zone=face.zone.key,
        number=record_number(then),
        version=copy.record_version,
        head=copy.head_leaf.hex(),
        mark=" ".join(copy.mark.split()),
        issued=f"{said_time(copy.issued_at, face.zone)} by {copy.issuer.name}",
        applicant=f"{copy.applicant} ({copy.relation})",
        entries=tuple(
            _copied(beside, corrected, hidden, each, said.get(each.entry_id, []), face.zone) for each in shown
        ),
        withdrawn=len(copy.versions) - len(shown),
        statements=tuple(said.get("", [])),
        # The times of the stay are the mother's.
        corrected=() if newborn else tuple(corrected.of_stay(face.zone)),
    )


def _of_newborn(entries: Mapping[str, Entry], scope: Sequence[EntryRef]) -> bool:
    """Whether the copy is of a newborn; one that an earlier release issued may be of both, and is the patient's."""
    shown = {(each.entry_id, each.version) for each in scope}
    subjects = [
        version.content.subject_id
        for entry in entries.values()
        for version in entry.versions
        if (entry.entry_id, version.version) in shown
    ]
    return bool(subjects) and all(subjects)


def _copied(
    beside: LateCorrections,
    corrected: CorrectedTimes,
    hidden: Container[str],
    scope: EntryRef,
    statements: Sequence[str],
    zone: ZoneInfo,
) -> CopiedEntry:
    entry = beside.entries.get(scope.entry_id)
    found = next((each for each in entry.versions if each.version == scope.version), None) if entry else None
    if entry is None or found is None:
        raise OtherHistory
    accepted = [Line("Signature", ACCEPTED)] if entry.deficiency_accepted else []
    against = [Line(_STATEMENT, text) for text in statements]
    # The id that somebody signed was taken back: another newborn is meant by it.
    led = entry.subject_id if entry.subject_id != found.content.subject_id else ""
    meant = [Line("Subject by now", f"newborn {led}")] if led else []
    signed = (*attested_lines(found, zone), *corrected.of_entry(entry.entry_id, zone), *accepted)
    links = (*beside.lines(entry, zone), *copied_lines(entry, found, beside, hidden, zone), *meant)
    return CopiedEntry(
        found.content.title or found.content.template, (*signed, *links, *content_lines(found.content, zone), *against)
    )
