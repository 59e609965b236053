"""Refusals by the declaration: what is nobody's to do, or nobody's any more; whom nothing is lent to or left to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import Command, PassQuality
from ledger.domain.keeping_values import EntryRef, RequestKind, SealMode, SealParty
from tests.unit.domain.given import (
    DIGEST,
    PATIENTS_SIDE,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    Stream,
    archived,
    emptied,
    nowhere,
    submitted,
)
from tests.unit.domain.refusals import Case, asked, first, hold, made, seal, with_entry


def _in_error_after(do: Callable[[Stream], Any]) -> Callable[[Stream], Command]:
    """A declaration of a record whose every entry was retracted, that something stands on."""

    def command(stream: Stream) -> Command:
        do(stream)
        return course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None, nowhere(stream.record))

    return command


def _renewed_after(do: Callable[[Stream], Any], *, out_of_house: bool) -> Callable[[Stream], Command]:
    """The renewal of a loan that something was placed over since."""

    def command(stream: Stream) -> Command:
        lent = keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=out_of_house)
        loan_id = made(stream, lent, "loan_id")
        do(stream)
        return keeping.RenewLoan(RECORD, loan_id)

    return command


def _restricted(stream: Stream) -> None:
    request_id = asked(stream, RequestKind.RESTRICTION)
    stream.when(
        keeping.AnswerPatientRequest(RECORD, request_id, granted=True, ground="law", statement="", entry_id=None)
    )


def _twice(stream: Stream, kind: type[Command]) -> Command:
    """A command that names the first entry twice."""
    entry_id = first(stream)
    made_of: dict[type[Command], Command] = {
        keeping.IssueCopy: keeping.IssueCopy(RECORD, "N.", "self", (entry_id, entry_id), "true copy"),
        keeping.SealRecord: keeping.SealRecord(
            RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "", (entry_id, entry_id), PATIENTS_SIDE
        ),
        keeping.PlaceHold: keeping.PlaceHold(RECORD, "order", "court", (EntryRef(entry_id, 1), EntryRef(entry_id, 1))),
        keeping.RequestReopen: keeping.RequestReopen(RECORD, "a mistake", (entry_id, entry_id), ()),
    }
    return made_of[kind]


_LISTING: tuple[type[Command], ...] = (
    keeping.IssueCopy,
    keeping.SealRecord,
    keeping.PlaceHold,
    keeping.RequestReopen,
)
_NOTES_TWICE = keeping.RequestReopen(RECORD, "a mistake", (), ("course_note", "course_note"))

OF_CONDUCT: list[Case] = [
    Case("HELD", with_entry(emptied, _in_error_after(hold))),
    Case("SEALED", with_entry(emptied, _in_error_after(seal))),
    Case("OPEN_REQUEST", with_entry(emptied, _in_error_after(asked))),
    Case(
        "USE_RESTRICTED", with_entry(archived, _renewed_after(_restricted, out_of_house=False)), {"purpose": "HRESCH"}
    ),
    Case("SEALED", with_entry(archived, _renewed_after(seal, out_of_house=True))),
    *[
        Case("REPEATED", with_entry(archived, lambda s, kind=kind: _twice(s, kind)), {"leaves": (DIGEST,) * 40})
        for kind in _LISTING
    ],
    Case("REPEATED", lambda: (archived(), _NOTES_TWICE)),
    Case(
        "SAME_PERSON", lambda: (submitted(), PassQuality(RECORD)), {"actor": replace(PHYSICIAN, role="quality_office")}
    ),
]
"""Each is refused by the rule of its command alone, whatever else the command may lack."""
