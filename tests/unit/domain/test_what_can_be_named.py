"""What a front end is not told to offer: what could name nothing, or only what is done or over already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import (
    AmendEntry,
    AnswerConsultation,
    RecordEntry,
    RequestConsultation,
)
from ledger.domain.course_commands import (
    AcceptDeficiency,
    CorrectTime,
    EndorseAct,
    IdentifyPatient,
    ReportMissedDeadline,
)
from ledger.domain.deadlines import deadlines
from ledger.domain.defaults import default_pack
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_values import DisposalOpinion, RequestKind, SealMode, SealParty
from ledger.domain.lifecycle import RULES
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.state_guards import StateGuard
from ledger.domain.transfer_commands import OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.values import AmendmentKind, TransferAnswer, TransferKind, Urgency
from tests.unit.domain.given import (
    ARCHIVIST,
    DIGEST,
    LIST,
    NOW,
    PACKAGE,
    PATIENTS_SIDE,
    RECORD,
    SUPERIOR,
    TERM,
    TRAINEE,
    Stream,
    active,
    appraised,
    archived,
    closed,
    condemned,
    facts,
    imported,
    note,
    registered,
    reopened,
    signed,
    unanswered,
    wrong,
)
from tests.unit.domain.refusals_of_endorsement import said_to_be

NAMING = [pytest.param(command, guard, id=command.__name__) for command, rule in RULES.items() for guard in rule.names]


def _offered(stream: Stream, **known: Any) -> set[str]:
    return {each.name for each in allowed_actions(stream.record, facts(**known)) if not each.reasons}


def _full() -> Stream:
    """Care with one of everything that a command may name."""
    stream = active()
    changed = stream.entry()
    stream.entry(signer=TRAINEE)
    copied = stream.when(keeping.IssueCopy(RECORD, "Mr. N.", "self", (changed,), "true copy"))
    assert copied.events
    stream.when(AmendEntry(RECORD, changed, AmendmentKind.CORRECTION, "a slip", note("Better."), signed()))
    stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    stream.when(RegisterNewborn(RECORD, 1, None))
    stream.when(keeping.RecordPatientRequest(RECORD, RequestKind.ACCESS, "Mr. N.", "self", "please"))
    stream.when(keeping.FilePaperScan(RECORD, "consent", 2, 300, ARCHIVIST, SUPERIOR, DIGEST, "shelf 4"))
    stream.when(OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None), counterpart_known=True, package=PACKAGE)
    return stream


def test_nothing_is_offered_that_could_name_nothing() -> None:
    """A record that holds nothing yet: no unsealing, no returned loan, no copy, no answer to a request."""
    named = {command.__name__ for command, rule in RULES.items() if rule.names}
    # A record of the wrong patient can be given up from the first: a second person may say so.
    assert _offered(registered()) & named == {"EndorseAct"}


def _window(*templates: str) -> Stream:
    """A case that is open for its first entry and these templates; a consultation waits in it."""
    return reopened(unanswered, templates)


def _held() -> Stream:
    stream = active()
    stream.when(keeping.PlaceHold(RECORD, "a claim", "court", ()))
    return stream


LATE: dict[str, Any] = {"now": NOW + TERM}
NO_LIST: dict[str, Any] = {**LATE, "open_lists": frozenset[UUID]()}
_LACKING: dict[tuple[type[Any], str], tuple[Callable[[], Stream], dict[str, Any]]] = {
    (RecordEntry, "NOT_NAMED"): (_window, {}),
    (AnswerConsultation, "NOT_NAMED"): (lambda: _window("course_note"), {}),
    (CorrectTime, "HELD"): (_held, {}),
    (EndorseAct, "NOTHING_TO_ENDORSE"): (wrong, {}),
    (IdentifyPatient, "NOT_ENDORSED"): (said_to_be, {}),
    (WithdrawIdentification, "NOT_ENDORSED"): (said_to_be, {}),
    (keeping.RenewLoan, "NO_RENEWAL_LEFT"): (archived, {}),
    (AcceptDeficiency, "NOTHING_MISSING"): (closed, {}),
    (ReportMissedDeadline, "NOT_MISSED"): (imported, {}),
    (keeping.ApproveDisposal, "LIST_NOT_OPEN"): (appraised, NO_LIST),
    (keeping.DestroyRecord, "LIST_NOT_OPEN"): (condemned, NO_LIST),
}
"""Where it is that demand alone that keeps the command out; of every other command it is care without anything."""


@pytest.mark.parametrize(("command", "guard"), NAMING)
def test_no_demand_on_what_can_be_named_may_be_taken_out_unnoticed(
    command: type[Any], guard: StateGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation check of these: without it, the command is offered somewhere where it was not."""
    make, known = _LACKING.get((command, guard.rule), (active, {}))
    lacking = make()
    assert command.__name__ not in _offered(lacking, **known)
    others = tuple(each for each in RULES[command].names if each is not guard)
    monkeypatch.setitem(RULES, command, replace(RULES[command], names=others))
    assert command.__name__ in _offered(lacking, **known), guard.rule


def test_what_can_be_named_is_offered() -> None:
    """One of each is there: it may be amended, answered, withdrawn, accounted for."""
    absent = {
        "RestoreNewborn",
        "AcceptDeficiency",
        "LiftHold",
        "ExtendSeal",
        "UnsealRecord",
        "RenewLoan",
        "ReturnLoan",
        "WithdrawMissedDeadline",
        "ExpireTransfer",
        "ApproveDisposal",
        "DestroyRecord",
        "DeclareEnteredInError",
        "IdentifyPatient",
        "WithdrawIdentification",
    }
    named = {command.__name__ for command, rule in RULES.items() if rule.names}
    assert named - _offered(_full()) == absent


def test_a_window_offers_new_entries_of_the_templates_that_it_names_alone() -> None:
    """Where it names none, nothing new is offered; where it names a course note, no answer to a consultation."""
    for named in ((), ("course_note",), ("consultation",)):
        offered = _offered(_window(*named))
        assert ("RecordEntry" in offered) is bool(named)
        assert ("AnswerConsultation" in offered) is ("consultation" in named)
        assert "AmendEntry" in offered


def test_an_offer_runs_out_once_its_end_has_come_and_nobody_has_fetched_it() -> None:
    """Not before, not when the recipient has the package; and an offer that was taken back waits for no answer."""
    stream = _full()
    (transfer,) = stream.record.transfers.values()
    assert transfer.expires_at
    over: dict[str, Any] = {"now": transfer.expires_at}
    assert "ExpireTransfer" not in _offered(stream, now=transfer.expires_at - timedelta(seconds=1))
    assert "ExpireTransfer" in _offered(stream, **over)
    fetched = RecordTransferAnswer(RECORD, transfer.transfer_id, "south", TransferAnswer.VERIFIED, "", "")
    stream.when(fetched)
    assert _offered(stream, **over) & {"ExpireTransfer", "RecordTransferAnswer"} == {"RecordTransferAnswer"}
    stream.when(WithdrawTransfer(RECORD, transfer.transfer_id, "went home"))
    assert _offered(stream, **over) & {"ExpireTransfer", "RecordTransferAnswer"} == set()


def test_a_seal_is_extended_where_something_came() -> None:
    """Right after it was placed, or extended, there is nothing to add; a note later there is."""
    stream = active()
    stream.entry()
    leaves: dict[str, Any] = {"leaves": (DIGEST,) * 40}
    place = keeping.SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "", (), PATIENTS_SIDE)
    seal_id = stream.when(place, **leaves).result["seal_id"]
    assert isinstance(seal_id, UUID)
    assert "ExtendSeal" not in _offered(stream)
    stream.entry()
    assert "ExtendSeal" in _offered(stream)
    stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), **leaves)
    assert "ExtendSeal" not in _offered(stream)


def test_a_destruction_is_approved_for_a_list_that_names_the_record() -> None:
    """Once for each list; what is kept for ever waits for none; by a list that was reported nothing is destroyed."""
    stream = appraised()
    assert "ApproveDisposal" not in _offered(stream, **NO_LIST)
    assert "ApproveDisposal" in _offered(stream, **LATE)
    stream.when(keeping.ApproveDisposal(RECORD, LIST), **LATE)
    assert _offered(stream, **LATE) & {"ApproveDisposal", "DestroyRecord"} == {"DestroyRecord"}
    later = LATE | {"open_lists": frozenset({UUID(int=78)})}
    assert _offered(stream, **later) & {"ApproveDisposal", "DestroyRecord"} == {"ApproveDisposal"}
    assert "ApproveDisposal" in _offered(appraised(DisposalOpinion.KEEP), **NO_LIST)


def test_a_newborn_about_whom_something_was_written_is_led_to_another_one_or_stays() -> None:
    """Alone it cannot be nobody; of two, one can be the other."""
    stream = active()
    born = stream.when(RegisterNewborn(RECORD, 1, None)).result["subject_id"]
    assert isinstance(born, UUID)
    assert "WithdrawNewborn" in _offered(stream)
    stream.entry(replace(note(), subject_id=born))
    assert "WithdrawNewborn" not in _offered(stream)
    stream.when(RegisterNewborn(RECORD, 2, None))
    assert "WithdrawNewborn" in _offered(stream)


def test_what_was_done_already_is_not_offered_again() -> None:
    """A loan without a renewal left, a copy of what nobody signed, a missed deadline that was reported."""
    lent = archived()
    loan_id = lent.when(keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False)).result["loan_id"]
    assert isinstance(loan_id, UUID)
    assert "RenewLoan" in _offered(lent)
    lent.when(keeping.RenewLoan(RECORD, loan_id))
    assert "RenewLoan" not in _offered(lent)
    unsigned = active()
    unsigned.entry(signer=TRAINEE)
    assert "IssueCopy" not in _offered(unsigned)
    stream = active()
    assert _offered(stream) >= {"ReportMissedDeadline"}
    for each in deadlines(stream.record, default_pack(), NOW):
        if each.missed(NOW):
            stream.when(ReportMissedDeadline(RECORD, each.rule, each.subject_id, each.due_at))
    assert _offered(stream) & {"ReportMissedDeadline", "WithdrawMissedDeadline"} == set()


def test_under_a_hold_on_everything_no_change_is_offered() -> None:
    """No amendment, no retraction, no other time; a new note is written all the same."""
    stream = active()
    stream.entry()
    stream.when(keeping.PlaceHold(RECORD, "a claim", "court", ()))
    assert _offered(stream) & {"AmendEntry", "RetractEntry", "CorrectTime"} == set()
    assert {"RecordEntry", "LiftHold"} <= _offered(stream)
