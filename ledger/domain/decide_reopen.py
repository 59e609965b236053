"""Decisions by which an archived record is opened for named changes, by two persons, and archived again."""

from __future__ import annotations

from datetime import timedelta

from ledger.domain.decision import Decision, Facts
from ledger.domain.guards import CODE_MAX, begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import ApproveReopen, RearchiveRecord, RequestReopen
from ledger.domain.keeping_events import RecordRearchived, ReopenApproved, ReopenRequested
from ledger.domain.retention import retention_date
from ledger.domain.state import RecordState, StreamState

NAMED_MAX = 100
"""Entries and templates that one reopening may name."""


def request_reopen(command: RequestReopen, state: StreamState | None, facts: Facts) -> Decision:
    """Somebody asks, and names what is to be changed."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    if not command.entry_ids and not command.templates:
        faults.add("entry_ids", "REQUIRED", "entries to amend, or templates to add")
    if len(command.entry_ids) + len(command.templates) > NAMED_MAX:
        faults.add("entry_ids", "TOO_MANY", f"at most {NAMED_MAX} entries and templates")
    for index, template in enumerate(command.templates):
        faults.text(template, f"templates[{index}]", CODE_MAX)
        if not facts.templates.knows(template):
            faults.add(f"templates[{index}]", "UNKNOWN_TEMPLATE", "no such template")
    faults.refuse_if_any()
    reopen_id = facts.ids[0]
    event = ReopenRequested(facts.meta(), reopen_id, command.reason, command.entry_ids, command.templates)
    return on_record(command.record_id, event, reopen_id=reopen_id)


def approve_reopen(command: ApproveReopen, state: StreamState | None, facts: Facts) -> Decision:
    """Another person opens the window."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    expires_at = command.expires_at or facts.now + timedelta(hours=facts.pack.keeping.reopen_hours)
    return on_record(command.record_id, ReopenApproved(facts.meta(), command.reopen_id, expires_at))


def rearchive_record(command: RearchiveRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Archived again, also after the window is over."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    reopening = record.overlays.reopening
    assert reopening is not None  # noqa: S101 - only an approved reopening leads to REOPENED
    event = RecordRearchived(facts.meta(), reopening.reopen_id, facts.head_leaf, retention_date(record, facts))
    return on_record(command.record_id, event)


DECISIONS = {RequestReopen: request_reopen, ApproveReopen: approve_reopen, RearchiveRecord: rearchive_record}
