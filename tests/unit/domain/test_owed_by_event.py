"""What an event owes does not depend on where the patient lay: death, rescue, surgery, consultation, in every pack."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.domain.commands import ArchiveRecord, EndCare, RequestConsultation, StartCare, TransferDepartment
from ledger.domain.deadlines import deadlines
from ledger.domain.defaults import default_pack
from ledger.domain.missing_entries import missing_entries
from ledger.domain.pack_text import read_pack
from ledger.domain.state_guards import MANDATORY_THERE
from ledger.domain.values import Disposition, Urgency, VisitType
from tests.unit.domain.given import NOW, PHYSICIAN, RECORD, Stream, active, facts, narrative, registered
from tests.unit.domain.test_deadlines import RESCUED
from tests.unit.domain.test_mandatory_entries import HEAD_OF_LAYER, hold
from tests.unit.domain.test_pack_text import bases, faults_of

PACKS = ("cn-2010", "core-2018", "us-generic")
SECOND = timedelta(seconds=1)
AMBULATORY = (VisitType.EMERGENCY, VisitType.OUTPATIENT)
DEATH_NOTES = {"cn-2010": {"death_record", "death_discussion"}, "us-generic": {"death_record"}}
TERMS = {
    "rescue_record": timedelta(hours=6),
    "operation_record": timedelta(hours=24),
    "death_record": timedelta(hours=24),
    "death_discussion": timedelta(days=7),
}
OF_EVENT = {"rescue_order": "rescue_record", "operation_end": "operation_record"}


def owed(stream: Stream, pack_id: str) -> set[str]:
    """The templates that the pack asks of the record as it is."""
    pack = default_pack(pack_id)
    return {template for template, _, _ in missing_entries(stream.record, pack.mandatory, pack.short_stay)}


@pytest.mark.parametrize("pack_id", PACKS)
@pytest.mark.parametrize("visit", VisitType)
@pytest.mark.parametrize(("event", "note_of_it"), OF_EVENT.items())
def test_each_rescue_and_operation_owes_its_note_in_every_visit(
    pack_id: str, visit: VisitType, event: str, note_of_it: str
) -> None:
    """Nothing without the event; as many notes as there were events."""
    stream = active(visit)
    assert note_of_it not in owed(stream, pack_id)
    for _ in range(2):
        hold(stream, event)
    hold(stream, note_of_it)
    assert note_of_it in owed(stream, pack_id)
    hold(stream, note_of_it)
    assert note_of_it not in owed(stream, pack_id)


@pytest.mark.parametrize("pack_id", PACKS)
@pytest.mark.parametrize("visit", VisitType)
def test_each_consultation_owes_its_note_in_every_visit(pack_id: str, visit: VisitType) -> None:
    """The emergency room asks most of all."""
    stream = active(visit)
    assert "consultation" not in owed(stream, pack_id)
    stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    assert "consultation" in owed(stream, pack_id)
    hold(stream, "consultation")
    assert "consultation" not in owed(stream, pack_id)


@pytest.mark.parametrize("pack_id", DEATH_NOTES)
@pytest.mark.parametrize("visit", VisitType)
def test_a_death_owes_its_notes_in_every_visit(pack_id: str, visit: VisitType) -> None:
    """Who goes home owes none of them."""
    notes = DEATH_NOTES[pack_id]
    for disposition, asked in ((Disposition.HOME, set[str]()), (Disposition.DEATH, notes)):
        stream = active(visit)
        stream.when(EndCare(RECORD, disposition, NOW))
        assert owed(stream, pack_id) & notes == asked
        for template in asked:
            hold(stream, template)
        assert not owed(stream, pack_id) & notes


@pytest.mark.parametrize("visit", AMBULATORY)
def test_the_short_path_is_refused_until_a_death_and_a_rescue_are_told(visit: VisitType) -> None:
    """The doctor's confirmation closes no visit of which the rescue and the death stand nowhere."""
    stream = active(visit)
    stream.entry(RESCUED)
    stream.when(EndCare(RECORD, Disposition.DEATH, NOW))
    assert stream.refused(ArchiveRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")] * 3
    for written in (
        narrative("rescue_record", "course", "participants"),
        narrative("death_record", "course", "cause"),
        narrative("death_discussion", "discussion", "conclusion"),
    ):
        stream.entry(written)
    stream.when(ArchiveRecord(RECORD))


@pytest.mark.parametrize(("lasted", "replaces"), [(24 * 3600, True), (24 * 3600 + 1, False)])
def test_the_death_record_of_24_hours_serves_an_observation_of_24_hours(lasted: int, *, replaces: bool) -> None:
    """The last second included; after a longer one the death record is asked for."""
    stream = registered(VisitType.OBSERVATION)
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW - lasted * SECOND)
    hold(stream, "death_24h_record")
    stream.when(EndCare(RECORD, Disposition.DEATH, NOW))
    assert ("death_record" not in owed(stream, "cn-2010")) is replaces


@pytest.mark.parametrize("pack_id", PACKS)
def test_a_move_owes_a_note_where_the_patient_lies_in_a_ward(pack_id: str) -> None:
    """A clinic sends its patient to another department, which opens a visit of its own."""
    for visit in VisitType:
        stream = active(visit)
        before = owed(stream, pack_id)
        stream.when(TransferDepartment(RECORD, "neurology", "3", None, None), occurred_at=NOW)
        assert bool(owed(stream, pack_id) - before) is (visit not in AMBULATORY)
        hold(stream, "transfer_in_note")
        # Either note will do under us-generic, both are asked for by the norms of China.
        left = {"transfer_out_note"} if pack_id != "us-generic" and visit not in AMBULATORY else set[str]()
        assert owed(stream, pack_id) - before == left


def _ended(visit: VisitType, rule: str) -> Stream:
    stream = registered(visit)
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW)
    if rule == "rescue_record":
        stream.entry(RESCUED)
    elif rule == "operation_record":
        stream.entry(narrative("operation_end", "note"))
    else:
        stream.when(EndCare(RECORD, Disposition.DEATH, NOW))
    return stream


@pytest.mark.parametrize("visit", AMBULATORY)
@pytest.mark.parametrize(("rule", "term"), TERMS.items())
def test_its_clock_runs_in_clinics_and_emergency_rooms_too(visit: VisitType, rule: str, term: timedelta) -> None:
    """One second before, at, and one second after."""
    found = [each for each in deadlines(_ended(visit, rule).record, default_pack("cn-2010"), NOW) if each.rule == rule]
    missed = [each.missed(NOW + term + step) for each in found for step in (-SECOND, 0 * SECOND, SECOND)]
    assert missed == [False, False, True]


@pytest.mark.parametrize("visit", VisitType)
def test_care_of_an_earlier_system_owes_no_notes_of_a_death_or_rescue_here(visit: VisitType) -> None:
    """Registered here, its start of care taken over: nobody can write them now; care that began here owes them."""
    death = {"death_record", "death_24h_record", "death_discussion", "rescue_record"}
    for historical in (True, False):
        stream = registered(visit, historical=not historical)
        stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), historical=historical)
        hold(stream, "rescue_order")
        stream.when(EndCare(RECORD, Disposition.DEATH, NOW))
        asked = [each.text for each in MANDATORY_THERE.faults(stream.record, facts())]
        told = {template for template in death if any(f"signed {template} is" in text for text in asked)}
        assert told == (set() if historical else {"death_record", "death_discussion", "rescue_record"})


def test_whether_a_rule_asks_of_earlier_care_is_said_by_the_pack() -> None:
    """A hospital's layer asks for the discussion of an imported death too; it says true or false, and nothing else."""
    rule = "[[mandatory]]\nid = 'death_discussion'\ncare_here = "
    always, _ = read_pack(f"{HEAD_OF_LAYER}{rule}false\n", bases())
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), historical=True)
    stream.when(EndCare(RECORD, Disposition.DEATH, NOW))
    asked = {template for template, _, _ in missing_entries(stream.record, always.mandatory, always.short_stay)}
    assert "death_discussion" in asked
    assert "death_discussion" not in owed(stream, "cn-2010")
    (fault,) = faults_of(f"{HEAD_OF_LAYER}{rule}'yes'\n")
    assert fault.endswith(".care_here: true or false is required")
