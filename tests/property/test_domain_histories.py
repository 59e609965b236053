"""Invariants of the life cycle, on random walks through it."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import event as note_to_hypothesis
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import Command, RecordEntry
from ledger.domain.decide import decide
from ledger.domain.decision import Decision, Facts
from ledger.domain.evolve import evolve
from ledger.domain.lifecycle import RULES, allowed_phases
from ledger.domain.refusal import Refused, Violation
from ledger.domain.state import EntryVersion, RecordState, StreamState
from ledger.domain.values import Phase, VisitType
from tests.property.domain_moves import Move, command_of, facts_of, walks
from tests.unit.domain.given import Stream, by_signer, registered

pytestmark = pytest.mark.property
VISITS = st.sampled_from(list(VisitType))


@dataclass(frozen=True)
class Step:
    """One command of a walk, with the record before and after it."""

    command: Command
    facts: Facts
    before: RecordState
    after: RecordState
    events: int


def walk(stream: Stream, moves: list[Move]) -> Iterator[Step]:
    """Every command that was done, in turn; a refused one must leave the record as it was."""
    minutes = 0
    for number, move in enumerate(moves):
        minutes += move.minutes
        before, known = stream.record, facts_of(number, minutes)
        command = command_of(before, move)
        known = by_signer(command, known)
        outcome = decided(command, before, known)
        assert isinstance(outcome, Decision) or outcome, "a refusal names its faults"
        if isinstance(outcome, Decision):
            for each in outcome.events:
                stream.apply(each, known.now)
            yield Step(command, known, before, stream.record, len(outcome.events))
    note_to_hypothesis(f"ends {stream.record.phase}")


def decided(command: Command, state: StreamState, known: Facts) -> Decision | tuple[Violation, ...]:
    """The decision, or every fault of the refusal."""
    try:
        return decide(command, state, known)
    except Refused as refused:
        return refused.violations


@given(VISITS, walks())
@settings(max_examples=150, deadline=None)
def test_a_replayed_prefix_is_the_state_of_that_moment(visit: VisitType, moves: list[Move]) -> None:
    """Replaying the first n events gives exactly the state that the record had at version n."""
    stream = registered(visit)
    times = [facts_of(0, 0).now]
    for step in walk(stream, moves):
        times += [step.facts.now] * step.events
    state: StreamState | None = None
    for version, (event, at) in enumerate(zip(stream.events, times, strict=True), start=1):
        state = evolve(state, event, version, at)
        assert state == stream.history[version]
        assert state.version == version


@given(VISITS, walks())
@settings(max_examples=80, deadline=None)
def test_a_decision_is_the_same_everywhere_and_always(visit: VisitType, moves: list[Move]) -> None:
    """Same command, state and facts: same events or same faults, also on a state that was replayed elsewhere."""
    stream = registered(visit)
    minutes = 0
    for number, move in enumerate(moves):
        minutes += move.minutes
        known = facts_of(number, minutes)
        command = command_of(stream.record, move)
        known = by_signer(command, known)
        here = decided(command, stream.record, known)
        assert decided(command, replayed(stream), known) == here
        if isinstance(here, Decision):
            for each in here.events:
                stream.apply(each)


def replayed(stream: Stream) -> StreamState:
    """The record's state, folded anew."""
    state: StreamState | None = None
    for version, event in enumerate(stream.events, start=1):
        state = evolve(state, event, version, facts_of(0, 0).now)
    assert state is not None
    return state


@given(VISITS, walks())
@settings(max_examples=150, deadline=None)
def test_nothing_is_done_but_what_the_declaration_lists(visit: VisitType, moves: list[Move]) -> None:
    """What was done was allowed in that phase, and led to the phase that the declaration names, or to none."""
    for step in walk(registered(visit), moves):
        rule = RULES[type(step.command)]
        late = isinstance(step.command, RecordEntry) and step.command.content.template == "result"
        allowed = allowed_phases(type(step.command), visit) | ({Phase.SUBMITTED} if late else set[Phase]())
        assert step.before.phase in allowed
        assert step.after.phase in rule.leads(step.before.phase)


@given(VISITS, walks())
@settings(max_examples=100, deadline=None)
def test_a_retention_date_never_shrinks(visit: VisitType, moves: list[Move]) -> None:
    """Whatever happens to a record, the date up to which it is kept only moves on; an archived one has one."""
    for step in walk(registered(visit), moves):
        assert step.after.retain_until >= step.before.retain_until
        assert bool(step.after.retain_until) == (step.after.phase is Phase.ARCHIVED)


@given(VISITS, walks())
@settings(max_examples=150, deadline=None)
def test_every_version_of_every_entry_stays_readable(visit: VisitType, moves: list[Move]) -> None:
    """No command removes or changes a version, and versions are counted from 1 without a gap."""
    seen: dict[tuple[UUID, int], EntryVersion] = {}
    for step in walk(registered(visit), moves):
        found = {
            (entry.entry_id, each.version): each for entry in step.after.entries.values() for each in entry.versions
        }
        assert seen.items() <= found.items()
        seen = found
        for entry in step.after.entries.values():
            assert [each.version for each in entry.versions] == list(range(1, len(entry.versions) + 1))


@given(VISITS, walks())
@settings(max_examples=100, deadline=None)
def test_an_archived_case_does_not_change_its_content(visit: VisitType, moves: list[Move]) -> None:
    """After archiving only transfers go on: entries, consultations and phase stay as they were."""
    for step in walk(registered(visit), moves):
        if step.before.phase is Phase.ARCHIVED:
            assert step.after.entries == step.before.entries
            assert step.after.consultations == step.before.consultations
            assert step.after.phase is Phase.ARCHIVED


@given(VISITS, walks(length_max=15))
@settings(max_examples=80, deadline=None)
def test_a_command_done_again_after_itself_is_refused_or_known(visit: VisitType, moves: list[Move]) -> None:
    """Nothing that ends something can be done twice: the second time it is refused or adds nothing."""
    once = {"StartCare", "EndCare", "SubmitRecord", "ReturnRecord", "PassQuality", "ArchiveRecord", "RetractEntry",
            "WithdrawTransfer", "RecordTransferAnswer", "AnswerConsultation"}  # fmt: skip
    for step in walk(registered(visit), moves):
        if type(step.command).__name__ in once:
            again = decided(step.command, step.after, step.facts)
            assert not (isinstance(again, Decision) and again.events)
