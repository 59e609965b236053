"""Value types of the life in the archive. Field names are those of protos/ledger/api/v1/keeping_values.proto."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class SealMode(StrEnum):
    """How a record is sealed."""

    COPY = "COPY"
    """A copy of the listed versions is sealed; the original goes on."""
    ORIGINAL = "ORIGINAL"
    """The listed entries are closed to change."""


class SealParty(StrEnum):
    """Who stands on the other side when a record is sealed."""

    PATIENT_SIDE = "PATIENT_SIDE"
    """The patient or a representative."""
    NOTARY = "NOTARY"
    """A notary, where the patient's side refuses."""


class UnsealGround(StrEnum):
    """Why a seal may be opened."""

    BOTH_PRESENT = "BOTH_PRESENT"
    """Both sides are present."""
    DISPUTE_SETTLED = "DISPUTE_SETTLED"
    """The dispute is settled."""
    NO_CLAIM = "NO_CLAIM"
    """The pack's term passed without a claim."""


class SealStep(StrEnum):
    """What two persons did with a seal."""

    PLACED = "PLACED"
    """It was placed."""
    EXTENDED = "EXTENDED"
    """What came since was added to it."""
    OPENED = "OPENED"
    """It was opened."""


class EndorsedAct(StrEnum):
    """Acts of two persons of the hospital, of which the second endorses one beforehand."""

    RECORD_IN_ERROR = "RECORD_IN_ERROR"
    """The record is declared entered in error."""
    UNSEALING_SETTLED = "UNSEALING_SETTLED"
    """The hospital opens a seal alone: the dispute is settled."""
    UNSEALING_UNCLAIMED = "UNSEALING_UNCLAIMED"
    """The hospital opens a seal alone: the pack's term passed without a claim."""
    LATE_ITEM = "LATE_ITEM"
    """A note is filed beside a hold or seal, or a report that a second person is named for."""
    IDENTIFICATION_CORRECTED = "IDENTIFICATION_CORRECTED"
    """The patient is somebody else than who was named."""
    IDENTIFICATION_WITHDRAWN = "IDENTIFICATION_WITHDRAWN"
    """The patient is not who was named, and nobody knows who else."""


class PaperOutcome(StrEnum):
    """What became of a scanned paper."""

    KEPT = "KEPT"
    """It is kept beside the record."""
    DESTROYED = "DESTROYED"
    """It was destroyed."""
    RETURNED = "RETURNED"
    """It was given back to its owner."""


class RequestKind(StrEnum):
    """What a patient asks for."""

    ACCESS = "ACCESS"
    """To see the record."""
    COPY = "COPY"
    """A copy."""
    CORRECTION = "CORRECTION"
    """A correction."""
    ERASURE = "ERASURE"
    """Erasure."""
    RESTRICTION = "RESTRICTION"
    """Restricted use."""
    OBJECTION = "OBJECTION"
    """An objection to a use."""


class DisposalOpinion(StrEnum):
    """What becomes of a record whose term is over."""

    DESTROY = "DESTROY"
    """It is destroyed."""
    KEEP = "KEEP"
    """It is kept for ever."""
    EXTEND = "EXTEND"
    """It is kept longer."""


@dataclass(frozen=True)
class EntryRef:
    """One version of an entry."""

    entry_id: UUID
    version: int


@dataclass(frozen=True)
class SealedVersion:
    """One version of an entry as it was sealed."""

    entry_id: UUID
    version: int
    leaf_hash: bytes
