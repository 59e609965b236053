"""Records, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from ledger.domain import events, transfer_events
from ledger.domain.course_state import Consultation, DepartmentMove
from ledger.domain.evolve_course import COURSE_STEPS, in_charge
from ledger.domain.evolve_endorsement import ENDORSEMENT_STEPS
from ledger.domain.evolve_keeping import KEEPING_STEPS
from ledger.domain.evolve_sample import SAMPLE_STEPS
from ledger.domain.next_version import latest_end, next_version, with_entry, with_next
from ledger.domain.state import EntryVersion, RecordState
from ledger.domain.transfer_state import Transfer
from ledger.domain.values import Phase, TransferState


def registered(_: None, event: events.RecordRegistered, at: datetime) -> RecordState:
    """A record is formed."""
    return RecordState(
        version=1,
        phase=Phase.REGISTERED,
        patient_id=event.patient_id,
        case_number=event.case_number,
        visit_type=event.visit_type,
        visit_sequence=event.visit_sequence,
        identity=event.identity,
        retention_class=event.retention_class,
        rule_pack=event.rule_pack,
        rule_pack_version=event.rule_pack_version,
        department=event.department,
        departments=(event.department,),
        historical=event.meta.historical,
        registered_at=at,
        source_system=event.meta.source.system if event.meta.source else "",
    )


def care_started(state: RecordState, event: events.CareStarted, _: datetime) -> RecordState:
    """Care begins."""
    return next_version(
        state,
        phase=Phase.ACTIVE,
        **_moved(state, event.department),
        bed=event.bed,
        responsible=event.responsible,
        team=event.team,
        team_began=event.responsible is None,
        started_at=event.meta.occurred_at,
        care_historical=event.meta.historical,
    )


def department_transferred(state: RecordState, event: events.DepartmentTransferred, at: datetime) -> RecordState:
    """The patient goes to another department; without a physician the one before stays in charge."""
    move = DepartmentMove(event.to_department, event.meta.occurred_at, state.version + 1, event.note_entry_id)
    there = {**_moved(state, event.to_department), **in_charge(state, event.responsible, at)}
    return next_version(state, **there, bed=event.bed, moves=(*state.moves, move))


def _moved(state: RecordState, department: str) -> dict[str, Any]:
    same = department == state.department
    return {
        "department": department,
        "departments": state.departments if same else (*state.departments, department),
    }


def care_ended(state: RecordState, event: events.CareEnded, _: datetime) -> RecordState:
    """Care is over; the record is completed."""
    said = {"ended_at": event.ended_at, "ended_version": state.version + 1}
    latest = latest_end(state, event.ended_at)
    return next_version(state, phase=Phase.CLOSED, disposition=event.disposition, latest_end=latest, **said)


def entry_recorded(state: RecordState, event: events.EntryRecorded, at: datetime) -> RecordState:
    """A first version, or the one that ends a draft."""
    before = state.entries.get(event.entry_id)
    version = EntryVersion(
        version=event.entry_version or 1,
        state=event.state,
        content=event.content,
        attestation=event.attestation,
        recorded_at=at,
        occurred_at=event.meta.occurred_at,
        record_version=state.version + 1,
        historical=event.meta.historical,
    )
    return with_entry(state, with_next(before, event.entry_id, version))


def entry_amended(state: RecordState, event: events.EntryAmended, at: datetime) -> RecordState:
    """A next version; the older ones stay."""
    entry = state.entries[event.entry_id]
    version = EntryVersion(
        version=event.entry_version,
        state=event.state,
        content=event.content,
        attestation=event.attestation,
        recorded_at=at,
        occurred_at=event.meta.occurred_at,
        record_version=state.version + 1,
        kind=event.kind,
        reason=event.reason,
        historical=event.meta.historical,
    )
    # A defect was accepted of the version that there was; the next one is signed, or accepted anew.
    accepted = state.archiving.deficiencies - {event.entry_id}
    state = replace(state, archiving=replace(state.archiving, deficiencies=accepted))
    amended = replace(entry, versions=(*entry.versions, version), changed_version=version.record_version)
    return with_entry(state, amended)


def entry_retracted(state: RecordState, event: events.EntryRetracted, _: datetime) -> RecordState:
    """Hidden, kept."""
    entry, version = state.entries[event.entry_id], state.version + 1
    gone = replace(entry, retraction_reason=event.reason, changed_version=version, retracted_version=version)
    return with_entry(state, gone)


def consultation_requested(state: RecordState, event: events.ConsultationRequested, at: datetime) -> RecordState:
    """Another department is asked; a time ahead of the ledger's clock gains nobody time."""
    before = state.consultations.get(event.consultation_id)
    since = min(event.meta.occurred_at, at)
    asked = Consultation(
        event.consultation_id,
        event.from_department,
        event.to_department,
        event.urgency,
        since,
        event.question,
        record_version=state.version + 1,
        requested_by=event.meta.actor.id,
    )
    if before is not None:
        # Its answer was retracted: whoever was asked has been asked since the first time.
        asked = replace(before, entry_id=None, answered_at=None, answer_reason="")
    return next_version(state, consultations={**state.consultations, asked.consultation_id: asked})


def consultation_answered(state: RecordState, event: events.ConsultationAnswered, at: datetime) -> RecordState:
    """The other department has answered: its note counts from when it is there, as every note does."""
    asked = state.consultations[event.consultation_id]
    answered = replace(asked, entry_id=event.entry_id, answered_at=at)
    return next_version(state, consultations={**state.consultations, event.consultation_id: answered})


def submitted(state: RecordState, _: events.RecordSubmitted, at: datetime) -> RecordState:
    """Handed in; what quality control said before no longer counts."""
    first = state.archiving.submitted_at or at
    archiving = replace(state.archiving, passed=False, submitted_at=first)
    return next_version(state, phase=Phase.SUBMITTED, archiving=archiving)


def returned(state: RecordState, _: events.QualityReturned, __: datetime) -> RecordState:
    """Back to the department."""
    archiving = replace(state.archiving, passed=False, returns=state.archiving.returns + 1)
    return next_version(state, phase=Phase.RETURNED, archiving=archiving)


def passed(state: RecordState, event: events.QualityPassed, _: datetime) -> RecordState:
    """Good enough to be kept."""
    return next_version(state, archiving=replace(state.archiving, passed=True, score=event.score))


def archived(state: RecordState, event: events.RecordArchived, at: datetime) -> RecordState:
    """The running record has become an archived case."""
    # ISO dates compare as text; a date once promised never moves back.
    until = max(state.archiving.retain_until, event.retain_until)
    by = state.archiving.archived_by | {event.meta.actor.id}
    archiving = replace(state.archiving, head_leaf=event.head_leaf, retain_until=until, archived_at=at, archived_by=by)
    return next_version(state, phase=Phase.ARCHIVED, archiving=archiving, retention_class=event.retention_class)


def transfer_proposed(state: RecordState, event: transfer_events.TransferProposed, _: datetime) -> RecordState:
    """A transfer begins."""
    place = (event.transfer_id, event.counterpart, event.kind)
    return _with_transfer(state, Transfer(*place, TransferState.PROPOSED, patient_id=state.patient_id))


def transfer_packaged(state: RecordState, event: transfer_events.TransferPackaged, _: datetime) -> RecordState:
    """Its bytes are fixed."""
    return _changed(
        state,
        event.transfer_id,
        state=TransferState.PACKAGED,
        record_version=event.record_version,
        package_sha256=event.package_sha256,
    )


def transfer_offered(state: RecordState, event: transfer_events.TransferOffered, _: datetime) -> RecordState:
    """The other hospital is told."""
    return _changed(state, event.transfer_id, state=TransferState.OFFERED, expires_at=event.expires_at)


def transfer_delivered(state: RecordState, event: transfer_events.TransferDelivered, _: datetime) -> RecordState:
    """The other hospital has it, and keeps what it read of it."""
    return _changed(state, event.transfer_id, state=TransferState.DELIVERED, delivered=True)


def transfer_rejected(state: RecordState, event: transfer_events.TransferRejected, _: datetime) -> RecordState:
    """The other hospital refused."""
    return _changed(state, event.transfer_id, state=TransferState.REJECTED, code=event.code)


def transfer_superseded(state: RecordState, event: transfer_events.TransferSuperseded, _: datetime) -> RecordState:
    """A later version goes out, which has every change so far."""
    return _changed(state, event.transfer_id, state=TransferState.SUPERSEDED, outdated=False)


def transfer_outdated(state: RecordState, event: transfer_events.TransferOutdated, _: datetime) -> RecordState:
    """The other hospital has an earlier version."""
    return _changed(state, event.transfer_id, outdated=True)


def _to(transfer_state: TransferState) -> Callable[[RecordState, Any, datetime], RecordState]:
    def step(state: RecordState, event: Any, _: datetime) -> RecordState:
        return _changed(state, cast("UUID", event.transfer_id), state=transfer_state)

    return step


def _changed(record: RecordState, transfer_id: UUID, **changes: Any) -> RecordState:
    return _with_transfer(record, replace(record.transfers[transfer_id], **changes))


def _with_transfer(state: RecordState, transfer: Transfer) -> RecordState:
    transfers = {**state.transfers, transfer.transfer_id: transfer}
    return next_version(state, overlays=replace(state.overlays, transfers=transfers))


RECORD_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.RecordRegistered: registered,
    events.CareStarted: care_started,
    events.DepartmentTransferred: department_transferred,
    events.CareEnded: care_ended,
    events.EntryRecorded: entry_recorded,
    events.EntryAmended: entry_amended,
    events.EntryRetracted: entry_retracted,
    events.ConsultationRequested: consultation_requested,
    events.ConsultationAnswered: consultation_answered,
    events.RecordSubmitted: submitted,
    events.QualityReturned: returned,
    events.QualityPassed: passed,
    events.RecordArchived: archived,
    transfer_events.TransferProposed: transfer_proposed,
    transfer_events.TransferPackaged: transfer_packaged,
    transfer_events.TransferOffered: transfer_offered,
    transfer_events.TransferDelivered: transfer_delivered,
    transfer_events.TransferVerified: _to(TransferState.VERIFIED),
    transfer_events.TransferAccepted: _to(TransferState.ACCEPTED),
    transfer_events.TransferRejected: transfer_rejected,
    transfer_events.TransferCompleted: _to(TransferState.COMPLETED),
    transfer_events.TransferWithdrawn: _to(TransferState.WITHDRAWN),
    transfer_events.TransferExpired: _to(TransferState.EXPIRED),
    transfer_events.TransferSuperseded: transfer_superseded,
    transfer_events.TransferOutdated: transfer_outdated,
    **COURSE_STEPS,
    **KEEPING_STEPS,
    **SAMPLE_STEPS,
    **ENDORSEMENT_STEPS,
}
