"""What a record must hold before it is handed in depends on what happened in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import (
    AnswerConsultation,
    EndCare,
    RequestConsultation,
    RetractEntry,
    StartCare,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.course_commands import AcceptDeficiency, CorrectTime, ResumeCare
from ledger.domain.deadlines import deadlines
from ledger.domain.defaults import default_pack
from ledger.domain.pack_text import read_pack
from ledger.domain.state_guards import MANDATORY_THERE
from ledger.domain.values import Coding, Disposition, Phase, TimeOf, Urgency
from tests.unit.domain.given import (
    CONSENT,
    MANDATORY,
    NOW,
    PHYSICIAN,
    RECORD,
    Stream,
    facts,
    front_page_with,
    narrative,
    note,
    registered,
    signed,
)
from tests.unit.domain.test_deadlines import in_condition
from tests.unit.domain.test_pack_text import bases, faults_of

FRONT_PAGE = front_page_with(Coding("urn:cn:icd-9-cm-3", "47.0901"))
PACK = default_pack("cn-2010")
SHIFT = timedelta(hours=next(each.figure for each in PACK.deadlines.rules if each.id == "first_course_note"))
"""The longest stay of which nobody owes a first course note."""
HEAD_OF_LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'
FIRST_NOTE = "[[deadline]]\nid = 'first_course_note'\n"
_RULE = next(index for index, each in enumerate(PACK.mandatory) if each.id == "first_course_note")


def missing(stream: Stream, disposition: Disposition = Disposition.HOME) -> set[str]:
    """The templates that are asked for once care has ended."""
    stream.when(EndCare(RECORD, disposition, NOW))
    told = [each.text for each in MANDATORY_THERE.faults(stream.record, facts())]
    return {found.group(1) for each in told if (found := re.match(r"a signed (\w+) is", each))}


def holding(*templates: str) -> Stream:
    """A stay of a shift, with a front page and signed entries that carry only their template's name."""
    return _holding(SHIFT, *templates)


def _holding(lasted: timedelta, *templates: str) -> Stream:
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW - lasted)
    stream.entry(FRONT_PAGE)
    for template in templates:
        hold(stream, template)
    return stream


@pytest.mark.parametrize("lasted", [timedelta(days=1), timedelta(days=1, seconds=1), timedelta(days=13)])
def test_a_record_of_24_hours_replaces_others_in_a_short_stay_alone(lasted: timedelta) -> None:
    """After a longer stay it is one document beside those that are asked for."""
    asked = {"admission_note", "discharge_record", "course_note"} if lasted > timedelta(days=1) else set[str]()
    assert missing(_holding(lasted, "in_out_24h_record", "first_course_note")) == asked


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("template", "disposition"),
    [("in_out_24h_record", Disposition.HOME), ("death_24h_record", Disposition.DEATH)],
)
@pytest.mark.parametrize(("lasted", "owed"), [(SHIFT - SECOND, False), (SHIFT, False), (SHIFT + SECOND, True)])
def test_a_stay_of_more_than_eight_hours_owes_a_first_course_note(
    lasted: timedelta, template: str, disposition: Disposition, *, owed: bool
) -> None:
    """The record of 24 hours replaces admission and discharge record, and no first course note: the clock reports it
    as missed, and the record is not handed in without.
    """
    stream = _holding(lasted, template, "death_discussion")
    assert missing(stream, disposition) == ({"first_course_note"} if owed else set[str]())
    (note_of,) = [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "first_course_note"]
    assert note_of.missed(NOW + timedelta(days=2)) is owed
    if owed:
        assert stream.refused(SubmitRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]
        stream.entry(MANDATORY[4])
    stream.when(SubmitRecord(RECORD))


def test_a_stay_put_right_to_less_than_a_shift_owes_no_first_course_note() -> None:
    """The rule counts the times that count: as corrected."""
    stream = _holding(SHIFT + SECOND, "in_out_24h_record")
    assert missing(stream) == {"first_course_note"}
    earlier = CorrectTime(RECORD, TimeOf.CARE_END, None, 0, NOW - SECOND, "read off the wrong clock")
    stream.when(earlier)
    assert lacks(stream) == []


def test_the_figure_of_the_rule_is_its_deadlines() -> None:
    """A hospital that gives another figure to the deadline asks for the note after that one."""
    text = HEAD_OF_LAYER + FIRST_NOTE + "figure = 6\nsource = 'house'\nunconfirmed = false\n"
    own, _ = read_pack(text, bases())
    stream = _holding(timedelta(hours=6), "in_out_24h_record")
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    asked = [MANDATORY_THERE.faults(stream.record, facts(pack=pack)) for pack in (PACK, own)]
    assert [list(each) for each in asked] == [[], []]
    stream.when(CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - timedelta(hours=6, seconds=1), "wrong clock"))
    (fault,) = MANDATORY_THERE.faults(stream.record, facts(pack=own))
    assert fault.text.startswith("a signed first_course_note is required")
    assert not list(MANDATORY_THERE.faults(stream.record, facts(pack=PACK)))


@pytest.mark.parametrize("name", ["'no_such'", "'discharge_record'", "3"])
def test_a_rule_goes_by_a_deadline_that_begins_with_care(name: str) -> None:
    """Else nobody could say whether a stay outlasted it; a layer may ask for the note of every stay."""
    line = HEAD_OF_LAYER.count("\n") + 3
    asked = "a deadline of this pack that starts with care_started is required"
    fault = f"line {line}: mandatory[{_RULE}].only_if_past: {asked}"
    table = "[[mandatory]]\nid = 'first_course_note'\nonly_if_past = "
    assert faults_of(f"{HEAD_OF_LAYER}{table}{name}\n") == [fault]
    always, _ = read_pack(f"{HEAD_OF_LAYER}{table}''\n", bases())
    assert always.mandatory[_RULE].only_if_past is None


def hold(stream: Stream, template: str) -> None:
    """One more entry, past the check of its sections: the guard asks only which template is signed."""
    entry_id = stream.entry(CONSENT if template == CONSENT.template else note())
    entry = stream.record.entries[entry_id]
    content = replace(entry.last.content, template=template)
    renamed = replace(entry, versions=(replace(entry.last, content=content),))
    stream.state = replace(stream.record, entries=stream.record.entries.having(entry_id, renamed))


@pytest.mark.parametrize(
    ("templates", "disposition", "asked"),
    [
        ((), Disposition.HOME, {"admission_note", "discharge_record", "course_note"}),
        (("course_note", "admission_note"), Disposition.HOME, {"discharge_record"}),
        (("course_note", "admission_note", "discharge_record"), Disposition.HOME, set[str]()),
        (("in_out_24h_record",), Disposition.HOME, set[str]()),
        (("course_note", "admission_note", "death_record"), Disposition.HOME, {"discharge_record"}),
        (
            ("course_note", "admission_note", "discharge_record"),
            Disposition.DEATH,
            {"death_record", "death_discussion"},
        ),
        (("course_note", "admission_note", "death_record", "death_discussion"), Disposition.DEATH, set[str]()),
        (("death_24h_record", "death_discussion"), Disposition.DEATH, set[str]()),
        (("in_out_24h_record",), Disposition.DEATH, {"admission_note", "death_record", "death_discussion"}),
        (("in_out_24h_record", "operation_end"), Disposition.HOME, {"operation_record", "informed_consent"}),
        (("in_out_24h_record", "operation_end", "operation_record", "informed_consent"), Disposition.HOME, set[str]()),
        (("in_out_24h_record", "rescue_order"), Disposition.HOME, {"rescue_record"}),
        (("in_out_24h_record", "rescue_order", "rescue_record"), Disposition.HOME, set[str]()),
    ],
)
def test_what_cn_2010_asks_for(templates: tuple[str, ...], disposition: Disposition, asked: set[str]) -> None:
    """Admission and discharge, or the record of 24 hours; death, surgery and rescue only where there was one."""
    assert missing(holding(*templates), disposition) == asked


def test_notes_of_a_department_transfer_are_asked_for_only_where_the_patient_moved() -> None:
    """Both notes, out and in."""
    stream = holding("in_out_24h_record")
    stream.when(TransferDepartment(RECORD, "neurology", "3", None, None), occurred_at=NOW - timedelta(hours=1))
    assert missing(stream) == {"transfer_out_note", "transfer_in_note"}


def test_a_retracted_order_asks_for_nothing() -> None:
    """What did not happen is not documented."""
    stream = holding("in_out_24h_record", "rescue_order")
    entries = stream.record.entries.values()
    order = next(each.entry_id for each in entries if each.last.content.template == "rescue_order")
    stream.when(RetractEntry(RECORD, order, "wrong patient"))
    assert missing(stream) == set()
    stream.when(SubmitRecord(RECORD))
    assert stream.record.phase is Phase.SUBMITTED


def consulted(stream: Stream, *, answered: int = 0) -> None:
    """Two consultations, some of them answered with a note."""
    for to in ("neurology", "icu"):
        stream.when(RequestConsultation(RECORD, to, Urgency.ROUTINE, "Why?"), occurred_at=NOW - timedelta(days=2))
    for asked in list(stream.record.consultations)[:answered]:
        answer = AnswerConsultation(RECORD, asked, "So.", narrative("consultation", "opinion"), signed())
        stream.when(answer, occurred_at=NOW - timedelta(days=1))


def moved_twice(stream: Stream) -> None:
    """To intensive care and on."""
    for hours, to in ((2, "icu"), (1, "neurology")):
        move = TransferDepartment(RECORD, to, "3", None, None)
        stream.when(move, occurred_at=NOW - timedelta(hours=hours))


def lacks(stream: Stream) -> list[str]:
    """What is missing, in the words of the refusal."""
    return [each.text.partition(" (")[0] for each in MANDATORY_THERE.faults(stream.record, facts())]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_each_consultation_asks_for_a_note_of_its_own(answered: int) -> None:
    """Two were asked for: one note is not enough, two are."""
    stream = holding("in_out_24h_record")
    consulted(stream, answered=answered)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert lacks(stream) == ([] if answered == 2 else ["2 signed entries consultation are required"])


def test_each_move_asks_for_both_notes() -> None:
    """Two moves: two notes out and two in."""
    stream = holding("in_out_24h_record", "transfer_out_note", "transfer_in_note", "transfer_out_note")
    moved_twice(stream)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert lacks(stream) == ["2 signed entries transfer_in_note are required"]
    stream.when(ResumeCare(RECORD, "a note is missing"))
    hold(stream, "transfer_in_note")
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert lacks(stream) == []


def test_one_accepted_deficiency_frees_one_entry() -> None:
    """Of three operations one record is there: each of the two that nobody can write is accepted by itself."""
    stream = holding("in_out_24h_record", *["operation_end", "informed_consent"] * 3, "operation_record")
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    accept = AcceptDeficiency(RECORD, None, "operation_record", "the surgeon has left")
    stream.when(accept)
    assert lacks(stream) == ["3 signed entries operation_record are required"]
    stream.when(accept)
    assert lacks(stream) == []
    assert ("record_id", "ALREADY_ACCEPTED") in stream.refused(accept)[1]


@pytest.mark.parametrize(("condition", "asked"), [("critical", True), ("serious", True), ("stable", False)])
def test_a_nursing_record_is_asked_for_of_the_gravely_ill(condition: str, *, asked: bool) -> None:
    """Once a note said so, also where the patient got better; a nurse signs it finally."""
    stream = holding("in_out_24h_record")
    stream.entry(in_condition(condition))
    stream.entry(in_condition("stable"))
    assert missing(stream) == ({"nursing_record"} if asked else set())
    nurse = replace(PHYSICIAN, id=UUID(int=44), role="nurse")
    stream.entry(narrative("nursing_record", "observations"), signer=nurse)
    assert lacks(stream) == []
