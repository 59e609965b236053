"""Decisions on patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from uuid import UUID

from ledger.domain import stated_details
from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Claim, Decision, Facts, Reservation, bump_persons
from ledger.domain.events import Event, PatientAmended, PatientRegistered
from ledger.domain.faults import Faults, refuse
from ledger.domain.guards import (
    CODE_MAX,
    TEXT_MAX,
    check_source,
    check_time,
    expect,
    note_elsewhere,
    source_claim,
    taken_before,
)
from ledger.domain.identity_commands import WithdrawRecognition
from ledger.domain.identity_events import DetailsStated, IdentifiersStated
from ledger.domain.partial_dates import check_partial_date, check_partial_time
from ledger.domain.patient_identifiers import (
    IDENTIFIERS_MAX,
    check_free,
    claims_freed,
    claims_of_amended,
    claims_of_new,
    others_named,
    without_those_of_others,
)
from ledger.domain.patient_lifecycle import patient_faults
from ledger.domain.recognition import without_item
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState, StreamState
from ledger.domain.stated_details import after_statement, in_force, said_in
from ledger.domain.stated_identifiers import after_amendment, item_of, names, with_statement
from ledger.domain.values import PatientDetails, PatientIdentifier, SourceItem

GENDERS = frozenset({"", "male", "female", "other", "unknown"})
RECOGNISED = "another system knows the patient by the same identifier"
SOURCE_CHANGED = "the source says something else now"


def register_patient(command: RegisterPatient, state: StreamState | None, facts: Facts) -> Decision:
    """A patient becomes known; a source that comes again with other content amends."""
    faults = Faults()
    faults.require(command.case_number, "case_number")
    faults.text(command.case_number, "case_number", CODE_MAX)
    _check_details(command.details, facts, faults)
    check_time(facts, faults)
    check_source(facts, faults)
    held = facts.claimed
    if held is not None and held.taken not in (Taken.PATIENT, Taken.FREED):
        note_elsewhere(faults)
    bearers = {each.person_id for each in facts.bearers if each is not None and each.person_id is not None}
    # From whom a person took the item back it is not about, whatever its source goes on saying.
    bearers -= facts.not_about
    if facts.context.source is None:
        # A source is led to the patient whom it means; a registrar finds the patient, and no second one is made.
        check_free(command.details, None, facts, faults)
    elif (held is None or held.is_free) and len(bearers) > 1:
        faults.add("details.identifiers", "IDENTIFIERS_OF_TWO", "they name several patients", RefusalKind.STATE)
    faults.refuse_if_any()
    if held is not None and not held.is_free:
        return _amend_from_source(command, held.stream_id, state, facts)
    if bearers:
        return _recognise(command, bearers.pop(), state, facts)
    patient_id = facts.ids[0]
    details = without_those_of_others(command.details, patient_id, facts)
    event = PatientRegistered(facts.meta(), command.case_number, command.identity, details)
    claims = (
        Claim("case_number", (command.case_number,)),
        *_item_claim(patient_id, facts),
        *claims_of_new(command.details, patient_id, facts),
        *_likeness_claim(command.details, patient_id),
    )
    others = dict.fromkeys((*others_named(command.details, patient_id, facts), *facts.alike))
    return Decision(patient_id, "patient", (event,), claims, _matches(others))


def _amend_from_source(command: RegisterPatient, patient_id: UUID, state: StreamState | None, facts: Facts) -> Decision:
    known = expect(state, PatientState, "context.source")
    # What the source says stays that half's; its next visit is the survivor's.
    led = {"recognised_id": known.merged_into} if known.merged_into else dict[str, UUID]()
    if taken_before(facts, Taken.PATIENT):
        return Decision(patient_id, "patient", (), result={**led})
    person = known.merged_into or patient_id
    own_number = tuple(each for each in known.details.identifiers if each.value == command.case_number)
    # Another system numbers patients in its own way; it is the same person as long as that number is known here.
    if known.case_number != command.case_number and not own_number:
        raise refuse(RefusalKind.TAKEN, "case_number", "CASE_NUMBER_CHANGED", "a patient keeps the case number")
    # The rest of its word is taken, and care goes on: whose the identifier is, a person finds out.
    taken = replace(command, details=without_those_of_others(command.details, person, facts))
    events = _stating(taken, known, (*taken.details.identifiers, *own_number), SOURCE_CHANGED, facts)
    claims = (*_item_claim(patient_id, facts), *claims_of_new(command.details, patient_id, facts))
    # Else who bears by right what the source took back would be led into this patient's record.
    freed = claims_freed(command, _amended(events), patient_id, known, facts)
    alike = likeness_of_amended(_amended(events), patient_id, facts)
    matches = _matches(others_named(command.details, person, facts))
    born = bump_of_birth(known, _amended(events), facts)
    return Decision(patient_id, "patient", events, (*claims, *freed, *alike, *born), {**led, **matches})


def _recognise(command: RegisterPatient, patient_id: UUID, state: StreamState | None, facts: Facts) -> Decision:
    """The same person by an exact identifier: what is known stays, what is not is added, the case number is kept."""
    known = expect(state, PatientState, "details.identifiers")
    taken = replace(command, details=without_those_of_others(command.details, patient_id, facts))
    events = _stating(taken, known, taken.details.identifiers, RECOGNISED, facts)
    claims = (*_item_claim(patient_id, facts), *claims_of_new(command.details, patient_id, facts))
    alike = likeness_of_amended(_amended(events), patient_id, facts)
    matches = _matches(others_named(command.details, patient_id, facts))
    born = bump_of_birth(known, _amended(events), facts)
    return Decision(patient_id, "patient", events, (*claims, *alike, *born), {"recognised_id": patient_id, **matches})


def _matches(others: Iterable[UUID]) -> dict[str, UUID | bytes]:
    """Those who may be the same person, for the answer; nothing where there are none."""
    named = b"".join(each.bytes for each in others)
    return {"possible_matches": named} if named else {}


def _stating(
    command: RegisterPatient, known: PatientState, said: tuple[PatientIdentifier, ...], reason: str, facts: Facts
) -> tuple[Event, ...]:
    """What the source's item changes, and what it says where the change alone does not tell."""
    item, before = item_of(facts.context.source), known.details.identifiers
    after = with_statement(before, known.stated, item, said)
    details = replace(details_after(command, known, facts.context.source), identifiers=after)
    events: list[Event] = [PatientAmended(facts.meta(), details, reason)]
    stated = after_statement(known.said, item, said_in(command.details))
    if stated_details.after_amendment(known.said, item, said_in(known.details), said_in(details)) != stated:
        # First its word, so that what is then in force is seen to be everybody's, and not its own alone.
        events.insert(0, _details_stated(command.details, facts))
    if after_amendment(known.stated, before, after, item)[item] != names(said):
        events.append(IdentifiersStated(facts.meta(), tuple(dict.fromkeys(said))))
    return tuple(events)


def _details_stated(details: PatientDetails, facts: Facts) -> DetailsStated:
    return DetailsStated(facts.meta(), details.name, details.birth_date, details.gender, details.deceased_at)


def _amended(events: tuple[Event, ...]) -> PatientDetails:
    return next(each.details for each in events if isinstance(each, PatientAmended))


def details_after(
    command: RegisterPatient | AmendPatient | WithdrawRecognition, known: PatientState, source: SourceItem | None
) -> PatientDetails:
    """The patient's data once a source's item, or the desk, has said this; without what an item does to identifiers."""
    if isinstance(command, WithdrawRecognition):
        return without_item(known, (command.system, command.type, command.id)).details
    if isinstance(command, AmendPatient):
        return command.details
    shown = in_force(after_statement(known.said, item_of(source), said_in(command.details)))
    return replace(known.details, **asdict(shown))


def likeness(details: PatientDetails) -> tuple[str, ...]:
    """What two who may be one person have in common; empty where one of the three is missing."""
    parts = (" ".join(details.name.casefold().split()), details.birth_date, details.gender)
    return parts if all(parts) else ()


def _likeness_claim(details: PatientDetails, patient_id: UUID) -> tuple[Reservation, ...]:
    alike = likeness(details)
    return (Claim("alike", (*alike, str(patient_id)), group=alike),) if alike else ()


def likeness_of_amended(details: PatientDetails, patient_id: UUID, facts: Facts) -> tuple[Reservation, ...]:
    """Who has another name, birth date or gender now is found by it; what was claimed once is claimed for good."""
    return () if facts.likeness_claimed else _likeness_claim(details, patient_id)


def born_otherwise(known: PatientState, details: PatientDetails) -> bool:
    """Whether these data tell another birth date than is known."""
    return details.birth_date != known.details.birth_date


def bump_of_birth(known: PatientState, details: PatientDetails, facts: Facts) -> tuple[Reservation, ...]:
    """Another birth date may keep a minor's records longer: none of them is destroyed meanwhile."""
    return bump_persons(facts) if born_otherwise(known, details) else ()


def amend_patient(command: AmendPatient, state: StreamState | None, facts: Facts) -> Decision:
    """Other data are in force."""
    patient = expect(state, PatientState, "patient_id")
    faults = Faults()
    faults.require(command.reason, "reason")
    faults.text(command.reason, "reason", TEXT_MAX)
    _check_details(command.details, facts, faults)
    check_free(command.details, patient.merged_into or command.patient_id, facts, faults)
    check_time(facts, faults)
    for kind, fault in patient_faults(command, patient, facts):
        faults.note(fault, kind)
    faults.refuse_if_any()
    if command.details == patient.details:
        return Decision(command.patient_id, "patient", ())
    event = PatientAmended(facts.meta(), command.details, command.reason)
    alike = likeness_of_amended(command.details, command.patient_id, facts)
    claims = (*claims_of_amended(command, patient, facts), *alike, *bump_of_birth(patient, command.details, facts))
    return Decision(command.patient_id, "patient", (event,), claims)


def _check_details(details: PatientDetails, facts: Facts, faults: Faults) -> None:
    if details.gender not in GENDERS:
        faults.add("details.gender", "UNKNOWN_VALUE", "male, female, other or unknown")
    faults.text(details.name, "details.name", TEXT_MAX)
    check_partial_date(details.birth_date, "details.birth_date", facts.now, faults)
    check_partial_time(details.deceased_at, "details.deceased_at", facts.now, facts.pack.ahead_max, faults)
    if len(details.identifiers) > IDENTIFIERS_MAX:
        faults.add("details.identifiers", "TOO_MANY", f"at most {IDENTIFIERS_MAX} identifiers")
    for index, identifier in enumerate(details.identifiers):
        faults.require(identifier.value, f"details.identifiers[{index}].value")


def _item_claim(patient_id: UUID, facts: Facts) -> tuple[Reservation, ...]:
    """The claim of the item; one that was freed keeps whose stream it was first, and says whose it is now."""
    held = facts.claimed
    entry_id = None if held is None else patient_id if held.is_free else held.entry_id
    reservation = source_claim(facts, Taken.PATIENT, entry_id)
    return () if reservation is None else (reservation,)


DECISIONS = {RegisterPatient: register_patient, AmendPatient: amend_patient}
