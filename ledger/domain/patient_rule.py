"""Where a command on a patient is allowed, what it demands, and which changes of phase it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import PatientState


class PatientPhase(StrEnum):
    """Whether a patient goes on, and for whom. Links are no phase: they say that two may be one, and change nothing."""

    REGISTERED = "REGISTERED"
    """Goes on for itself alone."""
    SURVIVOR = "SURVIVOR"
    """Goes on for those who were merged into it too."""
    MERGED = "MERGED"
    """Another one goes on in its place."""

    @classmethod
    def of(cls, patient: PatientState) -> PatientPhase:
        """The phase of a patient: who was merged absorbs nobody, and who has absorbed is not merged."""
        if patient.merged_into is not None:
            return cls.MERGED
        return cls.SURVIVOR if patient.absorbed else cls.REGISTERED


@dataclass(frozen=True)
class Outside:
    """By what a command is refused in a phase that does not take it."""

    field: str
    rule: str
    demand: str


@dataclass(frozen=True)
class Phases:
    """In which phases a command takes a patient. One that is nowhere here cannot come: another demand stands before."""

    leads: Mapping[PatientPhase, frozenset[PatientPhase]]
    """From each that takes it, the phases in which it can leave the patient, that phase itself where it can stay."""
    refused: Mapping[PatientPhase, Outside] = field(default_factory=dict[PatientPhase, Outside])

    def faults(self, patient: PatientState) -> Iterator[Violation]:
        """What the patient's phase holds against the command."""
        outside = self.refused.get(PatientPhase.of(patient))
        if outside is not None:
            goes_on = f": it goes on as {patient.merged_into}" if patient.merged_into else ""
            yield Violation(outside.field, outside.rule, outside.demand + goes_on)


@dataclass(frozen=True)
class Asked:
    """A command on a patient, or on two, and what is known of them."""

    command: Any
    patient: PatientState
    facts: Facts
    field: str
    """The field that names the other patient; empty where the command is about one."""

    @property
    def other_id(self) -> UUID:
        """The other patient."""
        return getattr(self.command, self.field)


@dataclass(frozen=True)
class PatientGuard:
    """What a command demands of who acts and of whom it names. `rule` is the code of the refusal."""

    rule: str
    demand: str
    faults: Callable[[Asked], Iterable[Violation]]
    kind: RefusalKind = RefusalKind.STATE


@dataclass(frozen=True)
class PatientRule:
    """What a command demands of the patient whom it is about, and of the other one where it names two."""

    own: Phases
    other: Phases | None = None
    field: str = ""
    """The field that names the other one."""
    demands: tuple[PatientGuard, ...] = ()
