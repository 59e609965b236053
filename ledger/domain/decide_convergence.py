"""Decisions on the same fact from several systems or hospitals."""

from __future__ import annotations

from ledger.domain.course_commands import LinkDuplicate, RecogniseResult, RepeatExamination
from ledger.domain.course_events import DuplicateLinked, ExaminationRepeated, ResultRecognised
from ledger.domain.decision import Decision, Facts
from ledger.domain.faults import Faults
from ledger.domain.guards import (
    CODE_MAX,
    begin,
    check_reason,
    check_source,
    expect,
    note_elsewhere,
    on_record,
    source_claim,
    taken_before,
)
from ledger.domain.held_items import MOVABLE
from ledger.domain.source_claim import Taken
from ledger.domain.state import RecordState, StreamState


def recognise_result(command: RecogniseResult, state: StreamState | None, facts: Facts) -> Decision:
    """Another hospital's result is taken as it is; the examination is not repeated."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_result(command.result_id, command.from_hospital, faults)
    faults.refuse_if_any()
    event = ResultRecognised(facts.meta(), command.result_id, command.from_hospital, command.entry_id)
    return on_record(command.record_id, event)


def repeat_examination(command: RepeatExamination, state: StreamState | None, facts: Facts) -> Decision:
    """An examination is made again although a result is known: the reason is kept."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_result(command.result_id, command.from_hospital, faults)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    event = ExaminationRepeated(facts.meta(), command.result_id, command.from_hospital, command.reason)
    return on_record(command.record_id, event)


def _check_result(result_id: str, hospital: str, faults: Faults) -> None:
    for value, field in ((result_id, "result_id"), (hospital, "from_hospital")):
        faults.require(value, field)
        faults.text(value, field, CODE_MAX)


def link_duplicate(command: LinkDuplicate, state: StreamState | None, facts: Facts) -> Decision:
    """The item of another source says what an entry, or the record, says already: claimed and seen there.

    A further item of an entry of this record may become a link; an item from which a whole entry was made may not.
    """
    record = expect(state, RecordState, "record_id")
    claimed = facts.claimed
    if taken_before(facts, Taken.LINKED, command.record_id) and claimed and claimed.entry_id == command.entry_id:
        return on_record(command.record_id)
    faults = begin(command, record, facts)
    if facts.context.source is None:
        faults.add("context.source", "REQUIRED", "the item that is linked")
    check_source(facts, faults)
    if claimed is not None and (claimed.stream_id != command.record_id or claimed.taken not in MOVABLE):
        note_elsewhere(faults)
    faults.refuse_if_any()
    claim = source_claim(facts, Taken.LINKED, command.entry_id)
    return on_record(command.record_id, DuplicateLinked(facts.meta(), command.entry_id), source=claim)


DECISIONS = {
    RecogniseResult: recognise_result,
    RepeatExamination: repeat_examination,
    LinkDuplicate: link_duplicate,
}
