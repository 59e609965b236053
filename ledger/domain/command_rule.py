"""Where a command on a record is allowed, what it demands, and which changes of phase it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ledger.domain.command_guards import CommandGuard
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.state_guards import StateGuard
from ledger.domain.values import Phase, VisitType


@dataclass(frozen=True)
class Rule:
    """Where a command is allowed, what it demands, and to which phases it can lead (none = the phase stays)."""

    phases: frozenset[Phase]
    leads_to: frozenset[Phase] = frozenset()
    """Phases to which it can lead from each of its phases, where `edges` says nothing else."""
    demands: tuple[StateGuard, ...] = ()
    """Demands on the record's state alone."""
    of_command: tuple[CommandGuard, ...] = ()
    """Demands on what the command names."""
    names: tuple[StateGuard, ...] = ()
    """What must be there for the command to name anything: the list of allowed actions asks these, `of_command` refuses
    what names nothing known."""
    short_path: frozenset[Phase] | None = None
    """Phases in which it is allowed for visits on the short path; None = the same."""
    edges: Mapping[Phase, frozenset[Phase]] = field(default_factory=dict[Phase, frozenset[Phase]])
    """To which phases it leads from those from which it leads elsewhere than to `leads_to`."""

    def allowed(self, visit_type: VisitType, short_path: frozenset[VisitType] = SHORT_PATH) -> frozenset[Phase]:
        """The phases in which a record of this visit type accepts it, where its pack lets these visits go shorter."""
        return self.short_path if self.short_path is not None and visit_type in short_path else self.phases

    @property
    def asks_roles(self) -> bool:
        """Whether some demand asks for a role that the pack in force names."""
        return any(guard.asks_roles for guard in self.of_command)

    def demanding(self, guard: CommandGuard) -> Rule:
        """The same with one demand more on the command."""
        return replace(self, of_command=(*self.of_command, guard))

    def leads(self, before: Phase) -> frozenset[Phase]:
        """The phases in which a record can be after it, that phase itself included where it can stay."""
        return self.edges.get(before, self.leads_to) or frozenset({before})
