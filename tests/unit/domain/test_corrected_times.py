"""A corrected start recomputes what is counted from it, and what was reported falsely is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import (
    EndCare,
    RecordEntry,
    RequestConsultation,
    RetractEntry,
    StartCare,
    TransferDepartment,
)
from ledger.domain.course_commands import (
    ArriveAtConsultation,
    CorrectTime,
    DraftEntry,
    ReportMissedDeadline,
    WithdrawConsultation,
    WithdrawMissedDeadline,
)
from ledger.domain.course_events import TimeCorrected
from ledger.domain.deadlines import deadlines, false_reports
from ledger.domain.decision import Bump
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import Disposition, TimeOf, Urgency
from tests.unit.domain.given import (
    CLOCK,
    NOW,
    PATIENT,
    PHYSICIAN,
    RECORD,
    Stream,
    active,
    closed,
    narrative,
    note,
    registered,
    reopened,
    signed,
)
from tests.unit.domain.refusals import held, sealed
from tests.unit.domain.test_deadlines import PACK, SECOND, begun, rule_of, the_deadline, under_care

HOUR = timedelta(hours=1)


def corrected(stream: Stream, of: TimeOf, rule: str, to: datetime) -> CorrectTime:
    """The start of the rule's clock was another than was said."""
    entry_id = next(iter(stream.record.entries)) if of is TimeOf.ENTRY else None
    asked = next(iter(stream.record.consultations)) if of is TimeOf.CONSULTATION_REQUEST else None
    return CorrectTime(RECORD, of, entry_id, int(of is TimeOf.MOVE), to, f"{rule}: typed wrongly", asked)


@pytest.mark.parametrize(
    ("of", "rule"),
    [
        (TimeOf.CARE_START, "first_course_note"),
        (TimeOf.CARE_START, "admission_record"),
        (TimeOf.MOVE, "transfer_in_note"),
        (TimeOf.MOVE, "transfer_out_note"),
        (TimeOf.ENTRY, "operation_record"),
        (TimeOf.ENTRY, "takeover_note"),
        (TimeOf.CARE_END, "discharge_record"),
        (TimeOf.CARE_END, "death_discussion"),
        (TimeOf.CONSULTATION_REQUEST, "emergency_consultation"),
        (TimeOf.CONSULTATION_REQUEST, "routine_consultation"),
    ],
)
def test_a_corrected_start_moves_the_deadline_and_takes_a_false_report_back(of: TimeOf, rule: str) -> None:
    """What was missed by the wrong time is due by the right one, to the second; the report goes by a new event."""
    stream = begun(rule_of(rule))
    wrong = the_deadline(stream, rule)
    late = wrong.due_at + SECOND
    report = ReportMissedDeadline(RECORD, rule, wrong.subject_id, wrong.due_at)
    stream.when(report, now=late, actor=CLOCK)
    later = (wrong.due_at - NOW) / 2
    stream.when(corrected(stream, of, rule, NOW + later), now=late)
    assert stream.last_events == ["TimeCorrected"]
    right = the_deadline(stream, rule)
    assert (right.since, right.due_at) == (NOW + later, wrong.due_at + later)
    assert [right.missed(right.due_at + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]
    assert len(false_reports(stream.record, PACK, late)) == 1
    stream.when(WithdrawMissedDeadline(RECORD, rule, wrong.subject_id, wrong.due_at), now=late, actor=CLOCK)
    assert not stream.record.overlays.missed


def test_what_was_said_before_stays_in_the_record() -> None:
    """The correction names the old time, the new one, who and why; the start itself is never overwritten."""
    stream = begun(rule_of("operation_record"))
    entry_id = next(iter(stream.record.entries))
    stream.when(CorrectTime(RECORD, TimeOf.ENTRY, entry_id, 0, NOW - HOUR, "read off the wrong clock"))
    (made,) = stream.record.time_corrections
    assert (made.before, made.corrected_at, made.corrected_by) == (NOW, NOW - HOUR, PHYSICIAN)
    entry = stream.record.entries[entry_id]
    assert (entry.versions[0].occurred_at, entry.happened_at) == (NOW, NOW - HOUR)
    stream.when(CorrectTime(RECORD, TimeOf.ENTRY, entry_id, 0, NOW - 2 * HOUR, "and again"))
    assert [each.before for each in stream.record.time_corrections] == [NOW, NOW - HOUR]


def test_of_two_moves_the_one_that_is_named_is_corrected() -> None:
    """The other keeps its time, and none passes the other."""
    stream = active()
    stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN), occurred_at=NOW - 9 * HOUR)
    stream.when(TransferDepartment(RECORD, "icu", "3", None, PHYSICIAN), occurred_at=NOW - 2 * HOUR)
    stream.when(CorrectTime(RECORD, TimeOf.MOVE, None, 2, NOW - 9 * HOUR, "typed wrongly"))
    assert [each.moved_at for each in stream.record.moves] == [NOW - 9 * HOUR] * 2
    past = CorrectTime(RECORD, TimeOf.MOVE, None, 2, NOW - 9 * HOUR - SECOND, "typed wrongly")
    assert ("corrected_at", "OUT_OF_ORDER") in stream.refused(past)[1]


def test_a_correction_says_what_it_is_of_why_and_no_time_ahead() -> None:
    """Every fault in one answer."""
    stream = active()
    entry_id = stream.entry(narrative("operation_end", "note"))
    ahead = NOW + PACK.ahead_max + SECOND
    kind, faults = stream.refused(CorrectTime(RECORD, TimeOf.CARE_START, entry_id, 3, ahead, " "))
    assert kind is RefusalKind.INVALID
    assert {("entry_id", "REQUIRED"), ("move", "REQUIRED"), ("reason", "REQUIRED")} <= set(faults)
    assert ("corrected_at", "TIME_IN_FUTURE") in faults
    nameless = stream.refused(CorrectTime(RECORD, TimeOf.CONSULTATION_REQUEST, None, 0, NOW, "typed wrongly"))[1]
    assert ("consultation_id", "REQUIRED") in nameless


def test_an_arrival_that_was_typed_wrongly_is_put_right() -> None:
    """Missed by the wrong time, kept by the right one; the old one stays beside it with who and why."""
    stream = begun(rule_of("emergency_consultation"))
    asked = next(iter(stream.record.consultations))
    late = NOW + timedelta(minutes=30)
    stream.when(ArriveAtConsultation(RECORD, asked), now=late, occurred_at=late)
    assert the_deadline(stream, "emergency_consultation").missed(late)
    right = NOW + timedelta(minutes=10)
    arrival = CorrectTime(RECORD, TimeOf.CONSULTATION_ARRIVAL, None, 0, right, "40 was read as 70", asked)
    stream.when(arrival, now=late)
    assert not the_deadline(stream, "emergency_consultation").missed(late)
    assert [(each.before, each.corrected_at) for each in stream.record.time_corrections] == [(late, right)]


def test_a_request_that_is_corrected_to_a_time_ahead_gains_no_time() -> None:
    """As of the request itself, the clock runs at the latest from when somebody said so."""
    stream = begun(rule_of("emergency_consultation"))
    asked = next(iter(stream.record.consultations))
    ahead = CorrectTime(RECORD, TimeOf.CONSULTATION_REQUEST, None, 0, NOW + timedelta(minutes=4), "a guess", asked)
    stream.when(ahead)
    assert the_deadline(stream, "emergency_consultation").since == NOW


def test_another_end_of_care_is_seen_by_whoever_destroys_the_persons_records() -> None:
    """It moves their terms; a destruction that is decided meanwhile is decided again. Other times bump nobody."""
    stream = closed()
    end = CorrectTime(RECORD, TimeOf.CARE_END, None, 0, NOW - HOUR, "typed wrongly")
    assert stream.when(end, persons={PATIENT: 3}).reservations == (Bump("patient", (str(PATIENT),), 3),)
    start = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - 99 * HOUR, "typed wrongly")
    assert stream.when(start, persons={PATIENT: 3}).reservations == ()


def test_no_clock_runs_from_a_correction_in_an_imported_record() -> None:
    """An earlier system's start of care may be put right, and demands nothing of anybody."""
    stream = registered(historical=True)
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), historical=True)
    stream.when(CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - HOUR, "the old system was an hour off"))
    assert deadlines(stream.record, PACK, NOW) == []


def test_every_window_takes_the_times_of_the_stay() -> None:
    """A wrong discharge of an archived case is put right in any window that two persons opened, and in no other way."""
    stream = reopened()
    unnamed = list(stream.record.entries)[1]
    for of in (TimeOf.CARE_START, TimeOf.CARE_END):
        to = NOW - (HOUR if of is TimeOf.CARE_END else 99 * HOUR)
        stream.when(CorrectTime(RECORD, of, None, 0, to, "typed wrongly"))
    assert (stream.record.started_at, stream.record.ended_at) == (NOW - 99 * HOUR, NOW - HOUR)
    other = CorrectTime(RECORD, TimeOf.ENTRY, unnamed, 0, NOW - HOUR, "typed wrongly")
    assert stream.refused(other)[1] == [("entry_id", "NOT_NAMED")]
    over = CorrectTime(RECORD, TimeOf.CARE_END, None, 0, NOW - 2 * HOUR, "typed wrongly")
    assert stream.refused(over, now=NOW + 99 * HOUR)[1] == [("record_id", "WINDOW_OVER")]


def test_what_a_draft_says_happened_is_said_by_who_signs_it() -> None:
    """A draft is begun whenever; its time is another draft's to change, and the signed version's from then on."""
    stream = active()
    operation = narrative("operation_end", "note")
    draft = stream.when(DraftEntry(RECORD, None, operation), occurred_at=NOW - 9 * HOUR).result["entry_id"]
    assert isinstance(draft, UUID)
    correction = CorrectTime(RECORD, TimeOf.ENTRY, draft, 0, NOW - 8 * HOUR, "typed wrongly")
    assert stream.refused(correction)[1] == [("entry_id", "DRAFT")]
    assert stream.record.entries[draft].happened_at == NOW - 9 * HOUR
    stream.when(RecordEntry(RECORD, operation, signed(), draft), occurred_at=NOW - 3 * HOUR)
    assert stream.record.entries[draft].happened_at == NOW - 3 * HOUR


def test_a_time_that_an_earlier_release_corrected_in_a_draft_is_kept() -> None:
    """Its events are read as they are: the version that ends the draft takes nothing back that was put right."""
    stream = active()
    draft = stream.when(DraftEntry(RECORD, None, narrative("operation_end", "note"))).result["entry_id"]
    assert isinstance(draft, UUID)
    meta = stream.events[-1].meta
    stream.apply(TimeCorrected(meta, TimeOf.ENTRY, draft, 0, NOW, NOW - HOUR, "typed wrongly", None))
    stream.when(DraftEntry(RECORD, draft, narrative("operation_end", "note")))
    stream.when(RecordEntry(RECORD, narrative("operation_end", "note"), signed(), draft))
    assert stream.record.entries[draft].happened_at == NOW - HOUR


def test_no_time_of_a_consultation_is_corrected_past_the_other() -> None:
    """Who came after the request still came after it; who came before it, and said why, stays the first."""
    stream = begun(rule_of("emergency_consultation"))
    asked = next(iter(stream.record.consultations))
    came = NOW + timedelta(minutes=9)
    stream.when(ArriveAtConsultation(RECORD, asked), now=came, occurred_at=came)
    later = CorrectTime(RECORD, TimeOf.CONSULTATION_REQUEST, None, 0, came + SECOND, "typed wrongly", asked)
    assert stream.refused(later, now=came + HOUR)[1] == [("corrected_at", "OUT_OF_ORDER")]
    earlier = CorrectTime(RECORD, TimeOf.CONSULTATION_ARRIVAL, None, 0, NOW - SECOND, "typed wrongly", asked)
    assert stream.refused(earlier, now=came + HOUR)[1] == [("corrected_at", "OUT_OF_ORDER")]
    stream.when(replace(later, corrected_at=came), now=came + HOUR)
    first = begun(rule_of("emergency_consultation"))
    asked = next(iter(first.record.consultations))
    first.when(ArriveAtConsultation(RECORD, asked, reason="met on the ward"), occurred_at=NOW - HOUR)
    first.when(CorrectTime(RECORD, TimeOf.CONSULTATION_REQUEST, None, 0, NOW - SECOND, "typed wrongly", asked))
    assert first.record.consultations[asked].requested_at == NOW - SECOND


@pytest.mark.parametrize(("frozen", "rule"), [(held, "HELD"), (sealed, "FULLY_SEALED")])
def test_the_times_that_a_dispute_is_about_stand_still(frozen: Callable[[], Stream], rule: str) -> None:
    """Under a hold, or with the original sealed as a whole, no time of the stay is corrected."""
    stream = frozen()
    end = CorrectTime(RECORD, TimeOf.CARE_END, None, 0, NOW - HOUR, "typed wrongly")
    start = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - 99 * HOUR, "typed wrongly")
    for command in (end, start):
        assert ("record_id", rule) in stream.refused(command)[1]


@pytest.mark.parametrize("shown", ["entry", "newborn's entry", "consultation"])
@pytest.mark.parametrize("by", [HOUR, HOUR + SECOND])
def test_care_does_not_begin_after_it_is_known_to_have_gone_on(shown: str, by: timedelta) -> None:
    """Up to the first entry or consultation, its very second, and no further: else whoever was late is in time."""
    stream = under_care()
    subject_id = stream.when(RegisterNewborn(RECORD, 1, NOW)).result["subject_id"]
    assert isinstance(subject_id, UUID)
    if shown == "consultation":
        stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"), now=NOW + HOUR)
    else:
        stream.entry(replace(note(), subject_id=subject_id if "newborn" in shown else None), now=NOW + HOUR)
    start = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW + by, "typed wrongly")
    if by > HOUR:
        assert stream.refused(start, now=NOW + 99 * HOUR)[1] == [("corrected_at", "OUT_OF_ORDER")]
    else:
        stream.when(start, now=NOW + 99 * HOUR)
        assert stream.record.started_at == NOW + HOUR
    back = replace(start, corrected_at=NOW - 9 * HOUR)
    stream.when(back, now=NOW + 99 * HOUR)


def test_what_stands_no_more_holds_no_start_back() -> None:
    """An entry of the wrong patient, a consultation asked for by mistake, and a draft show no care."""
    stream = under_care()
    stream.when(RetractEntry(RECORD, stream.entry(), "wrong patient"))
    asked = stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?")).result["consultation_id"]
    assert isinstance(asked, UUID)
    stream.when(WithdrawConsultation(RECORD, asked, "by mistake"))
    stream.when(DraftEntry(RECORD, None, note()))
    start = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW + HOUR, "typed wrongly")
    stream.when(start, now=NOW + 2 * HOUR)
    assert stream.record.started_at == NOW + HOUR


def test_a_start_that_lies_too_late_goes_back_step_by_step() -> None:
    """Said ahead, it came after the first entry: another step back is no harm, another one on is."""
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW + 240 * SECOND)
    stream.entry()
    late = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW + 241 * SECOND, "typed wrongly")
    assert stream.refused(late, now=NOW + HOUR)[1] == [("corrected_at", "OUT_OF_ORDER")]
    stream.when(replace(late, corrected_at=NOW + 200 * SECOND), now=NOW + HOUR)


@pytest.mark.parametrize("of", ["move", "end"])
def test_care_begins_before_the_first_move_and_the_end(of: str) -> None:
    """To the second."""
    stream = under_care()
    if of == "move":
        stream.when(TransferDepartment(RECORD, "icu", "1", None, PHYSICIAN), now=NOW + HOUR)
    else:
        stream.when(EndCare(RECORD, Disposition.HOME, None), now=NOW + HOUR)
    start = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW + HOUR + SECOND, "typed wrongly")
    assert stream.refused(start, now=NOW + 2 * HOUR)[1] == [("corrected_at", "OUT_OF_ORDER")]
    stream.when(replace(start, corrected_at=NOW + HOUR), now=NOW + 2 * HOUR)
