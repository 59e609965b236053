"""What the list of allowed actions says yes to, somebody can do: no button that nothing can be done with.

The other half, that what was done was not said to be refused, is an invariant of every walk (`check_said_allowed`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import Command
from ledger.domain.course_commands import CertifyEntry, LinkDuplicate, WithdrawConsultation
from ledger.domain.decide import decide
from ledger.domain.decision import Facts
from ledger.domain.lifecycle import RULES
from ledger.domain.refusal import Refused
from ledger.domain.state import RecordState
from ledger.domain.values import Actor, VisitType
from tests.property.lifecycle_commands import COMMANDS, OFFICES, PEOPLE, Pick
from tests.property.walks import BEGINNINGS, EXAMPLES, STEPS_MAX, Draws, beginnings, begun, walks_of
from tests.unit.domain.given import QUALITY, TRAINEE, by_signer, signed, source

pytestmark = pytest.mark.property
HEAD = Actor(UUID(int=90), "Dr. Tao", "chief")
"""Of a department that asked for a consultation."""
PICKS = 840
"""Of every maker all variants are among them."""


@given(beginnings, walks_of(1, STEPS_MAX))
@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_said_to_be_allowed_some_command_does(beginning: tuple[str, VisitType], draws: Draws) -> None:
    """Wherever a walk leaves a record: of each action that is allowed to nobody in particular one command is done, and
    writes something.
    """
    walk = begun(beginning)
    step = next(reversed(list(walk.steps(draws))))
    assert _impossible(step.after, step.facts) == []


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("name", sorted(BEGINNINGS))
def test_where_a_walk_begins_it_is_so_too(name: str, *, listed: bool) -> None:
    """In a window that names one entry alone, or where no destruction list stands."""
    walk = begun((name, VisitType.INPATIENT))
    draw = next(each for each in Draws(0, 100) if bool(each.choice % 5) is listed)
    assert _impossible(walk.stream.record, walk.knowing(0, draw, walk.stream.record)) == []


def _impossible(record: RecordState, known: Facts) -> list[str]:
    said = {each.name: not each.reasons for each in allowed_actions(record, known)}
    return [kind.__name__ for kind in RULES if said[kind.__name__] and not done_by_some(kind, record, known)]


def done_by_some(kind: type[Command], record: RecordState, known: Facts) -> bool:
    """Whether some command of this kind, sent by somebody, writes something into the record."""
    leaves = tuple(bytes([index % 256]) * 32 for index in range(record.version))
    # A duplicate is linked for a source item that nobody has taken up.
    item = source(id_="another") if kind is LinkDuplicate else known.context.source
    known = replace(known, leaves=leaves, context=replace(known.context, source=item))
    return any(_written(command, record, each) for command, each in _tries(kind, record, known))


def _tries(kind: type[Command], record: RecordState, known: Facts) -> Iterator[tuple[Command, Facts]]:
    askers = {each.from_department for each in record.consultations.values()}
    heads = (replace(HEAD, department=each) for each in askers if kind is WithdrawConsultation)
    signers = (TRAINEE,) if kind is CertifyEntry else ()
    senders = (*PEOPLE, QUALITY, *signers, *heads, *([OFFICES[kind]] if kind in OFFICES else ()))
    for number in range(PICKS):
        command: Any = COMMANDS[kind](record, known, Pick(number))
        yield command, by_signer(command, known)
        for actor in senders:
            by_actor = replace(command, attestation=signed(actor)) if hasattr(command, "attestation") else command
            yield by_actor, replace(known, context=replace(known.context, actor=actor))


def _written(command: Command, record: RecordState, known: Facts) -> bool:
    try:
        return bool(decide(command, record, known).events)
    except Refused:
        return False
