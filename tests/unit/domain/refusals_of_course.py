"""Refusals by the declaration: where a patient goes, what medical affairs and the clock say, what is held, sealed, copied."""

# ruff: noqa: E501 - one line a case, so that the table can be read down
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    Command,
    EndCare,
    RecordEntry,
    RequestConsultation,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.deadlines import deadlines
from ledger.domain.decision import ClaimedItem
from ledger.domain.defaults import default_pack
from ledger.domain.keeping_values import EntryRef, RequestKind, SealMode, SealParty
from ledger.domain.lifecycle import state_faults
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.source_claim import Taken
from ledger.domain.transfer_commands import RecordTransferAnswer
from ledger.domain.values import Disposition, TransferAnswer, Urgency
from tests.unit.domain.given import (
    CLOCK,
    MANDATORY,
    NOTARY,
    NOW,
    OTHER_DIGEST,
    PHYSICIAN,
    RECORD,
    RESULT,
    Stream,
    active,
    archived,
    closed,
    facts,
    narrative,
    note,
    signed,
    source,
)
from tests.unit.domain.refusals import (
    LATER,
    NOBODY,
    OTHER,
    Case,
    asked,
    draft_and,
    first,
    offered,
    retracted,
    with_entry,
)

PACK = default_pack("cn-2010")
_ROUND = "first_attending_round"
_RETRACTED = retracted()
_BY_CLOCK: dict[str, Any] = {"actor": CLOCK, "now": LATER}


def _move(note_entry_id: Any = None, to: str = "neurology") -> Command:
    return TransferDepartment(RECORD, to, "2", note_entry_id, PHYSICIAN)


def _named_twice(stream: Stream) -> Command:
    note_id = stream.entry(narrative("transfer_out_note", "course", "reason"))
    stream.when(_move(note_id, "icu"))
    return _move(note_id)


def _accept(template: str) -> Command:
    return course.AcceptDeficiency(RECORD, None, template, "lost in the flood")


def _accepted() -> Stream:
    stream = _not_written()
    stream.when(_accept("consultation"))
    return stream


def _not_written() -> Stream:
    """Care is over, and a consultation that was asked for has no note."""
    stream = active()
    for content in MANDATORY:
        stream.entry(content)
    stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    return stream


def _all_waived() -> Stream:
    """A stay that is over, with nothing in it but an entry about a newborn; all that it owes is accepted as missing."""
    stream = active()
    about = stream.when(RegisterNewborn(RECORD, 1, None)).result["subject_id"]
    stream.entry(replace(note(), subject_id=about))
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    for fault in state_faults(SubmitRecord, stream.record, facts()):
        if fault.rule == "MISSING_ENTRY":
            stream.when(_accept(_wanted(fault.text)))
    return stream


def _wanted(text: str) -> str:
    """The template that a missing entry is of: `a signed course_note is required (...)`."""
    return text.removeprefix("a signed ").partition(" is required")[0]


def _due(stream: Stream) -> datetime:
    return next(each for each in deadlines(stream.record, PACK, NOW) if each.rule == _ROUND).due_at


def _report(stream: Stream) -> Command:
    return course.ReportMissedDeadline(RECORD, _ROUND, None, _due(stream))


def _withdrawal(stream: Stream) -> Command:
    stream.when(_report(stream), **_BY_CLOCK)
    return course.WithdrawMissedDeadline(RECORD, _ROUND, None, _due(stream))


def _archived_with_retracted() -> Stream:
    kept = archived()
    kept.state = replace(kept.record, entries=_RETRACTED.record.entries)
    return kept


def _restricted() -> Stream:
    stream = archived()
    request_id = asked(stream, RequestKind.RESTRICTION)
    stream.when(
        keeping.AnswerPatientRequest(RECORD, request_id, granted=True, ground="law", statement="", entry_id=None)
    )
    return stream


def _offered() -> Stream:
    stream = active()
    offered(stream)
    return stream


def _answer_of(stream: Stream, hospital: str) -> Command:
    return RecordTransferAnswer(RECORD, next(iter(stream.record.transfers)), hospital, TransferAnswer.ACCEPTED, "", "")


_LATE_RESULT = course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None)
_OF_RETRACTED = {"source": source(), "claimed": ClaimedItem(RECORD, first(_RETRACTED), OTHER_DIGEST, Taken.ENTRY)}
_SEAL = keeping.SealRecord(RECORD, SealMode.COPY, SealParty.NOTARY, "N.", (), NOTARY)

OF_COURSE: list[Case] = [
    Case("UNKNOWN_ENTRY", lambda: (active(), RecordEntry(RECORD, note(), signed(), NOBODY))),
    Case("NOT_A_DRAFT", with_entry(closed, lambda s: RecordEntry(RECORD, note(), signed(), first(s)))),
    Case("SAME_DEPARTMENT", lambda: (active(), _move(to="cardiology"))),
    Case("SAME_DEPARTMENT", lambda: (active(), RequestConsultation(RECORD, "cardiology", Urgency.ROUTINE, "Why?"))),
    Case("UNKNOWN_ENTRY", lambda: (active(), _move(NOBODY))),
    Case("UNKNOWN_ENTRY", with_entry(retracted, lambda s: _move(first(s)))),
    Case("NO_MOVE_NOTE", lambda: (active(), _move()), {"purpose": "TREAT"}),
    Case("NO_MOVE_NOTE", with_entry(active, lambda s: _move(s.entry()))),
    Case("NO_MOVE_NOTE", draft_and(_move)),
    Case("NOTE_OF_ANOTHER_MOVE", with_entry(active, _named_twice)),
    Case("NOT_WAITING", with_entry(closed, lambda s: course.AcceptDeficiency(RECORD, first(s), "", "gone"))),
    Case("ALREADY_ACCEPTED", lambda: (_accepted(), _accept("consultation"))),
    Case("UNKNOWN_TEMPLATE", lambda: (_not_written(), _accept("horoscope"))),
    Case("NOT_MISSING", lambda: (_not_written(), _accept("nursing_record"))),
    Case("NO_ENTRY", lambda: (_all_waived(), SubmitRecord(RECORD))),
    Case("ENTRY_RETRACTED", lambda: (_archived_with_retracted(), _LATE_RESULT), _OF_RETRACTED),
    Case("NO_SUCH_DEADLINE", lambda: (active(), course.ReportMissedDeadline(RECORD, "tea", None, NOW)), _BY_CLOCK),
    Case("NOT_MISSED", with_entry(active, _report), {"actor": CLOCK, "now": NOW - timedelta(days=2)}),
    Case("NOT_REPORTED", lambda: (active(), course.WithdrawMissedDeadline(RECORD, "tea", None, NOW)), _BY_CLOCK),
    Case("STILL_MISSED", with_entry(active, _withdrawal), _BY_CLOCK),
    Case("UNKNOWN_ENTRY", lambda: (closed(), keeping.PlaceHold(RECORD, "order", "court", (EntryRef(NOBODY, 1),)))),
    Case(
        "UNKNOWN_ENTRY",
        with_entry(closed, lambda s: keeping.PlaceHold(RECORD, "order", "court", (EntryRef(first(s), 9),))),
    ),
    Case("NOTHING_TO_SEAL", lambda: (active(), _SEAL)),
    Case("NOTHING_TO_COPY", lambda: (active(), keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy"))),
    Case("NOT_RESTRICTED", lambda: (_restricted(), keeping.LiftRestriction(RECORD, "settled", OTHER))),
    Case("NOT_THE_RECIPIENT", with_entry(_offered, lambda s: _answer_of(s, "west"))),
]
"""Each is refused by the rule of its command alone, whatever else the command may lack."""
