"""The declaration of the life cycle as the table that people read (docs/lifecycle.md)."""

from __future__ import annotations

from ledger.domain.commands import Command
from ledger.domain.lifecycle import LATE_RESULT, RULES, SHORT_PATH, allowed_phases
from ledger.domain.values import Phase, VisitType

_LONG_PATH = next(visit for visit in VisitType if visit not in SHORT_PATH)
_SHORT_PATH = next(visit for visit in VisitType if visit in SHORT_PATH)
_SHOWN = tuple(
    phase for phase in Phase if phase is Phase.REGISTERED or any(phase is rule.to for rule in RULES.values())
)
"""Phases that a record can reach in this release."""


def phase_table() -> str:
    """Markdown: a row per command, a column per phase, and the phase to which the command leads."""
    header = ["command", *(phase.value.lower() for phase in _SHOWN), "leads to"]
    rows = [_row(command) for command in RULES]
    return "\n".join(_line(each) for each in (header, ["---"] * len(header), *rows)) + "\n"


def _row(command: type[Command]) -> list[str]:
    to = RULES[command].to
    return [command.__name__, *(_cell(command, phase) for phase in _SHOWN), to.value.lower() if to else ""]


def _cell(command: type[Command], phase: Phase) -> str:
    if phase in allowed_phases(command, _LONG_PATH):
        return "yes"
    if phase in allowed_phases(command, _SHORT_PATH):
        return "short path"
    return "results" if command.__name__ == "RecordEntry" and phase in LATE_RESULT else ""


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
