"""Refusals by the declaration: what is nobody's to do, or nobody's any more; whom nothing is lent to or left to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    AmendEntry,
    AnswerConsultation,
    Command,
    PassQuality,
    RecordEntry,
    StartCare,
    TransferDepartment,
)
from ledger.domain.keeping_values import EntryRef, RequestKind, SealMode, SealParty
from ledger.domain.lifecycle import ACTS_FOR_HOSPITAL
from ledger.domain.values import Actor
from tests.unit.domain.given import (
    CLOCK,
    DIGEST,
    IMPORTER,
    NOW,
    NURSE,
    PATIENTS_SIDE,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    Stream,
    active,
    archived,
    emptied,
    note,
    nowhere,
    registered,
    signed,
    submitted,
)
from tests.unit.domain.refusals import (
    CASES,
    Build,
    Case,
    amend,
    answer,
    asked,
    consulted,
    countersign,
    first,
    hold,
    made,
    seal,
    trainees,
    with_entry,
)
from tests.unit.domain.refusals_of_course import OF_COURSE


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
IN_NO_CHARGE = tuple(
    Actor(UUID(int=55), "N. N.", role)
    for role in ("patient", "representative", "notary", "nurse", "technician", "security", "records_office", "")
)


def _in_charge(named: Actor) -> tuple[Build, ...]:
    return (
        lambda: (registered(), StartCare(RECORD, "cardiology", "12", named, "")),
        lambda: (active(), TransferDepartment(RECORD, "icu", "", None, named)),
        lambda: (active(), course.AssignPhysician(RECORD, named, "")),
    )


_WITHOUT_A_CASE: dict[type[Command], Build] = {
    course.RepeatExamination: lambda: (active(), course.RepeatExamination(RECORD, "lab-1", "south", "haemolysed")),
}
"""Something done by commands that no other case is about."""


def by_the_other_side() -> dict[type[Command], Case]:
    """Of each command that is the hospital's own act some case, sent by the patient's side."""
    builds = {each.command: (each.build, each.facts) for each in reversed([*CASES, *OF_COURSE])}
    builds |= {command: (build, {}) for command, build in _WITHOUT_A_CASE.items()}
    return {
        command: Case("WRONG_SIDE", build, {**known, "actor": PATIENTS_SIDE})
        for command, (build, known) in builds.items()
        if command in ACTS_FOR_HOSPITAL
    }


LONG_AGO = replace(signed(), signed_at=NOW - timedelta(days=3650))


def _signed_long_ago(stream: Stream, kind: type[Command]) -> Command:
    if kind is RecordEntry:
        return RecordEntry(RECORD, note(), LONG_AGO)
    if kind is AmendEntry:
        return replace(amend(stream.entry()), attestation=LONG_AGO)
    if kind is AnswerConsultation:
        return replace(answer(consulted(stream)), attestation=LONG_AGO)
    return replace(countersign(trainees(stream)), attestation=replace(LONG_AGO, signer=SUPERIOR))


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
    *[Case("NOT_QUALIFIED", build) for named in IN_NO_CHARGE for build in _in_charge(named)],
    *[
        Case("NOT_A_PERSON", lambda by=by: (archived(), keeping.LendRecord(RECORD, by, "", out_of_house=False)))
        for by in (CLOCK, IMPORTER)
    ],
    *by_the_other_side().values(),
    Case(
        "OTHER_DEPARTMENT",
        with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s))),
        {"actor": NURSE},
    ),
    Case("OTHER_DEPARTMENT", with_entry(active, lambda s: answer(consulted(s))), {"actor": NURSE}),
    *[
        Case("SIGNED_BEFORE_RECORD", with_entry(active, lambda s, kind=kind: _signed_long_ago(s, kind)))
        for kind in (RecordEntry, AmendEntry, AnswerConsultation, course.CountersignEntry)
    ],
    Case("SIGNED_BEFORE_RECORD", lambda: (archived(), course.FileLateItem(RECORD, RESULT, LONG_AGO, "late", None))),
    Case(
        "SAME_PERSON", lambda: (submitted(), PassQuality(RECORD)), {"actor": replace(PHYSICIAN, role="quality_office")}
    ),
]
"""Each is refused by the rule of its command alone, whatever else the command may lack."""
