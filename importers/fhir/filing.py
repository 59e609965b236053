"""What the catalogue keeps of one resource; a value that the import needs is a fault where it is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from importers.fhir.catalogue import Catalogue, Item, Visit
from importers.fhir.faults import FaultCode
from importers.fhir.fhir_time import parse_time
from importers.fhir.json_value import Resource, child, one_or_more, reference, reference_to, text
from importers.fhir.ndjson import BadLine
from importers.fhir.person import mrn_of
from importers.fhir.resource_types import LINKS, Handling, linked, of
from importers.fhir.visit_facts import NEVER_HAPPENED, VISIT_TYPES, attending_of

_ENTERED_IN_ERROR = "entered in error at the source"
_STATUSES = (("status",), ("verificationStatus", "coding", 0, "code"))


class Place(NamedTuple):
    """The first fields of an Item."""

    type: str
    id: str
    file: str
    line: int
    offset: int
    length: int
    sha256: bytes


def file_away(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    """Puts a resource into the catalogue. Raises BadLine."""
    row = of(place.type)
    if row.handling is Handling.LEFT_OUT:
        catalogue.left_out.append((Item(*place), row.reason))
    elif row.handling is not Handling.VISIT and _withdrawn(resource):
        catalogue.left_out.append((Item(*place), _ENTERED_IN_ERROR))
    else:
        _FILING[row.handling](catalogue, resource, place)


def _withdrawn(resource: Resource) -> bool:
    return any(text(resource, *status) == "entered-in-error" for status in _STATUSES)


def _patient(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    if not mrn_of(resource):
        raise BadLine(FaultCode.REQUIRED, "identifier[type=MR].value")
    catalogue.patients[place.id] = Item(*place)


def _visit(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    start, end = _time(resource, "period.start"), _time(resource, "period.end")
    if start is None:
        raise BadLine(FaultCode.REQUIRED, "period.start")
    if end is not None and end < start:
        raise BadLine(FaultCode.END_BEFORE_START, "period.end")
    visit_type = VISIT_TYPES.get(text(resource, "class", "code"))
    if visit_type is None:
        raise BadLine(FaultCode.UNKNOWN_CODE, "class.code")
    item = Item(*place, at=start, patient=reference_to("Patient", resource, "subject"))
    finished = text(resource, "status") == "finished"
    left_out = NEVER_HAPPENED.get(text(resource, "status"), "")
    catalogue.visits[item.id] = Visit(item, visit_type, start, end if finished else None, left_out)
    catalogue.attending.add(attending_of(resource))


def _actor(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    del resource
    catalogue.actors[place.id] = Item(*place)


def _role(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    practitioner = reference_to("Practitioner", resource, "practitioner")
    catalogue.roles.append(Item(*place, links=(("Practitioner", practitioner),)))


def _linked(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    del resource
    catalogue.linked.append(Item(*place))


def _entry(catalogue: Catalogue, resource: Resource, place: Place) -> None:
    times = of(place.type).times
    at = next((found for field in times if (found := _time(resource, field))), None)
    if at is None:
        raise BadLine(FaultCode.REQUIRED, " or ".join(times))
    patient = reference_to("Patient", resource, "subject") or reference_to("Patient", resource, "patient")
    item = Item(*place, at=at, patient=patient, encounter=_encounter(resource), links=links_of(resource))
    catalogue.entries.append(item)


_FILING: dict[Handling, Callable[[Catalogue, Resource, Place], None]] = {
    Handling.PATIENT: _patient,
    Handling.VISIT: _visit,
    Handling.ACTOR: _actor,
    Handling.ROLE: _role,
    Handling.DOCUMENT: _entry,
    Handling.RESULT: _entry,
    Handling.CLINICAL: _entry,
    Handling.LINKED: _linked,
}


def links_of(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Type and id of the resources that are kept by reference, each once, in the order of the fields."""
    found: dict[tuple[str, str], None] = {}
    for field in LINKS:
        value = child(resource, field)
        for each in one_or_more(value):
            target = reference(each)
            if linked(target[0]):
                found[target] = None
    return tuple(found)


def _encounter(resource: Resource) -> str:
    places = (("encounter",), ("context",), ("context", "encounter", 0))
    return next((id_ for path in places if (id_ := reference_to("Encounter", resource, *path))), "")


def _time(resource: Resource, field: str) -> datetime | None:
    written = text(resource, *field.split("."))
    if not written:
        return None
    moment = parse_time(written)
    if moment is None:
        raise BadLine(FaultCode.NOT_A_TIME, field)
    return moment
