"""Decisions on who a provisional person is: by one person, and put right or taken back by two."""

from __future__ import annotations

from ledger.domain.actor_faults import actor_faults
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.course_events import IdentificationCorrected, PatientIdentified, VisitRenumbered
from ledger.domain.decide_endorsement import used_up
from ledger.domain.decide_holder import outdated_by_stay
from ledger.domain.decide_registration import VISITS_MAX
from ledger.domain.decision import Claim, Decision, Facts, bump_persons
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import begin, check_reason, expect
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.identity_events import IdentificationWithdrawn
from ledger.domain.misnamed_offers import offers_out, taken_back
from ledger.domain.patient_lifecycle import phase_faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.values import IdentityStatus


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
        faults.note_all(phase_faults(IdentifyPatient, patient), RefusalKind.STATE)
    _check_correction(command, record, faults)
    if command.visit_sequence > VISITS_MAX:
        faults.add("visit_sequence", "OUT_OF_RANGE", f"visits are counted from 1 to {VISITS_MAX}")
    faults.refuse_if_any()
    assert patient is not None  # noqa: S101 - its absence is a fault above
    number = number_under(command, record, patient.case_number)
    events: list[Event] = []
    told: tuple[Event, ...] = ()
    withdrawn = taken_back(offers_out(record), facts)
    if record.established and command.confirmed_by is not None:
        events.append(IdentificationCorrected(facts.meta(), command.reason, command.confirmed_by))
        told = outdated_by_stay(record, 0, facts, len(withdrawn))
    events.append(PatientIdentified(facts.meta(), command.patient_id, patient.case_number))
    if number != record.visit_sequence:
        events.append(VisitRenumbered(facts.meta(), number))
    used = used_up(command, record, facts)
    claims = (*_visit_of(record, patient.case_number, number, facts), *bump_persons(facts))
    return Decision(command.record_id, "record", (*events, *told, *withdrawn, *used), claims)


def number_under(command: IdentifyPatient, record: RecordState, case_number: str) -> int:
    """Number of the stay under the patient: the one named, or that it had there before, or was registered with."""
    # Not the one under the wrong patient, whose visits were counted otherwise.
    registered = record.provisional.visit_sequence if record.provisional else record.visit_sequence
    return command.visit_sequence or record.numbers.get(case_number, registered)


def _check_correction(command: IdentifyPatient, record: RecordState, faults: Faults) -> None:
    """Notes what a correction lacks: why, and who confirms it."""
    if not record.established:
        return
    check_reason(command.reason, faults)
    if command.confirmed_by is not None:
        faults.note_all(actor_faults(command.confirmed_by, "confirmed_by"), RefusalKind.INVALID)


def _visit_of(record: RecordState, case_number: str, number: int, facts: Facts) -> tuple[Claim, ...]:
    """The stay as one of the known patient: retention and disposal find a patient's stays by these claims alone."""
    # Who is named once more, after somebody else or nobody, has the claim of the first time.
    if facts.number_claimed or (record.case_number, record.visit_sequence) == (case_number, number):
        return ()
    visit = (case_number, record.visit_type, str(number))
    return (Claim("visit", visit, group=(case_number,)),)


def withdraw_identification(command: WithdrawIdentification, state: StreamState | None, facts: Facts) -> Decision:
    """Nobody known is the patient: filed as before, so that no copy or package goes out under a stranger's name."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    if command.confirmed_by is not None:
        faults.note_all(actor_faults(command.confirmed_by, "confirmed_by"), RefusalKind.INVALID)
    faults.note_all(phase_faults(WithdrawIdentification, facts.patient), RefusalKind.STATE)
    faults.refuse_if_any()
    before, second = record.provisional, command.confirmed_by
    assert before is not None and second is not None  # noqa: S101, PT018 - their absence is a fault above
    meta = facts.meta()
    # The stay has kept its number under the provisional person: it is claimed there since its registration.
    event = IdentificationWithdrawn(
        meta, before.patient_id, before.case_number, before.visit_sequence, command.reason, second
    )
    withdrawn = taken_back(offers_out(record), facts)
    told = outdated_by_stay(record, 0, facts, len(withdrawn))
    events = (event, *told, *withdrawn, *used_up(command, record, facts))
    return Decision(command.record_id, "record", events, bump_persons(facts))


DECISIONS = {IdentifyPatient: identify_patient, WithdrawIdentification: withdraw_identification}
