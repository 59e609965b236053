"""A record that was entered in error: kept for its term or for ever, no visit of anybody, and never again a case."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.application.hospital_ledger import EVENTS_PER_COMMAND_MAX
from ledger.domain import course_commands as course
from ledger.domain import decide_retraction
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import RetractEntry
from ledger.domain.deadlines import deadlines
from ledger.domain.decide_holder import TOLD_MAX
from ledger.domain.decision import Bump
from ledger.domain.defaults import default_pack
from ledger.domain.entry_traces import EntryPlace, EntryTrace
from ledger.domain.handover import handed_over
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.misnamed_offers import IN_ERROR
from ledger.domain.transfer_commands import OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.transfer_events import TransferOutdated, TransferWithdrawn
from ledger.domain.values import Phase, TransferAnswer, TransferKind, TransferState
from tests.unit.domain.given import (
    ELSEWHERE,
    NOW,
    NURSE,
    PACKAGE,
    PATIENTS_SIDE,
    RECORD,
    RESULT,
    RIGHT,
    SUPERIOR,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    emptied,
    facts,
    nowhere,
    right_record,
    signed,
    visit_of,
    wrong,
)

LATER = NOW + TERM
OTHER = UUID(int=555)


def _in_error() -> Stream:
    stream = active()
    stream.when(course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None))
    return stream


def _appraised_in_error(opinion: DisposalOpinion, until: str) -> Stream:
    stream = _in_error()
    stream.when(keeping.EndRetention(RECORD), now=LATER)
    stream.when(keeping.AppraiseDisposal(RECORD, opinion, "a claim", until), now=LATER)
    stream.when(keeping.ApproveDisposal(RECORD, None), now=LATER)
    return stream


def test_a_wrong_record_that_is_kept_longer_stays_a_wrong_record() -> None:
    """An extension at the end of its term leads back to where it was: it is never anybody's archived case."""
    stream = _appraised_in_error(DisposalOpinion.EXTEND, "2190-01-01")
    assert (stream.record.phase, stream.record.retain_until) == (Phase.ENTERED_IN_ERROR, "2190-01-01")
    asked = keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",))
    assert ("", "PHASE_NOT_ALLOWED") in stream.refused(asked, now=LATER)[1]


def test_a_wrong_record_that_is_kept_for_ever_is_nobodys_case() -> None:
    """It is neither reopened, nor offered to another hospital, nor does it take a late item."""
    stream = _appraised_in_error(DisposalOpinion.KEEP, "")
    assert stream.record.phase is Phase.PERMANENT
    fault = ("record_id", "IN_ERROR")
    for command in (
        keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",)),
        course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None),
        OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None),
    ):
        assert fault in stream.refused(command, now=LATER, counterpart_known=True, package=PACKAGE)[1]


def test_a_wrong_record_is_no_visit_also_once_its_term_is_over() -> None:
    """Whatever its phase is by then, it moves nobody's date, and the patient's real visits do not move its own."""
    wrong = _in_error()
    wrong.when(keeping.EndRetention(RECORD), now=LATER)
    stream = archived()
    late = replace(visit_of(wrong), record_id=OTHER, ended_at=LATER)
    assert late.phase is Phase.DUE
    stream.when(keeping.EndRetention(RECORD), now=LATER, visits=(visit_of(stream), late))
    real = replace(visit_of(stream), record_id=OTHER, phase=Phase.CLOSED, ended_at=LATER)
    still_wrong = _in_error()
    still_wrong.when(keeping.EndRetention(RECORD), now=LATER, visits=(visit_of(still_wrong), real))
    assert still_wrong.record.phase is Phase.DUE


def test_a_wrong_record_owes_nothing_also_once_its_term_is_over() -> None:
    """Due, kept for ever or again where it was: no deadline of care runs on what was nobody's care."""
    pack = facts().pack
    assert deadlines(active().record, pack, NOW)
    due = _in_error()
    due.when(keeping.EndRetention(RECORD), now=LATER)
    kept = _appraised_in_error(DisposalOpinion.KEEP, "")
    extended = _appraised_in_error(DisposalOpinion.EXTEND, "2190-01-01")
    for stream in (_in_error(), due, kept, extended):
        assert deadlines(stream.record, pack, NOW) == []


def test_a_record_is_given_up_by_two_who_answer_for_it() -> None:
    """Neither by a nurse nor beside one, nor with a trainee, also where a pack names no role."""
    command = course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)
    by_actor, by_second = ("context.actor.role", "ROLE_NOT_ALLOWED"), ("confirmed_by.role", "ROLE_NOT_ALLOWED")
    assert active().refused(command, actor=NURSE)[1] == [by_actor]
    for second in (NURSE, TRAINEE, PATIENTS_SIDE):
        assert active().refused(replace(command, confirmed_by=second))[1] == [by_second]
    assert active().refused(replace(command, confirmed_by=TRAINEE), actor=NURSE)[1] == [by_actor, by_second]
    limits_nobody = replace(default_pack(), roles={})
    assert active().refused(replace(command, confirmed_by=TRAINEE), pack=limits_nobody)[1] == [by_second]
    active().when(replace(command, confirmed_by=NURSE), pack=limits_nobody)


def _offered(stream: Stream, recipient: str) -> UUID:
    offer = OfferTransfer(RECORD, recipient, TransferKind.REFERRAL, None)
    package = replace(PACKAGE, record_version=stream.record.version)
    made = stream.when(offer, counterpart_known=True, package=package).result["transfer_id"]
    assert isinstance(made, UUID)
    return made


def _answered(stream: Stream, transfer_id: UUID, answer: TransferAnswer) -> RecordTransferAnswer:
    return RecordTransferAnswer(RECORD, transfer_id, stream.record.transfers[transfer_id].counterpart, answer, "", "")


def test_what_was_offered_of_a_wrong_record_is_fetched_by_nobody() -> None:
    """What is out is taken back, whoever has it is told, also where the record holds no entry; nobody is told twice."""
    stream = active()
    done, fetched, waits = (_offered(stream, each) for each in ("south", "east", "west"))
    stream.when(_answered(stream, done, TransferAnswer.ACCEPTED))
    stream.when(_answered(stream, fetched, TransferAnswer.VERIFIED))
    events = stream.when(course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None)).events
    assert [each.transfer_id for each in events if isinstance(each, TransferOutdated)] == [done, fetched, waits]
    back = [(each.transfer_id, each.reason) for each in events if isinstance(each, TransferWithdrawn)]
    assert back == [(fetched, IN_ERROR), (waits, IN_ERROR)]
    record = stream.record
    assert [record.transfers[each].state for each in (fetched, waits)] == [TransferState.WITHDRAWN] * 2
    # Who has it all may not fetch it again either.
    assert handed_over(record.transfers[done], record.patient_id, NOW)
    assert not any(handed_over(each, record.patient_id, NOW, in_error=True) for each in record.transfers.values())
    late = _answered(stream, waits, TransferAnswer.ACCEPTED)
    assert stream.refused(late)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]


def test_offers_of_a_wrong_record_beyond_what_one_command_says_are_accepted_by_nobody() -> None:
    """The rest is neither handed over nor accepted; its recipient may say that there was nothing."""
    stream = active()
    for number in range(TOLD_MAX + 5):
        _offered(stream, f"h{number}")
    events = stream.when(course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None)).events
    assert len(events) <= EVENTS_PER_COMMAND_MAX
    left = [each for each in stream.record.transfers.values() if each.state is TransferState.OFFERED]
    assert len(left) == 5
    accepted = _answered(stream, left[0].transfer_id, TransferAnswer.ACCEPTED)
    assert stream.refused(accepted)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]
    stream.when(replace(accepted, answer=TransferAnswer.REJECTED, code="OFFER_WITHDRAWN"))
    stream.when(WithdrawTransfer(RECORD, left[1].transfer_id, "wrong patient"))


def test_what_a_wrong_record_said_is_found_where_it_was_recorded_again() -> None:
    """Said of one entry at its retraction, of another at the declaration, of the third that it is nowhere."""
    stream = closed()
    first, second, *rest = stream.record.entries
    stream.when(RetractEntry(RECORD, first, "wrong patient", ELSEWHERE), traced=right_record())
    assert stream.record.entries[first].recorded_again == ELSEWHERE
    for entry_id in (second, *rest):
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    traces = (EntryTrace(second, ELSEWHERE), *(EntryTrace(each, None, "told twice") for each in rest))
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, RIGHT, traces)
    without = stream.refused(replace(declared, traces=()), traced=right_record())[1]
    assert without == [(f"entries[{each}]", "NOT_TRACED") for each in (second, *rest)], "every missing link by name"
    stream.when(declared, traced=right_record())
    entries = stream.record.entries
    assert (entries[second].recorded_again, entries[second].nowhere_reason) == (ELSEWHERE, "")
    assert {entries[each].nowhere_reason for each in rest} == {"told twice"}
    assert stream.record.archiving.correct_record_id == RIGHT


def test_a_retraction_says_at_once_that_its_entry_belongs_nowhere() -> None:
    """The declaration asks of the others alone; what it says of this one takes the earlier word's place."""
    stream = active()
    first, second, third = (stream.entry() for _ in range(3))
    stream.when(RetractEntry(RECORD, first, "wrong patient", None, "told twice"))
    assert stream.last_events == ["EntryRetracted", "EntriesTraced"]
    assert (stream.record.entries[first].recorded_again, stream.record.entries[first].nowhere_reason) == (
        None,
        "told twice",
    )
    for entry_id, reason in ((second, ""), (third, "a test of the printer")):
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient", None, reason))
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None)
    assert stream.refused(declared)[1] == [(f"entries[{second}]", "NOT_TRACED")]
    again = (EntryTrace(second, None, "told twice"), EntryTrace(third, ELSEWHERE))
    stream.when(replace(declared, traces=again, correct_record_id=RIGHT), traced=right_record())
    shown = [(each.recorded_again, each.nowhere_reason) for each in stream.record.entries.values()]
    assert shown == [(None, "told twice"), (None, "told twice"), (ELSEWHERE, "")]


def test_a_wrong_record_of_more_entries_than_a_declaration_tells_of_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each retraction has said it; one declaration could not."""
    monkeypatch.setattr(decide_retraction, "TRACES_MAX", 5)
    stream = active()
    entry_ids = [stream.entry() for _ in range(6)]
    for entry_id in entry_ids:
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient", None, "told twice"))
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None)
    assert stream.refused(replace(declared, traces=nowhere(stream.record)))[1] == [("traces", "TOO_MANY")]
    stream.when(declared)
    assert stream.last_events == ["RecordEnteredInError", "EndorsementUsed"]


def test_whoever_is_led_to_is_led_nowhere_meanwhile() -> None:
    """Of two records that name each other at one moment one is decided again; who names none disturbs nobody."""
    stream = active()
    entry_ids = [stream.entry() for _ in range(2)]
    bumps = {RECORD: 1, RIGHT: 2}
    expected = tuple(Bump("trace", (str(each),), count) for each, count in sorted(bumps.items()))
    retract = RetractEntry(RECORD, entry_ids[0], "wrong patient", ELSEWHERE)
    assert stream.when(retract, traced=right_record(), trace_bumps=bumps).reservations == expected
    assert stream.when(RetractEntry(RECORD, entry_ids[1], "wrong patient", None, "twice")).reservations == ()
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, RIGHT)
    assert stream.when(declared, traced=right_record(), trace_bumps=bumps).reservations == expected


def test_a_link_to_what_was_retracted_since_is_found_anew() -> None:
    """What was said at a retraction counts for as long as it is so."""
    stream = active()
    stream.when(RetractEntry(RECORD, stream.entry(), "wrong patient", ELSEWHERE), traced=right_record())
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, RIGHT)
    (entry_id,) = stream.record.entries
    gone = stream.refused(declared, traced=right_record(retracted=True))[1]
    assert gone == [(f"entries[{entry_id}]", "NOT_TRACED")]
    stream.when(declared, traced=right_record())


def test_nothing_is_recorded_again_in_the_wrong_record_itself_nor_in_another_wrong_one() -> None:
    """Another record, which is nobody's mistake itself; which is one of those in which the entries are."""
    stream = emptied()
    own = {**right_record(), RECORD: stream.record}
    (entry_id, *rest) = stream.record.entries
    others = tuple(EntryTrace(each, None, "told twice") for each in rest)
    here = EntryTrace(entry_id, EntryPlace(RECORD, ELSEWHERE.entry_id))
    there = EntryTrace(entry_id, ELSEWHERE)
    declared = course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, RIGHT, (there, *others))
    in_error = {RIGHT: wrong().record, OTHER: right_record()[RIGHT]}
    for command, known, faults in (
        (
            replace(declared, traces=(here, *others), correct_record_id=None),
            own,
            ["NOT_RECORDED_THERE", "RIGHT_RECORD_NOT_NAMED"],
        ),
        (replace(declared, correct_record_id=OTHER), {**own, **in_error, **right_record()}, ["RIGHT_RECORD_NOT_NAMED"]),
        (declared, in_error, ["NOT_RECORDED_THERE", "NOT_A_RIGHT_RECORD"]),
    ):
        assert [rule for _, rule in stream.refused(command, traced=known)[1]] == faults
