"""Decisions by which what stands wrong is hidden and kept: an entry, and a record of the wrong patient or a duplicate.

What was said of somebody is found again: both say where it was recorded rightly.
"""

from __future__ import annotations

from ledger.domain.asked_again import asked_again
from ledger.domain.commands import RetractEntry
from ledger.domain.course_commands import DeclareEnteredInError
from ledger.domain.course_events import EntriesTraced, RecordEnteredInError
from ledger.domain.decide_endorsement import used_up
from ledger.domain.decide_holder import outdated_by_change, outdated_by_stay
from ledger.domain.decision import Decision, Facts, bump_traced
from ledger.domain.entry_traces import EntryTrace
from ledger.domain.events import EntryRetracted
from ledger.domain.faults import Faults
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.misnamed_offers import IN_ERROR, offers_out, taken_back
from ledger.domain.state import RecordState, StreamState
from ledger.domain.trace_guards import RECORDS_MAX, places_by_entry

TRACES_MAX = 2000
"""Traces of one declaration: its event stays far below the size of a body."""


def retract_entry(command: RetractEntry, state: StreamState | None, facts: Facts) -> Decision:
    """The entry is hidden and kept."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.text(command.nowhere_reason, "nowhere_reason", TEXT_MAX)
    faults.refuse_if_any()
    event = EntryRetracted(facts.meta(), command.entry_id, command.reason)
    trace = EntryTrace(command.entry_id, command.recorded_again, command.nowhere_reason)
    said = trace.recorded_again is not None or trace.nowhere_reason
    traced = (EntriesTraced(facts.meta(), (trace,)),) if said else ()
    told = (*outdated_by_change(record, command.entry_id, facts), *asked_again(record, command.entry_id, facts))
    return on_record(command.record_id, event, *traced, *told, beside=bump_traced(facts))


def declare_entered_in_error(command: DeclareEnteredInError, state: StreamState | None, facts: Facts) -> Decision:
    """Two persons say so, and where each of its entries was recorded again; the record is kept for its full term."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    if command.correct_record_id == command.record_id:
        faults.add("correct_record_id", "SAME_RECORD", "another record, or none")
    _check_traces(command, record, faults)
    faults.refuse_if_any()
    assert command.confirmed_by is not None  # noqa: S101 - its absence is a fault above
    traced = (EntriesTraced(facts.meta(), command.traces),) if command.traces else ()
    event = RecordEnteredInError(facts.meta(), command.reason, command.confirmed_by, command.correct_record_id)
    # Who may still fetch it gets nothing of a stranger's; who has it is told, also of a record without an entry.
    withdrawn = taken_back(offers_out(record), facts, reason=IN_ERROR)
    told = outdated_by_stay(record, 0, facts, len(withdrawn))
    done = (event, *told, *withdrawn, *used_up(command, record, facts))
    return on_record(command.record_id, *traced, *done, beside=bump_traced(facts))


def _check_traces(command: DeclareEnteredInError, record: RecordState, faults: Faults) -> None:
    if len(command.traces) > TRACES_MAX:
        faults.add("traces", "TOO_MANY", f"at most {TRACES_MAX} traces; a retraction may say it itself")
    for index, trace in enumerate(command.traces):
        faults.text(trace.nowhere_reason, f"traces[{index}].nowhere_reason", TEXT_MAX)
    if len({each.record_id for each in places_by_entry(command, record).values()}) > RECORDS_MAX:
        faults.add("traces", "TOO_MANY_RECORDS", f"in at most {RECORDS_MAX} other records")


DECISIONS = {RetractEntry: retract_entry, DeclareEnteredInError: declare_entered_in_error}
