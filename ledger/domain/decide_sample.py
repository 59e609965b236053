"""The decision on what quality control found in a record that a sample drew."""

from __future__ import annotations

from ledger.domain.decision import Decision, Facts
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.sample_commands import AssessSample
from ledger.domain.sample_events import SampleAssessed
from ledger.domain.state import RecordState, StreamState


def assess_sample(command: AssessSample, state: StreamState | None, facts: Facts) -> Decision:
    """Found and scored; nothing in the record changes by it."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    rules, defects = facts.pack.quality, command.defects
    score, vetoed = rules.score(defects), any(rules.vetoes(each) for each in defects)
    event = SampleAssessed(
        meta=facts.meta(),
        draw=command.draw,
        defects=defects,
        score=score,
        full_score=rules.full,
        grade=rules.grade(defects),
        vetoed=vetoed,
        passed=score >= rules.pass_from and not vetoed,
    )
    return on_record(command.record_id, event)


DECISIONS = {AssessSample: assess_sample}
