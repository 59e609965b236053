"""Requests are the same bytes at every import, marked as historical, and claimed by source and digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from importers.fhir.content_digest import command_id, digest
from importers.fhir.entry_content import said_by
from importers.fhir.plan import RecordPlan, make_plan
from importers.fhir.requests import Requests
from importers.fhir.scan import scan
from ledger.api.v1.common_pb2 import Actor, Disposition, VisitType
from tests.unit.importers.fhir_files import NOW, Resource, encounter, observation, patient, write


def _planned(folder: Path, found: Resource) -> tuple[RecordPlan, Resource]:
    folder.mkdir()
    catalogue = scan(write(folder, (patient(), found)))
    (record,) = make_plan(catalogue, NOW).patients[0].records
    return record, catalogue.read(record.visit.item)


def _requests() -> Requests:
    return Requests("north", "fhir", Actor(id="program"), {"d1": Actor(id="doctor", name="D")})


def test_a_command_id_is_made_of_hospital_source_and_digest() -> None:
    """The same content has the same id; every part makes another."""
    base = ("north", "fhir", "Patient", "p1", b"a")
    others = [("south", *base[1:]), (*base[:3], "p2", b"a"), (*base[:4], b"b")]
    ids = {command_id(*each) for each in (base, base, *others)}
    assert len(ids) == 1 + len(others)


def test_the_digest_is_of_the_canonical_form() -> None:
    """The order of names does not matter, the value does."""
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_an_encounter_becomes_three_commands(tmp_path: Path) -> None:
    """Each claims its own part of the encounter, and happened when the source says."""
    dismissed = {"dischargeDisposition": {"coding": [{"code": "exp"}]}}
    plan, source = _planned(tmp_path / "a", encounter(class_="EMER", hospitalization=dismissed))
    requests = _requests()
    record = requests.register_record(plan, source, "patient-stream")
    start = requests.start_care(plan, source, "record-stream")
    end = requests.end_care(plan, source, "record-stream")
    assert record.visit_type == VisitType.VISIT_TYPE_EMERGENCY
    assert (record.department, start.responsible.id) == ("internal-medicine", "doctor")
    assert end.disposition == Disposition.DISPOSITION_DEATH
    assert end.context.occurred_at == end.ended_at
    contexts = [record.context, start.context, end.context]
    assert [context.source.type for context in contexts] == ["Encounter", "EncounterStart", "EncounterEnd"]
    assert len({context.command_id for context in contexts}) == 3
    assert all(context.historical and context.source.id == "e1" for context in contexts)


def test_a_later_end_leaves_registration_and_start_as_they_were(tmp_path: Path) -> None:
    """An encounter that has finished since the last import adds its end, and nothing else."""
    running = _planned(tmp_path / "a", encounter(status="in-progress", period={"start": "2024-06-15T08:00:00Z"}))
    finished = _planned(tmp_path / "b", encounter())
    requests = _requests()
    assert requests.register_record(*running, "p") == requests.register_record(*finished, "p")
    assert requests.start_care(*running, "r") == requests.start_care(*finished, "r")
    assert (running[0].ends, finished[0].ends) == (False, True)
    under = [requests.register_record(*finished, each).context.command_id for each in ("p", "q")]
    assert len(set(under)) == 2, "who is another patient by now is registered anew, and not taken for done"


def test_nobody_in_charge_is_said_as_a_team(tmp_path: Path) -> None:
    """Where the source names nobody, no physician is made up."""
    plan, source = _planned(tmp_path / "a", encounter(class_="EMER", participant=[]))
    start = _requests().start_care(plan, source, "r")
    assert (start.HasField("responsible"), start.team) == (False, "not named in the source")
    plan, source = _planned(tmp_path / "b", encounter(participant=[]))
    assert _requests().start_care(plan, source, "r").responsible.id == "program"


@pytest.mark.parametrize(
    ("change", "signer"),
    [
        ({}, "doctor"),
        ({"performer": []}, ""),
        ({"status": "preliminary"}, ""),
        ({"performer": [{"reference": "Practitioner/unknown"}]}, ""),
    ],
)
def test_only_what_was_finished_by_somebody_is_signed(tmp_path: Path, change: Resource, signer: str) -> None:
    """The import signs nothing itself."""
    found = {**observation(performer=[{"reference": "Practitioner/d1"}]), **change}
    catalogue = scan(write(tmp_path, (patient(), encounter(), found)))
    (entry,) = make_plan(catalogue, NOW).patients[0].records[0].entries
    request = _requests().record_entry(entry, said_by(entry, [catalogue.read(entry.members[0])]), "r", [b""])
    assert request.attestation.signer.id == signer
    assert request.HasField("attestation") == bool(signer)
