"""Decisions on those who hold a copy, a package or the lent record that was changed since: told once each time."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ledger.domain.decision import Decision, Facts
from ledger.domain.events import Event
from ledger.domain.guards import begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import RecordHolderTold
from ledger.domain.keeping_state import IssuedCopy
from ledger.domain.state import Entry, RecordState, StreamState
from ledger.domain.transfer_events import TransferOutdated
from ledger.domain.transfer_state import Transfer
from ledger.domain.use_events import CopiesOutdated, HolderTold, LoansOutdated
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
    copies = (
        each for each in record.overlays.copies.values() if any(shown.entry_id == entry_id for shown in each.versions)
    )
    return _outdated(record, entry_id, _first_said(record.entries[entry_id]), copies, facts)


def outdated_by_stay(record: RecordState, said_in: int, facts: Facts, beside: int = 0) -> tuple[Event, ...]:
    """The same of what is no entry's, which stands in the record since that version; 0 = since the first.

    `beside` are the events that the change says to hospitals itself: as many fewer are told.
    """
    copies = (each for each in record.overlays.copies.values() if said_in <= each.record_version)
    return _outdated(record, None, said_in, copies, facts, max(TOLD_MAX - beside, 0))


def _outdated(
    record: RecordState,
    entry_id: UUID | None,
    said_in: int,
    copies: Iterable[IssuedCopy],
    facts: Facts,
    told_max: int = TOLD_MAX,
) -> tuple[Event, ...]:
    meta = facts.meta()
    # A package holds every event of the record up to its version.
    has = (each for each in record.transfers.values() if _has_it(each, record) and said_in <= each.record_version)
    packages = [each for each in has if not each.outdated]
    events: list[Event] = [
        TransferOutdated(meta, each.transfer_id, each.counterpart, entry_id) for each in packages[:told_max]
    ]
    shown = tuple(each.copy_id for each in copies if not each.outdated)
    if shown:
        events.append(CopiesOutdated(meta, shown, entry_id))
    lent = (each for each in record.overlays.loans.values() if not each.outdated and said_in <= each.record_version)
    if out := tuple(each.loan_id for each in lent):
        events.append(LoansOutdated(meta, out, entry_id))
    return tuple(events)


def _has_it(transfer: Transfer, record: RecordState) -> bool:
    """Whether its recipient has the package, or may have it: taking an offer back takes back nothing that was read."""
    if transfer.state is not TransferState.SUPERSEDED:
        return transfer.delivered or transfer.state in HOLDING
    # Who never got the later version has this one still.
    others = (each for each in record.transfers.values() if each.state is not TransferState.SUPERSEDED)
    return transfer.delivered and not any(
        each.counterpart == transfer.counterpart and _has_it(each, record) for each in others
    )


def _first_said(entry: Entry) -> int:
    return entry.versions[0].record_version


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
    loan = record.overlays.loans.get(command.holder_id)
    held: Iterable[Entry] = ()
    if copy is not None:
        held = (record.entries[each] for each in {shown.entry_id for shown in copy.versions})
    elif loan is not None:
        held = (each for each in record.entries.values() if _first_said(each) <= loan.record_version)
    elif transfer is not None and _has_it(transfer, record):
        held = (each for each in record.entries.values() if _first_said(each) <= transfer.record_version)
    changed_in, entry_id = _last_change(record, held)
    if not 0 < command.record_version < changed_in:
        return ()
    if transfer is not None:
        return (TransferOutdated(facts.meta(), transfer.transfer_id, transfer.counterpart, entry_id),)
    if loan is not None:
        return (LoansOutdated(facts.meta(), (command.holder_id,), entry_id),)
    return (CopiesOutdated(facts.meta(), (command.holder_id,), entry_id),)


def _last_change(record: RecordState, held: Iterable[Entry]) -> tuple[int, UUID | None]:
    """Of what is held, or of the stay: in which version of the record, and of which entry."""
    of_entry = ((each.changed_version, each.entry_id) for each in held)
    return max(((record.overlays.stay_version, None), *of_entry), key=lambda each: each[0])


DECISIONS = {RecordHolderTold: record_holder_told}
