"""The other records in which retracted entries are said to be recorded again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.stream_cache import Loaded
from ledger.domain.commands import RetractEntry
from ledger.domain.course_commands import DeclareEnteredInError
from ledger.domain.state import RecordState
from ledger.domain.trace_guards import RECORDS_MAX, places, places_by_entry

Retraces = RetractEntry | DeclareEnteredInError


async def traced_records(ledger: HospitalLedger, named: Sequence[UUID]) -> dict[UUID, RecordState]:
    """Those that are there, as they stand."""
    found: dict[UUID, RecordState] = {}
    for record_id in named:
        other = await ledger.load(record_id)
        if other is not None and isinstance(other.state, RecordState):
            found[record_id] = other.state
    return found


def records_named(command: Retraces, loaded: Loaded) -> list[UUID]:
    """The records in which entries are said to be; of more than a decision takes not every one is read."""
    named = {each.record_id for _, each in places(command)}
    if isinstance(command, DeclareEnteredInError):
        if isinstance(loaded.state, RecordState):
            named |= {each.record_id for each in places_by_entry(command, loaded.state).values()}
        if command.correct_record_id is not None:
            named.add(command.correct_record_id)
    return sorted(named)[: RECORDS_MAX + 1]
