"""Every demand on a destruction list is shown by a refusal, and the refusal goes when the demand is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.decide import decide
from ledger.domain.decision import RecordAtHand
from ledger.domain.disposal_commands import (
    ApproveDisposalList,
    DisposalCommand,
    DrawUpDisposalList,
    RecordDisposalReport,
)
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import LIST_RULES, RECORDS_MAX, ListGuard
from ledger.domain.disposal_values import DisposalListPhase, ReportedRecord
from ledger.domain.refusal import Refused
from tests.unit.domain.given import (
    APPROVER,
    ARCHIVIST,
    CLOCK,
    HEAD,
    HEAD_OF_HOSPITAL,
    LIST,
    LISTED,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERVISORS,
    TERM,
    Stream,
    archived,
    condemned,
    due,
    facts,
)

LATER = NOW + TERM
DRAWN_UP = replace(LISTED, phase=DisposalListPhase.DRAWN_UP, approved_by=None, approver=None)
LEFT_OUT, GONE = ReportedRecord(RECORD, False, ("HELD",)), ReportedRecord(RECORD, True, ())


def listed(stream: Stream) -> dict[UUID, RecordAtHand]:
    """The record as a list finds it."""
    return {RECORD: RecordAtHand(RECORD, stream.record, HEAD)}


def draw_up(build: Callable[[], Stream] | None, **facts: Any) -> Case:
    """A list of one record."""
    known = {} if build is None else listed(build())
    return Case(DrawUpDisposalList("List", (RECORD,)), None, {"actor": ARCHIVIST, "listed": known, **facts})


def report(*outcomes: ReportedRecord, supervisors: Any = SUPERVISORS) -> Case:
    """A report on an approved list whose record still stands."""
    command = RecordDisposalReport(LIST, supervisors, outcomes)
    return Case(command, LISTED, {"actor": ARCHIVIST, "listed": listed(condemned())})


@dataclass
class Case:
    """A command on a list."""

    command: DisposalCommand
    state: DisposalListState | None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def approve(approver: Any = HEAD_OF_HOSPITAL, actor: Any = APPROVER) -> Case:
    """An approval of a list that was drawn up."""
    return Case(ApproveDisposalList(LIST, approver), DRAWN_UP, {"actor": actor})


BROKEN: dict[tuple[type[Any], str], Case] = {
    (DrawUpDisposalList, "UNKNOWN_RECORD"): draw_up(None),
    (DrawUpDisposalList, "NOT_DUE"): draw_up(archived),
    (DrawUpDisposalList, "NOT_TO_BE_DESTROYED"): draw_up(due),
    (DrawUpDisposalList, "NOT_A_PERSON"): draw_up(condemned, actor=CLOCK),
    (DrawUpDisposalList, "ROLE_NOT_ALLOWED"): draw_up(condemned, actor=PHYSICIAN),
    (ApproveDisposalList, "ROLE_NOT_ALLOWED"): approve(actor=PHYSICIAN),
    (ApproveDisposalList, "NOT_A_PERSON"): approve(actor=CLOCK),
    (ApproveDisposalList, "SAME_PERSON"): approve(actor=ARCHIVIST),
    (ApproveDisposalList, "APPROVER_NOT_FIT"): approve(ARCHIVIST),
    (RecordDisposalReport, "REPORT_INCOMPLETE"): report(LEFT_OUT, LEFT_OUT),
    (RecordDisposalReport, "NOT_EXPLAINED"): report(ReportedRecord(RECORD, False, ())),
    (RecordDisposalReport, "REPORT_UNTRUE"): report(GONE),
    (RecordDisposalReport, "SUPERVISORS_NOT_FIT"): report(LEFT_OUT, supervisors=(ARCHIVIST, SUPERVISORS[0])),
    (RecordDisposalReport, "ROLE_NOT_ALLOWED"): report(LEFT_OUT, supervisors=(SUPERVISORS[0], PHYSICIAN)),
}
GUARDS = [
    pytest.param(command, guard, id=f"{command.__name__}-{guard.rule}")
    for command, rule in LIST_RULES.items()
    for guard in rule.demands
]


def rules_broken(case: Case) -> list[str]:
    """The rules that a case breaks; none where it is done, or where it breaks down for want of a demand."""
    try:
        decide(case.command, case.state, facts(now=LATER, **case.facts))
    except Refused as refused:
        return [each.rule for each in refused.violations]
    except KeyError:
        return []
    return []


@pytest.mark.parametrize(("command", "guard"), GUARDS)
def test_no_demand_on_a_list_can_be_taken_out_unnoticed(
    command: type[DisposalCommand], guard: ListGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the demand the rule is named, without it no longer."""
    case = BROKEN[command, guard.rule]
    assert guard.rule in rules_broken(case)
    rule = LIST_RULES[command]
    less = replace(rule, demands=tuple(each for each in rule.demands if each is not guard))
    monkeypatch.setitem(LIST_RULES, command, less)
    assert guard.rule not in rules_broken(case)


@pytest.mark.parametrize("phase", list(DisposalListPhase))
@pytest.mark.parametrize("case", [approve(), report(LEFT_OUT)], ids=["approve", "report"])
def test_a_list_goes_forward_only(case: Case, phase: DisposalListPhase) -> None:
    """In every phase but its own a command is refused by that alone."""
    allowed = phase in LIST_RULES[type(case.command)].phases
    moved = replace(case, state=replace(case.state or LISTED, phase=phase))
    assert rules_broken(moved) == ([] if allowed else ["PHASE_NOT_ALLOWED"])


def test_a_list_has_its_limit() -> None:
    """A thousand records, and not one more."""
    known = listed(condemned())[RECORD]
    ids = tuple(UUID(int=number) for number in range(RECORDS_MAX + 1))
    everything = {"actor": ARCHIVIST, "listed": dict.fromkeys(ids, known)}
    assert rules_broken(Case(DrawUpDisposalList("List", ids), None, everything)) == ["OUT_OF_RANGE"]
    assert rules_broken(Case(DrawUpDisposalList("List", ids[:-1]), None, everything)) == []
