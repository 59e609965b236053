"""The plan of real input: every line has its place, and the figures are those that clinosim promises."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from importers.fhir.entry_content import said_by
from importers.fhir.plan import Plan, make_plan
from importers.fhir.report import Outcome
from importers.fhir.scan import scan

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan(clinosim_files: Path) -> Plan:
    """The plan of all files."""
    return make_plan(scan(clinosim_files), _NOW)


def test_every_line_is_planned_or_settled_once(plan: Plan) -> None:
    """Lines = actors + patients + encounters + members of entries + what is linked or left out."""
    records = [record for each in plan.patients for record in each.records]
    planned = Counter({"Practitioner": len(plan.catalogue.actors), "Patient": len(plan.patients)})
    planned["Encounter"] += len(records)
    planned.update(item.type for record in records for entry in record.entries for item in entry.members)
    planned.update(item.type for item, _, _ in plan.settled)
    assert planned == plan.catalogue.lines
    assert (planned["Patient"], planned["Encounter"], planned["Observation"]) == (78, 110, 2094)


def test_nothing_clinical_is_left_out(plan: Plan) -> None:
    """Only orders and the like without a result, and what names no content of a record."""
    left_out = {item.type for item, outcome, _ in plan.settled if outcome is Outcome.LEFT_OUT}
    assert left_out == {
        "CareTeam",
        "Device",
        "DeviceUseStatement",
        "Endpoint",
        "Location",
        "Organization",
        "ServiceRequest",
        "Specimen",
    }
    assert not [item for item, outcome, _ in plan.settled if outcome is Outcome.REFUSED]


def test_every_entry_has_content(plan: Plan) -> None:
    """Each template that fits is used; an entry stays far below the ledger's limit."""
    templates = Counter[str]()
    for record in (record for each in plan.patients for record in each.records):
        for entry in record.entries:
            content = said_by(entry, [plan.catalogue.read(item) for item in entry.members]).content
            templates[content.template] += 1
            assert content.title
            assert all(section.text or section.fields for section in content.sections)
            assert 0 < content.ByteSize() < 100_000
    assert set(templates) == {"admission_note", "course_note", "general", "operation_record", "result"}
    assert templates["admission_note"] == 32


def test_documents_whose_patient_leads_nowhere_are_counted(plan: Plan) -> None:
    """clinosim 0.6.5 gives 195 compositions and 97 reports of inpatients the id of no patient."""
    assert plan.subjects_unresolved == 195 + 97
