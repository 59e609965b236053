"""Decisions on those who hold a copy or a package of a record that was changed since: they are told, once each time."""

from __future__ import annotations

from collections.abc import Iterable
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
TOLD_MAX = 900
"""Hospitals that one change tells; a command makes 1,000 events at most."""


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
    return transfer.state in HOLDING and not transfer.outdated and _packed(transfer, entry)


def _packed(transfer: Transfer, entry: Entry) -> bool:
    # A package holds every event of the record up to its version.
    return entry.versions[0].record_version <= transfer.record_version


def record_holder_told(command: RecordHolderTold, state: StreamState | None, facts: Facts) -> Decision:
    """The applicant was written to, the other hospital called: nobody waits any more, unless of a later change."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.note, faults, "note")
    if not 0 <= command.record_version <= record.version:
        faults.add("record_version", "OUT_OF_RANGE", "a version of the record that there is, or none")
    faults.refuse_if_any()
    told = HolderTold(facts.meta(), command.holder_id, command.note)
    return on_record(command.record_id, told, *_still_outdated(command, record, facts))


def _still_outdated(command: RecordHolderTold, record: RecordState, facts: Facts) -> tuple[Event, ...]:
    """That the record was changed after the version that the letter tells of: of that its reader knows nothing."""
    copy, transfer = record.overlays.copies.get(command.holder_id), record.transfers.get(command.holder_id)
    held: Iterable[Entry] = ()
    if copy is not None:
        held = (record.entries[each] for each in {shown.entry_id for shown in copy.versions})
    elif transfer is not None and transfer.state in HOLDING:
        held = (each for each in record.entries.values() if _packed(transfer, each))
    last = max(held, key=lambda each: each.changed_version, default=None)
    if last is None or not 0 < command.record_version < last.changed_version:
        return ()
    if transfer is not None:
        return (TransferOutdated(facts.meta(), transfer.transfer_id, transfer.counterpart, last.entry_id),)
    return (CopiesOutdated(facts.meta(), (command.holder_id,), last.entry_id),)


DECISIONS = {RecordHolderTold: record_holder_told}
