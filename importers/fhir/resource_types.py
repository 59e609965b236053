"""What becomes of each FHIR resource type, and where such a resource says what the import must know.

docs/import-fhir.md explains the same table for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Handling(Enum):
    """How a resource type is taken over."""

    PATIENT = auto()
    VISIT = auto()
    ACTOR = auto()
    ROLE = auto()
    """Completes an actor."""
    DOCUMENT = auto()
    """One entry for each."""
    RESULT = auto()
    """Grouped into `result` entries."""
    CLINICAL = auto()
    """Grouped into `general` entries."""
    LINKED = auto()
    """Kept by reference where something recorded refers to it."""
    LEFT_OUT = auto()


@dataclass(frozen=True)
class ResourceType:
    """One row: handling, the fields that say when it was issued (the first that is there counts), and a reason.

    The reason is why it is left out; for LINKED: why it is, where nothing recorded refers to it.
    """

    handling: Handling
    times: tuple[str, ...] = ()
    reason: str = ""


_EFFECTIVE = ("effectiveDateTime", "effectiveInstant", "effectivePeriod.start")

TABLE: dict[str, ResourceType] = {
    "Patient": ResourceType(Handling.PATIENT),
    "Encounter": ResourceType(Handling.VISIT),
    "Practitioner": ResourceType(Handling.ACTOR),
    "PractitionerRole": ResourceType(Handling.ROLE, reason="the practitioner is not among the files"),
    "Composition": ResourceType(Handling.DOCUMENT, ("date",)),
    "DocumentReference": ResourceType(Handling.DOCUMENT, ("date", "context.period.start")),
    "Observation": ResourceType(Handling.RESULT, ("issued", *_EFFECTIVE)),
    "DiagnosticReport": ResourceType(Handling.RESULT, ("issued", *_EFFECTIVE)),
    "Condition": ResourceType(Handling.CLINICAL, ("recordedDate", "onsetDateTime", "onsetPeriod.start")),
    "Procedure": ResourceType(Handling.CLINICAL, ("performedDateTime", "performedPeriod.start")),
    "MedicationRequest": ResourceType(Handling.CLINICAL, ("authoredOn",)),
    "MedicationAdministration": ResourceType(Handling.CLINICAL, _EFFECTIVE),
    "MedicationDispense": ResourceType(Handling.CLINICAL, ("whenHandedOver", "whenPrepared")),
    "MedicationStatement": ResourceType(Handling.CLINICAL, ("dateAsserted", *_EFFECTIVE)),
    "Immunization": ResourceType(Handling.CLINICAL, ("occurrenceDateTime", "recorded")),
    "AllergyIntolerance": ResourceType(Handling.CLINICAL, ("recordedDate", "onsetDateTime")),
    "ClinicalImpression": ResourceType(Handling.CLINICAL, ("date", *_EFFECTIVE)),
    "ServiceRequest": ResourceType(Handling.LINKED, reason="an order to which no recorded result refers"),
    "Specimen": ResourceType(Handling.LINKED, reason="a specimen to which no recorded result refers"),
    "ImagingStudy": ResourceType(Handling.LINKED, reason="a study to which no recorded report refers"),
    "Device": ResourceType(Handling.LINKED, reason="a device to which nothing recorded refers"),
    "CareTeam": ResourceType(Handling.LEFT_OUT, reason="the encounter names who took part"),
    "Coverage": ResourceType(Handling.LEFT_OUT, reason="insurance is no part of the medical record"),
    "DeviceUseStatement": ResourceType(Handling.LEFT_OUT, reason="has no encounter and no template"),
    "Endpoint": ResourceType(Handling.LEFT_OUT, reason="the address of an image server; the report names the study"),
    "FamilyMemberHistory": ResourceType(Handling.LEFT_OUT, reason="has no encounter and no time of its own"),
    "Location": ResourceType(Handling.LEFT_OUT, reason="the encounter names bed and department"),
    "Medication": ResourceType(Handling.LEFT_OUT, reason="the request or administration names the substance"),
    "Organization": ResourceType(
        Handling.LEFT_OUT, reason="the hospital is the ledger's tenant; departments are codes"
    ),
}

UNKNOWN = ResourceType(Handling.LEFT_OUT, reason="the import has no mapping for this type")

GROUP_TYPES = {Handling.RESULT: "ResultGroup", Handling.CLINICAL: "ClinicalGroup"}
"""Type of the source item that a group of such resources claims."""

LINKS = ("basedOn", "specimen", "imagingStudy", "device")
"""Fields of a grouped resource whose references are kept in its entry."""


def of(type_: str) -> ResourceType:
    """The row of a resource type."""
    return TABLE.get(type_, UNKNOWN)


def linked(type_: str) -> bool:
    """Whether such a resource is kept by reference."""
    return of(type_).handling is Handling.LINKED
