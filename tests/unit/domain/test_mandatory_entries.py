"""What a record must hold before it is handed in depends on what happened in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.commands import EndCare, RetractEntry, SubmitRecord, TransferDepartment
from ledger.domain.state_guards import MANDATORY_THERE
from ledger.domain.values import Disposition, Phase
from tests.unit.domain.given import MANDATORY, NOW, RECORD, Stream, active, facts, note

FRONT_PAGE = MANDATORY[3]


def missing(stream: Stream, disposition: Disposition = Disposition.HOME) -> set[str]:
    """The templates that are asked for once care has ended."""
    stream.when(EndCare(RECORD, disposition, NOW))
    told = [each.text for each in MANDATORY_THERE.faults(stream.record, facts())]
    return {found.group(1) for each in told if (found := re.match(r"a signed (\w+) is", each))}


def holding(*templates: str) -> Stream:
    """A stay with a front page and signed entries that carry only their template's name."""
    stream = active()
    stream.entry(FRONT_PAGE)
    for template in templates:
        hold(stream, template)
    return stream


def hold(stream: Stream, template: str) -> None:
    """One more entry, past the check of its sections: the guard asks only which template is signed."""
    entry_id = stream.entry(note())
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
        (("in_out_24h_record", "operation_end"), Disposition.HOME, {"operation_record"}),
        (("in_out_24h_record", "operation_end", "operation_record"), Disposition.HOME, set[str]()),
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
    stream.when(TransferDepartment(RECORD, "neurology", "3", None, None), occurred_at=NOW - timedelta(days=1))
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
