"""Decisions on consultations between departments."""

from __future__ import annotations

from ledger.domain.commands import AnswerConsultation, RequestConsultation
from ledger.domain.consultation_guards import CONSULTATION
from ledger.domain.course_commands import WithdrawConsultation
from ledger.domain.course_events import AnsweredBeforeRequest, ConsultationCalled, ConsultationWithdrawn
from ledger.domain.decide_entry import attested_state, check_content, check_room, kept_content
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import ConsultationAnswered, ConsultationRequested, EntryRecorded
from ledger.domain.guards import CODE_MAX, TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.state import RecordState, StreamState


def request_consultation(command: RequestConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """Another department is asked."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.require(command.to_department, "to_department")
    faults.text(command.to_department, "to_department", CODE_MAX)
    faults.require(command.question, "question")
    faults.text(command.question, "question", TEXT_MAX)
    meta = facts.meta()
    if command.called_at is not None and command.called_at > meta.occurred_at:
        faults.add("called_at", "AFTER_REQUEST", "a call comes before the request, or there is none to name")
    faults.refuse_if_any()
    event = ConsultationRequested(
        meta=meta,
        consultation_id=facts.ids[0],
        from_department=record.department,
        to_department=command.to_department,
        urgency=command.urgency,
        question=command.question,
    )
    called = () if command.called_at is None else (ConsultationCalled(meta, facts.ids[0], command.called_at),)
    return on_record(command.record_id, event, *called, consultation_id=facts.ids[0])


def answer_consultation(command: AnswerConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """The answer and the note that holds it, together or not at all."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    if command.content.template != CONSULTATION:
        faults.add("content.template", "WRONG_TEMPLATE", f"{CONSULTATION} is required")
    faults.text(command.opinion, "opinion", TEXT_MAX)
    faults.text(command.reason, "reason", TEXT_MAX)
    attestation = check_content(command.content, command.attestation, record, facts, faults)
    check_room(record, faults)
    faults.refuse_if_any()
    meta, entry_id = facts.meta(), facts.ids[0]
    content = kept_content(command.content, facts)
    note = EntryRecorded(meta, entry_id, content, attestation, attested_state(content, attestation, facts))
    answer = ConsultationAnswered(meta, command.consultation_id, entry_id, command.opinion)
    early = (AnsweredBeforeRequest(meta, command.consultation_id, command.reason),) if command.reason else ()
    return on_record(command.record_id, note, answer, *early, entry_id=entry_id)


def withdraw_consultation(command: WithdrawConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """Asked for by mistake: the request stays in the history, and nobody waits for it any more."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, ConsultationWithdrawn(facts.meta(), command.consultation_id, command.reason))


DECISIONS = {
    RequestConsultation: request_consultation,
    AnswerConsultation: answer_consultation,
    WithdrawConsultation: withdraw_consultation,
}
