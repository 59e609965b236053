"""What a resource states about its patient, whichever system says so: two systems that say the same give one digest."""

from __future__ import annotations

from typing import cast

from importers.fhir.content_digest import digest
from importers.fhir.fhir_time import parse_time
from importers.fhir.json_value import Resource, text
from importers.fhir.result_fields import result_fields
from ledger.api.v1.common_pb2 import Field

_OF_ITS_SYSTEM = frozenset({"id", "meta", "identifier", "reference", "fullUrl"})
"""What every system names in its own way."""
_PERFORMED = (("effectiveDateTime",), ("effectiveInstant",), ("effectivePeriod", "start"))
_SAYS_NOTHING = "not stated"


def fact_of(resource: Resource) -> bytes:
    """The fact, 32 bytes; empty where nothing can be compared."""
    if text(resource, "resourceType") == "Observation":
        return _measured(resource)
    return digest(_without_names(resource))


def _measured(observation: Resource) -> bytes:
    """Code system, code, value and unit of each value, and the performed time."""
    written = next((said for path in _PERFORMED if (said := text(observation, *path))), "")
    moment = parse_time(written) if written else None
    values = sorted(
        [each.topic.system, each.topic.code, *_said(each)]
        for each in result_fields(observation)
        if each.code == "result" and each.text != _SAYS_NOTHING
    )
    return digest(["Observation", moment.isoformat(), values]) if moment and values else b""


def _said(field: Field) -> tuple[str, ...]:
    """The value without the words that systems choose."""
    match field.WhichOneof("value"):
        case "quantity":
            return ("quantity", field.quantity.value, field.quantity.unit)
        case "coding":
            return ("coding", field.coding.system, field.coding.code)
        case "flag":
            return ("flag", str(field.flag))
        case _:
            return ("text", field.text)


def _without_names(value: object) -> object:
    """The same JSON without what names a thing inside one system."""
    if isinstance(value, dict):
        named = cast("dict[str, object]", value)
        return {key: _without_names(each) for key, each in named.items() if key not in _OF_ITS_SYSTEM}
    if isinstance(value, list):
        return [_without_names(each) for each in cast("list[object]", value)]
    return value
