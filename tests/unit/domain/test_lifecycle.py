"""The declaration of the life cycle covers every command and every event."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from ledger.domain.commands import Command
from ledger.domain.decide import DECISIONS
from ledger.domain.events import EVENT_TYPES
from ledger.domain.evolve import STEPS
from ledger.domain.lifecycle import RULES, phase_fault
from ledger.domain.lifecycle_table import demand_table, phase_diagram, phase_table
from ledger.domain.values import Phase, VisitType

_DOCUMENT = Path(__file__).parents[3] / "docs" / "lifecycle.md"


def test_every_command_has_a_decision() -> None:
    """No command of the contract is forgotten."""
    assert set(DECISIONS) == set(get_args(Command))


def test_every_event_has_a_step() -> None:
    """Replay never meets an event that it does not know."""
    assert set(STEPS) == set(EVENT_TYPES)


def test_every_command_on_a_record_has_its_phases() -> None:
    """A command that names a record stands in the declaration, and no other does."""
    on_record = {each for each in get_args(Command) if "record_id" in _fields(each)}
    assert set(RULES) == on_record


def _fields(command: Any) -> set[str]:
    return {each.name for each in dataclasses.fields(command)}


@pytest.mark.parametrize("visit", list(VisitType))
def test_nothing_but_audit_after_destruction(visit: VisitType) -> None:
    """A destroyed record takes no command."""
    assert all(phase_fault(command, Phase.DESTROYED, visit) is not None for command in RULES)


@pytest.mark.parametrize(
    ("name", "made"), [("phases", phase_table), ("diagram", phase_diagram), ("demands", demand_table)]
)
def test_the_document_shows_the_declaration(name: str, made: Callable[[], str]) -> None:
    """Tables and diagram in docs/lifecycle.md are those of the declaration; paste them anew where this fails."""
    document = _DOCUMENT.read_text(encoding="utf-8")
    shown = document.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]
    assert shown == made()
