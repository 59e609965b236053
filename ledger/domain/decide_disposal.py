"""Decisions on the end of a record: its term, the appraisal, and destruction or keeping for ever."""

from __future__ import annotations

from ledger.domain.command_guards import iso_date
from ledger.domain.decision import DISPOSAL, Bump, Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import (
    AppraiseDisposal,
    ApproveDisposal,
    DestroyRecord,
    EndRetention,
    ExtendRetention,
    RejectAppraisal,
)
from ledger.domain.keeping_events import (
    AppraisalRejected,
    DisposalAppraised,
    DisposalApproved,
    RecordDestroyed,
    RetentionEnded,
    RetentionExtended,
)
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.retention import retention_date
from ledger.domain.state import RecordState, StreamState

CAUSES = frozenset({"readmission", "link", "pack"})
COVERS = frozenset({"paper", "films", "recipients_copies"})


def extend_retention(command: ExtendRetention, state: StreamState | None, facts: Facts) -> Decision:
    """The date moves on; a record that was due is an archived one again."""
    record = expect(state, RecordState, "record_id")
    if command.retain_until and command.retain_until == record.retain_until:
        return on_record(command.record_id)
    faults = begin(command, record, facts)
    _check_date(command.retain_until, faults)
    if command.cause not in CAUSES:
        faults.add("cause", "UNKNOWN_VALUE", f"one of {', '.join(sorted(CAUSES))}")
    faults.refuse_if_any()
    event = RetentionExtended(facts.meta(), command.retain_until, command.cause, command.cause_record_id)
    return on_record(command.record_id, event)


def end_retention(command: EndRetention, state: StreamState | None, facts: Facts) -> Decision:
    """The term is over, counted from the patient's last visit."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    return on_record(command.record_id, RetentionEnded(facts.meta(), retention_date(record, facts)))


def appraise_disposal(command: AppraiseDisposal, state: StreamState | None, facts: Facts) -> Decision:
    """The proposer's opinion, with its reason."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    extends = command.opinion is DisposalOpinion.EXTEND
    if extends:
        _check_date(command.retain_until, faults)
    elif command.retain_until:
        faults.add("retain_until", "NOT_APPLICABLE", "only where the record is kept longer")
    faults.refuse_if_any()
    event = DisposalAppraised(facts.meta(), command.opinion, command.reason, command.retain_until)
    return on_record(command.record_id, event)


def approve_disposal(command: ApproveDisposal, state: StreamState | None, facts: Facts) -> Decision:
    """The appraisal group approves: to be destroyed by a list, kept for ever, or kept longer."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    disposal = record.archiving.disposal
    destroys = disposal is not None and disposal.opinion is DisposalOpinion.DESTROY
    if destroys and command.list_id is None:
        faults.add("list_id", "REQUIRED", "the destruction list that the record stands on")
    if disposal is not None and not destroys and command.list_id is not None:
        faults.add("list_id", "NOT_APPLICABLE", "the record is kept")
    faults.refuse_if_any()
    assert disposal is not None  # noqa: S101 - its absence is a fault above
    events: list[Event] = [DisposalApproved(facts.meta(), disposal.opinion, command.list_id)]
    if disposal.opinion is DisposalOpinion.EXTEND:
        events.append(RetentionExtended(facts.meta(), disposal.retain_until, "appraisal", None))
    return on_record(command.record_id, *events)


def reject_appraisal(command: RejectAppraisal, state: StreamState | None, facts: Facts) -> Decision:
    """Not followed, or taken back, also once it was approved: a destruction can be stopped until it is done."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    disposal = record.archiving.disposal
    assert disposal is not None  # noqa: S101 - its absence is a fault above
    return on_record(command.record_id, AppraisalRejected(facts.meta(), disposal.opinion, command.reason))


def destroy_record(command: DestroyRecord, state: StreamState | None, facts: Facts) -> Decision:
    """The end. Everything is checked again for the PERSON, whose rows are bumped: a registration that races wins."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    for index, covered in enumerate(command.covers):
        if covered not in COVERS:
            faults.add(f"covers[{index}]", "UNKNOWN_VALUE", f"one of {', '.join(sorted(COVERS))}")
    faults.refuse_if_any()
    listed = facts.disposal_list
    assert listed is not None  # noqa: S101 - its absence is a fault above
    assert listed.approver is not None  # noqa: S101 - only who approved the list opens it
    event = RecordDestroyed(
        facts.meta(), command.list_id, listed.approver, listed.supervisors, command.covers, facts.head_leaf
    )
    bumps = (Bump(DISPOSAL, (str(command.list_id),), facts.list_bumps), *bump_persons(facts))
    return Decision(command.record_id, "record", (event,), bumps)


def _check_date(text: str, faults: Faults) -> None:
    if iso_date(text) is None:
        faults.add("retain_until", "MALFORMED_DATE", "an ISO 8601 date")


DECISIONS = {
    ExtendRetention: extend_retention,
    EndRetention: end_retention,
    AppraiseDisposal: appraise_disposal,
    ApproveDisposal: approve_disposal,
    RejectAppraisal: reject_appraisal,
    DestroyRecord: destroy_record,
}
