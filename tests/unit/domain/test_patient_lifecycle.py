"""The declaration of patients: `decide` says what it says, the page shows it, and nothing in it can be taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

from ledger.domain.commands import AmendPatient, Command, RegisterRecord
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve
from ledger.domain.identity_commands import (
    LinkPatients,
    MergePatients,
    UnlinkPatients,
    UnmergePatients,
    WithdrawIdentification,
    WithdrawRecognition,
)
from ledger.domain.newborn_commands import LinkNewborn, RegisterNewborn
from ledger.domain.patient_lifecycle import PATIENT_RULES
from ledger.domain.patient_rule import Outside, PatientGuard, PatientPhase, Phases
from ledger.domain.patient_table import patient_demand_table, patient_diagram, patient_phase_table
from ledger.domain.refusal import Refused
from ledger.domain.state import PatientState, StreamState
from ledger.domain.values import IdentityStatus, PatientDetails, VisitType
from tests.unit.domain.given import CLOCK, NOW, PATIENT, PHYSICIAN, RECORD, active, as_signer, facts, patient, source
from tests.unit.domain.refusals import made
from tests.unit.domain.test_identification import NOBODY_KNOWN, taken_for_another

_DOCUMENT = Path(__file__).parents[3] / "docs" / "lifecycle.md"
ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)
OF_TWO = (LinkPatients, UnlinkPatients, MergePatients, UnmergePatients)
LAB = ("lab", "Patient", "p-1")
Given = tuple[StreamState | None, Command, dict[str, Any]]
"""State, command, and facts."""


def known(phase: PatientPhase = PatientPhase.REGISTERED, other: UUID = THREE) -> PatientState:
    """A patient in this phase by `other`."""
    state = patient()
    assert isinstance(state, PatientState)
    merged, survivor = phase is PatientPhase.MERGED, phase is PatientPhase.SURVIVOR
    return replace(state, merged_into=other if merged else None, absorbed=frozenset({other} if survivor else ()))


def _register(one: PatientState) -> Given:
    return None, RegisterRecord(ONE, VisitType.INPATIENT, 1, "cardiology"), {"patient": one}


def _identify(one: PatientState) -> Given:
    return active(identity=IdentityStatus.UNVERIFIED).record, IdentifyPatient(RECORD, ONE), {"patient": one}


def _withdraw(one: PatientState) -> Given:
    stream = taken_for_another()
    stream.endorse(NOBODY_KNOWN)
    return stream.record, NOBODY_KNOWN, {"patient": one}


def _link_newborn(one: PatientState) -> Given:
    stream = active()
    born = made(stream, RegisterNewborn(RECORD, 1, None), "subject_id")
    return stream.record, LinkNewborn(RECORD, born, ONE, ""), {"patient": one}


def _not_about(one: PatientState) -> Given:
    stated = {None: frozenset[tuple[str, str]](), LAB: frozenset[tuple[str, str]]()}
    return replace(one, stated=stated), WithdrawRecognition(PATIENT, *LAB, "a slip in the passport"), {}


ABOUT_ONE: dict[type[Command], Callable[[PatientState], Given]] = {
    WithdrawRecognition: _not_about,
    AmendPatient: lambda one: (one, AmendPatient(PATIENT, PatientDetails(name="M. M."), "married"), {}),
    RegisterRecord: _register,
    IdentifyPatient: _identify,
    WithdrawIdentification: _withdraw,
    LinkNewborn: _link_newborn,
}


def of_two(command: Any, one: PatientState, two: PatientState | None, **changes: Any) -> Given:
    """A command on two patients for which all is well but the phases, and what the changes make of it."""
    if command is UnlinkPatients:
        one = replace(one, linked=frozenset({TWO}))
    return one, command(ONE, TWO, "one person"), {"other_patient": two, **changes}


def refused_by(given: Given) -> list[tuple[str, str]]:
    """Field and rule of every fault; none where it is done."""
    state, command, known_facts = given
    try:
        decide(command, state, facts(first_id=900_000, **(as_signer(command) | known_facts)))
    except Refused as refused:
        return [(each.field, each.rule) for each in refused.violations]
    return []


def test_every_command_that_names_a_patient_stands_in_the_declaration() -> None:
    """And no other, but the one that gives a record back to its provisional person."""
    named = {each for each in get_args(Command) if "patient_id" in {field.name for field in dataclasses.fields(each)}}
    assert PATIENT_RULES.keys() == named | {WithdrawIdentification}
    assert {each for each, rule in PATIENT_RULES.items() if rule.other is not None} == set(OF_TWO)


@pytest.mark.parametrize("phases", [each for rule in PATIENT_RULES.values() for each in (rule.own, rule.other) if each])
def test_a_phase_is_taken_or_refused(phases: Phases) -> None:
    """Never both."""
    assert not phases.leads.keys() & phases.refused.keys()


@pytest.mark.parametrize("phase", list(PatientPhase))
@pytest.mark.parametrize("command", list(ABOUT_ONE))
def test_a_command_on_one_patient_is_decided_as_declared(command: type[Command], phase: PatientPhase) -> None:
    """In each phase of the patient: done, or refused by the rule and at the field of the declaration."""
    outside = PATIENT_RULES[command].own.refused.get(phase)
    expected = [(outside.field, outside.rule)] if outside else []
    assert refused_by(ABOUT_ONE[command](known(phase))) == expected


@pytest.mark.parametrize("second", list(PatientPhase))
@pytest.mark.parametrize("first", list(PatientPhase))
@pytest.mark.parametrize("command", OF_TWO)
def test_a_command_on_two_patients_is_decided_as_declared(
    command: type[Command], first: PatientPhase, second: PatientPhase
) -> None:
    """In each phase of both, and in one of the other where a merge is taken back; every fault of both is named."""
    rule = PATIENT_RULES[command]
    assert rule.other is not None
    apart = command is not UnmergePatients
    one, two = known(first, THREE if apart else TWO), known(second, THREE if apart else ONE)
    outside = [rule.own.refused.get(first), rule.other.refused.get(second)]
    assert refused_by(of_two(command, one, two)) == [(each.field, each.rule) for each in outside if each]


def test_a_merge_is_taken_back_where_it_was_made() -> None:
    """Of another survivor than the one who is named it is not."""
    one = known(PatientPhase.MERGED, THREE)
    assert refused_by(of_two(UnmergePatients, one, known(PatientPhase.SURVIVOR))) == [("survivor_id", "NOT_MERGED")]


def test_a_death_is_taken_away_by_who_saw_it_and_kept_or_dated_anew_by_anybody() -> None:
    """The version that was seen is said; a form from before the death does not strike it out by accident."""
    state, amends, _ = ABOUT_ONE[AmendPatient](dead())
    assert isinstance(amends, AmendPatient)
    assert refused_by((state, amends, {})) == [("context.expected_version", "VERSION_REQUIRED")]
    assert refused_by((state, amends, {"expected_version": 1})) == []
    later = replace(amends, details=replace(amends.details, deceased_at="2026-02-02"))
    assert refused_by((state, later, {})) == []


BROKEN: dict[str, Callable[[Any], Given]] = {
    "NOT_A_PERSON": lambda command: _would_do(command, actor=CLOCK),
    "SOURCE_NOT_ALLOWED": lambda command: _would_do(command, source=source()),
    "VERSION_REQUIRED": lambda command: _would_do(command, one=dead()),
    "ROLE_NOT_ALLOWED": lambda command: _would_do(command, actor=PHYSICIAN),
    "SAME_PATIENT": lambda command: _itself(_would_do(command)),
    "UNKNOWN_PATIENT": lambda command: _would_do(command, other_patient=None),
    "NOT_RECOGNISED": lambda _: (known(), WithdrawRecognition(PATIENT, *LAB, "a slip"), {}),
    "NOT_LINKED": lambda _: (known(), UnlinkPatients(ONE, TWO, "two persons"), {"other_patient": known()}),
    "NOT_MERGED": lambda command: of_two(command, known(PatientPhase.MERGED), known(PatientPhase.SURVIVOR)),
    "NOT_ITS_OWN": lambda command: _would_do(command, families=(frozenset({ONE, TWO}),)),
}
"""By the rule of each demand: a command that breaks it."""


def dead() -> PatientState:
    """A patient who died."""
    return replace(known(), details=PatientDetails(name="N. N.", deceased_at="2026-02-01"))


def _would_do(command: Any, one: PatientState | None = None, **changes: Any) -> Given:
    if command in ABOUT_ONE:
        state, amends, known_facts = ABOUT_ONE[command](one or known())
        return state, amends, known_facts | changes
    if command is UnmergePatients:
        return of_two(command, known(PatientPhase.MERGED, TWO), known(PatientPhase.SURVIVOR, ONE), **changes)
    return of_two(command, known(), known(), **changes)


def _itself(given: Given) -> Given:
    state, command, known_facts = given
    other = {field.name: ONE for field in dataclasses.fields(command) if field.name in {"other_id", "survivor_id"}}
    return state, replace(command, **other), known_facts


def _demands() -> Iterator[Any]:
    for command, rule in PATIENT_RULES.items():
        for guard in rule.demands:
            yield pytest.param(command, guard, id=f"{command.__name__}-{guard.rule}")


@pytest.mark.parametrize(("command", "guard"), list(_demands()))
def test_no_demand_can_be_taken_out_unnoticed(
    command: type[Command], guard: PatientGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation check: what breaks it is refused by its rule, and without it no longer."""
    given, rule = BROKEN[guard.rule](command), PATIENT_RULES[command]
    assert guard.rule in [code for _, code in refused_by(given)]
    left = tuple(each for each in rule.demands if each is not guard)
    monkeypatch.setitem(PATIENT_RULES, command, replace(rule, demands=left))
    assert guard.rule not in [code for _, code in refused_by(given)]


def _outsides() -> Iterator[Any]:
    for command, rule in PATIENT_RULES.items():
        for side in ("own", "other"):
            for phase, outside in (getattr(rule, side) or Phases({})).refused.items():
                yield pytest.param(command, side, phase, outside, id=f"{command.__name__}-{side}-{phase}")


@pytest.mark.parametrize(("command", "side", "phase", "outside"), list(_outsides()))
def test_no_phase_can_be_let_in_unnoticed(
    command: type[Command], side: str, phase: PatientPhase, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of each phase that refuses: let in, the command is refused at that place no longer."""
    rule = PATIENT_RULES[command]
    first, second = (known(phase), known()) if side == "own" else (known(), known(phase))
    given = of_two(command, first, second) if command in OF_TWO else ABOUT_ONE[command](first)
    place = (outside.field, outside.rule)
    assert place in refused_by(given)
    phases: Phases = getattr(rule, side)
    left = {each: found for each, found in phases.refused.items() if each is not phase}
    monkeypatch.setitem(PATIENT_RULES, command, replace(rule, **{side: replace(phases, refused=left)}))
    assert place not in refused_by(given)


Persons = dict[UUID, PatientState]
Edge = tuple[type[Command], str, PatientPhase, PatientPhase]


def test_patients_change_their_phase_as_declared_and_in_no_other_way() -> None:
    """Every state of three patients that links and merges can reach: each edge is declared, and each is walked."""
    seen: set[Any] = set()
    walked: set[Edge] = set()
    waiting: list[Persons] = [{each: known() for each in (ONE, TWO, THREE)}]
    while waiting:
        persons = waiting.pop()
        if (key := _key(persons)) in seen:
            continue
        seen.add(key)
        for command in (MergePatients, UnmergePatients, LinkPatients, UnlinkPatients):
            for one, two in permutations(persons, 2):
                after = _done(command(one, two, "said so"), one, two, persons)
                if after is None:
                    continue
                walked |= {
                    (command, "own", *_phases(persons, after, one)),
                    (command, "other", *_phases(persons, after, two)),
                }
                assert all(after[each] is persons[each] for each in persons if each not in (one, two))
                waiting.append(after)
    assert walked == set(_declared())


def _done(command: Command, one: UUID, two: UUID, persons: Persons) -> Persons | None:
    """The patients after the command; None where it is refused."""
    try:
        decision = decide(command, persons[one], facts(other_patient=persons[two], **as_signer(command)))
    except Refused:
        return None
    after = dict(persons)
    for stream_id, events in ((one, decision.events), *((each.stream_id, each.events) for each in decision.beside)):
        for event in events:
            changed = evolve(after[stream_id], event, after[stream_id].version + 1, NOW)
            assert isinstance(changed, PatientState)
            after[stream_id] = changed
            assert not (changed.merged_into and changed.absorbed)
    return after


def _phases(before: Persons, after: Persons, who: UUID) -> tuple[PatientPhase, PatientPhase]:
    return PatientPhase.of(before[who]), PatientPhase.of(after[who])


def _key(persons: Persons) -> Any:
    return tuple((each.linked, each.merged_into, each.absorbed) for each in persons.values())


def _declared() -> Iterator[Edge]:
    for command in OF_TWO:
        for side in ("own", "other"):
            phases: Phases = getattr(PATIENT_RULES[command], side)
            for before, led in phases.leads.items():
                yield from ((command, side, before, after) for after in led)


@pytest.mark.parametrize(
    ("name", "made_now"),
    [
        ("patients", patient_phase_table),
        ("patient diagram", patient_diagram),
        ("patient demands", patient_demand_table),
    ],
)
def test_the_document_shows_the_declaration(name: str, made_now: Callable[[], str]) -> None:
    """Tables and diagram in docs/lifecycle.md are those of the declaration; paste them anew where this fails."""
    document = _DOCUMENT.read_text(encoding="utf-8")
    shown = document.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]
    assert shown == made_now()
