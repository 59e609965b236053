"""A second rescue, operation or move owes a note of its own: the first one's keeps it not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.commands import EndCare, RetractEntry, SubmitRecord, TransferDepartment
from ledger.domain.course_commands import AcceptDeficiency, ReportMissedDeadline
from ledger.domain.deadlines import deadlines, false_reports
from ledger.domain.own_notes import Owed, kept_by
from ledger.domain.values import Coding, Disposition, EntryContent
from tests.unit.domain.given import (
    CLOCK,
    CONSENT,
    MANDATORY,
    NOW,
    PHYSICIAN,
    RECORD,
    Stream,
    front_page_with,
    narrative,
)
from tests.unit.domain.test_deadlines import HOUR, PACK, under_care

RESCUE = (narrative("rescue_order", "note"), narrative("rescue_record", "course", "participants"), "rescue_record")
OPERATION = (
    narrative("operation_end", "note"),
    narrative("operation_record", "procedure", "findings", "course"),
    "operation_record",
)


def missed(stream: Stream, rule: str, hours: float) -> list[bool]:
    """Which deadlines of a rule are missed so many hours after the beginning."""
    return [each.missed(NOW + hours * HOUR) for each in deadlines(stream.record, PACK, NOW) if each.rule == rule]


@pytest.mark.parametrize(("ordered", "kept", "rule"), [RESCUE, OPERATION], ids=["rescue", "operation"])
def test_a_second_order_is_not_kept_by_the_first_ones_note(
    ordered: EntryContent, kept: EntryContent, rule: str
) -> None:
    """Two happened and one note is there: one is owed. The second note pays it, and no third is asked for."""
    stream = under_care()
    stream.entry(ordered)
    stream.entry(kept, now=NOW + 1 * HOUR)
    stream.entry(ordered, now=NOW + 2 * HOUR)
    assert missed(stream, rule, 100) == [False, True]
    stream.entry(kept, now=NOW + 3 * HOUR)
    assert missed(stream, rule, 100) == [False, False]


def test_a_note_goes_where_it_is_in_time() -> None:
    """The first rescue has no record within its time; one that comes for the second takes that miss not back."""
    stream, (order, record, rule) = under_care(), RESCUE
    stream.entry(order)
    stream.entry(order, now=NOW + 10 * HOUR)
    first = next(each for each in deadlines(stream.record, PACK, NOW) if each.rule == rule)
    report = ReportMissedDeadline(RECORD, rule, first.subject_id, first.due_at)
    stream.when(report, now=NOW + 7 * HOUR, actor=CLOCK)
    stream.entry(record, now=NOW + 11 * HOUR)
    assert missed(stream, rule, 100) == [True, False]
    assert false_reports(stream.record, PACK, NOW + 100 * HOUR) == []


def test_a_note_that_was_written_before_its_order_counts_for_the_first_alone() -> None:
    """Whoever writes at once and enters the end of the operation afterwards is in time; the next one is owed."""
    stream, (ended, record, rule) = under_care(), OPERATION
    stream.entry(record)
    stream.entry(ended, now=NOW + 1 * HOUR)
    assert missed(stream, rule, 100) == [False]
    stream.entry(ended, now=NOW + 2 * HOUR)
    assert missed(stream, rule, 100) == [False, True]


def test_an_order_that_was_retracted_owes_nothing() -> None:
    """Its note is free for the other one."""
    stream, (order, record, rule) = under_care(), RESCUE
    wrong = stream.entry(order)
    stream.entry(order, now=NOW + 1 * HOUR)
    stream.entry(record, now=NOW + 2 * HOUR)
    assert missed(stream, rule, 100) == [False, True]
    stream.when(RetractEntry(RECORD, wrong, "wrong patient"))
    assert missed(stream, rule, 100) == [False]


def test_every_department_that_was_left_owes_its_transfer_out_note() -> None:
    """Before the patient goes, or within the figure; a patient in a hurry does not wait for it."""
    stream, out = under_care(), narrative("transfer_out_note", "course", "reason")
    stream.entry(out)
    stream.when(TransferDepartment(RECORD, "icu", "1", None, PHYSICIAN), now=NOW + 1 * HOUR)
    stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN), now=NOW + 2 * HOUR)
    assert missed(stream, "transfer_out_note", 26) == [False, False]
    assert missed(stream, "transfer_out_note", 27) == [False, True]
    stream.entry(out, now=NOW + 3 * HOUR)
    assert missed(stream, "transfer_out_note", 27) == [False, False]


@pytest.mark.parametrize(("ordered", "kept", "rule"), [RESCUE, OPERATION], ids=["rescue", "operation"])
def test_a_record_of_two_operations_is_handed_in_with_two_records(
    ordered: EntryContent, kept: EntryContent, rule: str
) -> None:
    """What is missing is named; an accepted deficiency settles it."""
    stream = under_care()
    coded = front_page_with(Coding("urn:cn:icd-9-cm-3", "47.0901"))
    for content in (*MANDATORY, coded, CONSENT, CONSENT, ordered, ordered, kept):
        stream.entry(content)
    stream.when(EndCare(RECORD, Disposition.HOME, None))
    assert stream.refused(SubmitRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]
    stream.when(AcceptDeficiency(RECORD, None, rule, "the surgeon has left"))
    stream.when(SubmitRecord(RECORD))


moments = st.integers(0, 40).map(lambda hours: NOW + hours * HOUR)
owed_notes = st.lists(st.builds(Owed, moments, st.just(NOW)), max_size=6).map(
    lambda each: [Owed(one.opens, one.opens + timedelta(hours=6)) for one in each]
)


@given(owed_notes, st.lists(moments, max_size=8, unique=True), moments)
def test_no_note_keeps_two_and_a_later_one_takes_nothing_back(
    owed: list[Owed], notes: list[datetime], later: datetime
) -> None:
    """Each kept demand has a note of its own that is not from before it; one more note leaves the others theirs."""
    kept = kept_by(owed, notes)
    found = [each for each in kept if each is not None]
    assert len(found) == len(set(found))
    assert all(at is None or each.opens <= at for each, at in zip(owed, kept, strict=True))
    if all(each < later for each in notes):
        after = kept_by(owed, [*notes, later])
        assert all(before in (None, now) for before, now in zip(kept, after, strict=True))
