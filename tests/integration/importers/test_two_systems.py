"""The same people from two systems, and items that move: recorded once, linked, amended, refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import grpc.aio
import pytest

from importers.fhir.importing import import_plan, prepare
from importers.fhir.report import Outcome, Report
from ledger.api.v1.common_pb2 import Actor, CommandContext, SourceItem
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.identity_pb2 import WithdrawRecognitionRequest
from ledger.api.v1.identity_pb2_grpc import IdentityServiceStub
from ledger.api.v1.records_pb2 import (
    AmendPatientRequest,
    Entry,
    FindRecordsRequest,
    GetRecordRequest,
    RecordReference,
)
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.application.ledger import Ledger
from ledger.cli.demo.second_system import corrections, second_system
from tests.unit.importers.fhir_files import Resource, encounter, observation, other, patient, write

DOCTOR = other("Practitioner", "d1", name=[{"text": "Dr Who"}])
_ARCHIVIST = Actor(id=str(UUID(int=7)), name="An Archivist", role="records_office", department="ARCHIVE")
_LATER = "2024-06-15T09:00:00Z"
_HEART_RATE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}


async def _import(folder: Path, channel: grpc.aio.Channel, system: str) -> Report:
    return await import_plan(prepare(folder, datetime.now(UTC)), channel, "north", source_system=system)


def _written(folder: Path, rows: Sequence[Resource]) -> Path:
    folder.mkdir()
    return write(folder, rows)


async def import_these(folder: Path, rows: Sequence[Resource], channel: grpc.aio.Channel, system: str = "a") -> Report:
    """The report of an import of these resources, whose every line has an outcome."""
    report = await _import(_written(folder, rows), channel, system)
    assert report.adds_up()
    return report


async def find(channel: grpc.aio.Channel, type_: str, id_: str, system: str = "a") -> RecordReference:
    """What was made of a source's item."""
    request = FindRecordsRequest(hospital="north", source=SourceItem(system=system, type=type_, id=id_))
    (found,) = (await RecordServiceStub(channel).FindRecords(request)).records
    return found


async def _entries(channel: grpc.aio.Channel, record_id: str) -> dict[str, Entry]:
    request = GetRecordRequest(hospital="north", record_id=record_id)
    record = (await RecordServiceStub(channel).GetRecord(request)).record
    return {each.entry_id: each for each in record.entries}


def _shown(entry: Entry) -> list[str]:
    sections = entry.versions[-1].content.sections
    return [field.result_id for section in sections for field in section.fields if field.result_id]


@pytest.mark.long
async def test_two_systems_on_real_input(
    clinosim_files: Path, tmp_path: Path, channel: grpc.aio.Channel, ledger: Ledger
) -> None:
    """Every line of both has an outcome, what both say stands once, and either import again adds no event."""
    first = await _import(clinosim_files, channel, "his")
    assert (first.good(), first.total(Outcome.REFUSED)) == (True, 0), first.reasons
    laboratory = second_system(clinosim_files, tmp_path / "laboratory")
    second = await _import(laboratory, channel, "laboratory")
    assert (second.good(), second.total(Outcome.REFUSED)) == (True, 0), second.reasons
    assert sum(second.total(outcome) for outcome in Outcome) == second.lines_total()
    assert second.counts["Patient", Outcome.LINKED] == 71
    assert second.counts["Patient", Outcome.RECORDED] == 7
    assert second.counts["Encounter", Outcome.LINKED] > 90
    assert second.counts["Observation", Outcome.LINKED] > 800
    assert second.counts["Observation", Outcome.RECORDED] > 200
    assert second.total(Outcome.AMENDED) == 0
    head = await ledger.head("north")
    assert head == first.events + second.events
    for files, system in ((clinosim_files, "his"), (laboratory, "laboratory")):
        again = await _import(files, channel, system)
        assert (again.good(), again.events, await ledger.head("north")) == (True, 0, head), again.reasons


async def test_a_second_system_that_knows_some_and_corrects_itself(
    clinosim_files: Path, tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """As the demo shows it: linked and recorded first, then its own results amended and the one dated ahead refused."""
    few = second_system(clinosim_files, tmp_path / "some", people=6)
    assert len((few / "Patient.ndjson").read_text().splitlines()) == 6
    first = await _import(few, channel, "laboratory")
    later = await _import(corrections(few, tmp_path / "corrected"), channel, "laboratory")
    assert (first.good(), first.total(Outcome.REFUSED)) == (True, 0), first.reasons
    assert later.good(), later.reasons
    assert later.counts["Observation", Outcome.AMENDED] > 0
    assert later.total(Outcome.REFUSED) == later.counts["Observation", Outcome.REFUSED] == 1
    assert later.total(Outcome.RECORDED) == later.total(Outcome.LINKED) == 0


async def test_every_member_of_a_group_is_found(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """FindRecords by an Observation names the record and the entry that holds it."""
    rows = [patient(), DOCTOR, encounter(), observation("o1"), observation("o2", code=_HEART_RATE)]
    await import_these(tmp_path / "a", rows, channel)
    found = [await find(channel, "Observation", id_) for id_ in ("o1", "o2")]
    assert found[0] == found[1]
    assert not found[0].linked
    (entry,) = (await _entries(channel, found[0].record_id)).values()
    assert (entry.entry_id, _shown(entry)) == (found[0].entry_id, ["Observation/o1", "Observation/o2"])


async def test_a_result_whose_issue_time_moves_stands_in_one_entry(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """There, back, and both: the group that it left is amended, also where that was its last member."""
    base = [patient(), DOCTOR, encounter()]
    here = [observation("o1"), observation("o2", code=_HEART_RATE)]
    both_moved = [observation("o1", issued=_LATER), observation("o2", code=_HEART_RATE, issued=_LATER)]
    one_moved = [here[0], both_moved[1]]
    for number, rows in enumerate((here, one_moved, both_moved, here, one_moved)):
        report = await import_these(tmp_path / str(number), [*base, *rows], channel)
        assert report.good(), (number, report.reasons)
        found = {id_: await find(channel, "Observation", id_) for id_ in ("o1", "o2")}
        entries = await _entries(channel, found["o1"].record_id)
        shown = sorted((member, id_) for id_, entry in entries.items() for member in _shown(entry))
        assert shown == [(f"Observation/{id_}", found[id_].entry_id) for id_ in ("o1", "o2")], number
        assert (found["o1"].entry_id == found["o2"].entry_id) == (rows is not one_moved)
        again = await _import(tmp_path / str(number), channel, "a")
        assert (again.good(), again.events) == (True, 0), number


async def test_what_another_system_said_is_linked_and_the_rest_recorded(
    tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """The group of the second system holds only what is new; a value that differs is new."""
    one = [patient(), DOCTOR, encounter(), observation("o1"), observation("o2", code=_HEART_RATE)]
    await import_these(tmp_path / "one", one, channel)
    differs = observation("b2", "pb", "eb", code=_HEART_RATE, valueQuantity={"value": 91, "code": "/min"})
    two = [patient("pb"), DOCTOR, encounter("eb", "pb"), observation("b1", "pb", "eb"), differs]
    report = await import_these(tmp_path / "two", two, channel, "b")
    assert report.good(), report.reasons
    assert {key: count for key, count in report.counts.items() if key[0] != "Practitioner"} == {
        ("Patient", Outcome.LINKED): 1,
        ("Encounter", Outcome.LINKED): 1,
        ("Observation", Outcome.LINKED): 1,
        ("Observation", Outcome.RECORDED): 1,
    }
    o1, b1, b2 = [
        await find(channel, "Observation", id_, system) for id_, system in (("o1", "a"), ("b1", "b"), ("b2", "b"))
    ]
    assert (b1.entry_id, b1.linked, b2.linked) == (o1.entry_id, True, False)
    assert _shown((await _entries(channel, o1.record_id))[b2.entry_id]) == ["Observation/b2"]
    changed = [*two[:3], observation("b1", "pb", "eb", valueQuantity={"value": 40, "code": "Cel"}), differs]
    report = await import_these(tmp_path / "changed", changed, channel, "b")
    assert report.counts["Observation", Outcome.AMENDED] == 2, report.counts
    b1 = await find(channel, "Observation", "b1", "b")
    assert (b1.entry_id, b1.linked) == (b2.entry_id, False)
    report = await import_these(tmp_path / "back", two, channel, "b")
    assert report.counts["Observation", Outcome.LINKED] == 1, report.counts
    b1 = await find(channel, "Observation", "b1", "b")
    assert (b1.entry_id, b1.linked) == (o1.entry_id, True)
    assert _shown((await _entries(channel, o1.record_id))[b2.entry_id]) == ["Observation/b2"]


async def test_a_fact_that_its_first_system_took_back_is_nobodys(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """Where the first system says something else by now, the second one's result is recorded."""
    people = [patient(), DOCTOR, encounter()]
    await import_these(tmp_path / "one", [*people, observation("o1")], channel)
    corrected = observation("o1", valueQuantity={"value": 40, "code": "Cel"})
    await import_these(tmp_path / "corrected", [*people, corrected], channel)
    two = [patient("pb"), DOCTOR, encounter("eb", "pb"), observation("b1", "pb", "eb")]
    report = await import_these(tmp_path / "two", two, channel, "b")
    assert report.counts["Observation", Outcome.RECORDED] == 1, report.counts
    assert not (await find(channel, "Observation", "b1", "b")).linked


async def test_a_possible_match_is_reported_and_never_filed(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """Same name, birth date and gender under another number: a patient of its own, named in the report."""
    known = patient(birthDate="1944-01-01", gender="female")
    await import_these(tmp_path / "one", [known, DOCTOR, encounter(), observation()], channel)
    unknown = patient("pb", "B-7", birthDate="1944-01-01", gender="female")
    two = [unknown, DOCTOR, encounter("eb", "pb"), observation("b1", "pb", "eb")]
    report = await import_these(tmp_path / "two", two, channel, "b")
    first, second = await find(channel, "Patient", "p1", "a"), await find(channel, "Patient", "pb", "b")
    assert report.alike == [(second.record_id, (first.record_id,))]
    assert report.counts["Patient", Outcome.RECORDED] == report.counts["Observation", Outcome.RECORDED] == 1


async def test_an_item_taken_back_from_the_wrong_patient_is_filed_under_its_own(
    tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """With unchanged content, too: its next visit is not the first one's again."""
    await import_these(tmp_path / "one", [with_passport("p1", "MRN-1"), DOCTOR, encounter()], channel)
    people = [with_passport("pb", "B-7"), DOCTOR]
    await import_these(tmp_path / "two", [*people, encounter("eb", "pb")], channel, "b")
    wrong = (await find(channel, "Patient", "p1")).record_id
    amended = AmendPatientRequest(
        context=by_archivist(), patient_id=wrong, details=PatientDetails(name="Jo Doe"), reason="a slip"
    )
    await PatientServiceStub(channel).AmendPatient(amended)
    taken_back = WithdrawRecognitionRequest(
        context=by_archivist(), patient_id=wrong, system="b", type="Patient", id="pb", reason="another person"
    )
    await IdentityServiceStub(channel).WithdrawRecognition(taken_back)
    for number in (2, 3):
        visit = encounter(f"eb{number}", "pb", start=f"2024-06-1{number}T09:00:00Z")
        report = await import_these(tmp_path / f"later{number}", [*people, visit], channel, "b")
        assert report.good(), report.reasons
        own = (await find(channel, "Patient", "pb", "b")).record_id
        record_id = (await find(channel, "Encounter", f"eb{number}", "b")).record_id
        request = GetRecordRequest(hospital="north", record_id=record_id)
        assert (await RecordServiceStub(channel).GetRecord(request)).record.patient_id == own != wrong


async def test_a_source_that_says_the_wrong_number_still_files_under_a_patient_of_its_own(
    tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """However often it is imported; the report names the one from whom its item was taken back as a possible match."""
    await import_these(tmp_path / "one", [with_passport("p1", "MRN-1"), DOCTOR, encounter()], channel)
    people = [with_passport("pb", "B-7"), DOCTOR]
    await import_these(tmp_path / "two", people, channel, "b")
    wrong = (await find(channel, "Patient", "p1")).record_id
    taken_back = WithdrawRecognitionRequest(
        context=by_archivist(), patient_id=wrong, system="b", type="Patient", id="pb", reason="another person"
    )
    await IdentityServiceStub(channel).WithdrawRecognition(taken_back)
    for number in (2, 3):
        visit = encounter(f"eb{number}", "pb", start=f"2024-06-1{number}T09:00:00Z")
        report = await import_these(tmp_path / f"again{number}", [*people, visit], channel, "b")
        assert report.good(), report.reasons
        own = (await find(channel, "Patient", "pb", "b")).record_id
        assert report.alike == [(own, (wrong,))]
        record_id = (await find(channel, "Encounter", f"eb{number}", "b")).record_id
        request = GetRecordRequest(hospital="north", record_id=record_id)
        assert (await RecordServiceStub(channel).GetRecord(request)).record.patient_id == own != wrong


def with_passport(id_: str, mrn: str) -> Resource:
    """A patient with a number of the system's own and the one passport."""
    passport = {"type": {"coding": [{"code": "PPN"}]}, "system": "urn:passport", "value": "P-1"}
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": mrn}
    return patient(id_, mrn, identifier=[number, passport])


def by_archivist() -> CommandContext:
    """A command of the records office."""
    return CommandContext(hospital="north", command_id=str(uuid4()), actor=_ARCHIVIST)
