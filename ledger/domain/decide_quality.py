"""Decisions between the department and quality control."""

from __future__ import annotations

from ledger.domain.commands import PassQuality, ReturnRecord, SubmitRecord
from ledger.domain.course_events import QualityAssessed
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import QualityPassed, QualityReturned, RecordSubmitted
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.state import RecordState, StreamState
from ledger.domain.values import Defect


def submit_record(command: SubmitRecord, state: StreamState | None, facts: Facts) -> Decision:
    """The department hands the record in: everything mandatory is there and signed."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    return on_record(command.record_id, RecordSubmitted(facts.meta()))


def return_record(command: ReturnRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Quality control returns the record with defects; its score is said, whatever it is."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.require(command.defects, "defects")
    faults.refuse_if_any()
    assessed = _assessed(command.defects, facts)
    return on_record(command.record_id, assessed, QualityReturned(facts.meta(), command.defects))


def pass_quality(command: PassQuality, state: StreamState | None, facts: Facts) -> Decision:
    """Quality control passes the record, with the defects that may stay and the score that they make."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    assessed = _assessed(command.defects, facts)
    return on_record(command.record_id, assessed, QualityPassed(facts.meta(), assessed.score))


def _assessed(defects: tuple[Defect, ...], facts: Facts) -> QualityAssessed:
    rules = facts.pack.quality
    return QualityAssessed(
        meta=facts.meta(),
        defects=defects,
        score=rules.score(defects),
        full_score=rules.full,
        grade=rules.grade(defects),
        vetoed=any(rules.vetoes(each) for each in defects),
    )


DECISIONS = {SubmitRecord: submit_record, ReturnRecord: return_record, PassQuality: pass_quality}
