"""Records in the course of care, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import course_events as events
from ledger.domain import identity_events
from ledger.domain import late_item_events as late_items
from ledger.domain.certificate_values import Certified
from ledger.domain.course_state import Provisional
from ledger.domain.evolve_endorsement import of_who_it_was
from ledger.domain.evolve_foreign_result import FOREIGN_RESULT_STEPS
from ledger.domain.evolve_newborn import NEWBORN_STEPS
from ledger.domain.evolve_times import time_corrected
from ledger.domain.keeping_state import Missed
from ledger.domain.keeping_values import EntryRef
from ledger.domain.next_version import (
    latest_end,
    led,
    next_version,
    with_archiving,
    with_entry,
    with_next,
    with_overlays,
)
from ledger.domain.state import Entry, EntryVersion, Overlays, RecordState
from ledger.domain.values import Actor, Attestation, EntryState, IdentityStatus, Phase


def drafted(state: RecordState, event: events.EntryDrafted, at: datetime) -> RecordState:
    """A draft, or a new version of one."""
    before = state.entries.get(event.entry_id)
    version = EntryVersion(
        version=event.entry_version,
        state=EntryState.DRAFT,
        content=event.content,
        attestation=Attestation(),
        recorded_at=at,
        occurred_at=event.meta.occurred_at,
        record_version=state.version + 1,
        historical=event.meta.historical,
        drafted_by=event.meta.actor.id,
    )
    return with_entry(state, with_next(before, event.entry_id, version))


def countersigned(state: RecordState, event: events.EntryCountersigned, _: datetime) -> RecordState:
    """The version has two names now."""
    entry = state.entries[event.entry_id]
    last = replace(
        entry.last,
        state=EntryState.COUNTERSIGNED,
        countersignature=event.attestation,
        countersigned_version=state.version + 1,
    )
    return with_entry(state, replace(entry, versions=(*entry.versions[:-1], last)))


def certified(state: RecordState, event: events.EntryCertified, _: datetime) -> RecordState:
    """The version has a certificate beside the login."""
    entry = state.entries[event.entry_id]
    added = Certified(event.meta.actor, event.checked, state.version + 1)
    last = replace(entry.last, certified=(*entry.last.certified, added))
    return with_entry(state, replace(entry, versions=(*entry.versions[:-1], last)))


def late_item_filed(state: RecordState, event: late_items.LateItemFiled, at: datetime) -> RecordState:
    """One more entry; the phase stays."""
    version = EntryVersion(
        version=1,
        state=event.state,
        content=event.content,
        attestation=event.attestation,
        recorded_at=at,
        occurred_at=event.originated_at,
        record_version=state.version + 1,
        reason=event.reason,
        historical=event.meta.historical,
    )
    return with_entry(state, Entry(event.entry_id, (version,)))


def deficiency_accepted(state: RecordState, event: events.DeficiencyAccepted, _: datetime) -> RecordState:
    """A defect that stays."""
    archiving = state.archiving
    if event.entry_id is None:
        return with_archiving(state, never_written=(*archiving.never_written, event.template))
    return with_archiving(state, deficiencies=archiving.deficiencies | {event.entry_id})


def arrived(state: RecordState, event: events.ConsultationArrived, _: datetime) -> RecordState:
    """The consultant is there."""
    asked, meta = state.consultations[event.consultation_id], event.meta
    there = replace(asked, arrived_at=meta.occurred_at, arrived_by=meta.actor.id)
    return next_version(state, consultations={**state.consultations, event.consultation_id: there})


def arrival_entered_late(state: RecordState, event: events.ArrivalEnteredLate, _: datetime) -> RecordState:
    """Why is known."""
    there = replace(state.consultations[event.consultation_id], arrival_reason=event.reason)
    return next_version(state, consultations={**state.consultations, event.consultation_id: there})


def resumed(state: RecordState, _: events.CareResumed, __: datetime) -> RecordState:
    """The discharge no longer counts."""
    archiving = replace(state.archiving, submitted_at=None)
    return next_version(state, phase=Phase.ACTIVE, ended_at=None, disposition=None, archiving=archiving)


def _to(phase: Phase) -> Callable[[RecordState, Any, datetime], RecordState]:
    def step(state: RecordState, _: Any, __: datetime) -> RecordState:
        return next_version(state, phase=phase)

    return step


def entered_in_error(state: RecordState, event: events.RecordEnteredInError, at: datetime) -> RecordState:
    """Wrong, and kept: the term runs from this day, however long ago care ended and however far back it is dated."""
    declared = max(event.meta.occurred_at, at)
    ended = {"ended_at": state.ended_at or declared, "latest_end": latest_end(state, declared)}
    archiving = replace(state.archiving, in_error=True, correct_record_id=event.correct_record_id)
    return next_version(state, phase=Phase.ENTERED_IN_ERROR, archiving=archiving, **ended)


def recalled(state: RecordState, _: events.RecordRecalled, __: datetime) -> RecordState:
    """Back with the department; it was never reviewed."""
    # What was taken back was not handed in: the deadline of filing runs on.
    archiving = replace(state.archiving, submitted_at=None)
    return next_version(state, phase=Phase.CLOSED, archiving=archiving)


def assessed(state: RecordState, event: events.QualityAssessed, _: datetime) -> RecordState:
    """Scored; whether it passed or was returned is said by the event after it."""
    return with_archiving(state, score=event.score, grade=event.grade, defects=event.defects)


def missed(state: RecordState, event: events.DeadlineMissed, _: datetime) -> RecordState:
    """Tagged."""
    tag = Missed(event.rule, event.subject_id, event.due_at)
    return with_overlays(state, missed=state.overlays.missed | {tag})


def miss_withdrawn(state: RecordState, event: events.DeadlineMissWithdrawn, _: datetime) -> RecordState:
    """The tag goes."""
    tag = Missed(event.rule, event.subject_id, event.due_at)
    return with_overlays(state, missed=state.overlays.missed - {tag})


def identified(state: RecordState, event: events.PatientIdentified, _: datetime) -> RecordState:
    """The record belongs to somebody known: an appraisal before was one of somebody else's record."""
    before = Provisional(state.patient_id, state.case_number, state.visit_sequence)
    # Who was taken for somebody from the first is nobody provisional; the stay keeps the number it had there.
    provisional = state.provisional if state.established else before
    numbers = {state.case_number: state.visit_sequence} if state.established else {}
    return next_version(
        state,
        patient_id=event.patient_id,
        case_number=event.case_number,
        identity=IdentityStatus.MATCHED,
        identified=True,
        provisional=provisional,
        numbers={**state.numbers, **numbers, event.case_number: state.visit_sequence},
        entries=led(state, state.entries.values()),
        overlays=_of_another(state, content_version=state.version + 1),
    )


def _of_another(state: RecordState, **changes: int) -> Overlays:
    return replace(state.overlays, endorsements=of_who_it_was(state.overlays.endorsements), **changes)


def identification_corrected(state: RecordState, _: events.IdentificationCorrected, __: datetime) -> RecordState:
    """Whoever holds it holds it as somebody else's."""
    return with_overlays(state, stay_version=state.version + 1)


def identification_withdrawn(
    state: RecordState, event: identity_events.IdentificationWithdrawn, _: datetime
) -> RecordState:
    """Nobody knows again whose it is: it is filed as before anybody was named."""
    version = state.version + 1
    return next_version(
        state,
        patient_id=event.patient_id,
        case_number=event.case_number,
        visit_sequence=event.visit_sequence,
        identity=IdentityStatus.UNVERIFIED,
        identified=False,
        provisional=None,
        entries=led(state, state.entries.values()),
        overlays=_of_another(state, content_version=version, stay_version=version),
    )


def renumbered(state: RecordState, event: events.VisitRenumbered, _: datetime) -> RecordState:
    """Another number of the stay."""
    numbers = {**state.numbers, state.case_number: event.visit_sequence}
    return next_version(state, visit_sequence=event.visit_sequence, numbers=numbers)


def corrected_late(state: RecordState, event: late_items.EntryCorrectedLate, _: datetime) -> RecordState:
    """Each of the two entries names the other; what they say stays."""
    wrong, late = state.entries[event.entry_id], state.entries[event.late_entry_id]
    corrected_by = (*wrong.corrected_by, event.late_entry_id)
    entries = state.entries.having(
        wrong.entry_id, replace(wrong, corrected_by=corrected_by, changed_version=state.version + 1)
    ).having(late.entry_id, replace(late, corrects=EntryRef(event.entry_id, event.entry_version)))
    return next_version(state, entries=entries)


def confirmed_late(state: RecordState, event: late_items.LateItemConfirmed, _: datetime) -> RecordState:
    """Two persons filed it."""
    return with_entry(state, replace(state.entries[event.entry_id], confirmed_by=event.confirmed_by))


def called(state: RecordState, event: events.ConsultationCalled, _: datetime) -> RecordState:
    """The clock runs from the call."""
    asked = state.consultations[event.consultation_id]
    since = min(asked.requested_at, event.called_at)
    by_phone = replace(asked, called_at=event.called_at, requested_at=since)
    return next_version(state, consultations={**state.consultations, event.consultation_id: by_phone})


def answered_before_request(state: RecordState, event: events.AnsweredBeforeRequest, _: datetime) -> RecordState:
    """Why is known."""
    there = replace(state.consultations[event.consultation_id], answer_reason=event.reason)
    return next_version(state, consultations={**state.consultations, event.consultation_id: there})


def consultation_withdrawn(state: RecordState, event: events.ConsultationWithdrawn, at: datetime) -> RecordState:
    """Nobody is asked any more; what its clock missed until now it missed."""
    asked = replace(state.consultations[event.consultation_id], withdrawn_at=at, withdrawal_reason=event.reason)
    return next_version(state, consultations={**state.consultations, event.consultation_id: asked})


def content_copied(state: RecordState, event: events.ContentCopied, _: datetime) -> RecordState:
    """The version names where it is from."""
    entry = state.entries[event.entry_id]
    last = replace(entry.last, copied_from=event.sources)
    return with_entry(state, replace(entry, versions=(*entry.versions[:-1], last)))


def traced(state: RecordState, event: events.EntriesTraced, _: datetime) -> RecordState:
    """Whoever reads a retracted entry knows where it stands now; what is said last counts."""
    entries = state.entries
    for each in event.traces:
        found = {"recorded_again": each.recorded_again, "nowhere_reason": each.nowhere_reason}
        entries = entries.having(each.entry_id, replace(entries[each.entry_id], **found))
    return next_version(state, entries=entries)


def assigned(state: RecordState, event: events.PhysicianAssigned, at: datetime) -> RecordState:
    """Somebody else is in charge."""
    return next_version(state, **in_charge(state, event.responsible, at))


def in_charge(state: RecordState, named: Actor | None, at: datetime) -> dict[str, Any]:
    """What changes where somebody is put in charge, or nobody is named anew."""
    if named is None:
        return {}
    # Said later than it was so, as of a note: whoever takes over says so in time.
    return {"responsible": named, "physician_named_at": state.physician_named_at or at}


def _noted(state: RecordState, _: Any, __: datetime) -> RecordState:
    """Part of the history, and of nothing that a decision asks."""
    return next_version(state)


COURSE_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.EntryDrafted: drafted,
    events.EntryCountersigned: countersigned,
    events.EntryCertified: certified,
    late_items.LateItemFiled: late_item_filed,
    events.DeficiencyAccepted: deficiency_accepted,
    events.ConsultationArrived: arrived,
    events.ArrivalEnteredLate: arrival_entered_late,
    events.CareResumed: resumed,
    events.RecordVoided: _to(Phase.VOIDED),
    events.RecordEnteredInError: entered_in_error,
    events.RecordRecalled: recalled,
    events.QualityAssessed: assessed,
    events.DeadlineMissed: missed,
    events.DeadlineMissWithdrawn: miss_withdrawn,
    **FOREIGN_RESULT_STEPS,
    events.DuplicateLinked: _noted,
    events.PatientIdentified: identified,
    events.IdentificationCorrected: identification_corrected,
    identity_events.IdentificationWithdrawn: identification_withdrawn,
    events.VisitRenumbered: renumbered,
    late_items.EntryCorrectedLate: corrected_late,
    late_items.LateItemConfirmed: confirmed_late,
    events.TimeCorrected: time_corrected,
    events.PhysicianAssigned: assigned,
    events.ConsultationCalled: called,
    events.AnsweredBeforeRequest: answered_before_request,
    events.ConsultationWithdrawn: consultation_withdrawn,
    **NEWBORN_STEPS,
    events.ContentCopied: content_copied,
    events.EntriesTraced: traced,
}
