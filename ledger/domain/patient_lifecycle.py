"""The one declaration of which commands take a patient in which phase, what they demand, and where they lead.

`decide` asks it; the tables and the diagram in docs/lifecycle.md and the mutation check are made from it. What a
patient's data must be like is content, and asked beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.domain import patient_guards as who
from ledger.domain.commands import AmendPatient, Command, RegisterRecord
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decision import Facts
from ledger.domain.identity_commands import (
    LinkPatients,
    MergePatients,
    UnlinkPatients,
    UnmergePatients,
    WithdrawIdentification,
    WithdrawRecognition,
)
from ledger.domain.newborn_commands import LinkNewborn
from ledger.domain.patient_rule import Asked, Outside, PatientPhase, PatientRule, Phases
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import PatientState

_REGISTERED, _SURVIVOR, _MERGED = PatientPhase.REGISTERED, PatientPhase.SURVIVOR, PatientPhase.MERGED


def _to(*phases: PatientPhase) -> frozenset[PatientPhase]:
    return frozenset(phases)


_ANY = Phases({phase: _to(phase) for phase in PatientPhase})
_GOES_ON = {phase: _to(phase) for phase in (_REGISTERED, _SURVIVOR)}
_FILED_UNDER = Phases(
    _GOES_ON, {_MERGED: Outside("patient_id", "MERGED", "nothing new is filed under who was merged into another")}
)
_PROVISIONAL = Phases(
    _GOES_ON,
    {_MERGED: Outside("record_id", "MERGED", "the provisional person was merged: that is taken back first")},
)
_SAID_OF_TWO = (who.ACTS_AS_PERSON, who.ROLE_SAYS_WHO, who.ANOTHER_PATIENT, who.OTHER_KNOWN)
_NOT_MERGED = Outside("survivor_id", who.MERGED_THERE.rule, who.MERGED_THERE.demand)

PATIENT_RULES: dict[type[Command], PatientRule] = {
    AmendPatient: PatientRule(_ANY, demands=(who.ACTS_AS_PERSON, who.DESK_SPEAKS, who.DEATH_SEEN)),
    WithdrawRecognition: PatientRule(
        _ANY, demands=(who.ACTS_AS_PERSON, who.ROLE_SAYS_WHO, who.DESK_SPEAKS, who.RECOGNISED)
    ),
    RegisterRecord: PatientRule(_FILED_UNDER),
    IdentifyPatient: PatientRule(_FILED_UNDER),
    WithdrawIdentification: PatientRule(_PROVISIONAL),
    LinkNewborn: PatientRule(_FILED_UNDER),
    LinkPatients: PatientRule(_ANY, _ANY, "other_id", _SAID_OF_TWO),
    UnlinkPatients: PatientRule(_ANY, _ANY, "other_id", (*_SAID_OF_TWO, who.LINKED)),
    MergePatients: PatientRule(
        Phases(
            {_REGISTERED: _to(_MERGED)},
            {
                _SURVIVOR: Outside("patient_id", "HAS_ABSORBED", "others were merged into it: take these back first"),
                _MERGED: Outside("patient_id", "ALREADY_MERGED", "it was merged before"),
            },
        ),
        Phases(
            {_REGISTERED: _to(_SURVIVOR), _SURVIVOR: _to(_SURVIVOR)},
            {_MERGED: Outside("survivor_id", "ALREADY_MERGED", "the survivor was merged itself")},
        ),
        "survivor_id",
        (*_SAID_OF_TWO, who.NO_KIN),
    ),
    UnmergePatients: PatientRule(
        Phases({_MERGED: _to(_REGISTERED)}, {_REGISTERED: _NOT_MERGED, _SURVIVOR: _NOT_MERGED}),
        Phases({_SURVIVOR: _to(_SURVIVOR, _REGISTERED)}),
        "survivor_id",
        (*_SAID_OF_TWO, who.MERGED_THERE),
    ),
}


def phase_faults(command: type[Command], patient: PatientState | None) -> Iterator[Violation]:
    """What the phase of the patient whom the command is about holds against it; nothing where nobody is known."""
    if patient is not None:
        yield from PATIENT_RULES[command].own.faults(patient)


def patient_faults(command: Any, patient: PatientState, facts: Facts) -> Iterator[tuple[RefusalKind, Violation]]:
    """Everything that the patient, the other one where two are named, and who acts hold against a command."""
    rule = PATIENT_RULES[type(command)]
    asked = Asked(command, patient, facts, rule.field)
    for guard in rule.demands:
        for fault in guard.faults(asked):
            yield guard.kind, fault
    for phases, whom in ((rule.own, patient), (rule.other, facts.other_patient)):
        if phases is not None and whom is not None:
            for fault in phases.faults(whom):
                yield RefusalKind.STATE, fault
