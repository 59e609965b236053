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
    AuthoriseDisposalList,
    DisposalCommand,
    DrawUpDisposalList,
    RecordDisposalReport,
    SuperviseDisposalList,
)
from ledger.domain.disposal_events import DisposalCoverageReported, DisposalListApproved, DisposalListExecuted
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import LIST_RULES, RECORDS_MAX, ListGuard
from ledger.domain.disposal_values import CoveredRecord, DisposalListPhase, ReportedRecord
from ledger.domain.events import Event
from ledger.domain.evolve import evolve
from ledger.domain.keeping_commands import DestroyRecord, ExtendRetention, RejectAppraisal
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.left_out import against_destruction
from ledger.domain.refusal import Refused
from ledger.domain.values import Phase
from tests.unit.domain.given import (
    AFFAIRS,
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
    visit_of,
)
from tests.unit.domain.refusals import hold, scanned

LATER = NOW + TERM
DRAWN_UP = replace(LISTED, phase=DisposalListPhase.DRAWN_UP, approved_by=None, approver=None, supervisors=())
PASSED = replace(LISTED, phase=DisposalListPhase.APPRAISED, approver=None, supervisors=())
LEFT_OUT, GONE = ReportedRecord(RECORD, False, ("HELD",)), ReportedRecord(RECORD, True, ())


def listed(stream: Stream, *against: str) -> dict[UUID, RecordAtHand]:
    """The record as a list finds it, and what holds against its destruction."""
    return {RECORD: RecordAtHand(RECORD, stream.record, HEAD, frozenset(against))}


def destroyed(covers: tuple[str, ...] = ()) -> Stream:
    """A record that the list has destroyed, before its two supervisors."""
    stream = condemned()
    stream.when(
        DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, covers), now=LATER, visits=(visit_of(stream),)
    )
    return stream


def draw_up(build: Callable[[], Stream] | None, **facts: Any) -> Case:
    """A list of one record."""
    known = {} if build is None else listed(build())
    return Case(DrawUpDisposalList("List", (RECORD,)), None, {"actor": ARCHIVIST, "listed": known, **facts})


def report(
    *outcomes: ReportedRecord,
    supervisors: Any = (),
    actor: Any = ARCHIVIST,
    of: Callable[[], Stream] = condemned,
    state: DisposalListState = LISTED,
) -> Case:
    """A report on an approved list; a record that still stands is held."""
    command = RecordDisposalReport(LIST, supervisors, outcomes)
    return Case(command, state, {"actor": actor, "listed": listed(of(), "HELD")})


@dataclass
class Case:
    """A command on a list."""

    command: DisposalCommand
    state: DisposalListState | None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def approve(actor: Any = APPROVER) -> Case:
    """The appraisal group's word on a list that was drawn up."""
    return Case(ApproveDisposalList(LIST), DRAWN_UP, {"actor": actor})


def authorise(actor: Any = HEAD_OF_HOSPITAL) -> Case:
    """The head's word on a list that the appraisal group passed."""
    return Case(AuthoriseDisposalList(LIST), PASSED, {"actor": actor})


def supervise(actor: Any = SUPERVISORS[1], *, signed: int = 1) -> Case:
    """A supervisor's signature on an approved list that so many have signed."""
    state = replace(LISTED, supervisors=SUPERVISORS[:signed])
    return Case(SuperviseDisposalList(LIST), state, {"actor": actor})


def by_appraiser(case: Case) -> Case:
    """The same by who appraised a record that stands on the list, and did not draw that up."""
    actor = case.facts["actor"]
    stream = condemned()
    archiving = stream.record.archiving
    disposal = archiving.disposal
    assert disposal is not None
    appraised = replace(archiving, disposal=replace(disposal, proposed_by=actor.id))
    stream.state = replace(stream.record, archiving=appraised)
    return Case(case.command, case.state, {**case.facts, "listed": listed(stream)})


BROKEN: list[tuple[type[Any], str, Case]] = [
    (ApproveDisposalList, "SAME_PERSON", by_appraiser(approve())),
    (AuthoriseDisposalList, "SAME_PERSON", by_appraiser(authorise())),
    (SuperviseDisposalList, "SAME_PERSON", by_appraiser(supervise())),
    (RecordDisposalReport, "SAME_PERSON", report(LEFT_OUT, actor=replace(SUPERVISORS[0], role="records_office"))),
    (RecordDisposalReport, "SAME_PERSON", report(LEFT_OUT, actor=replace(APPROVER, role="records_office"))),
    (RecordDisposalReport, "SAME_PERSON", report(LEFT_OUT, actor=replace(HEAD_OF_HOSPITAL, role="records_office"))),
    (DrawUpDisposalList, "UNKNOWN_RECORD", draw_up(None)),
    (DrawUpDisposalList, "NOT_DUE", draw_up(archived)),
    (DrawUpDisposalList, "NOT_TO_BE_DESTROYED", draw_up(due)),
    (DrawUpDisposalList, "NOT_A_PERSON", draw_up(condemned, actor=CLOCK)),
    (DrawUpDisposalList, "ROLE_NOT_ALLOWED", draw_up(condemned, actor=PHYSICIAN)),
    (ApproveDisposalList, "ROLE_NOT_ALLOWED", approve(actor=PHYSICIAN)),
    (ApproveDisposalList, "NOT_A_PERSON", approve(actor=CLOCK)),
    (ApproveDisposalList, "SAME_PERSON", approve(actor=ARCHIVIST)),
    (AuthoriseDisposalList, "ROLE_NOT_ALLOWED", authorise(PHYSICIAN)),
    (AuthoriseDisposalList, "NOT_A_PERSON", authorise(CLOCK)),
    (AuthoriseDisposalList, "SAME_PERSON", authorise(replace(ARCHIVIST, role="head"))),
    (AuthoriseDisposalList, "SAME_PERSON", authorise(replace(APPROVER, role="head"))),
    (SuperviseDisposalList, "ROLE_NOT_ALLOWED", supervise(PHYSICIAN)),
    (SuperviseDisposalList, "NOT_A_PERSON", supervise(CLOCK)),
    (SuperviseDisposalList, "SAME_PERSON", supervise(SUPERVISORS[0])),
    (SuperviseDisposalList, "ALREADY_SUPERVISED", supervise(AFFAIRS, signed=2)),
    (RecordDisposalReport, "REPORT_INCOMPLETE", report(LEFT_OUT, LEFT_OUT)),
    (RecordDisposalReport, "NOT_EXPLAINED", report(ReportedRecord(RECORD, False, ()))),
    (RecordDisposalReport, "REPORT_UNTRUE", report(GONE)),
    (RecordDisposalReport, "REASON_UNTRUE", report(ReportedRecord(RECORD, False, ("BECAUSE",)))),
    (RecordDisposalReport, "OTHER_SUPERVISORS", report(LEFT_OUT, supervisors=(ARCHIVIST, SUPERVISORS[0]))),
    (RecordDisposalReport, "NOT_SUPERVISED", report(LEFT_OUT, state=replace(LISTED, supervisors=SUPERVISORS[:1]))),
    (RecordDisposalReport, "ROLE_NOT_ALLOWED", report(LEFT_OUT, actor=PHYSICIAN)),
    (RecordDisposalReport, "NOT_A_PERSON", report(LEFT_OUT, actor=CLOCK)),
]
STEPS = [approve(), authorise(), supervise(), report(LEFT_OUT)]
"""One of each command on a list that is there, each in its phase."""
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
    cases = [case for kind, rule, case in BROKEN if (kind, rule) == (command, guard.rule)]
    broken = [rules_broken(case).count(guard.rule) for case in cases]
    assert cases
    assert all(broken), f"no case breaks {guard.rule} of {command.__name__}"
    rule = LIST_RULES[command]
    less = replace(rule, demands=tuple(each for each in rule.demands if each is not guard))
    monkeypatch.setitem(LIST_RULES, command, less)
    without_it = [rules_broken(case).count(guard.rule) for case in cases]
    assert any(after < before for before, after in zip(broken, without_it, strict=True))


@pytest.mark.parametrize("phase", list(DisposalListPhase))
@pytest.mark.parametrize("case", STEPS, ids=lambda case: type(case.command).__name__)
def test_a_list_goes_forward_only(case: Case, phase: DisposalListPhase) -> None:
    """In every phase but its own a command is refused by that alone."""
    allowed = phase in LIST_RULES[type(case.command)].phases
    moved = replace(case, state=replace(case.state or LISTED, phase=phase))
    assert rules_broken(moved) == ([] if allowed else ["PHASE_NOT_ALLOWED"])


@pytest.mark.parametrize("phase", list(DisposalListPhase))
@pytest.mark.parametrize("case", STEPS, ids=lambda case: type(case.command).__name__)
def test_no_phase_of_a_list_can_be_let_in_unnoticed(
    case: Case, phase: DisposalListPhase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation check of phases: let in, the command is refused no longer; shut out, its own one refuses it."""
    rule = LIST_RULES[type(case.command)]
    moved = replace(case, state=replace(case.state or LISTED, phase=phase))
    before = rules_broken(moved)
    monkeypatch.setitem(LIST_RULES, type(case.command), replace(rule, phases=rule.phases ^ {phase}))
    assert {*before, *rules_broken(moved)} == {"PHASE_NOT_ALLOWED"}
    assert before != rules_broken(moved)


@pytest.mark.parametrize("case", STEPS, ids=lambda case: type(case.command).__name__)
def test_a_list_is_led_where_it_is_declared_to(case: Case) -> None:
    """As is a new one."""
    decision = decide(case.command, case.state, facts(now=LATER, **case.facts))
    state: Any = case.state
    for event in decision.events:
        state = evolve(state, event, state.version + 1, LATER)
    assert state.phase is LIST_RULES[type(case.command)].leads_to
    opened = draw_up(condemned)
    (drawn,) = decide(opened.command, None, facts(now=LATER, **opened.facts)).events
    begun: Any = evolve(None, drawn, 1, LATER)
    assert begun.phase is LIST_RULES[DrawUpDisposalList].leads_to


def test_a_list_is_supervised_by_two_who_had_no_part_in_it() -> None:
    """Neither who proposed it, nor who passed or approved it, in whatever role they come."""
    for before in (ARCHIVIST, APPROVER, HEAD_OF_HOSPITAL):
        assert rules_broken(supervise(replace(before, role="supervisor"), signed=0)) == ["SAME_PERSON"]
    assert rules_broken(supervise(SUPERVISORS[0], signed=0)) == []
    assert rules_broken(report(GONE, of=destroyed)) == []


def test_who_was_named_as_the_approver_by_an_earlier_release_approves_it_still() -> None:
    """Nobody acted: the list waits, and shows who was named until somebody does."""
    meta = facts(now=LATER, actor=APPROVER).meta()
    state: Any = evolve(DRAWN_UP, DisposalListApproved(meta, HEAD_OF_HOSPITAL), DRAWN_UP.version + 1, LATER)
    assert (state.phase, state.approver) == (DisposalListPhase.APPRAISED, HEAD_OF_HOSPITAL)
    (signed,) = decide(AuthoriseDisposalList(LIST), state, facts(now=LATER, actor=HEAD_OF_HOSPITAL)).events
    after: Any = evolve(state, signed, state.version + 1, LATER)
    assert (after.phase, after.approver, after.authorised_at) == (DisposalListPhase.APPROVED, HEAD_OF_HOSPITAL, LATER)


def test_a_report_gives_reasons_that_hold() -> None:
    """Each of them, by its place; nobody leaves a record out by a word, least of all a program."""
    case = report(replace(LEFT_OUT, rules=("HELD", "BECAUSE", "SEALED")), actor=CLOCK)
    with pytest.raises(Refused) as caught:
        decide(case.command, case.state, facts(now=LATER, **case.facts))
    assert [(each.field, each.rule) for each in caught.value.violations] == [
        ("outcomes[0].rules[1]", "REASON_UNTRUE"),
        ("outcomes[0].rules[2]", "REASON_UNTRUE"),
        ("context.actor", "NOT_A_PERSON"),
        ("context.actor.role", "ROLE_NOT_ALLOWED"),
    ]


AGAINST: list[tuple[Callable[[Stream], Any], set[str]]] = [
    (lambda _: None, set()),
    (hold, {"HELD"}),
    (scanned, {"PAPER_NOT_ACCOUNTED", "PAPER_NOT_NAMED", "CHANGED_SINCE_APPRAISAL"}),
    (
        lambda s: s.when(RejectAppraisal(RECORD, "of interest"), now=LATER, actor=APPROVER),
        {"NOT_APPRAISED", "NOT_APPROVED"},
    ),
    (lambda s: s.when(ExtendRetention(RECORD, "2099-01-01", "link", None), now=LATER), {"PHASE_NOT_ALLOWED"}),
]


@pytest.mark.parametrize(("do", "rules"), AGAINST)
def test_what_holds_against_a_destruction_is_asked_of_the_record(do: Callable[[Stream], Any], rules: set[str]) -> None:
    """Whatever refuses its approval or its destruction now, and nothing that somebody made up."""
    stream = condemned()
    do(stream)
    known = facts(now=LATER, visits=(visit_of(stream),))
    found = against_destruction(stream.record, LISTED.records[0], LIST, known)
    assert found >= rules
    assert bool(found) is bool(rules)


def test_what_was_said_of_the_record_since_the_list_was_drawn_up_keeps_it() -> None:
    """Appraised anew, to be kept, for another list, destroyed by another, a stay that goes on."""
    stream = condemned()
    known = facts(now=LATER, visits=(visit_of(stream),))
    record, line = stream.record, LISTED.records[0]
    disposal = record.archiving.disposal
    assert disposal is not None

    def against(**changes: Any) -> frozenset[str]:
        archiving = replace(record.archiving, disposal=replace(disposal, **changes))
        return against_destruction(replace(record, archiving=archiving), line, LIST, known)

    assert against(record_version=line.record_version) >= {"APPRAISED_SINCE_LIST"}
    assert against(opinion=DisposalOpinion.KEEP) >= {"NOT_APPLICABLE", "NOT_APPROVED"}
    assert against(list_id=UUID(int=5)) == {"OTHER_LIST"}
    assert against_destruction(destroyed().record, line, UUID(int=5), known) == {"DESTROYED_BY_ANOTHER_LIST"}
    stay = replace(visit_of(stream), record_id=UUID(int=6), ended_at=None, phase=Phase.ACTIVE)
    going_on = replace(known, visits=(*known.visits, stay))
    assert against_destruction(record, line, LIST, going_on) >= {"OPEN_STAY"}


def test_a_list_has_its_limit() -> None:
    """A thousand records, and not one more."""
    known = listed(condemned())[RECORD]
    ids = tuple(UUID(int=number) for number in range(RECORDS_MAX + 1))
    everything = {"actor": ARCHIVIST, "listed": dict.fromkeys(ids, known)}
    assert rules_broken(Case(DrawUpDisposalList("List", ids), None, everything)) == ["OUT_OF_RANGE"]
    assert rules_broken(Case(DrawUpDisposalList("List", ids[:-1]), None, everything)) == []


def test_the_report_says_what_else_went() -> None:
    """Out of the record's own stream, not of the reporter's words; where nothing else went, nothing is said."""
    reports = {covers: _reported(covers) for covers in ((), ("paper", "films"))}
    assert [type(each) for each in reports[()]] == [DisposalListExecuted]
    executed, coverage = reports["paper", "films"]
    assert isinstance(executed, DisposalListExecuted)
    assert isinstance(coverage, DisposalCoverageReported)
    assert coverage.records == (CoveredRecord(RECORD, ("paper", "films")),)


def _reported(covers: tuple[str, ...]) -> tuple[Event, ...]:
    """Events of the report on a list whose one record went with these."""
    case = report(GONE, of=lambda: destroyed(covers))
    return decide(case.command, case.state, facts(**case.facts)).events
