"""A consultation that was asked for by mistake is withdrawn: nobody waits, nothing is owed, the history keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import AnswerConsultation, RequestConsultation, TransferDepartment
from ledger.domain.course_commands import ArriveAtConsultation, CorrectTime, ReportMissedDeadline, WithdrawConsultation
from ledger.domain.deadlines import Deadline, deadlines
from ledger.domain.keeping_commands import RearchiveRecord
from ledger.domain.refusal import RefusalKind
from ledger.domain.state_guards import MANDATORY_THERE
from ledger.domain.values import Actor, TimeOf, Urgency
from tests.unit.domain.given import (
    CLOCK,
    NOW,
    RECORD,
    TRAINEE,
    Stream,
    active,
    closed,
    facts,
    narrative,
    reopened,
    signed,
)
from tests.unit.domain.refusals import COLLEAGUE

CHIEF = Actor(UUID(int=31), "Dr. Jin", "chief", "cardiology", "L-31")
NEUROLOGIST = Actor(UUID(int=32), "Dr. Nie", "chief", "neurology", "L-32")


def asked(urgency: Urgency = Urgency.EMERGENCY) -> tuple[Stream, UUID]:
    """A consultation that the physician asked for."""
    stream = active()
    found = stream.when(RequestConsultation(RECORD, "neurology", urgency, "Why?")).result["consultation_id"]
    assert isinstance(found, UUID)
    return stream, found


def clock_of(stream: Stream, consultation_id: UUID) -> Deadline:
    """The consultation's deadline."""
    (found,) = [each for each in deadlines(stream.record, facts().pack, NOW) if each.subject_id == consultation_id]
    return found


def withdraw(consultation_id: UUID) -> WithdrawConsultation:
    """The withdrawal."""
    return WithdrawConsultation(RECORD, consultation_id, "meant for the next bed")


@pytest.mark.parametrize("urgency", list(Urgency))
def test_a_withdrawn_consultation_owes_nothing(urgency: Urgency) -> None:
    """Its clock ends, the record may be handed in without its note, and the reason stays."""
    stream, asked_id = asked(urgency)
    stream.when(withdraw(asked_id), now=NOW + timedelta(minutes=5))
    assert stream.last_events == ["ConsultationWithdrawn"]
    assert not clock_of(stream, asked_id).missed(NOW + timedelta(days=30))
    assert stream.record.consultations[asked_id].withdrawal_reason == "meant for the next bed"
    missing = [each.text for each in MANDATORY_THERE.faults(stream.record, facts())]
    assert not any("consultation" in each for each in missing)


def test_what_was_missed_before_the_withdrawal_stays_missed() -> None:
    """Ten minutes are over: to withdraw it takes no miss back, and the clock's report is still taken."""
    stream, asked_id = asked()
    stream.when(withdraw(asked_id), now=NOW + timedelta(minutes=10, seconds=1))
    found = clock_of(stream, asked_id)
    assert found.missed(NOW + timedelta(hours=1))
    report = ReportMissedDeadline(RECORD, found.rule, asked_id, found.due_at)
    stream.when(report, actor=CLOCK, now=NOW + timedelta(hours=1))
    assert stream.last_events == ["DeadlineMissed"]


def test_it_is_withdrawn_by_who_asked_or_the_head_of_the_department() -> None:
    """Nobody else, and once."""
    stream, asked_id = asked()
    for other in (COLLEAGUE, TRAINEE, CLOCK):
        assert stream.refused(withdraw(asked_id), actor=other) == (RefusalKind.STATE, [("context.actor", "NOT_AUTHOR")])
    stream.when(withdraw(asked_id), actor=CHIEF)
    assert stream.refused(withdraw(asked_id))[1] == [("consultation_id", "CONSULTATION_WITHDRAWN")]


def test_only_what_is_unanswered_is_withdrawn_and_with_a_reason() -> None:
    """An answer is there for good; a reason is demanded of everybody."""
    stream, asked_id = asked()
    assert stream.refused(WithdrawConsultation(RECORD, asked_id, " "))[1] == [("reason", "REQUIRED")]
    stream.when(AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed()))
    assert stream.refused(withdraw(asked_id))[1] == [("consultation_id", "ALREADY_ANSWERED")]


def test_nobody_comes_to_what_was_withdrawn_but_may_be_asked_anew() -> None:
    """It is a new request with a clock of its own."""
    stream, asked_id = asked()
    stream.when(withdraw(asked_id))
    answer = AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed())
    for command in (ArriveAtConsultation(RECORD, asked_id), answer):
        assert stream.refused(command)[1] == [("consultation_id", "CONSULTATION_WITHDRAWN")]
    again = stream.when(RequestConsultation(RECORD, "neurology", Urgency.EMERGENCY, "Why?")).result["consultation_id"]
    assert isinstance(again, UUID)
    assert clock_of(stream, again).met_at is None


def test_it_is_withdrawn_after_the_discharge_too() -> None:
    """Else the record could never be handed in without a note that nobody will write."""
    stream = closed()
    before = asked()[0].record.consultations
    stream.state = replace(stream.record, consultations=before)
    (asked_id,) = before
    assert list(MANDATORY_THERE.faults(stream.record, facts()))
    stream.when(withdraw(asked_id))
    assert not list(MANDATORY_THERE.faults(stream.record, facts()))


def test_a_request_is_not_moved_past_its_withdrawal() -> None:
    """What was missed would be kept by whoever corrects the time."""
    stream, asked_id = asked()
    stream.when(withdraw(asked_id), now=NOW + timedelta(minutes=30))
    later = NOW + timedelta(minutes=45)
    move = CorrectTime(RECORD, TimeOf.CONSULTATION_REQUEST, None, 0, later, "read off wrongly", asked_id)
    assert stream.refused(move, actor=CHIEF, now=NOW + timedelta(hours=2))[1] == [("corrected_at", "OUT_OF_ORDER")]


def test_what_the_consultant_came_to_is_withdrawn_by_the_head_alone() -> None:
    """Care was given and a note is owed: who asked does not wipe it out. The arrival stays beside the reason."""
    stream, asked_id = asked()
    stream.when(ArriveAtConsultation(RECORD, asked_id))
    arrived = [("consultation_id", "ALREADY_ARRIVED")]
    assert stream.refused(withdraw(asked_id)) == (RefusalKind.STATE, arrived)
    assert stream.refused(withdraw(asked_id), actor=COLLEAGUE)[1] == [("context.actor", "NOT_AUTHOR"), *arrived]
    stream.when(withdraw(asked_id), actor=CHIEF)
    found = stream.record.consultations[asked_id]
    assert (found.arrived_at, found.withdrawal_reason) == (NOW, "meant for the next bed")
    assert not any("consultation" in each.text for each in MANDATORY_THERE.faults(stream.record, facts()))


@pytest.mark.parametrize(
    ("who_came", "who_withdraws", "taken"),
    [
        (NEUROLOGIST, NEUROLOGIST, False),
        (NEUROLOGIST, replace(NEUROLOGIST, id=UUID(int=33)), False),
        (NEUROLOGIST, replace(CHIEF, department=""), False),
        (CHIEF, CHIEF, False),
        (CHIEF, replace(CHIEF, id=UUID(int=34)), True),
        (NEUROLOGIST, CHIEF, True),
    ],
)
def test_nobody_frees_himself_of_the_note_that_he_owes(who_came: Actor, who_withdraws: Actor, *, taken: bool) -> None:
    """After the arrival it is a head of the department that asked, and another than who entered the arrival."""
    stream, asked_id = asked()
    # Whoever comes is of the department asked, if only by an office held there too.
    stream.when(ArriveAtConsultation(RECORD, asked_id), actor=replace(who_came, department="neurology"))
    assert stream.record.consultations[asked_id].arrived_by == who_came.id
    if taken:
        stream.when(withdraw(asked_id), actor=who_withdraws)
        return
    refused = (RefusalKind.STATE, [("consultation_id", "ALREADY_ARRIVED")])
    assert stream.refused(withdraw(asked_id), actor=who_withdraws) == refused
    assert any("consultation" in each.text for each in MANDATORY_THERE.faults(stream.record, facts()))


def test_it_counts_which_department_asked_and_not_where_the_patient_lies_now() -> None:
    """Moved to the consultant's own department he is still not its head."""
    stream, asked_id = asked()
    stream.when(ArriveAtConsultation(RECORD, asked_id), actor=NEUROLOGIST)
    stream.when(TransferDepartment(RECORD, "neurology", "3", None, None))
    assert stream.refused(withdraw(asked_id), actor=NEUROLOGIST)[1] == [("consultation_id", "ALREADY_ARRIVED")]
    stream.when(withdraw(asked_id), actor=CHIEF)


def test_it_is_withdrawn_in_a_window_and_not_after_it() -> None:
    """Whatever the window names: an answer that was retracted there may never have been asked for."""
    stream = reopened()
    before = asked()[0].record.consultations
    stream.state = replace(stream.record, consultations=before)
    (asked_id,) = before
    assert stream.refused(RearchiveRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]
    assert stream.refused(withdraw(asked_id), now=NOW + timedelta(days=4))[1] == [("record_id", "WINDOW_OVER")]
    stream.when(withdraw(asked_id))
    stream.when(RearchiveRecord(RECORD))
    assert stream.last_events == ["RecordRearchived"]
