"""The declarations of destruction lists and of packages as the tables that people read (docs/lifecycle.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from ledger.domain.disposal_list_rules import LIST_RULES
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.package_rules import PACKAGE_RULES, PACKAGE_STATES
from ledger.domain.values import TransferState


def list_phase_table() -> str:
    """Markdown: a row per command, a column per phase of the list."""
    rows = [
        [command.__name__, _to([rule.leads_to]) if not rule.phases else "", *_reached(rule.phases, [rule.leads_to])]
        for command, rule in LIST_RULES.items()
    ]
    return _table(["command", "no list yet", *map(_name, DisposalListPhase)], rows)


def _reached(phases: Iterable[DisposalListPhase], leads_to: Sequence[StrEnum]) -> list[str]:
    return [_to(leads_to) if phase in phases else "" for phase in DisposalListPhase]


def list_demand_table() -> str:
    """Markdown: a row per command and demand beside the phase, with the code of the refusal."""
    rows = [
        [command.__name__, f"`{guard.rule}`", guard.demand]
        for command, rule in LIST_RULES.items()
        for guard in rule.demands
    ]
    return _table(["command", "refused with", "unless"], rows)


def package_phase_table() -> str:
    """Markdown: a row per command, a column per state of the package, and when it only says what is so already."""
    rows = [
        [
            command.__name__,
            _to(_ordered(rule.opens)),
            *(_led(state, rule.leads.get(state, frozenset())) for state in PACKAGE_STATES),
            rule.again.said if rule.again else "",
        ]
        for command, rule in PACKAGE_RULES.items()
    ]
    return _table(["command", "no package yet", *map(_name, PACKAGE_STATES), "no event where"], rows)


def package_demand_table() -> str:
    """Markdown: a row per command and demand beside the state, with the code of the refusal."""
    rows = [
        [command.__name__, f"`{guard.rule}`", guard.demand]
        for command, rule in PACKAGE_RULES.items()
        for guard in rule.demands
    ]
    return _table(["command", "refused with", "unless / because"], rows)


def _led(state: TransferState, led: frozenset[TransferState]) -> str:
    return "yes" if led == frozenset({state}) else _to(_ordered(led))


def _ordered(states: Iterable[StrEnum]) -> list[StrEnum]:
    return [each for each in PACKAGE_STATES if each in states]


def _to(phases: Sequence[StrEnum]) -> str:
    return f"to {' or '.join(map(_name, phases))}" if phases else ""


def _name(phase: StrEnum) -> str:
    return phase.value.lower().replace("_", " ")


def _table(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(each)} |" for each in (header, ["---"] * len(header), *rows)) + "\n"
