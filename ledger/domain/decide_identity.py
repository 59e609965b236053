"""Decisions on who a patient is: reversible, written into both streams at once, and never made by a match alone.

What they demand is declared in `patient_lifecycle`.
Both patients are bumped: whose visits count for a destruction does not change while it is decided.
"""

from __future__ import annotations

from uuid import UUID

from ledger.domain.decision import Beside, Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import check_reason, check_time, expect
from ledger.domain.identity_commands import LinkPatients, MergePatients, UnlinkPatients, UnmergePatients
from ledger.domain.identity_events import PatientLinked, PatientMerged, PatientUnlinked, PatientUnmerged
from ledger.domain.patient_lifecycle import patient_faults
from ledger.domain.state import PatientState, StreamState

_OfTwo = LinkPatients | UnlinkPatients | MergePatients | UnmergePatients


def link_patients(command: LinkPatients, state: StreamState | None, facts: Facts) -> Decision:
    """Two patients may be the same person; both streams say so, and nothing else changes."""
    patient = _begin(command, state, facts)
    if command.other_id in patient.linked:
        return Decision(command.patient_id, "patient", ())
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.other_id,
        PatientLinked(meta, command.other_id, command.reason),
        PatientLinked(meta, command.patient_id, command.reason),
    )


def unlink_patients(command: UnlinkPatients, state: StreamState | None, facts: Facts) -> Decision:
    """The link is taken back; a retention date that it had moved stays."""
    _begin(command, state, facts)
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.other_id,
        PatientUnlinked(meta, command.other_id, command.reason),
        PatientUnlinked(meta, command.patient_id, command.reason),
    )


def merge_patients(command: MergePatients, state: StreamState | None, facts: Facts) -> Decision:
    """They are one person: the survivor goes on, the other one refers to it."""
    _begin(command, state, facts)
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.survivor_id,
        PatientMerged(meta, command.survivor_id, survivor=False, reason=command.reason),
        PatientMerged(meta, command.patient_id, survivor=True, reason=command.reason),
    )


def unmerge_patients(command: UnmergePatients, state: StreamState | None, facts: Facts) -> Decision:
    """The merge is taken back."""
    _begin(command, state, facts)
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.survivor_id,
        PatientUnmerged(meta, command.survivor_id, command.reason),
        PatientUnmerged(meta, command.patient_id, command.reason),
    )


def _begin(command: _OfTwo, state: StreamState | None, facts: Facts) -> PatientState:
    """The first patient, once nothing stands against the command."""
    patient, faults = expect(state, PatientState, "patient_id"), Faults()
    check_reason(command.reason, faults)
    check_time(facts, faults)
    for kind, fault in patient_faults(command, patient, facts):
        faults.note(fault, kind)
    faults.refuse_if_any()
    return patient


def _in_both(facts: Facts, own_id: UUID, other_id: UUID, own: Event, other: Event) -> Decision:
    return Decision(own_id, "patient", (own,), bump_persons(facts), beside=(Beside(other_id, "patient", (other,)),))


DECISIONS = {
    LinkPatients: link_patients,
    UnlinkPatients: unlink_patients,
    MergePatients: merge_patients,
    UnmergePatients: unmerge_patients,
}
