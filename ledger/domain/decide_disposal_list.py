"""Decisions on destruction lists: drawn up, approved by another person, executed and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.domain.decision import DISPOSAL, Bump, Decision, Facts, RecordAtHand
from ledger.domain.disposal_commands import (
    ApproveDisposalList,
    AuthoriseDisposalList,
    DrawUpDisposalList,
    RecordDisposalReport,
    SuperviseDisposalList,
)
from ledger.domain.disposal_events import (
    DisposalCoverageReported,
    DisposalListAppraised,
    DisposalListAuthorised,
    DisposalListDrawnUp,
    DisposalListExecuted,
    DisposalSupervisionSigned,
)
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import RECORDS_MAX, begin_on_list
from ledger.domain.disposal_values import CoveredRecord, ListedRecord, ReportedRecord
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import CODE_MAX, TEXT_MAX, check_time, expect
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.state import StreamState
from ledger.domain.values import EventMeta

RULES_MAX = 50
"""Reasons against one record."""
_Signs = ApproveDisposalList | AuthoriseDisposalList | SuperviseDisposalList


def draw_up(command: DrawUpDisposalList, _: StreamState | None, facts: Facts) -> Decision:
    """A list of records that are due, each with the opinion that it has now."""
    faults = begin_on_list(command, None, facts)
    faults.require(command.title, "title")
    faults.text(command.title, "title", TEXT_MAX)
    if not 1 <= len(command.record_ids) <= RECORDS_MAX:
        faults.add("record_ids", "OUT_OF_RANGE", f"1 to {RECORDS_MAX} records")
    if len(set(command.record_ids)) != len(command.record_ids):
        faults.add("record_ids", "REPEATED", "a record stands once on a list")
    check_time(facts, faults)
    faults.refuse_if_any()
    records = tuple(_listed(facts.listed[each]) for each in command.record_ids)
    return Decision(facts.ids[0], DISPOSAL, (DisposalListDrawnUp(facts.meta(), command.title, records),))


def _listed(at_hand: RecordAtHand) -> ListedRecord:
    record, disposal = at_hand.record, at_hand.record.archiving.disposal
    return ListedRecord(
        record_id=at_hand.record_id,
        case_number=record.case_number,
        visit_type=record.visit_type,
        visit_sequence=record.visit_sequence,
        ended_on=record.ended_at.date().isoformat() if record.ended_at else "",
        retain_until=record.retain_until,
        opinion=disposal.opinion if disposal else DisposalOpinion.DESTROY,
        reason=disposal.reason if disposal else "",
        record_version=record.version,
        head_leaf=at_hand.head_leaf,
    )


def approve(command: ApproveDisposalList, state: StreamState | None, facts: Facts) -> Decision:
    """The appraisal group passes it; who approves it says so himself."""
    faults = begin_on_list(command, expect(state, DisposalListState, "list_id"), facts)
    if command.approver is not None:
        faults.add("approver", "NOT_APPLICABLE", "who approves the list does so by AuthoriseDisposalList")
    return _signed(command, faults, facts, DisposalListAppraised)


def authorise(command: AuthoriseDisposalList, state: StreamState | None, facts: Facts) -> Decision:
    """From now on its records may be destroyed, before two supervisors."""
    faults = begin_on_list(command, expect(state, DisposalListState, "list_id"), facts)
    return _signed(command, faults, facts, DisposalListAuthorised)


def supervise(command: SuperviseDisposalList, state: StreamState | None, facts: Facts) -> Decision:
    """One of the two who watch."""
    faults = begin_on_list(command, expect(state, DisposalListState, "list_id"), facts)
    return _signed(command, faults, facts, DisposalSupervisionSigned)


def _signed(command: _Signs, faults: Faults, facts: Facts, event: Callable[[EventMeta], Event]) -> Decision:
    """What one person says by acting, and nothing else."""
    check_time(facts, faults)
    faults.refuse_if_any()
    return Decision(command.list_id, DISPOSAL, (event(facts.meta()),))


def report(command: RecordDisposalReport, state: StreamState | None, facts: Facts) -> Decision:
    """What became of each record. The list's counter is bumped: no destruction passes the report unseen."""
    listed = expect(state, DisposalListState, "list_id")
    faults = begin_on_list(command, listed, facts)
    _check_codes(command.outcomes, faults)
    check_time(facts, faults)
    faults.refuse_if_any()
    destroyed = sum(each.destroyed for each in command.outcomes)
    event = DisposalListExecuted(
        facts.meta(), listed.supervisors, command.outcomes, destroyed, len(command.outcomes) - destroyed
    )
    bump = Bump(DISPOSAL, (str(command.list_id),), facts.list_bumps)
    return Decision(command.list_id, DISPOSAL, (event, *_coverage(command, facts)), (bump,))


def _coverage(command: RecordDisposalReport, facts: Facts) -> tuple[DisposalCoverageReported, ...]:
    """Out of each record's own stream, so that nobody reports it otherwise than it was; none where nothing went too."""
    gone = [each.record_id for each in command.outcomes if each.destroyed]
    destructions = [(each, facts.listed[each].record.archiving.destruction) for each in gone]
    covered = [CoveredRecord(each, found.covers) for each, found in destructions if found and found.covers]
    return (DisposalCoverageReported(facts.meta(), tuple(covered)),) if covered else ()


def _check_codes(outcomes: Sequence[ReportedRecord], faults: Faults) -> None:
    for index, outcome in enumerate(outcomes):
        where = f"outcomes[{index}].rules"
        if len(outcome.rules) > RULES_MAX:
            faults.add(where, "TOO_MANY", f"at most {RULES_MAX} rules")
        for number, rule in enumerate(outcome.rules):
            faults.text(rule, f"{where}[{number}]", CODE_MAX)


DECISIONS = {
    DrawUpDisposalList: draw_up,
    ApproveDisposalList: approve,
    AuthoriseDisposalList: authorise,
    SuperviseDisposalList: supervise,
    RecordDisposalReport: report,
}
