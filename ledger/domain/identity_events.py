"""Events on who a patient is, and whose a record is no longer; see events.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.values import Actor, EventMeta, PatientIdentifier


@dataclass(frozen=True)
class PatientLinked:
    """Two patients may be the same person (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class PatientUnlinked:
    """A link was taken back (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class PatientMerged:
    """Two patients are one person (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    survivor: bool
    reason: str


@dataclass(frozen=True)
class PatientUnmerged:
    """A merge was taken back (patient stream, in both)."""

    meta: EventMeta
    other_id: UUID
    reason: str


@dataclass(frozen=True)
class IdentifiersStated:
    """Which identifiers a source's item gives the patient now; in the step of the amendment (patient stream)."""

    meta: EventMeta
    identifiers: tuple[PatientIdentifier, ...]


@dataclass(frozen=True)
class DetailsStated:
    """What a source's item says of the patient now; in the step of the amendment, before it (patient stream)."""

    meta: EventMeta
    name: str = ""
    birth_date: str = ""
    gender: str = ""
    deceased_at: str = ""


@dataclass(frozen=True)
class IdentificationWithdrawn:
    """Somebody is not who was named, and nobody knows who else (record stream)."""

    meta: EventMeta
    patient_id: UUID
    case_number: str
    visit_sequence: int
    reason: str
    confirmed_by: Actor


@dataclass(frozen=True)
class RecognitionWithdrawn:
    """A source's item is about somebody else: what it said of the patient is no word any more (patient stream)."""

    meta: EventMeta
    system: str
    type: str
    id: str
    reason: str


IdentityEvent = (
    PatientLinked
    | PatientUnlinked
    | PatientMerged
    | PatientUnmerged
    | IdentifiersStated
    | DetailsStated
    | IdentificationWithdrawn
    | RecognitionWithdrawn
)
