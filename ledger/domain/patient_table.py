"""The declaration of patients as the tables and the diagram that people read (docs/lifecycle.md)."""

from __future__ import annotations

from ledger.domain.patient_lifecycle import PATIENT_RULES
from ledger.domain.patient_rule import PatientPhase, Phases


def patient_phase_table() -> str:
    """Markdown: a row per command, a column per phase of the patient, and of the other one where it names two."""
    names = [_name(phase) for phase in PatientPhase]
    header = ["command", *names, *(f"the other {name}" for name in names)]
    rows = [
        [command.__name__, *(_cell(phases, phase) for phases in (rule.own, rule.other) for phase in PatientPhase)]
        for command, rule in PATIENT_RULES.items()
    ]
    return "\n".join(_line(each) for each in (header, ["---"] * len(header), *rows)) + "\n"


def patient_demand_table() -> str:
    """Markdown: a row per command and demand beside the phase, with the code of the refusal."""
    rows = [
        [command.__name__, f"`{guard.rule}`", guard.demand]
        for command, rule in PATIENT_RULES.items()
        for guard in rule.demands
    ]
    return "\n".join(_line(each) for each in (["command", "refused with", "unless"], ["---"] * 3, *rows)) + "\n"


def patient_diagram() -> str:
    """Mermaid: an arrow per change of phase, named after its command."""
    arrows = [
        f"    {before} --> {after}: {command.__name__}{side}"
        for command, rule in PATIENT_RULES.items()
        for phases, side in ((rule.own, ""), (rule.other, " (the other)"))
        if phases is not None
        for before, led in phases.leads.items()
        for after in PatientPhase
        if after in led and after is not before
    ]
    return (
        "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> REGISTERED: RegisterPatient", *arrows, "```"]) + "\n"
    )


def _cell(phases: Phases | None, phase: PatientPhase) -> str:
    if phases is None:
        return ""
    if phase in phases.refused:
        return f"`{phases.refused[phase].rule}`"
    led = phases.leads.get(phase, frozenset())
    if led == frozenset({phase}):
        return "yes"
    return f"to {' or '.join(_name(each) for each in PatientPhase if each in led)}" if led else ""


def _name(phase: PatientPhase) -> str:
    return phase.value.lower()


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
