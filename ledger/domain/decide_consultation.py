"""Decisions on consultations between departments."""

from __future__ import annotations

from ledger.domain.commands import AnswerConsultation, RequestConsultation
from ledger.domain.decide_entry import attested_state, check_content, check_room, kept_content
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import ConsultationAnswered, ConsultationRequested, EntryRecorded
from ledger.domain.guards import CODE_MAX, TEXT_MAX, begin, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState

CONSULTATION = "consultation"


def request_consultation(command: RequestConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """Another department is asked."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.require(command.to_department, "to_department")
    faults.text(command.to_department, "to_department", CODE_MAX)
    faults.require(command.question, "question")
    faults.text(command.question, "question", TEXT_MAX)
    if command.to_department == record.department:
        faults.add("to_department", "SAME_DEPARTMENT", "the patient is there already", RefusalKind.STATE)
    faults.refuse_if_any()
    event = ConsultationRequested(
        meta=facts.meta(),
        consultation_id=facts.ids[0],
        from_department=record.department,
        to_department=command.to_department,
        urgency=command.urgency,
        question=command.question,
    )
    return on_record(command.record_id, event, consultation_id=facts.ids[0])


def answer_consultation(command: AnswerConsultation, state: StreamState | None, facts: Facts) -> Decision:
    """The answer and the note that holds it, together or not at all."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    if command.content.template != CONSULTATION:
        faults.add("content.template", "WRONG_TEMPLATE", f"{CONSULTATION} is required")
    faults.text(command.opinion, "opinion", TEXT_MAX)
    attestation = check_content(command.content, command.attestation, record, facts, faults)
    check_room(record, faults)
    faults.refuse_if_any()
    meta, entry_id = facts.meta(), facts.ids[0]
    content = kept_content(command.content, attestation, facts)
    note = EntryRecorded(meta, entry_id, content, attestation, attested_state(content, attestation, facts))
    answer = ConsultationAnswered(meta, command.consultation_id, entry_id, command.opinion)
    return on_record(command.record_id, note, answer, entry_id=entry_id)


DECISIONS = {RequestConsultation: request_consultation, AnswerConsultation: answer_consultation}
