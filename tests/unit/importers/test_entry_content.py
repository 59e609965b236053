"""What entries say: templates where a document fits, fields with topics, no digit lost."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from importers.fhir.documents import author_of, document_content
from importers.fhir.entry_content import Said, said_by
from importers.fhir.narrative import plain
from importers.fhir.plan import make_plan
from importers.fhir.scan import scan
from tests.unit.importers.fhir_files import NOW, Resource, composition, encounter, observation, other, patient, write

_ADMISSION = {
    "Chief_complaint": "cough",
    "History_of_present_illness": "three days",
    "Allergies": "none",
    "Physical_examination": "clear",
    "Assessment_and_plan": "rest",
}


def _said(folder: Path, *resources: Resource) -> Said:
    catalogue = scan(write(folder, (patient(), encounter(), *resources)))
    (entry,) = make_plan(catalogue, NOW).patients[0].records[0].entries
    return said_by(entry, [catalogue.read(item) for item in entry.members])


def test_an_admission_note_takes_its_template() -> None:
    """Several source sections of one section stand one after another, each under its title."""
    content = document_content(composition(loinc="34117-2", **_ADMISSION))
    assert content.template == "admission_note"
    assert {section.code: section.text for section in content.sections} == {
        "chief_complaint": "cough",
        "history": "History of present illness:\nthree days\n\nAllergies:\nnone",
        "examination": "clear",
        "assessment": "rest",
    }


@pytest.mark.parametrize("change", [{"Chief_complaint": ""}, {"Astrology": "Leo"}])
def test_a_document_that_does_not_fit_is_general(change: dict[str, str]) -> None:
    """A required section without text, or a section without a place: nothing is bent, nothing lost."""
    content = document_content(composition(loinc="34117-2", **{**_ADMISSION, **change}))
    said = {title.lower(): text for title, text in {**_ADMISSION, **change}.items() if text}
    assert content.template == "general"
    assert {section.code: section.text for section in content.sections} == said


def test_sections_of_the_same_title_keep_apart() -> None:
    """A section code stands once in an entry."""
    document = composition(loinc="0-0", Note="one")
    document["section"] = [*document["section"], *document["section"]]  # pyright: ignore[reportGeneralTypeIssues]  # JSON
    assert [section.code for section in document_content(document).sections] == ["note", "note_2"]


def test_text_and_bytes_of_attachments() -> None:
    """Text becomes a section; other bytes are named by digest, size and type."""
    text, picture = base64.b64encode(b"S: well").decode(), base64.b64encode(b"\x89PNG").decode()
    document = other(
        "DocumentReference",
        "d1",
        type={"text": "Note"},
        content=[
            {"attachment": {"contentType": "text/plain", "data": text}},
            {"attachment": {"contentType": "image/png", "data": picture, "title": "Wound"}},
        ],
    )
    content = document_content(document)
    assert [section.text for section in content.sections] == ["S: well"]
    (attachment,) = content.attachments
    assert (attachment.sha256, attachment.size) == (hashlib.sha256(b"\x89PNG").digest(), 4)


def test_the_attester_signs_before_the_author() -> None:
    """Who attested a document is its signer."""
    document = {**composition(), "attester": [{"party": {"reference": "Practitioner/chief"}}]}
    assert (author_of(document), author_of(composition())) == ("chief", "d1")


def test_narrative_becomes_lines_of_text() -> None:
    """Blocks are lines, entities are characters, markup is gone."""
    assert plain("<div><p>T &gt;= 38&#176;</p><ul><li>a</li><li>b  c</li></ul></div>") == "T >= 38°\na\nb c"


def test_a_quantity_keeps_every_digit(tmp_path: Path) -> None:
    """37.50 is not 37.5."""
    folder = write(tmp_path, (patient(), encounter(), observation()))
    path = folder / "Observation.ndjson"
    path.write_text(path.read_text().replace("37.5", "37.50"))
    catalogue = scan(folder)
    (entry,) = make_plan(catalogue, NOW).patients[0].records[0].entries
    (field,) = said_by(entry, [catalogue.read(entry.members[0])]).content.sections[0].fields
    assert (field.quantity.value, field.quantity.unit) == ("37.50", "Cel")
    assert (field.topic.code, field.result_id) == ("8310-5", "Observation/o1")


def test_components_and_links(tmp_path: Path) -> None:
    """A panel's components are fields of their own; the order that it answers is kept by reference."""
    panel = observation(
        component=[
            {"code": {"text": "Systolic"}, "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
            {"code": {"text": "Posture"}, "valueCodeableConcept": {"text": "sitting"}},
        ],
        basedOn=[{"reference": "ServiceRequest/r1"}],
    )
    del panel["valueQuantity"]
    fields = _said(tmp_path, panel).content.sections[0].fields
    assert [(field.result_id, field.topic.code) for field in fields] == [
        ("Observation/o1#1", "systolic"),
        ("Observation/o1#2", "posture"),
        ("", "ServiceRequest"),
    ]
    assert (fields[0].quantity.value, fields[1].text, fields[2].text) == ("120", "sitting", "ServiceRequest/r1")


def test_clinical_items_stand_in_sections_by_type(tmp_path: Path) -> None:
    """Codes stay codes, and the fields of one item bear its id."""
    common = {"subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/e1"}}
    condition = other(
        "Condition",
        "k1",
        recordedDate="2024-06-15T09:00:00Z",
        code={"coding": [{"system": "icd", "code": "J10"}]},
        onsetDateTime="2024-06",
        recorder={"reference": "Practitioner/d1"},
        **common,
    )
    order = other(
        "MedicationRequest",
        "m1",
        authoredOn="2024-06-15T09:00:00Z",
        medicationCodeableConcept={"text": "Aspirin"},
        dosageInstruction=[{"text": "1 a day"}],
        **common,
    )
    said = _said(tmp_path, order, condition)
    found = {
        section.code: [(field.code, field.coding.code or field.text, field.result_id) for field in section.fields]
        for section in said.content.sections
    }
    assert found == {
        "conditions": [("condition", "J10", "Condition/k1"), ("onset", "2024-06", "Condition/k1")],
        "medication_requests": [
            ("medication", "Aspirin", "MedicationRequest/m1"),
            ("dosage", "1 a day", "MedicationRequest/m1"),
        ],
        "links": [("link", "Practitioner/d1", "")],
    }
    assert (said.author, said.content.template) == ("d1", "general")
