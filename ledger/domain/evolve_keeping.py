"""Records in the archive, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import keeping_events as events
from ledger.domain import use_events
from ledger.domain.evolve_hold import HOLD_STEPS
from ledger.domain.keeping_state import (
    Destruction,
    Disposal,
    IssuedCopy,
    Loan,
    Paper,
    PatientRequest,
    Reopening,
)
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.next_version import next_version, with_archiving, with_overlays, without
from ledger.domain.state import Archiving, RecordState, nothing_left
from ledger.domain.values import Phase


def _with_content(state: RecordState, **changes: Any) -> RecordState:
    # What was said of a paper that was there changes nothing that is kept; a paper that was found does.
    return with_overlays(state, content_version=state.version + 1, **changes)


def reopen_requested(state: RecordState, event: events.ReopenRequested, at: datetime) -> RecordState:
    """Asked for, not open."""
    asked = Reopening(event.reopen_id, event.meta.actor.id, at, frozenset(event.entry_ids), event.templates)
    return with_overlays(state, reopening=asked)


def reopen_approved(state: RecordState, event: events.ReopenApproved, _: datetime) -> RecordState:
    """Open for what was named."""
    asked = state.overlays.reopening
    window = None if asked is None else replace(asked, expires_at=event.expires_at)
    return next_version(state, phase=Phase.REOPENED, overlays=replace(state.overlays, reopening=window))


def rearchived(state: RecordState, event: events.RecordRearchived, _: datetime) -> RecordState:
    """Closed again, where it was before."""
    archiving = replace(
        state.archiving,
        head_leaf=event.head_leaf,
        retain_until=event.retain_until,
        archived_by=state.archiving.archived_by | {event.meta.actor.id},
        rearchived_version=state.version + 1,
    )
    phase = Phase.PERMANENT if state.archiving.permanent else Phase.ARCHIVED
    return next_version(state, phase=phase, archiving=archiving, overlays=replace(state.overlays, reopening=None))


def copy_issued(state: RecordState, event: events.CopyIssued, at: datetime) -> RecordState:
    """Somebody has a copy of the record as it stood before this event."""
    copy = IssuedCopy(
        copy_id=event.copy_id,
        applicant=event.applicant,
        relation=event.relation,
        versions=event.versions,
        mark=event.mark,
        head_leaf=event.head_leaf,
        record_version=state.version,
        issuer=event.meta.actor,
        issued_at=event.meta.occurred_at,
        recorded_at=at,
    )
    return with_overlays(state, copies={**state.overlays.copies, copy.copy_id: copy})


def loan_issued(state: RecordState, event: events.LoanIssued, _: datetime) -> RecordState:
    """The case is out."""
    # The record as it was lent is the one before this event.
    loan = Loan(event.loan_id, event.borrower, event.due_on, event.out_of_house, record_version=state.version)
    return with_overlays(state, loans={**state.overlays.loans, loan.loan_id: loan})


def loan_renewed(state: RecordState, event: events.LoanRenewed, _: datetime) -> RecordState:
    """Out for longer."""
    loan = state.overlays.loans[event.loan_id]
    longer = replace(loan, due_on=event.due_on, renewals=loan.renewals + 1)
    return with_overlays(state, loans={**state.overlays.loans, loan.loan_id: longer})


def loan_returned(state: RecordState, event: events.LoanReturned, _: datetime) -> RecordState:
    """The case is back."""
    return with_overlays(state, loans=without(state.overlays.loans, event.loan_id))


def paper_scanned(state: RecordState, event: events.PaperScanned, _: datetime) -> RecordState:
    """A paper to be accounted for."""
    paper = Paper(event.scan_id, event.shelf)
    return _with_content(state, papers={**state.overlays.papers, paper.scan_id: paper})


def paper_accounted(state: RecordState, event: events.PaperAccounted, _: datetime) -> RecordState:
    """Accounted for."""
    paper = replace(state.overlays.papers[event.scan_id], outcome=event.outcome)
    return with_overlays(state, papers={**state.overlays.papers, paper.scan_id: paper})


def paper_moved(state: RecordState, event: events.PaperMoved, _: datetime) -> RecordState:
    """It lies elsewhere."""
    moved = {"moved_by": event.meta.actor, "moved_at": event.meta.occurred_at, "move_reason": event.reason}
    paper = replace(state.overlays.papers[event.scan_id], shelf=event.shelf, **moved)
    return with_overlays(state, papers={**state.overlays.papers, paper.scan_id: paper})


def request_recorded(state: RecordState, event: events.PatientRequestRecorded, _: datetime) -> RecordState:
    """An answer is due."""
    request = PatientRequest(event.request_id, event.kind, event.due_on)
    return _with_content(state, requests={**state.overlays.requests, request.request_id: request})


def request_answered(state: RecordState, event: events.PatientRequestAnswered, _: datetime) -> RecordState:
    """Answered; a statement of the patient goes with every copy."""
    asked = state.overlays.requests[event.request_id]
    request = replace(asked, granted=event.granted, statement=event.statement, entry_id=event.entry_id)
    after = _with_content(state, requests={**state.overlays.requests, request.request_id: request})
    if not event.statement:
        return after
    if event.entry_id is None:
        return replace(after, overlays=replace(after.overlays, stay_version=after.version))
    entry = replace(after.entries[event.entry_id], changed_version=after.version)
    return replace(after, entries=after.entries.having(entry.entry_id, entry))


def use_restricted(state: RecordState, event: events.UseRestricted, _: datetime) -> RecordState:
    """Storage, care, law and claims only."""
    return _with_content(state, restrictions=(*state.overlays.restrictions, event.request_id))


def every_restriction_lifted(state: RecordState, _: use_events.UseRestrictionLifted, __: datetime) -> RecordState:
    """As an earlier release said it: whatever went on was said anew beside it."""
    return _with_content(state, restrictions=())


def restriction_lifted(state: RecordState, event: use_events.RestrictionLifted, _: datetime) -> RecordState:
    """Used as any other record, unless another restriction stands."""
    return _with_content(
        state, restrictions=tuple(each for each in state.overlays.restrictions if each != event.request_id)
    )


def copies_outdated(state: RecordState, event: use_events.CopiesOutdated, _: datetime) -> RecordState:
    """Who holds them is to be told."""
    copies = state.overlays.copies
    return with_overlays(
        state, copies={**copies, **{each: replace(copies[each], outdated=True) for each in event.copy_ids}}
    )


def loans_outdated(state: RecordState, event: use_events.LoansOutdated, _: datetime) -> RecordState:
    """Who borrowed it is to be told."""
    loans = state.overlays.loans
    return with_overlays(
        state, loans={**loans, **{each: replace(loans[each], outdated=True) for each in event.loan_ids}}
    )


def holder_told(state: RecordState, event: use_events.HolderTold, _: datetime) -> RecordState:
    """Nobody is to be told until the record is changed again."""
    copies, loans, told = dict(state.overlays.copies), dict(state.overlays.loans), event.holder_id
    transfers = dict(state.transfers)
    if told in copies:
        copies[told] = replace(copies[told], outdated=False)
    if told in loans:
        loans[told] = replace(loans[told], outdated=False)
    if told in transfers:
        transfers[told] = replace(transfers[told], outdated=False)
    return with_overlays(state, copies=copies, loans=loans, transfers=transfers)


def retention_extended(state: RecordState, event: events.RetentionExtended, _: datetime) -> RecordState:
    """Kept longer; a record that was due is again what it was before, and its appraisal no longer counts."""
    # ISO dates compare as text; a date once promised never moves back.
    until = max(state.archiving.retain_until, event.retain_until)
    archiving = replace(state.archiving, retain_until=until, disposal=None)
    before_due = Phase.ENTERED_IN_ERROR if archiving.in_error else Phase.ARCHIVED
    return next_version(state, phase=before_due if state.phase is Phase.DUE else state.phase, archiving=archiving)


def retention_ended(state: RecordState, event: events.RetentionEnded, _: datetime) -> RecordState:
    """To be appraised."""
    until = max(state.archiving.retain_until, event.retain_until)
    return next_version(state, phase=Phase.DUE, archiving=replace(state.archiving, retain_until=until, disposal=None))


def appraised(state: RecordState, event: events.DisposalAppraised, _: datetime) -> RecordState:
    """An opinion."""
    return with_archiving(
        state,
        disposal=Disposal(
            event.opinion,
            event.meta.actor.id,
            event.retain_until,
            reason=event.reason,
            record_version=state.version,
        ),
    )


def approved(state: RecordState, event: events.DisposalApproved, _: datetime) -> RecordState:
    """The opinion holds: the record waits for its destruction, is kept for ever, or kept longer (the next event)."""
    disposal = state.archiving.disposal
    made = None if disposal is None else replace(disposal, approved_by=event.meta.actor.id, list_id=event.list_id)
    if event.opinion is DisposalOpinion.KEEP:
        archiving = replace(state.archiving, disposal=made, permanent=True)
        return next_version(state, phase=Phase.PERMANENT, archiving=archiving)
    return with_archiving(state, disposal=made)


def appraisal_rejected(state: RecordState, _: events.AppraisalRejected, __: datetime) -> RecordState:
    """Due, and nobody has said what becomes of it."""
    return with_archiving(state, disposal=None)


def destroyed(state: RecordState | None, event: events.RecordDestroyed, at: datetime) -> RecordState:
    """What remains is that it was there, and that it is gone: whoever holds the state holds no content.

    Nothing of the state before goes into it, so it is the same where the events before cannot be opened any more.
    Who holds a copy or a package is in the purge register.
    """
    gone = Destruction(
        event.list_id, at, event.meta.actor, event.approved_by, event.supervisors, event.covers, event.head_leaf
    )
    version = state.version + 1 if state else 1
    return replace(nothing_left(version), archiving=Archiving(head_leaf=event.head_leaf, destruction=gone))


KEEPING_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.ReopenRequested: reopen_requested,
    events.ReopenApproved: reopen_approved,
    events.RecordRearchived: rearchived,
    **HOLD_STEPS,
    events.CopyIssued: copy_issued,
    events.LoanIssued: loan_issued,
    events.LoanRenewed: loan_renewed,
    events.LoanReturned: loan_returned,
    events.PaperScanned: paper_scanned,
    events.PaperAccounted: paper_accounted,
    events.PaperMoved: paper_moved,
    events.PatientRequestRecorded: request_recorded,
    events.PatientRequestAnswered: request_answered,
    events.UseRestricted: use_restricted,
    use_events.UseRestrictionLifted: every_restriction_lifted,
    use_events.RestrictionLifted: restriction_lifted,
    use_events.CopiesOutdated: copies_outdated,
    use_events.LoansOutdated: loans_outdated,
    use_events.HolderTold: holder_told,
    events.RetentionExtended: retention_extended,
    events.RetentionEnded: retention_ended,
    events.DisposalAppraised: appraised,
    events.DisposalApproved: approved,
    events.AppraisalRejected: appraisal_rejected,
    events.RecordDestroyed: destroyed,
}
