"""The decision that a source's item was led to the wrong patient."""

from __future__ import annotations

from ledger.domain.decide_patient import bump_of_birth, likeness_of_amended
from ledger.domain.decision import Decision, Facts, Reservation, Swap
from ledger.domain.events import Event, PatientAmended
from ledger.domain.faults import Faults
from ledger.domain.guards import check_reason, check_time, expect
from ledger.domain.identity_commands import WithdrawRecognition
from ledger.domain.identity_events import RecognitionWithdrawn
from ledger.domain.patient_identifiers import claims_freed
from ledger.domain.patient_lifecycle import patient_faults
from ledger.domain.recognition import without_item
from ledger.domain.source_claim import Taken, encode_claim
from ledger.domain.state import PatientState, StreamState


def withdraw_recognition(command: WithdrawRecognition, state: StreamState | None, facts: Facts) -> Decision:
    """What the item said goes, and it is free: where it comes again it is led, or registers, as a new one."""
    patient, faults = expect(state, PatientState, "patient_id"), Faults()
    check_reason(command.reason, faults)
    check_time(facts, faults)
    for kind, fault in patient_faults(command, patient, facts):
        faults.note(fault, kind)
    faults.refuse_if_any()
    item, meta = (command.system, command.type, command.id), facts.meta()
    details = without_item(patient, item).details
    events: list[Event] = [RecognitionWithdrawn(meta, *item, command.reason)]
    if details != patient.details:
        # Tells what is in force to who reads amendments alone; after the first event it changes nothing.
        events.append(PatientAmended(meta, details, command.reason))
    freed = claims_freed(command, details, command.patient_id, patient, facts)
    alike = likeness_of_amended(details, command.patient_id, facts)
    claims = (*_item_freed(command, facts), *freed, *alike, *bump_of_birth(patient, details, facts))
    stays = b"".join(each.bytes for each in facts.led_stays)
    return Decision(command.patient_id, "patient", tuple(events), claims, {"stays": stays} if stays else {})


def _item_freed(command: WithdrawRecognition, facts: Facts) -> tuple[Reservation, ...]:
    held = facts.claimed
    if held is None or held.taken is not Taken.PATIENT or held.stream_id != command.patient_id:
        return ()  # an earlier release let an item speak here that was never led here
    stored = encode_claim(held.taken, held.entry_id, held.content_sha256)
    free = encode_claim(Taken.FREED, None, held.content_sha256)
    return (Swap("source", (command.system, command.type, command.id), stored, free),)


DECISIONS = {WithdrawRecognition: withdraw_recognition}
