"""Fields of Observations and DiagnosticReports: a topic (LOINC), a value, and the id by which it is recognised."""

from __future__ import annotations

from collections.abc import Iterator

from importers.fhir.codes import coding_of, label, quantity_of, quantity_text, topic_of
from importers.fhir.json_value import Resource, child, rows, text
from importers.fhir.narrative import attached_text, plain
from ledger.api.v1.common_pb2 import Coding, Field

_NOT_STATED = "not stated"


def result_fields(resource: Resource) -> Iterator[Field]:
    """The fields of one result, its components and remarks after it."""
    result_id = f"{text(resource, 'resourceType')}/{text(resource, 'id')}"
    topic = topic_of(child(resource, "code"))
    if text(resource, "resourceType") == "DiagnosticReport":
        yield Field(code="report", text=_report_text(resource), topic=topic, result_id=result_id)
        yield from _coded(resource, "conclusionCode", "conclusion", topic, result_id)
        return
    components = rows(resource, "component")
    if _has_value(resource) or not components:
        yield from _measured(resource, topic, result_id)
    for number, component in enumerate(components, start=1):
        yield from _measured(component, topic_of(child(component, "code")), f"{result_id}#{number}")


def _has_value(resource: object) -> bool:
    return isinstance(resource, dict) and any(str(name).startswith("value") for name in resource)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON


def _measured(source: object, topic: Coding, result_id: str) -> Iterator[Field]:
    yield _value(source, topic, result_id)
    yield from _coded(source, "interpretation", "interpretation", topic, result_id)
    for each in rows(source, "referenceRange"):
        if said := _range(each):
            yield Field(code="reference_range", text=said, topic=topic, result_id=result_id)


def _value(source: object, topic: Coding, result_id: str) -> Field:
    field = Field(code="result", topic=topic, result_id=result_id)
    quantity = quantity_of(child(source, "valueQuantity"))
    coding = coding_of(child(source, "valueCodeableConcept"))
    flag = child(source, "valueBoolean")
    if quantity is not None:
        field.quantity.CopyFrom(quantity)
    elif coding is not None:
        field.coding.CopyFrom(coding)
    elif isinstance(flag, bool):
        field.flag = flag
    else:
        field.text = _words(source)
    return field


def _words(source: object) -> str:
    """A value that has no structure of its own here, in words."""
    number = child(source, "valueInteger")
    found = (
        text(source, "valueString"),
        label(child(source, "valueCodeableConcept")),
        quantity_text(child(source, "valueQuantity")),
        str(number) if isinstance(number, int) else "",
        text(source, "valueDateTime") or text(source, "valueTime") or text(source, "valuePeriod", "start"),
        _range(child(source, "valueRange")),
        _ratio(child(source, "valueRatio")),
        label(child(source, "dataAbsentReason")),
    )
    return next((each for each in found if each), _NOT_STATED)


def _coded(source: object, field: str, code: str, topic: Coding, result_id: str) -> Iterator[Field]:
    for concept in rows(source, field):
        coding = coding_of(concept)
        if coding is not None:
            yield Field(code=code, coding=coding, topic=topic, result_id=result_id)
        elif said := label(concept):
            yield Field(code=code, text=said, topic=topic, result_id=result_id)


def _range(value: object) -> str:
    low, high = quantity_text(child(value, "low")), quantity_text(child(value, "high"))
    return f"{low} - {high}".strip(" -") or text(value, "text")


def _ratio(value: object) -> str:
    above, below = quantity_text(child(value, "numerator")), quantity_text(child(value, "denominator"))
    return f"{above} : {below}" if above and below else ""


def _report_text(report: Resource) -> str:
    forms = (attached_text(each) for each in rows(report, "presentedForm"))
    body = next((form for form in forms if form), "") or plain(text(report, "text", "div"))
    conclusion = text(report, "conclusion")
    said = body if conclusion in body else f"{body}\n\n{conclusion}".strip()
    return said or _NOT_STATED
