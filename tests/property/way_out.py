"""The way out of any state of a record: what a hospital that wants to be done with it does next.

Every step must be accepted. A state in which none of these commands is, or in which they go round for ever, is a dead
end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    ArchiveRecord,
    Command,
    EndCare,
    PassQuality,
    RecordEntry,
    RetractEntry,
    ReturnRecord,
    SubmitRecord,
)
from ledger.domain.keeping_values import DisposalOpinion, EndorsedAct, PaperOutcome, UnsealGround
from ledger.domain.lifecycle import WRITING, state_faults
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.state import RecordState
from ledger.domain.state_guards import OPEN_TRANSFERS
from ledger.domain.transfer_commands import WithdrawTransfer
from ledger.domain.values import Actor, Defect, Disposition, EntryState, IdentityStatus, Phase
from tests.unit.domain.given import (
    ARCHIVIST,
    HEAD_OF_HOSPITAL,
    LIST,
    PATIENT,
    PATIENTS_SIDE,
    RECORD,
    SUPERIOR,
    SUPERVISORS,
    Stream,
    as_signer,
    facts,
    note,
    nowhere,
    patient,
    signed,
    visit_of,
)

ENDS = frozenset({Phase.PERMANENT, Phase.DESTROYED, Phase.VOIDED})
STEPS_MAX = 200
_CHINA = timezone(timedelta(hours=8))


class DeadEnd(AssertionError):
    """The record came to no end."""


@dataclass
class WayOut:
    """Leads a record to its end: kept for ever, or destroyed; void where nothing was ever written."""

    stream: Stream
    now: datetime
    opinion: DisposalOpinion

    def walk(self) -> Phase:
        """The phase in which it ends. Raises Refused or DeadEnd."""
        if self.stream.record.archiving.disposal is not None and self.stream.record.phase is Phase.DUE:
            self._do(keeping.RejectAppraisal(RECORD, "to be looked at again"))
        for _ in range(STEPS_MAX):
            command = next(self._next(self.stream.record), None)
            if command is None:
                return self.stream.record.phase
            self._do(command)
        raise DeadEnd(self.stream.record.phase)

    def _do(self, command: Command) -> None:
        record = self.stream.record
        if isinstance(command, keeping.EndRetention):
            self.now = max(self.now, _day_after(record.retain_until), self.now + timedelta(days=31 * 366))
        self.stream.next_id = max(self.stream.next_id, 1_000_000)
        # Who signs by login acts, and what is left to an office is done by it: `when` sees to both.
        who = {} if as_signer(command) else {"actor": _actor(command)}
        self.stream.when(
            command, endorsed=False, now=self.now, visits=(visit_of(self.stream),), patient=patient(), **who
        )

    def _next(self, record: RecordState) -> Iterator[Command]:
        """What is to be done, the first thing first; nothing at the end."""
        if record.phase in {Phase.DESTROYED, Phase.VOIDED}:
            return
        yield from _open(record)
        if record.phase is not Phase.PERMANENT:
            yield from self._onwards(record)

    def _onwards(self, record: RecordState) -> Iterator[Command]:
        match record.phase:
            case Phase.REGISTERED:
                yield course.VoidRecord(RECORD, "by mistake")
            case Phase.ACTIVE:
                yield EndCare(RECORD, Disposition.HOME, self.now)
            case Phase.CLOSED | Phase.RETURNED | Phase.SUBMITTED | Phase.REOPENED:
                yield from self._finished(record)
                yield from _handed_in(record, self.now)
            case Phase.ARCHIVED | Phase.ENTERED_IN_ERROR:
                yield keeping.EndRetention(RECORD)
            case _:
                yield from self._judged(record)

    def _finished(self, record: RecordState) -> Iterator[Command]:
        """Nothing is left open in the entries, and nothing is asked for that is not there."""
        for entry in record.entries.values():
            if entry.state is EntryState.DRAFT:
                yield RetractEntry(RECORD, entry.entry_id, "never finished")
        known = facts(now=self.now)
        for kind in (SubmitRecord, ArchiveRecord, keeping.RearchiveRecord):
            for fault in state_faults(kind, record, known):
                if fault.rule == "NOT_SIGNED":
                    unsigned = next(each for each in record.entries if str(each) in fault.field)
                    yield course.AcceptDeficiency(RECORD, unsigned, "", "the author has left")
                if fault.rule == "MISSING_ENTRY":
                    yield course.AcceptDeficiency(RECORD, None, _missing(fault.text), "never written")
                if fault.rule == "NO_ENTRY" and record.phase in WRITING and _something_stands(record):
                    yield RecordEntry(RECORD, note(), signed(SUPERIOR))

    def _judged(self, record: RecordState) -> Iterator[Command]:
        disposal = record.archiving.disposal
        if disposal is None:
            yield keeping.AppraiseDisposal(RECORD, self.opinion, "term over", "")
        elif disposal.approved_by is None:
            yield keeping.ApproveDisposal(RECORD, LIST if self.opinion is DisposalOpinion.DESTROY else None)
        else:
            yield keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ("paper",))


def _open(record: RecordState) -> Iterator[Command]:
    """What stands over the record."""
    over = record.overlays
    for hold_id in over.holds:
        yield keeping.LiftHold(RECORD, hold_id, "settled")
    for seal_id in over.seals:
        yield keeping.UnsealRecord(RECORD, seal_id, UnsealGround.BOTH_PRESENT, "Ms. N.", PATIENTS_SIDE)
    for loan_id in over.loans:
        yield keeping.ReturnLoan(RECORD, loan_id)
    if record.identity is IdentityStatus.UNVERIFIED:
        yield course.IdentifyPatient(RECORD, PATIENT)
    yield from _waiting(record)


def _waiting(record: RecordState) -> Iterator[Command]:
    """What waits for somebody's word."""
    over = record.overlays
    for transfer in record.transfers.values():
        if transfer.state in OPEN_TRANSFERS:
            yield WithdrawTransfer(RECORD, transfer.transfer_id, "too late")
    for paper in over.papers.values():
        if paper.outcome is None:
            yield keeping.AccountForPaper(RECORD, paper.scan_id, PaperOutcome.KEPT, "in the basement")
    for request in over.requests.values():
        if request.granted is None:
            beside = next(iter(record.entries), None)
            yield keeping.AnswerPatientRequest(RECORD, request.request_id, False, "the law", "I disagree.", beside)


def _handed_in(record: RecordState, now: datetime) -> Iterator[Command]:
    if record.phase is Phase.REOPENED:
        yield keeping.RearchiveRecord(RECORD)
    elif record.care_historical or _something_stands(record):
        yield from _archived(record)
    else:
        yield from _thrown_out(record, now)


def _archived(record: RecordState) -> Iterator[Command]:
    short = record.visit_type in SHORT_PATH
    if record.phase is Phase.RETURNED or (record.phase is Phase.CLOSED and not short):
        yield SubmitRecord(RECORD)
    elif record.phase is Phase.SUBMITTED and not record.archiving.passed:
        yield PassQuality(RECORD)
    elif record.responsible is None and not record.care_historical:
        yield course.AssignPhysician(RECORD, SUPERIOR, "named from the duty roster")
    yield ArchiveRecord(RECORD)


def _thrown_out(record: RecordState, now: datetime) -> Iterator[Command]:
    """Nothing was written that still stands: no case for the archive, and not void, for something had been written."""
    if record.phase is Phase.SUBMITTED and record.archiving.passed:
        yield ReturnRecord(RECORD, (Defect("LANGUAGE"),))
    elif record.phase is Phase.SUBMITTED:
        yield course.RecallRecord(RECORD, "nothing is in it")
    elif not _endorsed(record, now):
        yield course.EndorseAct(RECORD, EndorsedAct.RECORD_IN_ERROR, None, None, "nothing is in it")
    yield course.DeclareEnteredInError(RECORD, "nothing is in it", SUPERIOR, None, nowhere(record))


def _endorsed(record: RecordState, now: datetime) -> bool:
    words = (each for each in record.overlays.endorsements.values() if each.endorsed_by == SUPERIOR)
    return any(each.act is EndorsedAct.RECORD_IN_ERROR and now <= each.expires_at for each in words)


def _something_stands(record: RecordState) -> bool:
    return any(not entry.retracted for entry in record.entries.values())


def _missing(text: str) -> str:
    """The template of `a signed X is required (...)` or `2 signed entries X are required (...)`."""
    return text.partition(" is required" if text.startswith("a ") else " are required")[0].rpartition(" ")[2]


def _actor(command: Command) -> Actor:
    return SUPERIOR if isinstance(command, keeping.ApproveDisposal | RetractEntry | course.EndorseAct) else ARCHIVIST


def _day_after(day: str) -> datetime:
    begins = date.fromisoformat(day) if day else date(1970, 1, 1)
    return datetime.combine(begins, time(12), _CHINA) + timedelta(days=1)
