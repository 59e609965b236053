"""Small FHIR resources and directories of NDJSON for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

Resource = dict[str, object]
START = "2024-06-15T08:00:00Z"
END = "2024-06-15T12:00:00Z"
NOW = datetime(2024, 6, 16, tzinfo=UTC)


def patient(id_: str = "p1", mrn: str = "MRN-1", **more: object) -> Resource:
    """A patient with a medical record number."""
    identifier = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": mrn}
    name = [{"use": "official", "family": "Doe", "given": ["Jo", "Ann"]}]
    return {"resourceType": "Patient", "id": id_, "identifier": [identifier], "name": name, **more}


def encounter(id_: str = "e1", of: str = "p1", class_: str = "AMB", start: str = START, **more: object) -> Resource:
    """A finished encounter."""
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {"code": class_},
        "subject": {"reference": f"Patient/{of}"},
        "period": {"start": start, "end": END},
        "serviceType": {"text": "Internal Medicine"},
        "participant": [{"type": [{"coding": [{"code": "ATND"}]}], "individual": {"reference": "Practitioner/d1"}}],
        **more,
    }


def observation(id_: str = "o1", of: str = "p1", in_: str = "e1", at: str = START, **more: object) -> Resource:
    """A measured temperature."""
    found: Resource = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": 37.5, "unit": "Cel", "code": "Cel"},
        **more,
    }
    return {**found, "encounter": {"reference": f"Encounter/{in_}"}} if in_ else found


def composition(id_: str = "c1", loinc: str = "34131-3", **sections: str) -> Resource:
    """A document with sections by title."""
    return {
        "resourceType": "Composition",
        "id": id_,
        "status": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
        "title": "A note",
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "date": START,
        "author": [{"reference": "Practitioner/d1"}],
        "section": [
            {"title": title.replace("_", " "), "text": {"div": f"<div>{said}</div>"}}
            for title, said in sections.items()
        ],
    }


def other(type_: str, id_: str, **more: object) -> Resource:
    """A resource of any type."""
    return {"resourceType": type_, "id": id_, **more}


def write(folder: Path, resources: Sequence[Mapping[str, object]]) -> Path:
    """Writes one file for each type and gives the folder back."""
    for each in resources:
        with (folder / f"{each['resourceType']}.ndjson").open("a") as file:
            file.write(json.dumps(each) + "\n")
    return folder


def append(folder: Path, name: str, data: bytes) -> Path:
    """Appends bytes to a file and gives the folder back."""
    with (folder / name).open("ab") as file:
        file.write(data)
    return folder
