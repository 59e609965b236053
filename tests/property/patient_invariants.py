"""What holds of patients after every command, whatever came before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledger.domain.commands import AmendPatient, RegisterRecord
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve
from ledger.domain.identity_commands import MergePatients, UnmergePatients, WithdrawIdentification, WithdrawRecognition
from ledger.domain.newborn_commands import LinkNewborn
from ledger.domain.patient_identifiers import exact_identifiers
from ledger.domain.patient_lifecycle import PATIENT_RULES, patient_faults
from ledger.domain.patient_rule import PatientPhase, Phases
from ledger.domain.state import PatientState, RecordState
from tests.property.patient_town import OF_TWO, Step, Town
from tests.unit.domain.given import ARCHIVIST, facts


def check_town(town: Town) -> None:
    """Links are said by both; a merge is said by both and leads to who goes on; nobody is her own child."""
    patients = town.patients
    for each, state in patients.items():
        assert each not in state.linked
        assert all(each in patients[other].linked for other in state.linked)
        assert all(patients[other].merged_into == each for other in state.absorbed)
        if state.merged_into is not None:
            assert each in patients[state.merged_into].absorbed
            # No chain, and so no ring: one step leads to who goes on.
            assert patients[state.merged_into].merged_into is None
    for family in town.families():
        assert len(set(family)) == len(family)


def check_step(step: Step) -> None:
    """What one command has changed, and that the declaration says the same of it as `decide`."""
    command: Any = step.asked.command
    if type(command) in PATIENT_RULES:
        check_declared(step)
    if step.decision is None:
        assert step.refused
        assert all(each.rule for each in step.refused)
        assert step.after == step.before
        return
    named = {step.decision.stream_id, *(each.stream_id for each in step.decision.beside)}
    changed = {each for each in step.after if step.after[each] is not step.before.get(each)}
    assert changed <= named
    CHANGES.get(type(command), lambda _: None)(step)


def check_declared(step: Step) -> None:
    """A phase that refuses names its rule at its field, one that takes the command leads where it is declared to."""
    command: Any = step.asked.command
    rule, own_id = PATIENT_RULES[type(command)], _own_id(step)
    own = step.before.get(own_id)
    if not isinstance(own, PatientState):
        return
    said = {(each.field, each.rule) for each in step.refused}
    if type(command) in OF_TWO:
        assert {(each.field, each.rule) for _, each in patient_faults(command, own, step.facts)} == said
    _check_side(step, rule.own, own_id)
    if rule.other is not None:
        _check_side(step, rule.other, getattr(command, rule.field))


def _check_side(step: Step, phases: Phases, patient_id: UUID) -> None:
    before, after = step.before.get(patient_id), step.after.get(patient_id)
    if not isinstance(before, PatientState) or not isinstance(after, PatientState):
        return
    outside = phases.refused.get(PatientPhase.of(before))
    if step.decision is not None:
        assert PatientPhase.of(after) in phases.leads.get(PatientPhase.of(before), ())
    # A command on a record that its own rules refuse may not have asked who the patient is.
    elif outside is not None and isinstance(step.asked.command, OF_TWO):
        assert (outside.field, outside.rule) in {(each.field, each.rule) for each in step.refused}


def _own_id(step: Step) -> Any:
    command: Any = step.asked.command
    if isinstance(command, WithdrawIdentification):
        record = step.before[command.record_id]
        assert isinstance(record, RecordState)
        return record.provisional.patient_id if record.provisional else None
    return command.patient_id


def _merged(step: Step) -> None:
    """The merge can be taken back at once, and then nobody has gained or lost anything but two events."""
    command = step.asked.command
    assert isinstance(command, MergePatients)
    one, two = step.after[command.patient_id], step.after[command.survivor_id]
    assert isinstance(two, PatientState)
    back = UnmergePatients(command.patient_id, command.survivor_id, "two persons")
    decision = decide(back, one, facts(now=step.facts.now, actor=ARCHIVIST, other_patient=two))
    for stream_id, events in (
        (decision.stream_id, decision.events),
        *((b.stream_id, b.events) for b in decision.beside),
    ):
        before, state = step.before[stream_id], step.after[stream_id]
        for event in events:
            state = evolve(state, event, state.version + 1, step.facts.now)
        assert isinstance(state, PatientState)
        assert isinstance(before, PatientState)
        assert replace(state, version=before.version) == before
        assert state.version == before.version + 2


def _amended(step: Step) -> None:
    """What the desk has said is in force, whatever sources said."""
    command = step.asked.command
    assert isinstance(command, AmendPatient)
    after = step.after[command.patient_id]
    assert isinstance(after, PatientState)
    assert after.details == command.details


def _item_gone(step: Step) -> None:
    """No word of the item is left, and whatever else is in force somebody else says."""
    command = step.asked.command
    assert isinstance(command, WithdrawRecognition)
    before, after = step.before[command.patient_id], step.after[command.patient_id]
    assert isinstance(before, PatientState)
    assert isinstance(after, PatientState)
    assert (command.system, command.type, command.id) not in after.stated
    assert set(exact_identifiers(after.details)) <= set(exact_identifiers(before.details))
    assert (after.linked, after.merged_into, after.absorbed) == (before.linked, before.merged_into, before.absorbed)


def _filed(step: Step) -> None:
    """Under the patient who is named, and that patient's number."""
    command = step.asked.command
    assert isinstance(command, RegisterRecord | IdentifyPatient)
    assert step.decision is not None
    record, patient = step.after[step.decision.stream_id], step.facts.patient
    assert isinstance(record, RecordState)
    assert patient is not None
    assert (record.patient_id, record.case_number) == (command.patient_id, patient.case_number)


def _filed_as_before(step: Step) -> None:
    """Under the provisional person, with that person's number, and nobody is known."""
    assert step.decision is not None
    before, record = step.before[step.decision.stream_id], step.after[step.decision.stream_id]
    assert isinstance(before, RecordState)
    assert isinstance(record, RecordState)
    assert before.provisional is not None
    assert (record.patient_id, record.case_number) == (before.provisional.patient_id, before.provisional.case_number)
    assert not record.identified


def _newborn_is(step: Step) -> None:
    """Who was said, and nobody else of the record's newborns."""
    command = step.asked.command
    assert isinstance(command, LinkNewborn)
    before, record = step.before[command.record_id], step.after[command.record_id]
    assert isinstance(before, RecordState)
    assert isinstance(record, RecordState)
    others = {each: born for each, born in record.newborns.items() if each != command.subject_id}
    assert record.newborns[command.subject_id].patient_id == command.patient_id
    assert others == {each: born for each, born in before.newborns.items() if each != command.subject_id}


CHANGES: dict[Any, Callable[[Step], None]] = {
    MergePatients: _merged,
    AmendPatient: _amended,
    WithdrawRecognition: _item_gone,
    RegisterRecord: _filed,
    IdentifyPatient: _filed,
    WithdrawIdentification: _filed_as_before,
    LinkNewborn: _newborn_is,
}
