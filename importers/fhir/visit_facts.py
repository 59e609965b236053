"""What an Encounter says about the record that it becomes."""

from __future__ import annotations

import re

from importers.fhir.json_value import Resource, reference_to, rows, text

VISIT_TYPES = {
    "IMP": "INPATIENT",
    "ACUTE": "INPATIENT",
    "NONAC": "INPATIENT",
    "PRENC": "INPATIENT",
    "SS": "INPATIENT",
    "OBSENC": "OBSERVATION",
    "EMER": "EMERGENCY",
    "AMB": "OUTPATIENT",
    "VR": "OUTPATIENT",
    "HH": "OUTPATIENT",
    "FLD": "OUTPATIENT",
}
"""v3-ActCode of `class` to the ledger's visit type."""

NEVER_HAPPENED = {
    "planned": "the encounter is only planned",
    "cancelled": "the encounter was cancelled",
    "entered-in-error": "entered in error at the source",
}
"""Encounter status to the reason why it is left out."""

_DISPOSITIONS = {
    "home": "HOME",
    "alt-home": "HOME",
    "exp": "DEATH",
    "other-hcf": "TRANSFERRED",
    "hosp": "TRANSFERRED",
    "long": "TRANSFERRED",
    "rehab": "TRANSFERRED",
    "psy": "TRANSFERRED",
    "snf": "TRANSFERRED",
    "aadvice": "AGAINST_ADVICE",
}
_ATTENDING = "ATND"


def disposition_of(encounter: Resource) -> str:
    """How care ended; visits after which people simply go home often do not say it."""
    code = text(encounter, "hospitalization", "dischargeDisposition", "coding", 0, "code")
    if not code:
        return "OTHER" if VISIT_TYPES.get(text(encounter, "class", "code")) == "INPATIENT" else "HOME"
    return _DISPOSITIONS.get(code, "OTHER")


def department_of(encounter: Resource) -> str:
    """Department code: the service's code or name as lower-case words with hyphens, else the provider's id."""
    named = text(encounter, "serviceType", "text") or text(encounter, "serviceType", "coding", 0, "display")
    provider = reference_to("Organization", encounter, "serviceProvider").removeprefix("dept-")
    return slug(named) or slug(provider) or "general"


def bed_of(encounter: Resource) -> str:
    """Name of the first location that is not the department itself; empty where there is none."""
    department = text(encounter, "serviceType", "text")
    names = (text(each, "location", "display") for each in rows(encounter, "location"))
    return next((name for name in names if name and name != department), "")


def attending_of(encounter: Resource) -> str:
    """Practitioner in charge: the attender, else the first who took part; empty where nobody is named."""
    people = rows(encounter, "participant")
    attending = [each for each in people if _ATTENDING in _participations(each)]
    found = (reference_to("Practitioner", each, "individual") for each in attending + people)
    return next((id_ for id_ in found if id_), "")


def _participations(participant: object) -> set[str]:
    types = rows(participant, "type")
    return {text(coding, "code") for type_ in types for coding in rows(type_, "coding")}


def slug(text_: str) -> str:
    """Lower-case words joined by hyphens, at most 60 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text_.lower()).strip("-")[:60].rstrip("-")
