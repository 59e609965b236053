"""Bad input: one typed error that names file, line and fault, before anything could be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from importers.fhir.faults import LISTED_MAX, FaultCode, UnusableInput
from importers.fhir.scan import scan
from tests.unit.importers.fhir_files import (
    Resource,
    append,
    composition,
    encounter,
    observation,
    other,
    patient,
    write,
)

_GOOD = (patient(), encounter(), observation())


def _faults(folder: Path) -> list[tuple[str, int, FaultCode, str]]:
    with pytest.raises(UnusableInput) as raised:
        scan(folder)
    return [(fault.file, fault.line, fault.code, fault.field) for fault in raised.value.faults]


def test_sound_files_are_catalogued(tmp_path: Path) -> None:
    """Every line is counted, blank ones are none."""
    append(write(tmp_path, _GOOD), "Observation.ndjson", b"\n  \n")
    assert scan(tmp_path).lines == {"Patient": 1, "Encounter": 1, "Observation": 1}


def test_not_a_directory(tmp_path: Path) -> None:
    """A path that is no directory is refused."""
    assert _faults(tmp_path / "nowhere")[0][2] is FaultCode.NOT_A_DIRECTORY


def test_empty_directory(tmp_path: Path) -> None:
    """A directory without NDJSON is refused, whatever else it holds."""
    append(tmp_path, "manifest.json", b"{}")
    assert _faults(tmp_path)[0][2] is FaultCode.NO_FILES


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"resourceType": "Observation", "id": "o', FaultCode.TRUNCATED),
        ('{"resourceType": "Observation", "id": "ö'.encode()[:-1], FaultCode.TRUNCATED),
        (b"PK\x03\x04 not json\n", FaultCode.NOT_JSON),
        (b'{"resourceType": "Observation", "id": "o2"\n', FaultCode.NOT_JSON),
        (b'{"resourceType": "Observation", "id": "o2", "valueQuantity": {"value": NaN}}\n', FaultCode.NOT_JSON),
        (b"[" * 100_000 + b"\n", FaultCode.NOT_JSON),
        (b'{"resourceType": "Observation", "id": "\xff"}\n', FaultCode.NOT_UTF8),
        (b"[1, 2]\n", FaultCode.NOT_A_RESOURCE),
        (b'{"resourceType": "Patient", "id": "p9"}\n', FaultCode.WRONG_RESOURCE),
        (b'{"resourceType": "Observation"}\n', FaultCode.NO_ID),
        (json.dumps(observation()).encode(), FaultCode.DUPLICATE_ID),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, code: FaultCode) -> None:
    """The fault says which line of which file, and what it is."""
    append(write(tmp_path, _GOOD), "Observation.ndjson", line)
    assert [fault[:3] for fault in _faults(tmp_path)] == [("Observation.ndjson", 2, code)]


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        (observation("o2", in_="gone"), FaultCode.UNKNOWN_ENCOUNTER, "encounter"),
        (observation("o2", of="gone", in_=""), FaultCode.UNKNOWN_PATIENT, "subject"),
        (observation("o2", of="p2"), FaultCode.OTHER_PATIENT, "subject"),
        (
            observation("o2", at=""),
            FaultCode.REQUIRED,
            "issued or effectiveDateTime or effectiveInstant or effectivePeriod.start",
        ),
        (observation("o2", at="yesterday"), FaultCode.NOT_A_TIME, "effectiveDateTime"),
        (encounter("e2", of="gone"), FaultCode.UNKNOWN_PATIENT, "subject"),
        (encounter("e2", class_="MOON"), FaultCode.UNKNOWN_CODE, "class.code"),
        (encounter("e2", start="2025-01-01"), FaultCode.END_BEFORE_START, "period.end"),
        (encounter("e2", period={}), FaultCode.REQUIRED, "period.start"),
        (patient("p3", mrn=""), FaultCode.REQUIRED, "identifier[type=MR].value"),
    ],
)
def test_what_cannot_be_placed_is_named(tmp_path: Path, bad: Resource, code: FaultCode, field: str) -> None:
    """A missing value or a reference that leads nowhere is a fault of its line."""
    write(tmp_path, (*_GOOD, patient("p2", "MRN-2"), bad))
    assert [fault[2:] for fault in _faults(tmp_path)] == [(code, field)]


def test_all_faults_at_once_and_bounded(tmp_path: Path) -> None:
    """Every fault is counted, the first are listed, and no value of a resource is in the message."""
    write(tmp_path, (*_GOOD, *(observation(f"secret-{number}", in_="gone") for number in range(LISTED_MAX + 5))))
    with pytest.raises(UnusableInput) as raised:
        scan(tmp_path)
    assert (len(raised.value.faults), raised.value.total) == (LISTED_MAX, LISTED_MAX + 5)
    assert "Observation.ndjson:2: UNKNOWN_ENCOUNTER" in str(raised.value)
    assert "... and 5 more" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_subject_that_leads_nowhere_is_no_fault_where_the_encounter_is_there(tmp_path: Path) -> None:
    """clinosim 0.6.5 writes such documents: the encounter decides."""
    document = {**composition(Subjective="fine"), "subject": {"reference": "Patient/gone"}}
    assert len(scan(write(tmp_path, (*_GOOD, document))).entries) == 2


def test_a_file_that_changes_after_the_scan_is_found(tmp_path: Path) -> None:
    """What is sent is what was checked."""
    catalogue = scan(write(tmp_path, _GOOD))
    path = tmp_path / "Observation.ndjson"
    path.write_text(path.read_text().replace("37.5", "39.5"))
    with pytest.raises(UnusableInput) as raised:
        catalogue.read(catalogue.entries[0])
    assert raised.value.faults[0].code is FaultCode.CHANGED


def test_unknown_types_and_withdrawn_resources_are_left_out_by_name(tmp_path: Path) -> None:
    """A type without a mapping and a resource entered in error are left out with a reason each."""
    withdrawn = observation("o2", status="entered-in-error")
    catalogue = scan(write(tmp_path, (*_GOOD, other("Spaceship", "s1"), withdrawn)))
    assert [(item.type, reason) for item, reason in catalogue.left_out] == [
        ("Observation", "entered in error at the source"),
        ("Spaceship", "the import has no mapping for this type"),
    ]


def test_a_file_that_the_manifest_names_must_be_there(tmp_path: Path) -> None:
    """And hold as many resources as it says: a file cut at the end of a line looks whole by itself."""
    append(write(tmp_path, _GOOD), "Observation.ndjson", b"\n")
    output = [
        {"type": "Patient", "url": "https://ehr.example/files/Patient.ndjson", "count": 1},
        {"type": "Encounter", "url": "Encounter.ndjson"},
        {"type": "Observation", "url": "Observation.ndjson", "count": 2},
        {"type": "Condition", "url": "Condition.ndjson?signature=x"},
    ]
    append(tmp_path, "manifest.json", json.dumps({"output": output}).encode())
    assert _faults(tmp_path) == [
        ("Observation.ndjson", 0, FaultCode.OTHER_COUNT, ""),
        ("Condition.ndjson", 0, FaultCode.MISSING_FILE, ""),
    ]


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{}", b'{"output": [{}]}', b'{"output": [{"url": 1}]}', b'{"output": {"a": 1}}']
)
def test_a_manifest_that_is_none(tmp_path: Path, manifest: bytes) -> None:
    """Named as such; nothing is imported on a guess."""
    append(write(tmp_path, _GOOD), "manifest.json", manifest)
    assert _faults(tmp_path) == [("manifest.json", 0, FaultCode.NOT_A_MANIFEST, "")]
