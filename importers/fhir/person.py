"""Patients and practitioners as the ledger knows them."""

from __future__ import annotations

from importers.fhir.json_value import Resource, child, rows, text
from importers.fhir.visit_facts import slug
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.events_pb2 import PatientDetails, PatientIdentifier

_ROLES = {"doctor": "physician", "nurse": "nurse", "pharmacist": "pharmacist"}


def mrn_of(patient: Resource) -> str:
    """The medical record number: the identifier of type MR, else the only identifier; empty where there is none."""
    identifiers = rows(patient, "identifier")
    numbers = [text(each, "value") for each in identifiers if "MR" in _types(each)]
    if not numbers and len(identifiers) == 1:
        numbers = [text(identifiers[0], "value")]
    return numbers[0] if numbers else ""


def details_of(patient: Resource) -> PatientDetails:
    """The person's data."""
    return PatientDetails(
        identifiers=[_identifier(each) for each in rows(patient, "identifier") if text(each, "value")],
        name=name_of(patient),
        birth_date=text(patient, "birthDate"),
        gender=text(patient, "gender"),
        deceased_at=text(patient, "deceasedDateTime"),
    )


def name_of(person: Resource) -> str:
    """The official name, else the first, as one text; empty where none is given."""
    names = rows(person, "name")
    official = [name for name in names if text(name, "use") == "official"]
    for name in official + names:
        parts = [str(part) for part in (*rows(name, "prefix"), *rows(name, "given"))]
        said = text(name, "text") or " ".join((*parts, text(name, "family"))).strip()
        if said:
            return said
    return ""


def actor_of(practitioner: Resource, role: Resource | None, *, attending: bool) -> Actor:
    """A practitioner for the actor register, without id; one without a name is called by identifier."""
    identifier = text(practitioner, "identifier", 0, "value") or text(practitioner, "id")
    return Actor(
        name=name_of(practitioner) or identifier,
        role=_role(role, attending=attending),
        department=slug(text(role, "specialty", 0, "text") or text(role, "specialty", 0, "coding", 0, "display")),
        licence=text(practitioner, "qualification", 0, "identifier", 0, "value"),
    )


def _role(role: Resource | None, *, attending: bool) -> str:
    """Who attends an encounter is a physician, whatever a register does not say."""
    code = text(role, "code", 0, "coding", 0, "code")
    return "physician" if attending else _ROLES.get(code, slug(code)) or "clinician"


def _identifier(identifier: object) -> PatientIdentifier:
    types = _types(identifier)
    return PatientIdentifier(
        system=text(identifier, "system"), value=text(identifier, "value"), type=types[0] if types else ""
    )


def _types(identifier: object) -> list[str]:
    codings = rows(child(identifier, "type"), "coding")
    return [code for each in codings if (code := text(each, "code"))]
