"""`decide` itself refuses by phase what the declaration leaves out, and nothing else."""

from __future__ import annotations

import pytest

from ledger.domain.commands import Command
from ledger.domain.decide import decide
from ledger.domain.lifecycle import RULES, allowed_phases
from ledger.domain.refusal import Refused
from ledger.domain.values import Phase, VisitType
from tests.property.lifecycle_commands import COMMANDS, PEOPLE, Pick
from tests.property.walks import BEGINNINGS, Draw, Walk, begun
from tests.unit.domain.care_acts import place

pytestmark = pytest.mark.property
_PICKS = range(8)
_WALKS = [
    *(begun((name, VisitType.INPATIENT)) for name in BEGINNINGS),
    begun(("closed", VisitType.OUTPATIENT)),  # the short path: archived without being handed in
    Walk(place("returned").stream),
]
_LATE_RESULT = "RecordEntry"
"""In a record that is handed in: of the template `result` alone, whose own refusals say so."""


def refused_by_phase(walk: Walk, kind: type[Command], number: int) -> bool:
    """Whether the decision names the phase among its faults."""
    pick, actor = Pick(number, trainee=False), PEOPLE[number % len(PEOPLE)]
    drawn = Draw(number, "any", pick, actor, walk.now, other_stay=False, by_office=False)
    known = walk.knowing(number, drawn, walk.stream.record)
    command = COMMANDS[kind](walk.stream.record, known, pick)
    try:
        decide(command, walk.stream.record, known)
    except Refused as refused:
        return "PHASE_NOT_ALLOWED" in {each.rule for each in refused.violations}
    return False


@pytest.mark.parametrize("kind", list(RULES), ids=lambda kind: kind.__name__)
def test_a_decision_refuses_exactly_the_phases_that_are_not_declared(kind: type[Command]) -> None:
    """On records of every phase that lives: a decision that forgot to ask would take what the table forbids."""
    seen = set[Phase]()
    for walk in _WALKS:
        phase, visit = walk.stream.record.phase, walk.stream.record.visit_type
        seen.add(phase)
        answers = {refused_by_phase(walk, kind, number) for number in _PICKS}
        if kind.__name__ == _LATE_RESULT and phase is Phase.SUBMITTED:
            assert answers == {True, False}
        else:
            assert answers == {phase not in allowed_phases(kind, visit)}, phase
    assert seen >= set(Phase) - {Phase.VOIDED, Phase.DESTROYED}
