"""The decision by which a running record becomes an archived case: same stream, same bytes."""

from __future__ import annotations

from ledger.domain.commands import ArchiveRecord
from ledger.domain.decide_quality import check_signed
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import RecordArchived
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.values import Phase


def archive_record(command: ArchiveRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Quality has passed (sampling, for visits on the short path); the head hash and the retention date are fixed."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    if record.phase is Phase.SUBMITTED and not record.archiving.passed:
        faults.add("record_id", "QUALITY_NOT_PASSED", "quality control has not passed it", RefusalKind.STATE)
    elif record.phase is Phase.CLOSED:
        check_signed(record, faults)
    faults.refuse_if_any()
    retention = facts.pack.retention[record.visit_type]
    ended_at = record.ended_at or facts.now
    event = RecordArchived(
        meta=facts.meta(),
        head_leaf=facts.head_leaf,
        # ISO dates compare as text; a date once promised never moves back.
        retain_until=max(record.retain_until, retention.until(ended_at.date()).isoformat()),
        retention_class=retention.name,
    )
    return on_record(command.record_id, event)


DECISIONS = {ArchiveRecord: archive_record}
