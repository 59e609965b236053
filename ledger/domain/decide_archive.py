"""The decision by which a running record becomes an archived case: same stream, same bytes."""

from __future__ import annotations

from ledger.domain.commands import ArchiveRecord
from ledger.domain.decision import Decision, Facts
from ledger.domain.events import RecordArchived
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.retention import retention_class, retention_date
from ledger.domain.state import RecordState, StreamState


def archive_record(command: ArchiveRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Quality has passed (sampling, for visits on the short path); the head hash and the retention date are fixed."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    event = RecordArchived(
        meta=facts.meta(),
        head_leaf=facts.head_leaf,
        retain_until=retention_date(record, facts),
        retention_class=retention_class(record, facts).name,
    )
    return on_record(command.record_id, event)


DECISIONS = {ArchiveRecord: archive_record}
