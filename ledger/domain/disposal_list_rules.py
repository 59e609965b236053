"""The one declaration of what a destruction list accepts in which phase, what that demands, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ledger.domain.command_guards import is_person
from ledger.domain.decision import Facts
from ledger.domain.disposal_commands import (
    ApproveDisposalList,
    AuthoriseDisposalList,
    DisposalCommand,
    DrawUpDisposalList,
    RecordDisposalReport,
    SuperviseDisposalList,
)
from ledger.domain.disposal_list import SUPERVISORS, DisposalListState
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.faults import Faults
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.values import Phase

RECORDS_MAX = 1000
"""Records of one list: the list and its report each stay far below the size of an event."""

Find = Callable[[Any, DisposalListState | None, Facts], Iterable[Violation]]


@dataclass(frozen=True)
class ListGuard:
    """What a command demands of the list, of its records and of the people. `rule` is the code of the refusal."""

    rule: str
    demand: str
    faults: Find
    kind: RefusalKind = RefusalKind.STATE


@dataclass(frozen=True)
class ListRule:
    """Where a command is allowed (no phase = it opens a list), what it demands, and to which phase it leads."""

    phases: frozenset[DisposalListPhase]
    leads_to: DisposalListPhase
    demands: tuple[ListGuard, ...]


def _guard(
    rule: str, demand: str, field: str, holds: Callable[[Any, DisposalListState | None, Facts], bool]
) -> ListGuard:
    def faults(command: Any, state: DisposalListState | None, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, state, facts) else (Violation(field, rule, demand),)

    return ListGuard(rule, demand, faults)


def _each_record(
    rule: str,
    demand: str,
    holds: Callable[[RecordState | None], bool],
    kind: RefusalKind = RefusalKind.STATE,
) -> ListGuard:
    def faults(command: DrawUpDisposalList, _: DisposalListState | None, facts: Facts) -> Iterable[Violation]:
        for index, record_id in enumerate(command.record_ids):
            at_hand = facts.listed.get(record_id)
            if not holds(at_hand.record if at_hand else None):
                yield Violation(f"record_ids[{index}]", rule, demand)

    return ListGuard(rule, demand, faults, kind)


def _opinion(record: RecordState) -> DisposalOpinion | None:
    disposal = record.archiving.disposal
    return None if disposal is None else disposal.opinion


def _acts_as_person(_: Any, __: DisposalListState | None, facts: Facts) -> bool:
    return is_person(facts.context.actor)


def _role_allowed(command_name: str) -> ListGuard:
    # Who may not approve a record may not approve the list of it, which could then never be executed.
    def holds(_: Any, __: DisposalListState | None, facts: Facts) -> bool:
        return facts.may(command_name)

    return _guard("ROLE_NOT_ALLOWED", "a role that the pack names", "context.actor.role", holds)


def _other_than_proposer(_: Any, state: DisposalListState | None, facts: Facts) -> bool:
    return state is None or facts.context.actor.id != state.proposed_by.id


def _other_than_appraiser(_: Any, state: DisposalListState | None, facts: Facts) -> bool:
    return state is None or state.approved_by is None or facts.context.actor.id != state.approved_by.id


def _watches_others(_: Any, state: DisposalListState | None, facts: Facts) -> bool:
    before = () if state is None else (state.proposed_by, state.approved_by, state.approver, *state.supervisors)
    return facts.context.actor.id not in {each.id for each in before if each is not None}


def _executes_others(_: Any, state: DisposalListState | None, facts: Facts) -> bool:
    # Who proposed may have the report entered: it is compared with the records' own streams, and destroys nothing.
    before = () if state is None else (state.approved_by, state.approver, *state.supervisors)
    return facts.context.actor.id not in {each.id for each in before if each is not None}


def _appraised_none(_: Any, __: DisposalListState | None, facts: Facts) -> bool:
    appraised = (each.record.archiving.disposal for each in facts.listed.values())
    return facts.context.actor.id not in {each.proposed_by for each in appraised if each is not None}


def _supervisors_awaited(_: Any, state: DisposalListState | None, __: Facts) -> bool:
    return state is None or len(state.supervisors) < SUPERVISORS


def _supervisors_signed(_: Any, state: DisposalListState | None, __: Facts) -> bool:
    return state is None or len(state.supervisors) == SUPERVISORS


def _supervisors_named(command: RecordDisposalReport, state: DisposalListState | None, _: Facts) -> bool:
    signed = {each.id for each in state.supervisors} if state else set[Any]()
    return not command.supervisors or {each.id for each in command.supervisors} == signed


def _every_record_once(command: RecordDisposalReport, state: DisposalListState | None, _: Facts) -> bool:
    reported = [each.record_id for each in command.outcomes]
    return state is None or reported == [each.record_id for each in state.records]


def _untrue(command: RecordDisposalReport, _: DisposalListState | None, facts: Facts) -> Iterable[Violation]:
    for index, outcome in enumerate(command.outcomes):
        at_hand = facts.listed.get(outcome.record_id)
        destruction = at_hand.record.archiving.destruction if at_hand else None
        gone = destruction is not None and destruction.list_id == command.list_id
        if gone is not outcome.destroyed:
            yield Violation(f"outcomes[{index}]", REPORT_TRUE.rule, REPORT_TRUE.demand)


def _unexplained(command: RecordDisposalReport, _: DisposalListState | None, __: Facts) -> Iterable[Violation]:
    for index, outcome in enumerate(command.outcomes):
        if outcome.destroyed is bool(outcome.rules):
            yield Violation(f"outcomes[{index}].rules", EXPLAINED.rule, EXPLAINED.demand)


def _untrue_reasons(command: RecordDisposalReport, _: DisposalListState | None, facts: Facts) -> Iterable[Violation]:
    for index, outcome in enumerate(command.outcomes):
        at_hand = facts.listed.get(outcome.record_id)
        against = at_hand.against if at_hand else frozenset[str]()
        for number, rule in enumerate(outcome.rules):
            if rule not in against:
                yield Violation(f"outcomes[{index}].rules[{number}]", REASONS_TRUE.rule, REASONS_TRUE.demand)


RECORDS_KNOWN = _each_record(
    "UNKNOWN_RECORD", "no such record in this hospital", lambda record: record is not None, RefusalKind.NOT_FOUND
)
RECORDS_DUE = _each_record(
    "NOT_DUE", "its retention term is over", lambda record: record is None or record.phase is Phase.DUE
)
TO_BE_DESTROYED = _each_record(
    "NOT_TO_BE_DESTROYED",
    "somebody has appraised it: it is to be destroyed",
    lambda record: record is None or _opinion(record) is DisposalOpinion.DESTROY,
)
ACTS_AS_PERSON = _guard("NOT_A_PERSON", "a person acts here, not a system", "context.actor", _acts_as_person)
OTHER_THAN_PROPOSER = _guard("SAME_PERSON", "another person than the proposer", "context.actor", _other_than_proposer)
OTHER_THAN_APPRAISER = _guard(
    "SAME_PERSON", "another person than who passed it for the appraisal group", "context.actor", _other_than_appraiser
)
WATCHES_OTHERS = _guard(
    "SAME_PERSON",
    "a supervisor did not propose, pass or approve the list, nor signed as the other one",
    "context.actor",
    _watches_others,
)
APPRAISED_NONE = _guard(
    "SAME_PERSON", "another person than who appraised a record of the list", "context.actor", _appraised_none
)
EXECUTES_OTHERS = _guard(
    "SAME_PERSON",
    "who reports the execution did not pass, approve or supervise the list",
    "context.actor",
    _executes_others,
)
SUPERVISORS_AWAITED = _guard("ALREADY_SUPERVISED", "two supervisors sign, and no more", "list_id", _supervisors_awaited)
SUPERVISORS_SIGNED = _guard(
    "NOT_SUPERVISED", "both supervisors have signed for the execution", "list_id", _supervisors_signed
)
SUPERVISORS_NAMED = _guard(
    "OTHER_SUPERVISORS", "nobody, or those who signed for the execution", "supervisors", _supervisors_named
)
REASONS_TRUE = ListGuard("REASON_UNTRUE", "each reason holds against the record's destruction now", _untrue_reasons)
EVERY_RECORD_ONCE = _guard(
    "REPORT_INCOMPLETE", "every record of the list once, in its order", "outcomes", _every_record_once
)
REPORT_TRUE = ListGuard("REPORT_UNTRUE", "the report says what the record's own stream says", _untrue)
EXPLAINED = ListGuard("NOT_EXPLAINED", "a record that is left out says why, and no other", _unexplained)

LIST_RULES: dict[type[DisposalCommand], ListRule] = {
    DrawUpDisposalList: ListRule(
        frozenset(),
        DisposalListPhase.DRAWN_UP,
        (RECORDS_KNOWN, RECORDS_DUE, TO_BE_DESTROYED, ACTS_AS_PERSON, _role_allowed("appraise_disposal")),
    ),
    ApproveDisposalList: ListRule(
        frozenset({DisposalListPhase.DRAWN_UP}),
        DisposalListPhase.APPRAISED,
        (ACTS_AS_PERSON, OTHER_THAN_PROPOSER, APPRAISED_NONE, _role_allowed("approve_disposal")),
    ),
    AuthoriseDisposalList: ListRule(
        frozenset({DisposalListPhase.APPRAISED}),
        DisposalListPhase.APPROVED,
        (
            ACTS_AS_PERSON,
            OTHER_THAN_PROPOSER,
            OTHER_THAN_APPRAISER,
            APPRAISED_NONE,
            _role_allowed("approve_destruction"),
        ),
    ),
    SuperviseDisposalList: ListRule(
        frozenset({DisposalListPhase.APPROVED}),
        DisposalListPhase.APPROVED,
        (
            ACTS_AS_PERSON,
            WATCHES_OTHERS,
            APPRAISED_NONE,
            SUPERVISORS_AWAITED,
            _role_allowed("supervise_destruction"),
        ),
    ),
    RecordDisposalReport: ListRule(
        frozenset({DisposalListPhase.APPROVED}),
        DisposalListPhase.EXECUTED,
        (
            EVERY_RECORD_ONCE,
            EXPLAINED,
            REPORT_TRUE,
            REASONS_TRUE,
            SUPERVISORS_SIGNED,
            SUPERVISORS_NAMED,
            ACTS_AS_PERSON,
            EXECUTES_OTHERS,
            _role_allowed("destroy_record"),
        ),
    ),
}


def begin_on_list(command: DisposalCommand, state: DisposalListState | None, facts: Facts) -> Faults:
    """The faults of a command on a list that the declaration knows."""
    rule, faults = LIST_RULES[type(command)], Faults()
    if state is not None and state.phase not in rule.phases:
        allowed = ", ".join(sorted(rule.phases))
        faults.add(
            "list_id", "PHASE_NOT_ALLOWED", f"the list is {state.phase}; allowed in {allowed}", RefusalKind.STATE
        )
    for guard in rule.demands:
        faults.note_all(guard.faults(command, state, facts), guard.kind)
    return faults
