"""The importer against the real edge and PostgreSQL: once, again, and with changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest

from importers.fhir.importing import import_plan, prepare
from importers.fhir.report import Outcome, Report
from ledger.api.v1.common_pb2 import EntryState, Phase, SourceItem
from ledger.api.v1.records_pb2 import FindRecordsRequest, GetEntryRequest, GetRecordRequest, Record
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.application.ledger import Ledger
from tests.unit.importers.fhir_files import composition, encounter, observation, other, patient, write

_PEOPLE = (patient(), other("Practitioner", "d1", name=[{"text": "Dr Who"}]))


async def _import(folder: Path, channel: grpc.aio.Channel) -> Report:
    return await import_plan(prepare(folder, datetime.now(UTC)), channel, "north")


async def _record_of(channel: grpc.aio.Channel, encounter_id: str) -> Record:
    stub = RecordServiceStub(channel)
    source = SourceItem(system="fhir", type="Encounter", id=encounter_id)
    (found,) = (await stub.FindRecords(FindRecordsRequest(hospital="north", source=source))).records
    return (await stub.GetRecord(GetRecordRequest(hospital="north", record_id=found.record_id))).record


@pytest.mark.long
async def test_real_input_once_and_again(clinosim_files: Path, channel: grpc.aio.Channel, ledger: Ledger) -> None:
    """Every line has an outcome; the second import adds no event and says so."""
    first = await _import(clinosim_files, channel)
    assert (first.good(), first.lines_total()) == (True, 4794), first.reasons
    assert first.total(Outcome.REFUSED) == 0
    assert first.total(Outcome.SAME) == 0
    head = await ledger.head("north")
    assert head == first.position == first.events + 3, "three of the rulebook, before the first record"
    assert first.events == 78 + 110 + 110 + 78 + first.entries
    second = await _import(clinosim_files, channel)
    assert second.good()
    assert (second.events, second.position, await ledger.head("north")) == (0, 0, head)
    assert second.total(Outcome.SAME) == first.total(Outcome.RECORDED)
    assert second.total(Outcome.RECORDED) == second.total(Outcome.AMENDED) == 0


async def test_a_record_as_it_was(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """Dates, people and states of the source stand in the record; what came after its end is in it too."""
    late = observation("late", at="2024-06-20T10:00:00Z", performer=[{"reference": "Practitioner/d1"}])
    write(tmp_path, (*_PEOPLE, encounter(), composition(Subjective="fine"), late, observation("nobody")))
    report = await _import(tmp_path, channel)
    assert report.good(), report.reasons
    record = await _record_of(channel, "e1")
    assert (record.phase, record.department, record.responsible.name) == (
        Phase.PHASE_CLOSED,
        "internal-medicine",
        "Dr Who",
    )
    assert [(entry.versions[0].content.template, entry.state) for entry in record.entries] == [
        ("course_note", EntryState.ENTRY_STATE_SIGNED),
        ("result", EntryState.ENTRY_STATE_AUTHORED),
        ("result", EntryState.ENTRY_STATE_SIGNED),
    ]
    assert record.entries[2].versions[0].occurred_at.ToJsonString() == "2024-06-20T10:00:00Z"


async def test_changed_content_amends(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """The entry gets a second version, the patient new data; nothing else is added."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    write(before, (*_PEOPLE, encounter(), observation(), composition(Subjective="fine")))
    changed = observation(valueQuantity={"value": 39.1, "code": "Cel"})
    moved = patient(gender="female")
    write(after, (moved, _PEOPLE[1], encounter(), changed, composition(Subjective="fine")))
    await _import(before, channel)
    report = await _import(after, channel)
    assert report.counts == {
        ("Patient", Outcome.AMENDED): 1,
        ("Practitioner", Outcome.SAME): 1,
        ("Encounter", Outcome.SAME): 1,
        ("Observation", Outcome.AMENDED): 1,
        ("Composition", Outcome.SAME): 1,
    }
    assert (report.good(), report.events) == (True, 2)
    record = await _record_of(channel, "e1")
    (result,) = (each for each in record.entries if each.versions[0].content.template == "result")
    request = GetEntryRequest(hospital="north", record_id=record.record_id, entry_id=result.entry_id)
    entry = (await RecordServiceStub(channel).GetEntry(request)).entry
    values = [version.content.sections[0].fields[0].quantity.value for version in entry.versions]
    assert values == ["37.5", "39.1"]


async def test_content_that_comes_back_is_taken_up_again(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """A, B, A, B: each time the entry and the patient say what the source says; the same again adds nothing."""
    for name in "AB":
        (tmp_path / name).mkdir()
    write(tmp_path / "A", (*_PEOPLE, encounter(), observation(), composition(Subjective="fine")))
    changed = observation(valueQuantity={"value": 39.1, "code": "Cel"})
    people = (patient(gender="female"), _PEOPLE[1])
    write(tmp_path / "B", (*people, encounter(), changed, composition(Subjective="fine")))
    added: list[int] = []
    for name in "AABBAAB":
        report = await _import(tmp_path / name, channel)
        assert report.good(), report.reasons
        assert report.counts["Composition", Outcome.SAME] == (1 if added else 0)
        added.append(report.events)
    record = await _record_of(channel, "e1")
    (result,) = (each for each in record.entries if each.versions[0].content.template == "result")
    request = GetEntryRequest(hospital="north", record_id=record.record_id, entry_id=result.entry_id)
    entry = (await RecordServiceStub(channel).GetEntry(request)).entry
    values = [version.content.sections[0].fields[0].quantity.value for version in entry.versions]
    assert values == ["37.5", "39.1", "37.5", "39.1"]
    assert added[1:] == [0, 2, 0, 2, 0, 2]


async def test_care_that_has_ended_since(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """A later export ends the stay, though bed and practitioner have changed meanwhile; the rest stays as it was."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    running = encounter(class_="IMP", status="in-progress", period={"start": "2024-06-15T08:00:00Z"})
    write(before, (*_PEOPLE, running, observation()))
    renamed = other("Practitioner", "d1", name=[{"text": "Dr Who-Smith"}])
    ended = encounter(class_="IMP", location=[{"location": {"display": "Bed 9"}}])
    write(after, (patient(), renamed, ended, observation()))
    await _import(before, channel)
    assert (await _record_of(channel, "e1")).phase == Phase.PHASE_ACTIVE
    report = await _import(after, channel)
    assert (report.good(), report.events) == (True, 1), report.reasons
    assert report.counts["Encounter", Outcome.RECORDED] == 1
    assert (await _record_of(channel, "e1")).phase == Phase.PHASE_CLOSED


async def test_an_earlier_visit_that_turns_up_later_gets_the_next_number(
    tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """Its running number is taken: it gets the next free one with all its content; nothing is renumbered."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    write(before, (*_PEOPLE, encounter()))
    earlier = encounter("e0", start="2024-06-14T08:00:00Z")
    write(after, (*_PEOPLE, encounter(), earlier, observation(in_="e0")))
    await _import(before, channel)
    report = await _import(after, channel)
    assert (report.good(), report.adds_up(), report.events) == (True, True, 4), report.reasons
    assert [(await _record_of(channel, each)).visit_sequence for each in ("e1", "e0")] == [1, 2]
    again = await _import(after, channel)
    assert (again.good(), again.events) == (True, 0)


async def test_a_refused_entry_is_counted_and_the_rest_goes_on(tmp_path: Path, channel: grpc.aio.Channel) -> None:
    """One command that the ledger cannot take does not stop an import; it is named by its reason."""
    huge = composition("huge", Subjective="x" * 600_000)
    write(tmp_path, (*_PEOPLE, encounter(), huge, observation()))
    report = await _import(tmp_path, channel)
    assert (report.adds_up(), report.unexpected()) == (True, 1)
    assert report.counts["Observation", Outcome.RECORDED] == 1
    assert (await _record_of(channel, "e1")).phase == Phase.PHASE_CLOSED
