"""Every invariant of the life cycle, on random walks over every command that the declaration knows.

`LEDGER_SOAK_EXAMPLES` makes the walks as many as wanted (`make soak`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import Phase as Steps
from hypothesis import strategies as st

from ledger.domain.commands import Command
from ledger.domain.course_commands import DeclareEnteredInError, IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.decision import Decision
from ledger.domain.evolve import evolve
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.lifecycle import KEPT, RULES
from ledger.domain.refusal import Refused
from ledger.domain.state import StreamState
from ledger.domain.transfer_state import OPEN
from ledger.domain.values import Phase, VisitType
from tests.property.invariants import check_step
from tests.property.lifecycle_commands import COMMANDS, Pick
from tests.property.walks import EXAMPLES, Draws, Step, Walk, beginnings, begun, walks, walks_of
from tests.unit.domain.given import (
    by_signer,
)

pytestmark = pytest.mark.property


@given(beginnings, walks)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_invariant_holds_on_every_walk(beginning: tuple[str, VisitType], draws: Draws) -> None:
    """Phase, entries, holds, retention, the end: nothing happens but what the declaration and the invariants allow."""
    walk = begun(beginning)
    for step in walk.steps(draws):
        if step.done:
            check_step(step)
            check_offers(step)
    check_replay(walk)


def check_offers(step: Step) -> None:
    """Nothing that was offered under a wrong name, or under none, can be fetched once somebody says who it is; nor
    what is said to be wrong.
    """
    if isinstance(step.command, IdentifyPatient | WithdrawIdentification | DeclareEnteredInError):
        assert not [each for each in step.after.transfers.values() if each.state in OPEN]


def check_replay(walk: Walk) -> None:
    """A replayed prefix is the state of that moment."""
    state: StreamState | None = None
    for version, (each, at) in enumerate(zip(walk.stream.events, walk.stream.times, strict=True), start=1):
        state = evolve(state, each, version, at)
        assert state == walk.stream.history[version], type(each).__name__


@given(beginnings, walks)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_decision_is_the_same_everywhere_and_always(beginning: tuple[str, VisitType], draws: Draws) -> None:
    """Same command, state and facts: the same decision or the same faults, however often it is asked."""
    for step in begun(beginning).steps(draws):
        assert _decided(step) == _decided(step)


def _decided(step: Step) -> Decision | tuple[object, ...]:
    try:
        return decide(step.command, step.before, step.facts)
    except Refused as refused:
        return refused.violations


@given(st.sampled_from(list(VisitType)), walks_of(1, 30))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_care_is_never_blocked_by_an_archive_rule(visit: VisitType, draws: Draws) -> None:
    """Whatever holds, seals, loans or requests stand: a note is written during care, and a late result at any time."""
    walk = begun(("registered", visit))
    for step in walk.steps(draws):
        record = step.after
        if record.phase in {Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED}:
            assert _accepted(walk, "RecordEntry", step)
        if record.phase in KEPT | {Phase.SUBMITTED} and not record.archiving.in_error:
            assert _accepted(walk, "FileLateItem", step)


def _accepted(walk: Walk, name: str, step: Step) -> bool:
    make = next(make for kind, make in COMMANDS.items() if kind.__name__ == name)
    known = replace(step.facts, ids=tuple(each for each in step.facts.ids))
    # No late result waits for a second person.
    command = make(walk.stream.record, known, Pick(18))
    decide(command, walk.stream.record, by_signer(command, known))
    return True


def test_the_walks_reach_every_phase_and_do_every_command() -> None:
    """The model is no walk around the entrance: at most a thousand fixed walks do all that the declaration knows."""
    reached, done = set[Phase](), set[type[Command]]()

    def complete(drawn_walk: tuple[tuple[str, VisitType], Draws]) -> bool:
        walk = begun(drawn_walk[0])
        reached.update(step.after.phase for step in walk.steps(drawn_walk[1]))
        done.update(walk.done)
        return reached == set(Phase) and done == set(RULES)

    fixed = settings(max_examples=1_000, phases=[Steps.generate], database=None, derandomize=True, deadline=None)
    find(st.tuples(beginnings, walks), complete, settings=fixed)
