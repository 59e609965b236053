"""What people say of the time of a consultation is bounded: a missed deadline is never dated back in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import AnswerConsultation, RequestConsultation
from ledger.domain.course_commands import ArriveAtConsultation
from ledger.domain.values import Urgency
from tests.unit.domain.given import CONSULTANT, NOW, RECORD, Stream, active, narrative, signed
from tests.unit.domain.test_deadlines import SECOND, the_deadline

MINUTE = timedelta(minutes=1)


def asked(urgency: Urgency = Urgency.EMERGENCY, said_at: datetime = NOW) -> tuple[Stream, UUID]:
    """A record in which another department was asked."""
    stream = active()
    stream.when(RequestConsultation(RECORD, "neurology", urgency, "Why?"), occurred_at=said_at)
    return stream, next(iter(stream.record.consultations))


def test_an_arrival_over_the_deadline_is_dated_back_with_a_reason_alone() -> None:
    """One second after the ten minutes nobody says "nine" without saying why; the reason is kept and shown."""
    stream, asked_id = asked()
    over = NOW + 10 * MINUTE + SECOND
    said = {"now": over, "occurred_at": NOW + 9 * MINUTE, "actor": CONSULTANT}
    silent = ArriveAtConsultation(RECORD, asked_id)
    assert stream.refused(silent, **said)[1] == [("reason", "REASON_REQUIRED")]
    assert stream.refused(ArriveAtConsultation(RECORD, asked_id, "  "), **said)[1] == [("reason", "REASON_REQUIRED")]
    stream.when(ArriveAtConsultation(RECORD, asked_id, "both hands were needed"), **said)
    assert stream.last_events == ["ConsultationArrived", "ArrivalEnteredLate"]
    assert stream.record.consultations[asked_id].arrival_reason == "both hands were needed"
    assert not the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_within_the_last_second_nothing_is_over_yet() -> None:
    """The deadline holds at its second: who enters the arrival in that very second needs no reason."""
    stream, asked_id = asked()
    due = NOW + 10 * MINUTE
    said = {"now": due + timedelta(microseconds=999_999), "occurred_at": due - SECOND, "actor": CONSULTANT}
    stream.when(ArriveAtConsultation(RECORD, asked_id), **said)
    assert not the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_an_arrival_that_is_late_by_its_own_account_needs_no_reason() -> None:
    """Nothing is gained by it: it is missed and says so."""
    stream, asked_id = asked()
    late = NOW + 12 * MINUTE
    stream.when(ArriveAtConsultation(RECORD, asked_id), now=late + MINUTE, occurred_at=late, actor=CONSULTANT)
    assert stream.last_events == ["ConsultationArrived"]
    assert the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_nobody_arrives_or_answers_before_being_asked() -> None:
    """At the very second yes; one second before is refused by name, unless somebody says why."""
    stream, asked_id = asked(Urgency.ROUTINE)
    answer = AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed())
    for command in (ArriveAtConsultation(RECORD, asked_id), answer):
        before = stream.refused(command, now=NOW + MINUTE, occurred_at=NOW - SECOND)[1]
        assert ("reason", "BEFORE_REQUEST") in before
    stream.when(ArriveAtConsultation(RECORD, asked_id), occurred_at=NOW)
    stream.when(answer, occurred_at=NOW)


def test_an_answer_counts_from_when_its_note_is_there() -> None:
    """As every note does: whatever time it says of itself, one second after the two days is too late."""
    stream, asked_id = asked(Urgency.ROUTINE)
    answer = AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed())
    stream.when(answer, now=NOW + timedelta(hours=48, seconds=1), occurred_at=NOW + MINUTE)
    assert the_deadline(stream, "routine_consultation").missed(NOW + timedelta(days=9))


@pytest.mark.parametrize(("said", "since"), [(4 * MINUTE, NOW), (-4 * MINUTE, NOW - 4 * MINUTE)])
def test_a_request_dated_ahead_gains_no_time(said: timedelta, since: datetime) -> None:
    """The clock runs from what was said, and at the latest from when it was recorded."""
    stream, _ = asked(said_at=NOW + said)
    assert the_deadline(stream, "emergency_consultation").due_at == since + 10 * MINUTE


def test_who_came_before_the_request_was_typed_says_why() -> None:
    """Care is not kept waiting by the typing: arrival and answer are taken with a reason, which is kept and shown."""
    stream, asked_id = asked()
    early = {"now": NOW + MINUTE, "occurred_at": NOW - 5 * MINUTE}
    arrive = ArriveAtConsultation(RECORD, asked_id, "called in the corridor")
    stream.when(arrive, **early, actor=CONSULTANT)
    answer = AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed(), "at the bed")
    stream.when(answer, **early)
    assert stream.last_events == ["EntryRecorded", "ConsultationAnswered", "AnsweredBeforeRequest"]
    kept = stream.record.consultations[asked_id]
    assert (kept.arrived_at, kept.arrival_reason, kept.answer_reason) == (
        NOW - 5 * MINUTE,
        "called in the corridor",
        "at the bed",
    )
    assert not the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_a_call_by_telephone_starts_the_clock() -> None:
    """The request that is typed later names it: whoever came in between came in time or late by the call."""
    stream = active()
    called = RequestConsultation(RECORD, "neurology", Urgency.EMERGENCY, "Why?", NOW - 20 * MINUTE)
    stream.when(called)
    assert stream.last_events == ["ConsultationRequested", "ConsultationCalled"]
    asked_id = next(iter(stream.record.consultations))
    due = the_deadline(stream, "emergency_consultation")
    assert (due.since, due.due_at) == (NOW - 20 * MINUTE, NOW - 10 * MINUTE)
    said = {"now": NOW, "actor": CONSULTANT}
    silent = ArriveAtConsultation(RECORD, asked_id)
    assert stream.refused(silent, occurred_at=NOW - 20 * MINUTE - SECOND, **said)[1] == [
        ("reason", "BEFORE_REQUEST"),
        ("reason", "REASON_REQUIRED"),
    ]
    stream.when(ArriveAtConsultation(RECORD, asked_id, "typed afterwards"), occurred_at=NOW - 15 * MINUTE, **said)
    assert not the_deadline(stream, "emergency_consultation").missed(NOW)


@pytest.mark.parametrize("later", [timedelta(microseconds=1), MINUTE])
def test_a_call_does_not_follow_its_request(later: timedelta) -> None:
    """At the very moment of the request it may; after it there is none to name, and no clock is moved on by it."""
    stream = active()
    at = RequestConsultation(RECORD, "neurology", Urgency.EMERGENCY, "Why?", NOW)
    after = RequestConsultation(RECORD, "icu", Urgency.EMERGENCY, "Why?", NOW + later)
    stream.when(at)
    assert stream.refused(after)[1] == [("called_at", "AFTER_REQUEST")]


def test_who_came_answers_also_from_another_department() -> None:
    """Whoever moved on between the two still writes what was seen; somebody else of there does not."""
    stream, consultation_id = asked()
    came = replace(CONSULTANT, department="neurology")
    stream.when(ArriveAtConsultation(RECORD, consultation_id), actor=came)
    command = AnswerConsultation(
        RECORD, consultation_id, "So.", narrative("consultation", "opinion"), signed(CONSULTANT)
    )
    other = replace(CONSULTANT, id=UUID(int=4711), department="icu")
    refusal = stream.refused(replace(command, attestation=signed(other)), actor=other)[1]
    assert ("context.actor.department", "OTHER_DEPARTMENT") in refusal
    stream.when(command, actor=replace(CONSULTANT, department="icu"))
