"""What people say of the time of a consultation is bounded: a missed deadline is never dated back in silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import AnswerConsultation, RequestConsultation
from ledger.domain.course_commands import ArriveAtConsultation
from ledger.domain.values import Urgency
from tests.unit.domain.given import NOW, RECORD, SUPERIOR, Stream, active, narrative, signed
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
    said = {"now": over, "occurred_at": NOW + 9 * MINUTE, "actor": SUPERIOR}
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
    said = {"now": due + timedelta(microseconds=999_999), "occurred_at": due - SECOND, "actor": SUPERIOR}
    stream.when(ArriveAtConsultation(RECORD, asked_id), **said)
    assert not the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_an_arrival_that_is_late_by_its_own_account_needs_no_reason() -> None:
    """Nothing is gained by it: it is missed and says so."""
    stream, asked_id = asked()
    late = NOW + 12 * MINUTE
    stream.when(ArriveAtConsultation(RECORD, asked_id), now=late + MINUTE, occurred_at=late, actor=SUPERIOR)
    assert stream.last_events == ["ConsultationArrived"]
    assert the_deadline(stream, "emergency_consultation").missed(NOW + 60 * MINUTE)


def test_nobody_arrives_or_answers_before_being_asked() -> None:
    """At the very second yes; one second before is refused by name."""
    stream, asked_id = asked(Urgency.ROUTINE)
    answer = AnswerConsultation(RECORD, asked_id, "So.", narrative("consultation", "opinion"), signed())
    for command in (ArriveAtConsultation(RECORD, asked_id), answer):
        before = stream.refused(command, now=NOW + MINUTE, occurred_at=NOW - SECOND)[1]
        assert ("context.occurred_at", "BEFORE_REQUEST") in before
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
