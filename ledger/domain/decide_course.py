"""Decisions in the course of care: drafts, countersignatures, late items, and what may go wrong with a record."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.course_commands import (
    AcceptDeficiency,
    ArriveAtConsultation,
    CountersignEntry,
    DraftEntry,
    FileLateItem,
    RecallRecord,
    ResumeCare,
    VoidRecord,
)
from ledger.domain.course_events import (
    ArrivalEnteredLate,
    CareResumed,
    ConsultationArrived,
    DeficiencyAccepted,
    EntryCountersigned,
    EntryDrafted,
    RecordRecalled,
    RecordVoided,
)
from ledger.domain.decide_endorsement import used_up
from ledger.domain.decide_entry import (
    attested_state,
    check_attestation,
    check_content,
    check_room,
    check_stated,
    entry_claims,
    kept_content,
)
from ledger.domain.decide_holder import outdated_by_change
from ledger.domain.decision import Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import (
    CODE_MAX,
    TEXT_MAX,
    begin,
    check_reason,
    check_source,
    expect,
    linked_here,
    note_elsewhere,
    on_record,
    taken_before,
)
from ledger.domain.held_items import check_items, claimed_entry
from ledger.domain.late_item_events import EntryCorrectedLate, LateItemConfirmed, LateItemFiled
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import Entry, RecordState, StreamState


def draft_entry(command: DraftEntry, state: StreamState | None, facts: Facts) -> Decision:
    """A draft: only type and size are checked, everything else at the signature."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    facts.templates.check_draft(command.content, faults)
    if command.entry_id is None:
        check_room(record, faults)
    faults.refuse_if_any()
    version = record.entries[command.entry_id].last.version + 1 if command.entry_id else 1
    entry_id = command.entry_id or facts.ids[0]
    return on_record(
        command.record_id, EntryDrafted(facts.meta(), entry_id, version, command.content), entry_id=entry_id
    )


def countersign_entry(command: CountersignEntry, state: StreamState | None, facts: Facts) -> Decision:
    """A superior attests the version that the author signed; both names are kept."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    attestation = check_attestation(command.attestation, facts, faults)
    faults.refuse_if_any()
    event = EntryCountersigned(facts.meta(), command.entry_id, command.entry_version, attestation)
    return on_record(command.record_id, event)


def file_late_item(command: FileLateItem, state: StreamState | None, facts: Facts) -> Decision:
    """A new result or report, or what a source says now of an old one, without reopening; no entry changes."""
    record = expect(state, RecordState, "record_id")
    if taken_before(facts, Taken.ENTRY, command.record_id) and facts.claimed and facts.claimed.entry_id:
        return on_record(command.record_id, entry_id=facts.claimed.entry_id)
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    check_source(facts, faults)
    corrected = _check_corrected(command, record, facts, faults)
    check_items(command.also, command.record_id, record, facts, faults)
    check_stated(record, facts, faults)
    attestation = check_content(command.content, command.attestation, record, facts, faults)
    check_room(record, faults)
    if command.confirmed_by is not None:
        faults.note_all(actor_faults(command.confirmed_by, "confirmed_by"), RefusalKind.INVALID)
    meta = facts.meta()
    originated_at = command.originated_at or meta.occurred_at
    if originated_at - facts.now > facts.pack.ahead_max:
        faults.add("originated_at", "TIME_IN_FUTURE", "it cannot have come to be yet")
    faults.refuse_if_any()
    entry_id = facts.ids[0]
    content = kept_content(command.content, facts)
    made = attested_state(content, attestation, facts)
    events: list[Event] = [LateItemFiled(meta, entry_id, content, attestation, made, command.reason, originated_at)]
    if command.confirmed_by is not None:
        events.append(LateItemConfirmed(meta, entry_id, command.confirmed_by))
    if corrected is not None:
        events.append(EntryCorrectedLate(meta, corrected.entry_id, corrected.last.version, entry_id))
        events += outdated_by_change(record, corrected.entry_id, facts)
    events += used_up(command, record, facts)
    claim, beside = entry_claims(command.also, record, entry_id, facts)
    return on_record(command.record_id, *events, source=claim, beside=beside, entry_id=entry_id)


def _check_corrected(command: FileLateItem, record: RecordState, facts: Facts, faults: Faults) -> Entry | None:
    """The entry that the item corrects: named, or what the source item was before; it stays as it is."""
    of_source = claimed_entry(record, facts)
    if facts.claimed is not None and of_source is None and not linked_here(facts, command.record_id):
        note_elsewhere(faults)
    named = record.entries.get(command.corrects_entry_id) if command.corrects_entry_id else None
    if named is not None and of_source is not None and named.entry_id != of_source.entry_id:
        faults.add("corrects_entry_id", "SOURCE_ELSEWHERE", "another entry holds the source item", RefusalKind.STATE)
    return named or of_source


def accept_deficiency(command: AcceptDeficiency, state: StreamState | None, facts: Facts) -> Decision:
    """Medical affairs closes what nobody can sign or write any more."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.text(command.template, "template", CODE_MAX)
    if (command.entry_id is None) == (not command.template):
        faults.add("entry_id", "REQUIRED", "an entry or a template, one of the two")
    faults.refuse_if_any()
    return on_record(
        command.record_id, DeficiencyAccepted(facts.meta(), command.entry_id, command.template, command.reason)
    )


def arrive_at_consultation(command: ArriveAtConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """The consultant is there; for an emergency that is what the clock asks."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.text(command.reason, "reason", TEXT_MAX)
    faults.refuse_if_any()
    arrived = ConsultationArrived(facts.meta(), command.consultation_id)
    if not command.reason:
        return on_record(command.record_id, arrived)
    late = ArrivalEnteredLate(facts.meta(), command.consultation_id, command.reason)
    return on_record(command.record_id, arrived, late)


def resume_care(command: ResumeCare, state: StreamState | None, facts: Facts) -> Decision:
    """The discharge is withdrawn."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    # A stay that goes on again stands against the destruction of the patient's other records.
    return Decision(command.record_id, "record", (CareResumed(facts.meta(), command.reason),), bump_persons(facts))


def void_record(command: VoidRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Registered by mistake; the visit's number stays taken, for it was given once."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, RecordVoided(facts.meta(), command.reason))


def recall_record(command: RecallRecord, state: StreamState | None, facts: Facts) -> Decision:
    """The department takes the record back before the review."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, RecordRecalled(facts.meta(), command.reason))


DECISIONS = {
    DraftEntry: draft_entry,
    CountersignEntry: countersign_entry,
    FileLateItem: file_late_item,
    AcceptDeficiency: accept_deficiency,
    ArriveAtConsultation: arrive_at_consultation,
    ResumeCare: resume_care,
    VoidRecord: void_record,
    RecallRecord: recall_record,
}
