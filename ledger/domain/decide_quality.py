"""Decisions between the department and quality control."""

from __future__ import annotations

from ledger.domain.commands import PassQuality, ReturnRecord, SubmitRecord
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import QualityPassed, QualityReturned, RecordSubmitted
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState

SCORE_MAX = 100


def submit_record(command: SubmitRecord, state: StreamState | None, facts: Facts) -> Decision:
    """The department hands the record in: everything mandatory is there and signed."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    return on_record(command.record_id, RecordSubmitted(facts.meta()))


def return_record(command: ReturnRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Quality control returns the record with defects."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.require(command.defects, "defects")
    for index, defect in enumerate(command.defects):
        faults.require(defect.code, f"defects[{index}].code")
        if defect.entry_id is not None and defect.entry_id not in record.entries:
            faults.add(f"defects[{index}].entry_id", "UNKNOWN_ENTRY", "no such entry", RefusalKind.NOT_FOUND)
    faults.refuse_if_any()
    return on_record(command.record_id, QualityReturned(facts.meta(), command.defects))


def pass_quality(command: PassQuality, state: StreamState | None, facts: Facts) -> Decision:
    """Quality control passes the record."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    if command.score > SCORE_MAX:
        faults.add("score", "OUT_OF_RANGE", f"0 to {SCORE_MAX}")
    faults.refuse_if_any()
    return on_record(command.record_id, QualityPassed(facts.meta(), command.score))


DECISIONS = {SubmitRecord: submit_record, ReturnRecord: return_record, PassQuality: pass_quality}
