"""Terms that depend on what a document says: the patient's condition, the end of a rescue."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ledger.domain.commands import AmendEntry, RecordEntry
from ledger.domain.course_commands import ReportMissedDeadline, WithdrawMissedDeadline
from ledger.domain.deadlines import deadlines
from ledger.domain.defaults import default_packs, default_templates
from ledger.domain.patient_condition import condition_of
from ledger.domain.values import AmendmentKind, Coding, EntryContent, Field, Section
from tests.unit.domain.given import CLOCK, NOW, RECORD, Stream, narrative, note, signed
from tests.unit.domain.test_deadlines import (
    HOUR,
    PACK,
    RESCUED,
    SECOND,
    in_condition,
    rescued,
    the_deadline,
    under_care,
)

TERMS = {"critical": 1, "serious": 2, "stable": 3, "chronic": 5}
NOTES = ("course_note", "first_course_note", "attending_round")


def refused(stream: Stream, content: EntryContent) -> list[str]:
    """The rules by which an entry is refused."""
    return [rule for _, rule in stream.refused(RecordEntry(RECORD, content, signed()))[1]]


@pytest.mark.parametrize("template", NOTES)
@pytest.mark.parametrize("condition", TERMS)
def test_the_condition_that_a_note_says_sets_the_term_of_the_next(condition: str, template: str) -> None:
    """Days after a note in the template's own words, to the second; no other condition's term runs."""
    stream = under_care()
    stream.entry(in_condition(condition, template), now=NOW + HOUR)
    runs = [
        each for each in deadlines(stream.record, PACK, NOW) if each.rule.startswith("course_note_") and not each.met_at
    ]
    (found,) = runs
    assert found.rule == f"course_note_{condition}"
    end = NOW + HOUR + timedelta(days=TERMS[condition])
    assert [found.missed(end + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]


def test_silence_about_the_condition_stops_no_clock() -> None:
    """A patient of whom no note says anything counts as stable: a note every three days, from the start of care on."""
    stream = under_care()
    stream.entry(note(), now=NOW + 24 * HOUR)
    found = [each for each in deadlines(stream.record, PACK, NOW) if each.rule.startswith("course_note_")]
    assert [(each.rule, each.due_at, each.met_at) for each in found] == [
        ("course_note_stable", NOW + 72 * HOUR, NOW + 24 * HOUR),
        ("course_note_stable", NOW + 96 * HOUR, None),
    ]


def test_another_condition_sets_another_term() -> None:
    """From stable to critical: the next note is due in a day, not in three."""
    stream = under_care()
    stream.entry(in_condition("stable"), now=NOW + HOUR)
    stream.entry(in_condition("critical"), now=NOW + 2 * HOUR)
    assert condition_of(stream.record) == "critical"
    assert the_deadline(stream, "course_note_critical").due_at == NOW + 26 * HOUR


@pytest.mark.parametrize("template", NOTES)
def test_a_note_of_version_2_says_one_of_the_conditions(template: str) -> None:
    """None, or one that no term knows, is refused by name; so is free text with a reason."""
    stream, whole = under_care(), in_condition("dire", template)
    assert refused(stream, whole) == ["CODE_NOT_IN_SET"]
    silent = EntryContent(template, 2, sections=whole.sections[:-1])
    assert refused(stream, silent) == ["MISSING_SECTION"]
    words = Field("condition", text="poorly", uncoded_reason="no code fits")
    told = EntryContent(template, 2, sections=(*whole.sections[:-1], Section("condition", fields=(words,))))
    assert refused(stream, told) == ["WRONG_TYPE"]


def test_every_condition_of_a_shipped_pack_can_be_said() -> None:
    """A term for a condition that no template lets anybody say would never run."""
    offered = {
        code
        for template in default_templates().templates.values()
        for section in template.sections.values()
        for field in (section.fields or {}).values()
        if field.code == "condition"
        for code in field.codes
    }
    asked = {each.condition for pack in default_packs().by_version.values() for each in pack.deadlines.rules}
    assert asked - {""} == offered == TERMS.keys()


def test_a_rescue_record_is_counted_from_the_end_of_the_rescue() -> None:
    """A rescue of four hours: six hours after its end, not after its order, to the second."""
    stream = under_care()
    content, began_at = rescued(NOW, NOW + 4 * HOUR)
    stream.entry(content, occurred_at=began_at, now=NOW + 4 * HOUR)
    found, end = the_deadline(stream, "rescue_record"), NOW + 10 * HOUR
    assert (found.since, found.due_at) == (NOW + 4 * HOUR, end)
    assert [found.missed(end + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]


def test_an_end_that_is_said_later_moves_the_deadline() -> None:
    """Until then it is counted from the order, so that silence stops no clock; a false report is taken back."""
    stream = under_care()
    order = stream.entry(rescued(NOW)[0])
    wrong = the_deadline(stream, "rescue_record")
    late = NOW + 7 * HOUR
    stream.when(ReportMissedDeadline(RECORD, wrong.rule, wrong.subject_id, wrong.due_at), now=late, actor=CLOCK)
    ended = rescued(NOW, NOW + 5 * HOUR)[0]
    stream.when(AmendEntry(RECORD, order, AmendmentKind.AUGMENTATION, "ended", ended, signed()), now=late)
    assert the_deadline(stream, "rescue_record").due_at == NOW + 11 * HOUR
    stream.when(WithdrawMissedDeadline(RECORD, wrong.rule, wrong.subject_id, wrong.due_at), now=late, actor=CLOCK)
    stream.entry(narrative("rescue_record", "course", "participants"), now=NOW + 11 * HOUR)
    assert not the_deadline(stream, "rescue_record").missed(NOW + 99 * HOUR)


@pytest.mark.parametrize(
    ("said", "since"), [(NOW + 9 * HOUR, NOW + HOUR), (NOW - HOUR, NOW), (NOW + HOUR, NOW + HOUR), (NOW, NOW)]
)
def test_an_end_gains_no_time(said: datetime, since: datetime) -> None:
    """None lies after it was recorded, none before the rescue began."""
    stream = under_care()
    stream.entry(rescued(NOW, said)[0], occurred_at=NOW, now=NOW + HOUR)
    assert the_deadline(stream, "rescue_record").since == since


def test_an_end_is_a_time() -> None:
    """Anything else is refused."""
    coded = Field("rescue_end", coding=Coding("urn:x", "soon"))
    sections = (RESCUED.sections[0], Section("end", fields=(coded,)))
    assert refused(under_care(), EntryContent("rescue_order", 2, sections=sections)) == ["WRONG_TYPE"]


def test_the_first_note_after_an_operation_is_due_as_what_could_not_be_written_at_once() -> None:
    """Six hours from the operation's end, one for each operation; the note of the first day is another one."""
    stream = under_care()
    stream.entry(narrative("operation_end", "note"))
    stream.entry(narrative("operation_end", "note"), now=NOW + 8 * HOUR)
    first = narrative("postoperative_first_note", "operation", "measures", "observe")
    stream.entry(narrative("postoperative_note_1", "note"), now=NOW + HOUR)
    stream.entry(first, now=NOW + 6 * HOUR)
    stream.entry(first, now=NOW + 14 * HOUR + SECOND)
    found = [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "postoperative_first_note"]
    assert [each.missed(NOW + 99 * HOUR) for each in found] == [False, True]
