"""Decisions on the same fact from several systems or hospitals, and on who a provisional person is."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.course_commands import IdentifyPatient, LinkDuplicate, RecogniseResult, RepeatExamination
from ledger.domain.course_events import (
    DuplicateLinked,
    ExaminationRepeated,
    IdentificationCorrected,
    PatientIdentified,
    ResultRecognised,
    VisitRenumbered,
)
from ledger.domain.decide_registration import VISITS_MAX, check_goes_on
from ledger.domain.decision import Claim, Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import (
    CODE_MAX,
    begin,
    check_reason,
    check_source,
    expect,
    note_elsewhere,
    on_record,
    source_claim,
    taken_before,
)
from ledger.domain.held_items import MOVABLE
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import RecordState, StreamState
from ledger.domain.values import IdentityStatus


def recognise_result(command: RecogniseResult, state: StreamState | None, facts: Facts) -> Decision:
    """Another hospital's result is taken as it is; the examination is not repeated."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_result(command.result_id, command.from_hospital, faults)
    faults.refuse_if_any()
    event = ResultRecognised(facts.meta(), command.result_id, command.from_hospital, command.entry_id)
    return on_record(command.record_id, event)


def repeat_examination(command: RepeatExamination, state: StreamState | None, facts: Facts) -> Decision:
    """An examination is made again although a result is known: the reason is kept."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_result(command.result_id, command.from_hospital, faults)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    event = ExaminationRepeated(facts.meta(), command.result_id, command.from_hospital, command.reason)
    return on_record(command.record_id, event)


def _check_result(result_id: str, hospital: str, faults: Faults) -> None:
    for value, field in ((result_id, "result_id"), (hospital, "from_hospital")):
        faults.require(value, field)
        faults.text(value, field, CODE_MAX)


def link_duplicate(command: LinkDuplicate, state: StreamState | None, facts: Facts) -> Decision:
    """The item of another source says what an entry, or the record, says already: claimed and seen there.

    A further item of an entry of this record may become a link; an item from which a whole entry was made may not.
    """
    record = expect(state, RecordState, "record_id")
    claimed = facts.claimed
    if taken_before(facts, Taken.LINKED, command.record_id) and claimed and claimed.entry_id == command.entry_id:
        return on_record(command.record_id)
    faults = begin(command, record, facts)
    if facts.context.source is None:
        faults.add("context.source", "REQUIRED", "the item that is linked")
    check_source(facts, faults)
    if claimed is not None and (claimed.stream_id != command.record_id or claimed.taken not in MOVABLE):
        note_elsewhere(faults)
    faults.refuse_if_any()
    claim = source_claim(facts, Taken.LINKED, command.entry_id)
    return on_record(command.record_id, DuplicateLinked(facts.meta(), command.entry_id), source=claim)


def identify_patient(command: IdentifyPatient, state: StreamState | None, facts: Facts) -> Decision:
    """The provisional person is somebody: the record is filed under that patient from now on."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    patient = facts.patient
    if patient is None:
        faults.add("patient_id", "UNKNOWN_PATIENT", "no such patient in this hospital", RefusalKind.NOT_FOUND)
    elif patient.identity is not IdentityStatus.MATCHED:
        faults.add("patient_id", "IDENTITY_UNVERIFIED", "that patient's identity is open too", RefusalKind.STATE)
    else:
        check_goes_on(patient, faults)
    _check_correction(command, record, faults)
    if command.visit_sequence > VISITS_MAX:
        faults.add("visit_sequence", "OUT_OF_RANGE", f"visits are counted from 1 to {VISITS_MAX}")
    faults.refuse_if_any()
    assert patient is not None  # noqa: S101 - its absence is a fault above
    number = command.visit_sequence or record.visit_sequence
    events: list[Event] = []
    if record.identified and command.confirmed_by is not None:
        events.append(IdentificationCorrected(facts.meta(), command.reason, command.confirmed_by))
    events.append(PatientIdentified(facts.meta(), command.patient_id, patient.case_number))
    if number != record.visit_sequence:
        events.append(VisitRenumbered(facts.meta(), number))
    claims = (*_visit_of(record, patient.case_number, number), *bump_persons(facts))
    return Decision(command.record_id, "record", tuple(events), claims)


def _check_correction(command: IdentifyPatient, record: RecordState, faults: Faults) -> None:
    """Notes what a correction lacks: why, and another patient than the wrong one."""
    if not record.identified:
        if command.reason or command.confirmed_by is not None:
            faults.add("reason", "NOT_IDENTIFIED", "nobody was identified whom it could correct", RefusalKind.STATE)
        return
    check_reason(command.reason, faults)
    if command.confirmed_by is not None:
        faults.note_all(actor_faults(command.confirmed_by, "confirmed_by"), RefusalKind.INVALID)
    if command.patient_id == record.patient_id:
        faults.add("patient_id", "SAME_PATIENT", "another patient than the one so far")


def _visit_of(record: RecordState, case_number: str, number: int) -> tuple[Claim, ...]:
    """The stay as one of the known patient: retention and disposal find a patient's stays by these claims alone."""
    if (record.case_number, record.visit_sequence) == (case_number, number):
        return ()
    visit = (case_number, record.visit_type, str(number))
    return (Claim("visit", visit, group=(case_number,)),)


DECISIONS = {
    RecogniseResult: recognise_result,
    RepeatExamination: repeat_examination,
    LinkDuplicate: link_duplicate,
    IdentifyPatient: identify_patient,
}
