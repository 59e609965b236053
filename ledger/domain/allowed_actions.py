"""What a record accepts now, and why it does not accept the rest: a front end offers only what will be taken."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.decision import Facts
from ledger.domain.lifecycle import RULES, state_faults
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState


@dataclass(frozen=True)
class Action:
    """A command on a record, by its name, with every reason against it; none = it is allowed."""

    name: str
    reasons: tuple[Violation, ...]


def allowed_actions(record: RecordState, facts: Facts) -> list[Action]:
    """Every command of the declaration, in its order. What a command names is checked when it is sent."""
    return [Action(command.__name__, tuple(state_faults(command, record, facts))) for command in RULES]
