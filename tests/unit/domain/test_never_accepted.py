"""What a records office tries by mistake or on purpose, and the ledger refuses; each beside what it does accept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import Command, EndCare, RecordEntry, RetractEntry, SubmitRecord
from ledger.domain.course_commands import (
    ArriveAtConsultation,
    CountersignEntry,
    RecallRecord,
    ResumeCare,
    VoidRecord,
)
from ledger.domain.keeping_commands import (
    AccountForPaper,
    AppraiseDisposal,
    ApproveDisposal,
    ApproveReopen,
    DestroyRecord,
    EndRetention,
    IssueCopy,
    LendRecord,
    LiftHold,
    RequestReopen,
    UnsealRecord,
)
from ledger.domain.keeping_values import DisposalOpinion, PaperOutcome, SealMode, UnsealGround
from ledger.domain.refusal import RefusalKind
from ledger.domain.transfer_commands import OfferTransfer, WithdrawTransfer
from ledger.domain.values import Actor, Disposition, EntryState, Phase, TransferKind
from tests.unit.domain.given import (
    AFFAIRS,
    APPROVER,
    ARCHIVIST,
    CLOCK,
    HEAD_OF_HOSPITAL,
    IMPORTER,
    LIST,
    LISTED,
    NOW,
    PACKAGE,
    PATIENTS_SIDE,
    PHYSICIAN,
    QUALITY,
    RECORD,
    SUPERIOR,
    SUPERVISORS,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    note,
    registered,
    signed,
    submitted,
)
from tests.unit.domain.refusals import SCAN, answer, consulted, hold, scanned, seal

SECOND = timedelta(seconds=1)
LATER = NOW + TERM


def asked(stream: Stream, actor: Actor = PHYSICIAN) -> UUID:
    """A reopening that somebody asked for."""
    command = RequestReopen(RECORD, "a mistake", (next(iter(stream.record.entries)),), ("course_note",))
    made = stream.when(command, actor=actor).result["reopen_id"]
    assert isinstance(made, UUID)
    return made


def test_a_trainees_signature_is_not_taken_as_final() -> None:
    """Neither by itself nor by a second trainee; a superior's countersignature of that version is."""
    stream = closed()
    entry_id = stream.entry(note("Seen on the round."), signer=TRAINEE)
    assert stream.record.entries[entry_id].state is EntryState.AUTHORED
    assert stream.refused(SubmitRecord(RECORD)) == (RefusalKind.STATE, [(f"entries[{entry_id}]", "NOT_SIGNED")])
    colleague = replace(TRAINEE, id=UUID(int=22))
    by_colleague = CountersignEntry(RECORD, entry_id, 1, signed(colleague))
    assert stream.refused(by_colleague)[1] == [("attestation.signer.role", "NOT_QUALIFIED")]
    stream.when(CountersignEntry(RECORD, entry_id, 1, signed(SUPERIOR)))
    stream.when(SubmitRecord(RECORD))


def test_one_person_does_not_approve_twice() -> None:
    """Whoever asked for a reopening does not approve it; once another has, nobody approves it again."""
    stream = archived()
    reopen_id = asked(stream, AFFAIRS)
    command = ApproveReopen(RECORD, reopen_id, None)
    assert stream.refused(command, actor=AFFAIRS) == (RefusalKind.STATE, [("context.actor", "SAME_PERSON")])
    stream.when(command, actor=QUALITY)
    assert "PHASE_NOT_ALLOWED" in [rule for _, rule in stream.refused(command, actor=AFFAIRS)[1]]


def test_one_person_does_not_propose_and_approve_a_destruction() -> None:
    """Another one does, and then not a second time for the same list."""
    stream = archived()
    stream.when(EndRetention(RECORD), now=LATER)
    appraise = AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", "")
    stream.when(appraise, actor=replace(APPROVER, role="records_office"), now=LATER)
    command = ApproveDisposal(RECORD, LIST)
    assert stream.refused(command, actor=APPROVER, now=LATER)[1] == [("context.actor", "SAME_PERSON")]
    approved = {"actor": AFFAIRS, "now": LATER, "disposal_list": replace(LISTED, approved_by=AFFAIRS)}
    stream.when(command, **approved)
    assert stream.refused(command, **approved)[1] == [("list_id", "ALREADY_APPROVED")]


@pytest.mark.parametrize(
    ("ends_in", "taken"),
    [
        (-SECOND, False),
        (0 * SECOND, False),
        (SECOND, True),
        (72 * 3600 * SECOND, True),
        (72 * 3600 * SECOND + SECOND, False),
    ],
)
def test_an_approval_opens_a_window_ahead_and_within_the_packs_term(ends_in: timedelta, *, taken: bool) -> None:
    """A window that is over already, or longer than 72 hours, is refused; to the second."""
    stream = archived()
    command = ApproveReopen(RECORD, asked(stream), NOW + ends_in)
    if taken:
        stream.when(command, actor=AFFAIRS)
        assert stream.record.phase is Phase.REOPENED
    else:
        refused = stream.refused(command, actor=AFFAIRS)
        assert refused == (RefusalKind.STATE, [("expires_at", "OUT_OF_RANGE")])


def test_nothing_is_approved_or_written_after_the_window() -> None:
    """The window holds at its last second; after it neither an entry nor another approval is taken."""
    stream = archived()
    command = ApproveReopen(RECORD, asked(stream), NOW + SECOND)
    stream.when(command, actor=AFFAIRS)
    write = RecordEntry(RECORD, note("Added."), signed())
    stream.when(write, now=NOW + SECOND)
    assert stream.refused(write, now=NOW + 2 * SECOND)[1] == [("record_id", "WINDOW_OVER")]
    assert "PHASE_NOT_ALLOWED" in [rule for _, rule in stream.refused(command, actor=AFFAIRS, now=NOW + 2 * SECOND)[1]]


def test_a_request_is_not_approved_once_it_has_lapsed() -> None:
    """It holds for 72 hours, to the second; after that it is asked for anew, and the term of keeping may end."""
    stream, term = archived(), timedelta(hours=72)
    command = ApproveReopen(RECORD, asked(stream), None)
    refused = stream.refused(command, actor=AFFAIRS, now=NOW + term + SECOND)
    assert refused == (RefusalKind.STATE, [("record_id", "REQUEST_LAPSED")])
    again = RequestReopen(RECORD, "still a mistake", (), ("course_note",))
    assert stream.refused(again, now=NOW + term)[1] == [("record_id", "REOPENING_ASKED")]
    made = stream.when(again, now=NOW + term + SECOND).result["reopen_id"]
    assert isinstance(made, UUID)
    stream.when(ApproveReopen(RECORD, made, None), actor=AFFAIRS, now=NOW + 2 * term + SECOND)
    assert stream.record.phase is Phase.REOPENED
    forgotten = archived()
    asked(forgotten)
    forgotten.when(EndRetention(RECORD), now=LATER)
    assert forgotten.record.phase is Phase.DUE


@pytest.mark.parametrize(
    ("due_on", "out_of_house", "taken"),
    [
        ("2026-04-01", False, True),
        ("2026-04-02", False, False),
        ("2026-03-04", True, True),
        ("2026-03-05", True, False),
    ],
)
def test_a_loan_ends_within_its_limit(due_on: str, *, out_of_house: bool, taken: bool) -> None:
    """A calendar month inside the house, 3 working days outside: the last day, and none after; no trainee borrows."""
    stream, command = archived(), LendRecord(RECORD, SUPERIOR, due_on, out_of_house=out_of_house)
    if taken:
        assert stream.refused(replace(command, borrower=TRAINEE))[1] == [("borrower", "TRAINEE")]
        stream.when(command)
    else:
        assert stream.refused(command) == (RefusalKind.STATE, [("due_on", "LOAN_TOO_LONG")])


def test_a_copy_shows_nothing_that_was_retracted() -> None:
    """A scope that names such an entry, or one that is not there, is refused with each place."""
    stream = closed()
    kept, gone = list(stream.record.entries)[:2]
    stream.when(RetractEntry(RECORD, gone, "wrong patient"))
    command = IssueCopy(RECORD, "Mr. N.", "self", (kept, gone, UUID(int=9)), "true copy")
    assert sorted(stream.refused(command)[1]) == [
        ("entry_ids[1]", "ENTRY_RETRACTED"),
        ("entry_ids[2]", "UNKNOWN_ENTRY"),
    ]
    stream.when(replace(command, entry_ids=(kept,)))


def test_nothing_is_destroyed_while_a_transfer_is_open() -> None:
    """The other hospital may still fetch it; once the offer is withdrawn the destruction goes on."""
    stream = archived()
    stream.when(EndRetention(RECORD), now=LATER)
    stream.when(AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", ""), actor=ARCHIVIST, now=LATER)
    stream.when(ApproveDisposal(RECORD, LIST), actor=APPROVER, now=LATER)
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, LATER + timedelta(days=7))
    sent = stream.when(offer, now=LATER, counterpart_known=True, package=PACKAGE).result["transfer_id"]
    assert isinstance(sent, UUID)
    command = DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ("paper",))
    assert stream.refused(command, now=LATER, actor=ARCHIVIST)[1] == [("record_id", "OPEN_TRANSFER")]
    stream.when(WithdrawTransfer(RECORD, sent, "not needed"), now=LATER)
    stream.when(command, now=LATER, actor=ARCHIVIST)
    assert stream.record.phase is Phase.DESTROYED


@pytest.mark.parametrize("actor", [CLOCK, IMPORTER], ids=lambda actor: actor.role)
def test_what_people_answer_for_no_program_does(actor: Actor) -> None:
    """It hands nothing in, takes nothing back, ends and resumes no care, voids nothing, and comes to nobody."""
    asked_id = consulted(asking := active())
    tries: tuple[tuple[Stream, Command], ...] = (
        (registered(), VoidRecord(RECORD, "by mistake")),
        (asking, ArriveAtConsultation(RECORD, asked_id)),
        (active(), EndCare(RECORD, Disposition.DEATH, NOW)),
        (closed(), ResumeCare(RECORD, "still here")),
        (closed(), SubmitRecord(RECORD)),
        (submitted(), RecallRecord(RECORD, "to be added")),
    )
    for stream, command in tries:
        assert stream.refused(command, actor=actor) == (RefusalKind.STATE, [("context.actor", "NOT_A_PERSON")])
        stream.when(command)
    active().when(EndCare(RECORD, Disposition.DEATH, NOW), historical=True)


def test_who_asked_for_a_consultation_neither_comes_nor_answers() -> None:
    """The ten minutes are kept, and the question answered, by somebody else."""
    stream = active()
    asked_id, fault = consulted(stream), ("context.actor", "SAME_PERSON")
    arrive, by_asker = ArriveAtConsultation(RECORD, asked_id), replace(answer(asked_id), attestation=signed(SUPERIOR))
    assert stream.refused(arrive, actor=replace(SUPERIOR, department="neurology")) == (RefusalKind.STATE, [fault])
    assert stream.refused(by_asker) == (RefusalKind.STATE, [fault])
    stream.when(arrive)
    stream.when(answer(asked_id))


def test_what_became_of_a_paper_the_office_says_that_keeps_it() -> None:
    """Neither a trainee, nor whoever treats, nor a program; and persons scan and compare."""
    stream = closed()
    destroyed = AccountForPaper(RECORD, scanned(stream), PaperOutcome.DESTROYED, "list 7")
    for actor in (TRAINEE, PHYSICIAN):
        assert stream.refused(destroyed, actor=actor)[1] == [("context.actor.role", "ROLE_NOT_ALLOWED")]
    assert ("context.actor", "NOT_A_PERSON") in stream.refused(destroyed, actor=CLOCK)[1]
    by_program = replace(SCAN, operator=CLOCK, checker=IMPORTER)
    programs = [("operator.role", "NOT_A_PERSON"), ("checker.role", "NOT_A_PERSON")]
    assert stream.refused(by_program) == (RefusalKind.INVALID, programs)
    stream.when(destroyed)


def test_nobody_is_without_a_claim_while_a_court_holds_the_record() -> None:
    """However long the seal stood; the hold is lifted first, or both sides are there."""
    stream = archived()
    seal_id, hold_id = seal(stream), hold(stream)
    unclaimed = UnsealRecord(RECORD, seal_id, UnsealGround.NO_CLAIM, "", AFFAIRS)
    assert stream.refused(unclaimed, now=LATER) == (RefusalKind.STATE, [("ground", "HELD")])
    both = replace(unclaimed, ground=UnsealGround.BOTH_PRESENT, second_person=PATIENTS_SIDE)
    stream.copied().when(both, now=LATER)
    stream.when(LiftHold(RECORD, hold_id, "the court has decided"), now=LATER)
    stream.when(unclaimed, now=LATER)


def test_a_sealed_original_stays_in_the_house() -> None:
    """It is lent inside; out of the house goes what has no seal, or a seal on a copy alone."""
    stream, open_case = archived(), archived()
    seal(stream)
    seal(open_case, SealMode.COPY)
    out = LendRecord(RECORD, SUPERIOR, "", out_of_house=True)
    assert stream.refused(out) == (RefusalKind.STATE, [("out_of_house", "SEALED")])
    stream.when(replace(out, out_of_house=False))
    open_case.when(out)
