"""The declaration of the life cycle as the tables and the diagram that people read (docs/lifecycle.md)."""

from __future__ import annotations

from ledger.domain.commands import Command
from ledger.domain.lifecycle import LATE_RESULT, RULES, allowed_phases
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.values import Phase, VisitType

_LONG_PATH = next(visit for visit in VisitType if visit not in SHORT_PATH)
_SHORT_PATH = next(visit for visit in VisitType if visit in SHORT_PATH)


def phase_table() -> str:
    """Markdown: a row per command, a column per phase, and the phases to which the command leads."""
    header = ["command", *(phase.value.lower().replace("_", " ") for phase in Phase), "leads to"]
    rows = [_row(command) for command in RULES]
    return "\n".join(_line(each) for each in (header, ["---"] * len(header), *rows)) + "\n"


def demand_table() -> str:
    """Markdown: a row per command and demand, with the code of the refusal."""
    rows = [
        [command.__name__, f"`{guard.rule}`", guard.demand]
        for command, rule in RULES.items()
        for guard in (*rule.demands, *rule.of_command)
    ]
    return (
        "\n".join(_line(each) for each in (["command", "refused with", "unless / because"], ["---"] * 3, *rows)) + "\n"
    )


def phase_diagram() -> str:
    """Mermaid: an arrow per change of phase, named after its command."""
    arrows = [
        f"    {before} --> {after}: {command.__name__}"
        for command, rule in RULES.items()
        for before in Phase
        if before in rule.phases | (rule.short_path or frozenset())
        for after in Phase
        if after in rule.leads(before) and after is not before
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> REGISTERED: RegisterRecord", *arrows, "```"]) + "\n"


def _row(command: type[Command]) -> list[str]:
    rule = RULES[command]
    edges = [(before, after) for before in rule.phases for after in rule.leads(before)]
    # A command that moves some records tells also where it can leave one as it was.
    reached = {after for _, after in edges} if any(before is not after for before, after in edges) else set[Phase]()
    to = [phase.value.lower().replace("_", " ") for phase in Phase if phase in reached]
    return [command.__name__, *(_cell(command, phase) for phase in Phase), ", ".join(to)]


def _cell(command: type[Command], phase: Phase) -> str:
    if phase in allowed_phases(command, _LONG_PATH):
        return "yes"
    if phase in allowed_phases(command, _SHORT_PATH):
        return "short path"
    return "results" if command.__name__ == "RecordEntry" and phase in LATE_RESULT else ""


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
