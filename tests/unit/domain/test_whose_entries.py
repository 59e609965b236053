"""What a record owes is about its patient: nothing that is written about a newborn of it stands in her place."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.commands import (
    AnswerConsultation,
    ArchiveRecord,
    EndCare,
    PassQuality,
    RequestConsultation,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.course_commands import AcceptDeficiency
from ledger.domain.deadlines import Deadline, deadlines
from ledger.domain.missing_entries import missing_entries
from ledger.domain.newborn_commands import RegisterNewborn, WithdrawNewborn
from ledger.domain.patient_condition import UNSAID, condition_of
from ledger.domain.refusal import RefusalKind
from ledger.domain.state_guards import ENTRY_THERE, MANDATORY_THERE, StateGuard
from ledger.domain.values import Coding, Disposition, EntryContent, Phase, Urgency, VisitType
from tests.unit.domain.given import (
    CONSENT,
    MANDATORY,
    NOW,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    Stream,
    active,
    facts,
    narrative,
    note,
    signed,
)
from tests.unit.domain.test_deadlines import HOUR, PACK, in_condition, under_care
from tests.unit.domain.test_mandatory_entries import FRONT_PAGE
from tests.unit.domain.test_move_note import OUT, move
from tests.unit.domain.test_transfer_note import HEAD, NOTE, goes, refused

ORDER, RESCUE = narrative("rescue_order", "note"), narrative("rescue_record", "course", "participants")
OPERATED = narrative("operation_end", "note")
OPERATION = narrative("operation_record", "procedure", "findings", "course")


def born(stream: Stream, number: int = 1) -> UUID:
    """A newborn of the record."""
    subject_id = stream.when(RegisterNewborn(RECORD, number, NOW)).result["subject_id"]
    assert isinstance(subject_id, UUID)
    return subject_id


def of(subject_id: UUID | None, content: EntryContent) -> EntryContent:
    """The same, about somebody."""
    return replace(content, subject_id=subject_id)


def missing(stream: Stream) -> set[str]:
    """The templates that the record owes."""
    return {template for template, _, _ in missing_entries(stream.record, PACK.mandatory, PACK.short_stay)}


def of_rule(stream: Stream, rule: str, hours: int = 0) -> list[Deadline]:
    """The deadlines of a rule so many hours after NOW."""
    return [each for each in deadlines(stream.record, PACK, NOW + hours * HOUR) if each.rule == rule]


def test_a_record_is_not_handed_in_with_its_newborns_documents() -> None:
    """None of them is hers; with hers beside them it goes the whole way."""
    stream = active()
    child = born(stream)
    for content in MANDATORY:
        stream.entry(of(child, content))
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert missing(stream) == {each.template for each in MANDATORY}
    hers = [("record_id", "MISSING_ENTRY")] * len(MANDATORY) + [("record_id", "NO_ENTRY")]
    assert stream.refused(SubmitRecord(RECORD))[1] == hers
    for content in MANDATORY:
        stream.entry(content)
    for step in (SubmitRecord, PassQuality, ArchiveRecord):
        stream.when(step(RECORD))
    assert stream.record.phase is Phase.ARCHIVED


@pytest.mark.parametrize("demand", [MANDATORY_THERE, ENTRY_THERE], ids=lambda each: each.rule)
def test_a_record_of_newborns_entries_alone_goes_to_no_archive(demand: StateGuard) -> None:
    """Neither does it hold an entry nor what the pack asks for."""
    stream = active()
    child = born(stream)
    for content in MANDATORY:
        stream.entry(of(child, content))
    assert list(demand.faults(stream.record, facts()))
    for content in MANDATORY:
        stream.entry(content)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert not list(demand.faults(stream.record, facts()))


def test_of_a_newborn_who_is_led_to_another_nothing_becomes_hers() -> None:
    """Whoever the id means by now, it is not the patient."""
    stream = active()
    right, wrong = born(stream, 1), born(stream, 2)
    stream.entry(of(wrong, note()))
    stream.when(WithdrawNewborn(RECORD, wrong, right, "registered twice"), actor=SUPERIOR)
    assert "course_note" in missing(stream)
    stream.entry()
    assert "course_note" not in missing(stream)


def test_that_a_document_is_missing_is_accepted_as_often_as_hers_lack() -> None:
    """A newborn's page is none of the two that somebody has to settle."""
    stream = active()
    child = born(stream)
    for _ in range(2):
        stream.entry(OPERATED)
        stream.entry(of(child, OPERATION))
    asked = {template: times for template, times, _ in missing_entries(stream.record, PACK.mandatory)}
    assert asked["operation_record"] == 2
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    for _ in range(2):
        stream.when(AcceptDeficiency(RECORD, None, "operation_record", "lost"))
    assert stream.refused(AcceptDeficiency(RECORD, None, "operation_record", "lost"))[1] == [
        ("record_id", "ALREADY_ACCEPTED")
    ]


@pytest.mark.parametrize(
    ("happened", "asked"),
    [(OPERATED, {"operation_record", "informed_consent", "front_page"}), (ORDER, {"rescue_record"})],
    ids=["operation", "rescue"],
)
def test_what_was_done_to_a_newborn_asks_for_no_document_about_her(happened: EntryContent, asked: set[str]) -> None:
    """Her own does."""
    stream = active()
    stream.entry(MANDATORY[3])
    before = missing(stream)
    stream.entry(of(born(stream), happened))
    assert missing(stream) == before
    stream.entry(happened)
    assert missing(stream) == before | asked


def test_a_consent_and_a_code_of_a_newborn_are_not_hers() -> None:
    """The rules that look into entries look into hers."""
    stream = active()
    child = born(stream)
    stream.entry(OPERATED)
    for content in (CONSENT, FRONT_PAGE):
        stream.entry(of(child, content))
    assert {"informed_consent", "front_page"} <= missing(stream)
    for content in (CONSENT, FRONT_PAGE):
        stream.entry(content)
    assert not {"informed_consent", "front_page"} & missing(stream)


def test_a_refusal_about_a_newborn_takes_back_no_consent_of_hers() -> None:
    """The last word counts that was said about the patient."""
    stream = active()
    child = born(stream)
    stream.entry(CONSENT, occurred_at=NOW - 2 * HOUR)
    stream.entry(OPERATED)
    decision = CONSENT.sections[2]
    fields = (
        replace(decision.fields[0], coding=Coding("urn:ledger:consent-decision", "refused")),
        *decision.fields[1:],
    )
    refused = replace(CONSENT, sections=(*CONSENT.sections[:2], replace(decision, fields=fields)))
    stream.entry(of(child, refused))
    assert "informed_consent" not in missing(stream)


def test_a_consultation_about_a_newborn_is_told_by_its_own_answer_alone() -> None:
    """Nobody writes its note a second time about the mother; any other note about the child is none of it."""
    stream = active()
    child = born(stream)
    told = narrative("consultation", "opinion")
    stream.entry(of(child, told))
    for number in range(2):
        asked = stream.when(RequestConsultation(RECORD, "neonatology", Urgency.ROUTINE, "Why?"), actor=SUPERIOR)
        assert "consultation" in missing(stream)
        consultation_id = asked.result["consultation_id"]
        assert isinstance(consultation_id, UUID)
        answer = AnswerConsultation(RECORD, consultation_id, "So.", of(child if number else None, told), signed())
        stream.when(answer)
        assert "consultation" not in missing(stream)


def test_how_a_newborn_is_says_nothing_of_the_mother() -> None:
    """Neither a stable child nor a critical one changes her condition, her clocks or the nursing record."""
    stream = under_care()
    child = born(stream)
    stream.entry(of(child, in_condition("critical")))
    assert condition_of(stream.record) == UNSAID
    assert "nursing_record" not in missing(stream)
    stream.entry(in_condition("critical"))
    stream.entry(of(child, in_condition("stable")), now=NOW + HOUR)
    assert condition_of(stream.record) == "critical"
    assert "nursing_record" in missing(stream)
    assert any(each.missed(NOW + 25 * HOUR) for each in of_rule(stream, "course_note_critical", 25))


@pytest.mark.parametrize("rule", ["admission_record", "first_course_note"])
def test_a_newborns_note_keeps_no_clock_of_hers(rule: str) -> None:
    """It runs on until her own comes."""
    stream = under_care()
    child = born(stream)
    for content in MANDATORY:
        stream.entry(of(child, content))
    assert [each.met_at for each in of_rule(stream, rule)] == [None]
    for content in MANDATORY:
        stream.entry(content, now=NOW + HOUR)
    assert [each.met_at for each in of_rule(stream, rule)] == [NOW + HOUR]


def test_a_newborns_daily_note_keeps_no_daily_note_of_hers() -> None:
    """A repeated clock is counted from her notes."""
    stream = under_care()
    stream.entry(in_condition("critical"))
    stream.entry(of(born(stream), in_condition("critical")), now=NOW + 23 * HOUR)
    assert [each.missed(NOW + 25 * HOUR) for each in of_rule(stream, "course_note_critical", 25)][-2:] == [True, False]


@pytest.mark.parametrize("of_mother", [True, False], ids=["mother", "newborn"])
def test_what_happens_owes_a_note_about_whom_it_happened_to(*, of_mother: bool) -> None:
    """A rescue of the child owes a note about the child, one of the mother hers; neither keeps the other's."""
    stream = under_care()
    child = born(stream)
    rescued, other = (None, child) if of_mother else (child, None)
    stream.entry(of(rescued, ORDER))
    stream.entry(of(other, RESCUE), now=NOW + HOUR)
    assert [each.met_at for each in of_rule(stream, "rescue_record")] == [None]
    stream.entry(of(rescued, RESCUE), now=NOW + 2 * HOUR)
    assert [each.met_at for each in of_rule(stream, "rescue_record")] == [NOW + 2 * HOUR]


def test_two_rescues_of_two_people_owe_one_note_each() -> None:
    """One of each, in whatever order: no second one is asked of anybody."""
    stream = under_care()
    child = born(stream)
    for whose in (child, None):
        stream.entry(of(whose, ORDER))
    for hours, whose in ((1, None), (2, child)):
        stream.entry(of(whose, RESCUE), now=NOW + hours * HOUR)
    met = {each.subject_id: each.met_at for each in of_rule(stream, "rescue_record")}
    assert list(met.values()) == [NOW + 2 * HOUR, NOW + HOUR]


def test_a_newborns_result_is_filed_in_time_too() -> None:
    """What each entry owes by itself it owes whoever it is about."""
    stream = under_care()
    stream.entry(of(born(stream), RESULT), now=NOW + 240 * HOUR, occurred_at=NOW)
    assert len(of_rule(stream, "result_filing", 240)) == 1


@pytest.mark.parametrize("visit", [VisitType.INPATIENT, VisitType.OBSERVATION])
def test_nobody_moves_by_a_note_about_the_newborn(visit: VisitType) -> None:
    """The department that is left writes of who leaves."""
    stream = active(visit)
    refusal = stream.refused(move(stream.entry(of(born(stream), OUT))))
    assert refusal == (RefusalKind.STATE, [("note_entry_id", "NO_MOVE_NOTE")])
    stream.when(move(stream.entry(OUT)))


def test_a_newborns_note_of_a_move_keeps_not_hers() -> None:
    """In a hurry she went without: the note is owed about her, and asked for when the record is handed in."""
    stream = under_care()
    stream.when(TransferDepartment(RECORD, "icu", "1", None, PHYSICIAN))
    stream.entry(of(born(stream), OUT), now=NOW + HOUR)
    assert [each.met_at for each in of_rule(stream, "transfer_out_note")] == [None]
    assert "transfer_out_note" in missing(stream)


def test_nobody_goes_to_another_hospital_by_a_note_about_the_newborn() -> None:
    """However high its signer stands."""
    stream = active()
    stream.entry(of(born(stream), NOTE), signer=HEAD)
    assert refused(stream) == (RefusalKind.STATE, [("record_id", "NO_TRANSFER_NOTE")])
    stream.entry(NOTE, signer=HEAD)
    assert goes(stream)
