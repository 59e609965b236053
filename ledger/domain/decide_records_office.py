"""Decisions of the records office: copies, loans, paper and what patients ask for."""

from __future__ import annotations

from datetime import timedelta

from ledger.domain.actor_faults import actor_faults
from ledger.domain.command_guards import iso_date
from ledger.domain.copy_guards import entries_shown
from ledger.domain.decide_holder import outdated_by_change, outdated_by_stay
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import (
    AccountForPaper,
    AnswerPatientRequest,
    FilePaperScan,
    IssueCopy,
    LendRecord,
    LiftRestriction,
    MovePaper,
    RecordPatientRequest,
    RenewLoan,
    ReturnLoan,
)
from ledger.domain.keeping_events import (
    CopyIssued,
    LoanIssued,
    LoanRenewed,
    LoanReturned,
    PaperAccounted,
    PaperMoved,
    PaperScanned,
    PatientRequestAnswered,
    PatientRequestRecorded,
    UseRestricted,
)
from ledger.domain.keeping_values import EntryRef, RequestKind
from ledger.domain.loan_terms import loan_ends, renewal_ends
from ledger.domain.office_guards import is_early_erasure
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.templates import SHA256_BYTES
from ledger.domain.use_events import RestrictionLifted

PAGES_MAX = 10_000
DPI_MAX = 10_000
RESTRICTIONS_MAX = 90
"""Restrictions that stand at once."""


def issue_copy(command: IssueCopy, state: StreamState | None, facts: Facts) -> Decision:
    """A certified copy of one subject's finished part, or of the entries named; last versions, none retracted."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    for value, field in ((command.applicant, "applicant"), (command.relation, "relation"), (command.mark, "mark")):
        check_reason(value, faults, field)
    scope = entries_shown(command, record)
    faults.refuse_if_any()
    versions = tuple(EntryRef(each, record.entries[each].last.version) for each in scope)
    copy_id = facts.ids[0]
    event = CopyIssued(
        facts.meta(), copy_id, command.applicant, command.relation, versions, command.mark, facts.head_leaf
    )
    return on_record(command.record_id, event, copy_id=copy_id)


def lend_record(command: LendRecord, state: StreamState | None, facts: Facts) -> Decision:
    """The case goes out, up to the pack's term from the day on which it went."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    if command.borrower is None:
        faults.add("borrower", "REQUIRED", "who gets it")
    else:
        faults.note_all(actor_faults(command.borrower, "borrower"), RefusalKind.INVALID)
    if command.due_on and iso_date(command.due_on) is None:
        faults.add("due_on", "MALFORMED_DATE", "an ISO 8601 date, or nothing")
    faults.refuse_if_any()
    meta = facts.meta()
    lent_on = facts.pack.deadlines.calendar.day_of(meta.occurred_at)
    due_on = command.due_on or loan_ends(lent_on, facts.pack, out_of_house=command.out_of_house).isoformat()
    assert command.borrower is not None  # noqa: S101 - its absence is a fault above
    event = LoanIssued(meta, facts.ids[0], command.borrower, due_on, command.out_of_house)
    return on_record(command.record_id, event, loan_id=facts.ids[0])


def renew_loan(command: RenewLoan, state: StreamState | None, facts: Facts) -> Decision:
    """A loan goes on for the pack's renewal."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    loan = record.overlays.loans[command.loan_id]
    before = iso_date(loan.due_on) or facts.pack.deadlines.calendar.day_of(facts.now)
    due_on = renewal_ends(before, facts.pack, out_of_house=loan.out_of_house)
    return on_record(command.record_id, LoanRenewed(facts.meta(), command.loan_id, due_on.isoformat()))


def return_loan(command: ReturnLoan, state: StreamState | None, facts: Facts) -> Decision:
    """The case is back, late or not."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    return on_record(command.record_id, LoanReturned(facts.meta(), command.loan_id))


def file_paper_scan(command: FilePaperScan, state: StreamState | None, facts: Facts) -> Decision:
    """The scan by its digest; the paper lies where it lies until somebody says what became of it."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.title, faults, "title")
    check_reason(command.shelf, faults, "shelf")
    _check_count(command.pages, PAGES_MAX, "pages", faults)
    _check_count(command.resolution_dpi, DPI_MAX, "resolution_dpi", faults)
    if len(command.sha256) != SHA256_BYTES:
        faults.add("sha256", "MALFORMED_DIGEST", "32 bytes are required")
    if command.operator is None:
        faults.add("operator", "REQUIRED", "who scanned")
    if command.checker is None:
        faults.add("checker", "REQUIRED", "who compared")
    faults.refuse_if_any()
    assert command.operator is not None and command.checker is not None  # noqa: S101, PT018 - faults above
    event = PaperScanned(
        facts.meta(),
        facts.ids[0],
        command.title,
        command.pages,
        command.resolution_dpi,
        command.operator,
        command.checker,
        command.sha256,
        command.shelf,
    )
    return on_record(command.record_id, event, scan_id=facts.ids[0])


def account_for_paper(command: AccountForPaper, state: StreamState | None, facts: Facts) -> Decision:
    """What became of a paper."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, PaperAccounted(facts.meta(), command.scan_id, command.outcome, command.reason))


def move_paper(command: MovePaper, state: StreamState | None, facts: Facts) -> Decision:
    """A paper lies elsewhere from now on."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.shelf, faults, "shelf")
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, PaperMoved(facts.meta(), command.scan_id, command.shelf, command.reason))


def record_patient_request(command: RecordPatientRequest, state: StreamState | None, facts: Facts) -> Decision:
    """What the patient asks for, and by when it is to be answered."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    for value, field in ((command.applicant, "applicant"), (command.relation, "relation"), (command.text, "text")):
        check_reason(value, faults, field)
    faults.refuse_if_any()
    meta = facts.meta()
    asked_on = facts.pack.deadlines.calendar.day_of(meta.occurred_at)
    due_on = (asked_on + timedelta(days=facts.pack.keeping.request_days)).isoformat()
    event = PatientRequestRecorded(
        meta, facts.ids[0], command.kind, command.applicant, command.relation, command.text, due_on
    )
    return on_record(command.record_id, event, request_id=facts.ids[0])


def answer_patient_request(command: AnswerPatientRequest, state: StreamState | None, facts: Facts) -> Decision:
    """Granted or refused with the legal ground.

    Erasure inside the retention term is refused, and use is restricted instead. A refused correction puts the
    patient's statement beside the entry, which is named where the record holds any.
    """
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.ground, faults, "ground")
    faults.text(command.statement, "statement", TEXT_MAX)
    request = record.overlays.requests.get(command.request_id)
    kind = request.kind if request else None
    erasure_early = is_early_erasure(command.request_id, record, facts)
    if kind is RequestKind.CORRECTION and not command.granted:
        faults.require(command.statement, "statement")
        if record.entries:
            faults.require(str(command.entry_id or ""), "entry_id")
    restricts = erasure_early or (kind is RequestKind.RESTRICTION and command.granted)
    if restricts and len(record.overlays.restrictions) >= RESTRICTIONS_MAX:
        faults.add("request_id", "TOO_MANY", f"at most {RESTRICTIONS_MAX} restrictions stand", RefusalKind.STATE)
    faults.refuse_if_any()
    meta = facts.meta()
    events: list[Event] = [
        PatientRequestAnswered(
            meta, command.request_id, command.granted, command.ground, command.statement, command.entry_id
        )
    ]
    if restricts:
        events.append(UseRestricted(meta, command.request_id))
    return on_record(command.record_id, *events, *_statement_told(command, record, facts))


def _statement_told(command: AnswerPatientRequest, record: RecordState, facts: Facts) -> tuple[Event, ...]:
    """The patient's words go with every copy and package: who has one without them is told."""
    if not command.statement:
        return ()
    if command.entry_id is None:
        return outdated_by_stay(record, 0, facts)
    return outdated_by_change(record, command.entry_id, facts)


def lift_restriction(command: LiftRestriction, state: StreamState | None, facts: Facts) -> Decision:
    """What one restriction was for is over, or the patient wants it no longer; the reason says which."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    standing = record.overlays.restrictions
    if command.request_id is None and len(standing) > 1:
        faults.add("request_id", "REQUIRED", "the request whose restriction ends: others restrict the use too")
    faults.refuse_if_any()
    ended = command.request_id or next(iter(standing), None)
    assert ended is not None  # noqa: S101 - its absence is a fault above
    return on_record(command.record_id, RestrictionLifted(facts.meta(), ended, command.reason))


def _check_count(value: int, most: int, field: str, faults: Faults) -> None:
    if not 1 <= value <= most:
        faults.add(field, "OUT_OF_RANGE", f"1 to {most}")


DECISIONS = {
    IssueCopy: issue_copy,
    LendRecord: lend_record,
    RenewLoan: renew_loan,
    ReturnLoan: return_loan,
    FilePaperScan: file_paper_scan,
    AccountForPaper: account_for_paper,
    MovePaper: move_paper,
    RecordPatientRequest: record_patient_request,
    AnswerPatientRequest: answer_patient_request,
    LiftRestriction: lift_restriction,
}
