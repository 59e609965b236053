"""Care begins, moves, ends."""

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
    TransferDepartment,
)
from ledger.domain.decision import Claim, ClaimedItem
from ledger.domain.events import DepartmentTransferred
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.values import Actor, Disposition, Phase, Urgency, VisitType
from tests.unit.domain.given import (
    CLOCK,
    DIGEST,
    NOW,
    OTHER_DIGEST,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    TRAINEE,
    active,
    facts,
    narrative,
    note,
    registered,
    signed,
    source,
)

CONSULTATION_NOTE = narrative("consultation", "opinion")


def test_care_begins_under_a_named_physician() -> None:
    """An inpatient's care does not begin with nobody in charge."""
    stream = registered()
    refusal = stream.refused(StartCare(RECORD, "cardiology", "", None, "night team"))
    assert refusal == (RefusalKind.INVALID, [("responsible", "REQUIRED")])


def test_in_an_emergency_the_team_on_duty_is_enough() -> None:
    """An emergency begins with the team; but with somebody."""
    stream = registered(VisitType.EMERGENCY)
    assert stream.refused(StartCare(RECORD, "er", "", None, " "))[1] == [("responsible", "REQUIRED")]
    stream.when(StartCare(RECORD, "er", "", None, "night team"))
    assert (stream.record.phase, stream.record.team) == (Phase.ACTIVE, "night team")


@pytest.mark.parametrize("visit", VisitType)
def test_an_emergency_goes_straight_to_a_bed_under_the_team(visit: VisitType) -> None:
    """Whatever the visit is, what is said to be an emergency waits for no physician's name; anything else does."""
    stream, start = registered(visit), StartCare(RECORD, "icu", "1", None, "night team")
    assert stream.refused(replace(start, team=" "), purpose="ETREAT")[1] == [("responsible", "REQUIRED")]
    if visit is not VisitType.EMERGENCY:
        assert stream.refused(start, purpose="TREAT")[1] == [("responsible", "REQUIRED")]
    stream.when(start, purpose="ETREAT")
    assert (stream.record.phase, stream.record.team_began) == (Phase.ACTIVE, True)


def test_what_an_earlier_system_does_not_say_is_not_asked_for() -> None:
    """An imported stay without a physician is taken over under what stands for the team."""
    stream = registered(historical=True)
    stream.when(StartCare(RECORD, "cardiology", "", None, "not named in the source"), historical=True)
    assert stream.record.phase is Phase.ACTIVE


def test_a_start_of_a_source_is_claimed_once() -> None:
    """The same start again adds nothing; a changed one is refused; one of another record is never taken for done."""
    stream = registered()
    start = StartCare(RECORD, "cardiology", "", PHYSICIAN, "")
    decision = stream.when(start, source=source())
    assert decision.reservations == (Claim("source", ("his", "DocumentReference", "doc-1"), b"S" + DIGEST),)
    known = ClaimedItem(RECORD, None, DIGEST, Taken.CARE_START)
    assert stream.when(start, source=source(), claimed=known).events == ()
    _, faults = stream.refused(start, source=source(OTHER_DIGEST), claimed=known)
    assert ("context.source", "SOURCE_CHANGED") in faults
    elsewhere = ClaimedItem(UUID(int=5), None, DIGEST, Taken.CARE_START)
    _, faults = registered().refused(start, source=source(), claimed=elsewhere)
    assert faults == [("context.source", "SOURCE_ELSEWHERE")]


def test_care_that_shares_its_item_with_the_registration_is_not_taken_for_begun() -> None:
    """Given a record registered from an item, when its start has the same item, it is refused, not passed over."""
    stream = registered(source=source())
    known = ClaimedItem(RECORD, None, DIGEST, Taken.RECORD)
    start = StartCare(RECORD, "cardiology", "", PHYSICIAN, "")
    assert stream.refused(start, source=source(), claimed=known)[1] == [("context.source", "SOURCE_ELSEWHERE")]
    begun = replace(known, taken=Taken.CARE_START)
    end = EndCare(RECORD, Disposition.HOME, None)
    assert active().refused(end, source=source(), claimed=begun)[1] == [("context.source", "SOURCE_ELSEWHERE")]


@pytest.mark.parametrize(("characters", "taken"), [(64, True), (65, False)])
def test_names_of_places_and_teams_are_short(characters: int, taken: bool) -> None:
    """Given a bed, team or department of 64 characters it is taken; of 65 it is refused by name, everywhere."""
    long = "b" * characters
    start, move = StartCare(RECORD, long, long, PHYSICIAN, long), TransferDepartment(RECORD, long, long, None, None)
    if taken:
        registered().when(start)
        active().when(move)
        return
    assert registered().refused(start)[1] == [(name, "TOO_LONG") for name in ("department", "bed", "team")]
    assert active().refused(move)[1] == [(name, "TOO_LONG") for name in ("to_department", "bed")]


def test_the_way_through_the_departments_is_kept() -> None:
    """A transfer moves the patient and names the department left."""
    stream = active()
    out = stream.entry(narrative("transfer_out_note", "course", "reason"))
    stream.when(TransferDepartment(RECORD, "icu", "3", out, PHYSICIAN))
    assert (stream.record.department, stream.record.bed) == ("icu", "3")
    assert stream.record.departments == ("cardiology", "icu")


def test_a_transfer_that_names_nobody_leaves_the_physician_in_charge() -> None:
    """Given a physician in charge, when a transfer names nobody, the same one stays; one who is named takes over."""
    stream = active()
    stream.when(TransferDepartment(RECORD, "icu", "", None, None))
    event = stream.events[-1]
    assert isinstance(event, DepartmentTransferred)
    assert (event.responsible, stream.record.responsible) == (PHYSICIAN, PHYSICIAN)
    stream.when(TransferDepartment(RECORD, "neurology", "", None, SUPERIOR))
    assert stream.record.responsible == SUPERIOR


@pytest.mark.parametrize("nobody", [TRAINEE, CLOCK])
def test_neither_a_trainee_nor_a_program_is_put_in_charge(nobody: Actor) -> None:
    """At the start of care, at a transfer and later alike; who was in charge in an earlier system is taken as it is."""
    fault = [("responsible.role", "NOT_QUALIFIED")]
    start = StartCare(RECORD, "cardiology", "12", nobody, "")
    assert registered().refused(start)[1] == fault
    assert active().refused(TransferDepartment(RECORD, "icu", "", None, nobody))[1] == fault
    registered(historical=True).when(start, historical=True)


def test_an_event_of_old_that_names_nobody_leaves_the_physician_in_charge() -> None:
    """Given a transfer recorded without a physician, when it is replayed, the one before stays in charge."""
    stream = active()
    meta = facts().meta()
    stream.apply(DepartmentTransferred(meta, "cardiology", "icu", "", None, None))
    assert stream.record.responsible == PHYSICIAN


def test_a_transfer_names_a_note_that_is_there() -> None:
    """An unknown or retracted transfer note is refused, and so is a transfer to where the patient is."""
    stream = active()
    kind, faults = stream.refused(TransferDepartment(RECORD, "cardiology", "", UUID(int=9), None))
    assert kind is RefusalKind.NOT_FOUND
    assert faults == [("to_department", "SAME_DEPARTMENT"), ("note_entry_id", "UNKNOWN_ENTRY")]
    out = stream.entry()
    stream.when(RetractEntry(RECORD, out, "wrong patient"))
    assert stream.refused(TransferDepartment(RECORD, "icu", "", out, None))[1] == [("note_entry_id", "UNKNOWN_ENTRY")]


def test_care_ends_with_a_disposition_and_a_time() -> None:
    """Where no time is named care ends when it happened, else now."""
    stream = active()
    stream.when(EndCare(RECORD, Disposition.HOME, None), occurred_at=NOW - timedelta(hours=1))
    assert stream.record.phase is Phase.CLOSED
    assert stream.record.ended_at == NOW - timedelta(hours=1)
    assert stream.record.disposition is Disposition.HOME


def test_moves_and_the_end_of_care_follow_each_other() -> None:
    """At the very moment yes; a second earlier neither a move nor the end, but for what an earlier system says."""
    stream, second = active(), timedelta(seconds=1)
    began, to_icu = NOW - timedelta(days=3), TransferDepartment(RECORD, "icu", "2", None, PHYSICIAN)
    early = (RefusalKind.INVALID, [("context.occurred_at", "OUT_OF_ORDER")])
    assert stream.refused(to_icu, occurred_at=began - second) == early
    stream.when(to_icu, occurred_at=began)
    back = TransferDepartment(RECORD, "cardiology", "2", None, PHYSICIAN)
    stream.when(back, occurred_at=NOW - timedelta(days=1))
    assert stream.refused(to_icu, occurred_at=NOW - timedelta(days=1) - second) == early
    end = EndCare(RECORD, Disposition.HOME, NOW - timedelta(days=1) - second)
    assert stream.refused(end) == (RefusalKind.INVALID, [("ended_at", "OUT_OF_ORDER")])
    stream.copied().when(end, historical=True)
    stream.when(replace(end, ended_at=NOW - timedelta(days=1)))


def test_care_does_not_end_before_it_began() -> None:
    """An end before the start is refused; an earlier system's mistake is taken over as it is."""
    early = EndCare(RECORD, Disposition.HOME, NOW - timedelta(days=9))
    assert active().refused(early) == (RefusalKind.INVALID, [("ended_at", "BEFORE_START")])
    stream = active()
    stream.when(early, historical=True)
    assert stream.record.phase is Phase.CLOSED


@pytest.mark.parametrize(("ahead", "taken"), [(timedelta(minutes=5), True), (timedelta(minutes=5, seconds=1), False)])
def test_clocks_may_differ_by_five_minutes(ahead: timedelta, taken: bool) -> None:
    """A time in the world may lie five minutes ahead and not a second more."""
    stream = active()
    end = EndCare(RECORD, Disposition.HOME, NOW + ahead)
    if taken:
        stream.when(end, occurred_at=NOW + ahead)
    else:
        refusal = stream.refused(end, occurred_at=NOW + ahead)
        expected = [("context.occurred_at", "TIME_IN_FUTURE"), ("ended_at", "TIME_IN_FUTURE")]
        assert refusal == (RefusalKind.INVALID, expected)


def test_any_time_back_is_taken() -> None:
    """A late entry is never blocked."""
    stream = active()
    stream.entry(occurred_at=NOW - timedelta(days=20_000))
    assert len(stream.record.entries) == 1


def test_a_consultation_is_answered_with_its_note_or_not_at_all() -> None:
    """Note and answer are recorded together; a second answer is refused."""
    stream = active()
    asked = stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Stroke?")).result["consultation_id"]
    assert isinstance(asked, UUID)
    answer = AnswerConsultation(RECORD, asked, "No.", CONSULTATION_NOTE, signed())
    stream.when(answer)
    assert stream.last_events == ["EntryRecorded", "ConsultationAnswered"]
    consultation = stream.record.consultations[asked]
    assert consultation.answered
    assert consultation.entry_id in stream.record.entries
    assert stream.refused(answer) == (RefusalKind.STATE, [("consultation_id", "ALREADY_ANSWERED")])


def test_a_retracted_answer_answers_nothing() -> None:
    """The same question waits again, since the first time that it was asked; and it may be answered anew."""
    stream = active()
    asked = stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Stroke?")).result["consultation_id"]
    assert isinstance(asked, UUID)
    later = NOW + timedelta(hours=3)
    answer = AnswerConsultation(RECORD, asked, "No.", CONSULTATION_NOTE, signed())
    entry_id = stream.when(answer, now=later).result["entry_id"]
    assert isinstance(entry_id, UUID)
    stream.when(RetractEntry(RECORD, entry_id, "wrong patient"), now=later)
    assert stream.last_events == ["EntryRetracted", "ConsultationRequested"]
    waits = stream.record.consultations[asked]
    assert (waits.answered, waits.answered_at, waits.requested_at, waits.question) == (False, None, NOW, "Stroke?")
    stream.when(answer, now=later)
    assert stream.record.consultations[asked].answered


def test_every_fault_of_an_answer_is_named() -> None:
    """An answer to nothing, in the wrong template and unsigned: three faults in one refusal."""
    _, faults = active().refused(AnswerConsultation(RECORD, UUID(int=9), "No.", note(), None))
    assert faults == [
        ("consultation_id", "UNKNOWN_CONSULTATION"),
        ("content.template", "WRONG_TEMPLATE"),
        ("attestation", "REQUIRED"),
    ]


def test_a_consultation_asks_another_department_something() -> None:
    """The own department and an empty question are refused."""
    _, faults = active().refused(RequestConsultation(RECORD, "cardiology", Urgency.ROUTINE, " "))
    assert faults == [("to_department", "SAME_DEPARTMENT"), ("question", "REQUIRED")]
