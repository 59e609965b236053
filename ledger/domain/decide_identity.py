"""Decisions on who a patient is: reversible, written into both streams at once, and never made by a match alone.

Both patients are bumped: whose visits count for a destruction does not change while it is decided.
"""

from __future__ import annotations

from uuid import UUID

from ledger.domain.command_guards import is_person
from ledger.domain.decision import Beside, Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import check_reason, check_time, expect
from ledger.domain.identity_commands import LinkPatients, MergePatients, UnlinkPatients, UnmergePatients
from ledger.domain.identity_events import PatientLinked, PatientMerged, PatientUnlinked, PatientUnmerged
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import PatientState, StreamState


def link_patients(command: LinkPatients, state: StreamState | None, facts: Facts) -> Decision:
    """Two patients may be the same person; both streams say so, and nothing else changes."""
    patient, faults = _begin(state, command.patient_id, command.other_id, "other_id", command.reason, facts)
    if command.other_id in patient.linked:
        return Decision(command.patient_id, "patient", ())
    faults.refuse_if_any()
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
    patient, faults = _begin(state, command.patient_id, command.other_id, "other_id", command.reason, facts)
    if command.other_id not in patient.linked:
        faults.add("other_id", "NOT_LINKED", "they are not linked", RefusalKind.STATE)
    faults.refuse_if_any()
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
    patient, faults = _begin(state, command.patient_id, command.survivor_id, "survivor_id", command.reason, facts)
    if patient.merged_into is not None:
        faults.add("patient_id", "ALREADY_MERGED", "it was merged before", RefusalKind.STATE)
    if facts.other_patient is not None and facts.other_patient.merged_into is not None:
        faults.add("survivor_id", "ALREADY_MERGED", "the survivor was merged itself", RefusalKind.STATE)
    if patient.absorbed:
        faults.add("patient_id", "HAS_ABSORBED", "others were merged into it: take these back first", RefusalKind.STATE)
    _check_family(command, facts, faults)
    faults.refuse_if_any()
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.survivor_id,
        PatientMerged(meta, command.survivor_id, survivor=False, reason=command.reason),
        PatientMerged(meta, command.patient_id, survivor=True, reason=command.reason),
    )


def _check_family(command: MergePatients, facts: Facts, faults: Faults) -> None:
    """Notes a mother and her child, or two newborns of one record: whoever is sure takes the link back first."""
    both = {facts.person(command.patient_id), facts.person(command.survivor_id)}
    if len(both) > 1 and any(both <= family for family in facts.families):
        text = "a record says that they are mother and newborn, or two newborns: the link is taken back first"
        faults.add("survivor_id", "NOT_ITS_OWN", text, RefusalKind.STATE)


def unmerge_patients(command: UnmergePatients, state: StreamState | None, facts: Facts) -> Decision:
    """The merge is taken back."""
    patient, faults = _begin(state, command.patient_id, command.survivor_id, "survivor_id", command.reason, facts)
    if patient.merged_into != command.survivor_id:
        faults.add("survivor_id", "NOT_MERGED", "they are not merged", RefusalKind.STATE)
    faults.refuse_if_any()
    meta = facts.meta()
    return _in_both(
        facts,
        command.patient_id,
        command.survivor_id,
        PatientUnmerged(meta, command.survivor_id, command.reason),
        PatientUnmerged(meta, command.patient_id, command.reason),
    )


def _begin(
    state: StreamState | None, own_id: UUID, other_id: UUID, field: str, reason: str, facts: Facts
) -> tuple[PatientState, Faults]:
    patient, faults = expect(state, PatientState, "patient_id"), Faults()
    _check_actor(facts, faults)
    check_reason(reason, faults)
    check_time(facts, faults)
    if other_id == own_id:
        faults.add(field, "SAME_PATIENT", "another patient than the first")
    elif facts.other_patient is None:
        faults.add(field, "UNKNOWN_PATIENT", "no such patient in this hospital", RefusalKind.NOT_FOUND)
    return patient, faults


def _check_actor(facts: Facts, faults: Faults) -> None:
    """Notes a program, which never says who somebody is, and a role to which the pack does not leave it."""
    actor = facts.context.actor
    if not is_person(actor):
        faults.add("context.actor", "NOT_A_PERSON", "a person acts here, not a system", RefusalKind.STATE)
    if not facts.may("merge_patients"):
        faults.add("context.actor.role", "ROLE_NOT_ALLOWED", "a role that the pack names", RefusalKind.STATE)


def _in_both(facts: Facts, own_id: UUID, other_id: UUID, own: Event, other: Event) -> Decision:
    return Decision(own_id, "patient", (own,), bump_persons(facts), beside=(Beside(other_id, "patient", (other,)),))


DECISIONS = {
    LinkPatients: link_patients,
    UnlinkPatients: unlink_patients,
    MergePatients: merge_patients,
    UnmergePatients: unmerge_patients,
}
