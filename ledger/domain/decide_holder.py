"""Decisions on those who hold a copy or a package of a record that was changed since: they are told, once each time."""

from __future__ import annotations

from uuid import UUID

from ledger.domain.decision import Decision, Facts
from ledger.domain.events import Event
from ledger.domain.guards import begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import RecordHolderTold
from ledger.domain.state import Entry, RecordState, StreamState, Transfer
from ledger.domain.transfer_events import TransferOutdated
from ledger.domain.use_events import CopiesOutdated, HolderTold
from ledger.domain.values import TransferState

HOLDING = frozenset(
    {
        TransferState.OFFERED,
        TransferState.DELIVERED,
        TransferState.VERIFIED,
        TransferState.ACCEPTED,
        TransferState.COMPLETED,
        # It may have been fetched before it ran out, and the answer be on its way.
        TransferState.EXPIRED,
    }
)
"""States of a transfer whose recipient has the package, may have it, or may fetch it still."""
TOLD_MAX = 90
"""Hospitals that one change tells; a command makes 100 events at most."""


def outdated_by_change(record: RecordState, entry_id: UUID, facts: Facts) -> tuple[Event, ...]:
    """What a change of an entry says to those who hold it as it was; who waits to be told is not told twice."""
    entry, meta = record.entries[entry_id], facts.meta()
    packages = [each for each in record.transfers.values() if _holds(each, entry)]
    events: list[Event] = [
        TransferOutdated(meta, each.transfer_id, each.counterpart, entry_id) for each in packages[:TOLD_MAX]
    ]
    copies = tuple(
        each.copy_id
        for each in record.overlays.copies.values()
        if not each.outdated and any(shown.entry_id == entry_id for shown in each.versions)
    )
    if copies:
        events.append(CopiesOutdated(meta, copies, entry_id))
    return tuple(events)


def _holds(transfer: Transfer, entry: Entry) -> bool:
    # A package holds every event of the record up to its version.
    held = entry.versions[0].record_version <= transfer.record_version
    return held and transfer.state in HOLDING and not transfer.outdated


def record_holder_told(command: RecordHolderTold, state: StreamState | None, facts: Facts) -> Decision:
    """The applicant was written to, the other hospital called: nobody waits any more."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.note, faults, "note")
    faults.refuse_if_any()
    return on_record(command.record_id, HolderTold(facts.meta(), command.holder_id, command.note))


DECISIONS = {RecordHolderTold: record_holder_told}
