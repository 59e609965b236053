"""What a document says in a field of its own: codes of operations, the time of a death, that a note came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.commands import EndCare, RecordEntry, SubmitRecord
from ledger.domain.course_commands import AcceptDeficiency
from ledger.domain.defaults import default_pack
from ledger.domain.values import Coding, Disposition, EntryContent, Field, Quantity, Section, VisitType
from tests.unit.domain.given import CONSENT, MANDATORY, NOW, RECORD, Stream, active, front_page_with, narrative, signed
from tests.unit.domain.test_owed_by_event import owed

NATIONAL, PLAIN = Coding("urn:cn:icd-9-cm-3", "47.0100x002"), Coding("http://hl7.org/fhir/sid/icd-9-cm", "47.09")
AMERICAN = Coding("http://www.cms.gov/Medicare/Coding/ICD10", "0DTJ4ZZ")
OPERATION = (narrative("operation_end", "note"), narrative("operation_record", "procedure", "findings", "course"))
VISIBLE = {"death_record": ("course", "cause"), "death_24h_record": ("admission", "course", "cause")}


def operated(*front_pages: EntryContent) -> Stream:
    """A stay with an operation and all that it owes, but for its codes where no page has them."""
    stream = active()
    for content in (*MANDATORY[:3], MANDATORY[4], CONSENT, *OPERATION, *front_pages):
        stream.entry(content)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    return stream


def refused(content: EntryContent) -> list[tuple[str, str]]:
    """Why an entry is not taken."""
    return active().refused(RecordEntry(RECORD, content, signed()))[1]


@pytest.mark.parametrize("page", [MANDATORY[3], front_page_with()], ids=["version 1", "no code"])
def test_no_record_of_an_operation_is_handed_in_without_its_code(page: EntryContent) -> None:
    """Free text and an empty list are none; a code, in a second page or an accepted deficiency, settles it."""
    stream = operated(page)
    assert stream.refused(SubmitRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]
    stream.when(AcceptDeficiency(RECORD, None, "front_page", "the coder has left"))
    stream.when(SubmitRecord(RECORD))
    operated(page, front_page_with(NATIONAL)).when(SubmitRecord(RECORD))


def test_who_was_not_operated_on_needs_no_code() -> None:
    """The front page of version 1 stays in use, and one page holds the codes of all operations."""
    stream = active()
    for content in MANDATORY:
        stream.entry(content)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    stream.when(SubmitRecord(RECORD))
    twice = operated(*OPERATION, CONSENT, front_page_with(NATIONAL, PLAIN))
    twice.when(SubmitRecord(RECORD))


@pytest.mark.parametrize(
    ("pack_id", "visit", "asked"),
    [
        ("cn-2010", VisitType.INPATIENT, True),
        ("cn-2010", VisitType.OBSERVATION, True),
        ("core-2018", VisitType.INPATIENT, True),
        ("us-generic", VisitType.INPATIENT, True),
        ("us-generic", VisitType.OBSERVATION, False),
        ("cn-2010", VisitType.OUTPATIENT, False),
    ],
)
def test_packs_say_where_a_front_page_codes_operations(pack_id: str, visit: VisitType, *, asked: bool) -> None:
    """Where there is a front page at all."""
    stream = active(visit)
    if visit in (VisitType.INPATIENT, VisitType.OBSERVATION):
        stream.entry(MANDATORY[3])
    stream.entry(OPERATION[0])
    assert ("front_page" in owed(stream, pack_id)) is asked


@pytest.mark.parametrize("coding", [NATIONAL, PLAIN, AMERICAN])
def test_a_procedure_is_coded_by_one_of_three_tables(coding: Coding) -> None:
    """Any number of them, each a code: other systems and other forms are refused, and so is text."""
    where = "content.sections[1].fields[0]"
    active().entry(front_page_with(coding, coding))
    assert refused(front_page_with(replace(coding, system="urn:other"))) == [
        (f"{where}.coding.system", "SYSTEM_NOT_ALLOWED")
    ]
    for wrong in ("4", "470", "47.01x2", "0DTI4ZZ", "0DTJ4ZZ0"):
        found = refused(front_page_with(replace(coding, code=wrong)))
        assert found == [(f"{where}.coding.code", "CODE_NOT_IN_SET")], wrong
    page = front_page_with(coding)
    text = Section("procedures", fields=(Field("procedure", text="Appendectomy", uncoded_reason="no table"),))
    assert refused(replace(page, sections=(page.sections[0], text)))


@pytest.mark.parametrize("template", VISIBLE)
def test_a_death_is_told_with_its_time(template: str) -> None:
    """Version 2 has a field for it; as text in the course it is no time."""
    content = replace(narrative(template, *VISIBLE[template]), template_version=2)
    assert ("content.sections", "MISSING_SECTION") in refused(content)
    died = Section("death", fields=(Field("time_of_death", time=NOW),))
    active().entry(replace(content, sections=(*content.sections, died)))
    told = Section("death", fields=(Field("time_of_death", text="at noon"),))
    assert refused(replace(content, sections=(*content.sections, told)))


def operation_fields(*changes: Field) -> EntryContent:
    """An operation record of version 2: what was done, from when to when, by whom, under which anaesthesia."""
    by_code = {each.code: each for each in (*OPERATED, *changes)}
    return EntryContent("operation_record", 2, sections=(Section("operation", fields=tuple(by_code.values())), COURSE))


COURSE = Section("course", "As written.")
OPERATED = (
    Field("procedure", coding=PLAIN),
    Field("began_at", time=NOW - timedelta(hours=2)),
    Field("ended_at", time=NOW - timedelta(hours=1)),
    Field("surgeon", text="Dr. Wu"),
    Field("anaesthesia", coding=Coding("urn:ledger:anaesthesia", "general")),
    Field("blood_loss", quantity=Quantity("150", "mL")),
)


def test_an_operation_record_says_what_when_by_whom_and_how() -> None:
    """Version 2; free text with a reason will do for the operation, as in every note; all faults at once."""
    active().entry(operation_fields())
    active().entry(operation_fields(Field("procedure", text="Appendectomy", uncoded_reason="no table")))
    wrong = operation_fields(
        Field("blood_loss", quantity=Quantity("150", "kg")),
        Field("anaesthesia", coding=Coding("urn:ledger:anaesthesia", "hypnosis")),
        Field("ended_at", text="at noon"),
    )
    assert [rule for _, rule in refused(wrong)] == ["WRONG_TYPE", "CODE_NOT_IN_SET", "UNIT_NOT_ALLOWED"]
    assert refused(replace(wrong, sections=(COURSE,))) == [("content.sections", "MISSING_SECTION")]


@pytest.mark.parametrize("supplemented", [True, False])
def test_a_rescue_record_says_whether_it_was_supplemented(*, supplemented: bool) -> None:
    """Version 2 asks; it keeps the rescue's clock as version 1 does."""
    content = replace(narrative("rescue_record", "course", "participants"), template_version=2)
    assert ("content.sections", "MISSING_SECTION") in refused(content)
    marked = Section("supplement", fields=(Field("supplemented", flag=supplemented),))
    active().entry(replace(content, sections=(*content.sections, marked)))
    rules = {each.id: each.templates for each in default_pack().deadlines.rules}
    assert rules["rescue_record"] == ("rescue_record",)
