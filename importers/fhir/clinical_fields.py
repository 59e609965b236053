"""Fields of conditions, procedures, medications and the like, by a table of what each type says."""

from __future__ import annotations

from collections.abc import Iterator

from importers.fhir.codes import coding_of, label, quantity_of, quantity_text
from importers.fhir.json_value import Resource, child, rows, text
from ledger.api.v1.common_pb2 import Field

SECTIONS = {
    "Condition": "conditions",
    "Procedure": "procedures",
    "MedicationRequest": "medication_requests",
    "MedicationAdministration": "medication_administrations",
    "MedicationDispense": "medication_dispenses",
    "MedicationStatement": "medication_statements",
    "Immunization": "immunizations",
    "AllergyIntolerance": "allergies",
    "ClinicalImpression": "impressions",
}
"""Section of the entry for each type, in the order of the entry."""

_MEDICATION = (("medication", "medicationCodeableConcept"), ("medication", "medicationReference.display"))
_ADMINISTERED = (("dose", "dosage.dose"), ("dosage", "dosage.text"), ("route", "dosage.route"))
_ORDERED = (
    ("dosage", "dosageInstruction.0.text"),
    ("dose", "dosageInstruction.0.doseAndRate.0.doseQuantity"),
    ("route", "dosageInstruction.0.route"),
)
_ALLERGY = (("reaction", "reaction.0.manifestation.0"), ("severity", "reaction.0.severity"))
_PERIOD = (("performed_from", "performedPeriod.start"), ("performed_until", "performedPeriod.end"))

_SAID: dict[str, tuple[tuple[str, str], ...]] = {
    "Condition": (
        ("condition", "code"),
        ("clinical_status", "clinicalStatus"),
        ("verification", "verificationStatus"),
        ("severity", "severity"),
        ("body_site", "bodySite.0"),
        ("onset", "onsetDateTime"),
        ("abated", "abatementDateTime"),
    ),
    "Procedure": (("procedure", "code"), ("body_site", "bodySite.0"), ("outcome", "outcome"), *_PERIOD),
    "MedicationRequest": (*_MEDICATION, *_ORDERED, ("priority", "priority")),
    "MedicationAdministration": (*_MEDICATION, *_ADMINISTERED),
    "MedicationDispense": (*_MEDICATION, *_ORDERED, ("quantity", "quantity")),
    "MedicationStatement": (*_MEDICATION, ("dosage", "dosage.0.text")),
    "Immunization": (("vaccine", "vaccineCode"), ("lot", "lotNumber"), ("site", "site"), ("dose", "doseQuantity")),
    "AllergyIntolerance": (
        ("allergy", "code"),
        ("clinical_status", "clinicalStatus"),
        ("criticality", "criticality"),
        *_ALLERGY,
    ),
    "ClinicalImpression": (("kind", "code"), ("summary", "summary"), ("impression", "description")),
}
_FOR_ALL = (("status", "status"), ("note", "note.0.text"))


def clinical_fields(resource: Resource) -> Iterator[Field]:
    """The fields of one clinical item; all bear its id, so that they are known to belong together."""
    type_ = text(resource, "resourceType")
    item_id = f"{type_}/{text(resource, 'id')}"
    for code, path in (*_SAID[type_], *_FOR_ALL):
        value = child(resource, *_steps(path))
        field = _field(code, value)
        if field is not None:
            field.result_id = item_id
            yield field
    for reason in rows(resource, "reasonCode"):
        field = _field("reason", reason)
        if field is not None:
            field.result_id = item_id
            yield field


def _steps(path: str) -> Iterator[str | int]:
    return (int(step) if step.isdigit() else step for step in path.split("."))


def _field(code: str, value: object) -> Field | None:
    """A field of what the value is: code, quantity or words; None where it says nothing."""
    coding, quantity = coding_of(value), quantity_of(value)
    if coding is not None:
        return Field(code=code, coding=coding)
    if quantity is not None:
        return Field(code=code, quantity=quantity)
    said = value if isinstance(value, str) else label(value) or quantity_text(value)
    return Field(code=code, text=said) if said.strip() else None
