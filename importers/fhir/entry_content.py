"""What an entry says, from the resources of its plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from importers.fhir.clinical_fields import SECTIONS, clinical_fields
from importers.fhir.codes import label
from importers.fhir.documents import GENERAL, TEMPLATE_VERSION, author_of, document_content
from importers.fhir.filing import links_of
from importers.fhir.json_value import Resource, child, one_or_more, reference_to, text
from importers.fhir.plan import EntryPlan
from importers.fhir.resource_types import GROUP_TYPES, Handling
from importers.fhir.result_fields import result_fields
from ledger.api.v1.common_pb2 import Coding, EntryContent, Field, Section

_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_UNFINISHED = frozenset({"preliminary", "registered", "partial", "draft"})
_WHO = ("performer", "resultsInterpreter", "recorder", "asserter", "requester", "assessor")


@dataclass(frozen=True)
class Said:
    """Content of an entry, and who stands for it."""

    content: EntryContent
    author: str
    """Source id of the practitioner; empty where nobody is named."""
    final: bool
    """The source says that it is finished, so that its author has signed it there."""


def said_by(entry: EntryPlan, resources: list[Resource]) -> Said:
    """What the resources of an entry say together."""
    if entry.source_type == GROUP_TYPES[Handling.RESULT]:
        return _group("result", resources, _results(resources))
    if entry.source_type == GROUP_TYPES[Handling.CLINICAL]:
        return _group(GENERAL, resources, _clinical(resources))
    return Said(document_content(resources[0]), author_of(resources[0]), _final(resources))


def _group(template: str, resources: list[Resource], sections: list[Section]) -> Said:
    people = list(dict.fromkeys(who for each in resources for who in _people(each)))
    content = EntryContent(
        template=template, template_version=TEMPLATE_VERSION, title=_title(resources), sections=sections
    )
    return Said(content, people[0] if people else "", _final(resources))


def _final(resources: list[Resource]) -> bool:
    """Types without such a status (conditions, orders) are finished when they are written."""
    return not any(text(each, name) in _UNFINISHED for each in resources for name in ("status", "docStatus"))


def _results(resources: list[Resource]) -> list[Section]:
    fields = [field for each in resources for field in result_fields(each)]
    return [Section(code="results", fields=[*fields, *_links(resources)])]


def _clinical(resources: list[Resource]) -> list[Section]:
    by_type = {
        code: [each for each in resources if text(each, "resourceType") == type_] for type_, code in SECTIONS.items()
    }
    sections = [
        Section(code=code, fields=[field for each in found for field in clinical_fields(each)])
        for code, found in by_type.items()
        if found
    ]
    links = _links(resources)
    return [*sections, Section(code="links", fields=links)] if links else sections


def _links(resources: list[Resource]) -> list[Field]:
    """References that are kept: orders, specimens, studies, devices, and everybody who had a part in it."""
    targets = (target for each in resources for target in links_of(each))
    people = (("Practitioner", who) for each in resources for who in _people(each))
    return [_link(type_, id_) for type_, id_ in dict.fromkeys((*targets, *people))]


def _link(type_: str, id_: str) -> Field:
    return Field(code="link", text=f"{type_}/{id_}", topic=Coding(system=_RESOURCE_TYPES, code=type_, display=type_))


def _people(resource: Resource) -> Iterable[str]:
    for field in _WHO:
        value = child(resource, field)
        for each in one_or_more(value):
            if who := reference_to("Practitioner", each) or reference_to("Practitioner", each, "actor"):
                yield who


def _title(resources: list[Resource]) -> str:
    first = _label(resources[0])
    return first if len(resources) == 1 else f"{first} and {len(resources) - 1} more"


def _label(resource: Resource) -> str:
    named = ("code", "medicationCodeableConcept", "vaccineCode")
    return next((said for name in named if (said := label(child(resource, name)))), text(resource, "resourceType"))
