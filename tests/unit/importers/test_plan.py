"""The plan: which record takes what, in which order, under which ids."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from importers.fhir.plan import Plan, RecordPlan, make_plan
from importers.fhir.report import Outcome
from importers.fhir.scan import scan
from tests.unit.importers.fhir_files import (
    END,
    NOW,
    Resource,
    composition,
    encounter,
    observation,
    other,
    patient,
    write,
)


def _plan(folder: Path, *resources: Resource, now: datetime = NOW) -> Plan:
    return make_plan(scan(write(folder, resources)), now)


def _records(plan: Plan) -> list[RecordPlan]:
    return [record for each in plan.patients for record in each.records]


def _settled(plan: Plan) -> Counter[tuple[str, Outcome, str]]:
    return Counter((item.type, outcome, reason) for item, outcome, reason in plan.settled)


def test_visits_are_numbered_by_start_within_patient_and_type(tmp_path: Path) -> None:
    """Ties go by source id; other types and other patients count on their own."""
    plan = _plan(
        tmp_path,
        patient(),
        patient("p2", "MRN-2"),
        encounter("late", start="2024-06-15T09:00:00Z"),
        encounter("b"),
        encounter("a"),
        encounter("ward", class_="IMP"),
        encounter("other", of="p2"),
    )
    numbered = {record.visit.item.id: record.sequence for record in _records(plan)}
    assert numbered == {"a": 1, "b": 2, "late": 3, "ward": 1, "other": 1}


def test_results_of_one_issue_time_make_one_entry(tmp_path: Path) -> None:
    """The group is claimed by encounter and time; documents stand for themselves; entries are in order of time."""
    at = "2024-06-15T10:00:00Z"
    plan = _plan(
        tmp_path,
        patient(),
        encounter(),
        observation("o2", at=at),
        observation("o1", at=at),
        observation("o3", at="2024-06-15T11:00:00+01:00"),
        observation("o4", at="2024-06-15T11:00:00Z"),
        composition(Subjective="fine"),
        other("Condition", "k1", recordedDate=at, subject={"reference": "Patient/p1"}, code={"text": "Cough"}),
    )
    entries = [(each.source_type, [item.id for item in each.members]) for each in _records(plan)[0].entries]
    assert entries == [
        ("Composition", ["c1"]),
        ("ClinicalGroup", ["k1"]),
        ("ResultGroup", ["o1", "o2", "o3"]),
        ("ResultGroup", ["o4"]),
    ]
    assert _records(plan)[0].entries[2].source_id == "e1@2024-06-15T10:00:00+00:00"


def test_a_groups_digest_is_that_of_its_members(tmp_path: Path) -> None:
    """The order of the lines does not matter, a changed digit does."""
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
    first, second = observation("o1"), observation("o2")
    changed = observation("o2", valueQuantity={"value": 37.51, "code": "Cel"})
    digests = [
        _records(_plan(folder, patient(), encounter(), *found))[0].entries[0].sha256
        for folder, found in ((one, (first, second)), (two, (second, first)), (three, (first, changed)))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_an_item_without_encounter_goes_where_its_time_lies(tmp_path: Path) -> None:
    """The latest visit at that time takes it; outside of every visit it belongs to no episode."""
    plan = _plan(
        tmp_path,
        patient(),
        encounter("early"),
        encounter("within", start="2024-06-15T09:00:00Z"),
        observation("o1", in_="", at="2024-06-15T10:00:00Z"),
        observation("o2", in_="", at="2010-01-01"),
    )
    placed = {
        item.id: record.visit.item.id for record in _records(plan) for each in record.entries for item in each.members
    }
    assert placed == {"o1": "within"}
    assert _settled(plan) == {("Observation", Outcome.LEFT_OUT, "names no encounter and lies within none"): 1}


def test_times_after_now_are_refused(tmp_path: Path) -> None:
    """An entry, a visit with all that is in it, and the end of a visit are refused each for its own."""
    now = datetime(2024, 6, 15, 10, tzinfo=UTC)
    plan = _plan(
        tmp_path,
        patient(),
        encounter("running"),
        encounter("coming", start="2024-06-15T11:00:00Z"),
        observation("o1", in_="running"),
        observation("o2", in_="running", at=END),
        observation("o3", in_="coming", at="2024-06-15T09:00:00Z"),
        now=now,
    )
    assert _settled(plan) == {
        ("Encounter", Outcome.REFUSED, "TIME_IN_FUTURE"): 1,
        ("Observation", Outcome.REFUSED, "TIME_IN_FUTURE"): 1,
        ("Observation", Outcome.REFUSED, "RECORD_IN_FUTURE"): 1,
    }
    (running,) = _records(plan)
    assert (running.ends, running.end_refused, len(running.entries)) == (False, True, 1)


def test_care_that_goes_on_is_not_ended(tmp_path: Path) -> None:
    """Only a finished encounter with an end leads to EndCare."""
    plan = _plan(tmp_path, patient(), encounter(status="in-progress"), encounter("e2"))
    assert [(record.visit.item.id, record.ends) for record in _records(plan)] == [("e1", False), ("e2", True)]


def test_a_cancelled_encounter_takes_what_is_in_it_along(tmp_path: Path) -> None:
    """It is left out by name, and so is everything that would stand in its record."""
    plan = _plan(tmp_path, patient(), encounter(status="cancelled"), observation())
    assert _settled(plan) == {
        ("Encounter", Outcome.LEFT_OUT, "the encounter was cancelled"): 1,
        ("Observation", Outcome.LEFT_OUT, "its encounter was left out"): 1,
    }


def test_what_recorded_items_refer_to_is_linked(tmp_path: Path) -> None:
    """An order is linked by the result that names it; one that nobody names is left out with the reason."""
    plan = _plan(
        tmp_path,
        patient(),
        encounter(),
        observation(basedOn=[{"reference": "ServiceRequest/r1"}]),
        other("ServiceRequest", "r1"),
        other("ServiceRequest", "r2"),
    )
    assert _settled(plan) == {
        ("ServiceRequest", Outcome.LINKED, ""): 1,
        ("ServiceRequest", Outcome.LEFT_OUT, "an order to which no recorded result refers"): 1,
    }
