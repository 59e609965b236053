"""Every invariant of patients, on random walks over every command that their declaration knows.

`LEDGER_SOAK_EXAMPLES` makes the walks as many as wanted (`make soak`).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.commands import Command
from ledger.domain.course_commands import EndorseAct
from ledger.domain.evolve import evolve
from ledger.domain.patient_lifecycle import PATIENT_RULES
from ledger.domain.patient_rule import PatientPhase
from ledger.domain.state import StreamState
from tests.property.patient_commands import COMMANDS, beforehand, drawn, settle
from tests.property.patient_invariants import check_step, check_town
from tests.property.patient_town import Step, Town
from tests.property.walks import EXAMPLES

pytestmark = pytest.mark.property

walks = st.tuples(st.integers(0, 2**32), st.integers(20, 60))
"""Seed and length: step by step hypothesis would vary earlier walks, and do less."""


def walked(town: Town, walk: tuple[int, int]) -> Iterator[Step]:
    """Every step in turn."""
    dice = Random(walk[0])  # noqa: S311 - a walk, not a secret
    if walk[0] % 4:
        for asked in settle(dice, town):
            yield town.take(asked)
    for _ in range(walk[1]):
        asked = drawn(dice, town)
        word = beforehand(asked, town)
        if word is not None:
            yield town.take(word)
        yield town.take(asked)


@given(walks)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_invariant_of_patients_holds_on_every_walk(walk: tuple[int, int]) -> None:
    """Links, merges, births, names and stays: what is said of two is said by both, and nobody is her own child."""
    town = Town()
    for step in walked(town, walk):
        check_step(step)
        check_town(town)
    for kept in town.streams.values():
        state: StreamState | None = None
        for version, (event, at) in enumerate(zip(kept.events, kept.times, strict=True), start=1):
            state = evolve(state, event, version, at)
            assert state == kept.history[version]


def test_the_walks_do_every_command_in_every_phase_that_takes_it() -> None:
    """The model is no walk around the entrance: fixed walks do and refuse all that the declaration knows."""
    done, refused = set[type[Command]](), set[type[Command]]()
    phases, rules = set[PatientPhase](), set[str]()
    for seed in range(60):
        town = Town()
        for step in walked(town, (seed, 60)):
            (refused if step.decision is None else done).add(type(step.asked.command))
            rules.update(each.rule for each in step.refused)
        phases.update(PatientPhase.of(each) for each in town.patients.values())
    assert done == {*COMMANDS, EndorseAct}
    assert refused >= set(PATIENT_RULES)
    assert phases == set(PatientPhase)
    demanded = {each.rule for rule in PATIENT_RULES.values() for each in rule.demands}
    outside = {each.rule for rule in PATIENT_RULES.values() for each in rule.own.refused.values()}
    assert rules >= demanded | outside
