"""Patients and records become known, once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import AmendPatient, RegisterPatient, RegisterRecord, StartCare
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.decision import Bump, Claim, ClaimedItem, Swap
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.values import IdentityStatus, PatientDetails, PatientIdentifier, Phase, VisitType
from tests.unit.domain.given import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    PATIENT,
    RECORD,
    Stream,
    active,
    facts,
    patient,
    registered,
    source,
)

REGISTER = RegisterPatient("MRN-1", IdentityStatus.MATCHED, PatientDetails(name="N. N."))
SURVIVOR = UUID(int=9)
VISIT = RegisterRecord(PATIENT, VisitType.INPATIENT, 1, "cardiology")


def test_a_case_number_is_claimed() -> None:
    """A case number belongs to one patient of the hospital: registration claims it."""
    decision = Stream().when(REGISTER)
    assert decision.reservations == (Claim("case_number", ("MRN-1",)),)
    assert decision.kind == "patient"
    assert decision.stream_id == UUID(int=1100)


def test_a_patient_of_a_source_is_claimed_with_its_digest() -> None:
    """What a source said is claimed with its digest, so that the same again can be known."""
    decision = Stream().when(REGISTER, source=source())
    assert decision.reservations[1] == Claim("source", ("his", "DocumentReference", "doc-1"), b"P" + DIGEST)


def test_the_same_patient_of_the_same_source_adds_nothing() -> None:
    """A second import of the same patient adds no event."""
    stream = Stream(PATIENT, patient())
    known = ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT)
    decision = stream.when(REGISTER, source=source(), claimed=known)
    assert (decision.stream_id, decision.events, decision.reservations) == (PATIENT, (), ())


def test_a_changed_patient_of_the_same_source_is_amended() -> None:
    """A source that says something else amends, and the claim moves on from the old digest, and from no other."""
    stream = Stream(PATIENT)
    stream.when(REGISTER, source=source())
    changed = replace(REGISTER, details=PatientDetails(name="M. M."))
    known = ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT)
    decision = stream.when(changed, source=source(OTHER_DIGEST), claimed=known)
    assert stream.last_events == ["PatientAmended"]
    assert isinstance(stream.state, PatientState)
    assert stream.state.details.name == "M. M."
    parts = ("his", "DocumentReference", "doc-1")
    assert decision.reservations == (Swap("source", parts, b"P" + DIGEST, b"P" + OTHER_DIGEST),)


def test_a_source_cannot_change_the_case_number() -> None:
    """A patient keeps the case number at every visit; a source that says another is refused, not half obeyed."""
    stream = Stream(PATIENT, patient())
    changed = replace(REGISTER, case_number="MRN-2")
    known = ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT)
    refusal = stream.refused(changed, source=source(OTHER_DIGEST), claimed=known)
    assert refusal == (RefusalKind.TAKEN, [("case_number", "CASE_NUMBER_CHANGED")])


def test_every_fault_of_a_patient_is_named() -> None:
    """A refusal names every fault with its field path."""
    details = PatientDetails(gender="f", identifiers=(PatientIdentifier("s", ""),))
    kind, faults = Stream().refused(RegisterPatient(" ", IdentityStatus.MATCHED, details), source=source(b"short"))
    assert kind is RefusalKind.INVALID
    assert faults == [
        ("case_number", "REQUIRED"),
        ("details.gender", "UNKNOWN_VALUE"),
        ("details.identifiers[0].value", "REQUIRED"),
        ("context.source.content_sha256", "MALFORMED_DIGEST"),
    ]


def test_amending_a_patient_needs_a_reason_and_a_change() -> None:
    """No reason: refused. Nothing changed: no event."""
    stream = Stream(PATIENT, patient())
    assert stream.refused(AmendPatient(PATIENT, PatientDetails(), "")) == (
        RefusalKind.INVALID,
        [("reason", "REQUIRED")],
    )
    assert stream.when(AmendPatient(PATIENT, PatientDetails(name="N. N."), "checked")).events == ()
    stream.when(AmendPatient(PATIENT, PatientDetails(name="M. M."), "married"))
    assert stream.last_events == ["PatientAmended"]


def test_a_record_fixes_what_the_archive_will_need() -> None:
    """Front-end control: identity, case number, retention class and pack version are fixed at registration."""
    stream = registered(identity=IdentityStatus.UNVERIFIED)
    record = stream.record
    assert record.phase is Phase.REGISTERED
    assert (record.case_number, record.identity) == ("MRN-1", IdentityStatus.UNVERIFIED)
    assert (record.retention_class, record.rule_pack, record.rule_pack_version) == ("inpatient", "cn-2010", 1)


def test_a_visit_is_claimed_and_found_by_its_case_number() -> None:
    """A record is unique by case number, visit type and sequence; the claims of one case number form a group.

    The patient is bumped, so that whatever is decided over all records of a patient sees each registration.
    """
    decision = Stream().when(VISIT, patient=patient(), patient_bumps=3)
    assert decision.reservations == (
        Claim("visit", ("MRN-1", "INPATIENT", "1"), group=("MRN-1",)),
        Bump("patient", (str(PATIENT),), 3),
    )


def test_a_record_needs_a_known_patient() -> None:
    """No such patient: NOT_FOUND by name of the field."""
    assert Stream().refused(VISIT) == (RefusalKind.NOT_FOUND, [("patient_id", "UNKNOWN_PATIENT")])


def test_what_can_never_be_done_is_said_first() -> None:
    """A malformed command is INVALID even where a thing that it names is missing too; both are named."""
    kind, faults = Stream().refused(RegisterRecord(PATIENT, VisitType.INPATIENT, 0, ""))
    assert kind is RefusalKind.INVALID
    assert [rule for _, rule in faults] == ["UNKNOWN_PATIENT", "OUT_OF_RANGE", "REQUIRED"]


def test_a_registered_visit_of_a_source_is_not_registered_again() -> None:
    """Same source item and digest: no event. Another digest: refused, since a registration is never changed."""
    stream = registered(source=source())
    known = ClaimedItem(RECORD, None, DIGEST, Taken.RECORD)
    assert stream.when(VISIT, patient=patient(), source=source(), claimed=known).events == ()
    kind, faults = stream.refused(VISIT, patient=patient(), source=source(OTHER_DIGEST), claimed=known)
    assert (kind, faults) == (RefusalKind.STATE, [("context.source", "SOURCE_CHANGED")])


def test_a_source_item_is_no_record_of_somebody_else() -> None:
    """A source item that made another patient's record is not answered with that record."""
    stream = registered(source=source())
    other = replace(VISIT, patient_id=UUID(int=9))
    known = ClaimedItem(RECORD, None, DIGEST, Taken.RECORD)
    kind, faults = stream.refused(other, patient=patient(), source=source(), claimed=known)
    assert (kind, faults) == (RefusalKind.STATE, [("patient_id", "SOURCE_ELSEWHERE")])


@pytest.mark.parametrize(("sequence", "taken"), [(0, False), (1, True), (100_000, True), (100_001, False)])
def test_visits_are_counted_within_bounds(sequence: int, taken: bool) -> None:
    """Given a running number of a visit, only 1 to 100,000 is taken."""
    visit = replace(VISIT, visit_sequence=sequence)
    if taken:
        assert Stream().when(visit, patient=patient()).events
    else:
        refusal = Stream().refused(visit, patient=patient())
        assert refusal == (RefusalKind.INVALID, [("visit_sequence", "OUT_OF_RANGE")])


def test_an_item_that_made_something_else_registers_nothing() -> None:
    """Given an item taken by another kind of command, when patient or record come with it, both are refused."""
    begun = ClaimedItem(RECORD, None, DIGEST, Taken.CARE_START)
    refusal = (RefusalKind.STATE, [("context.source", "SOURCE_ELSEWHERE")])
    assert registered().refused(VISIT, patient=patient(), source=source(), claimed=begun) == refusal
    assert registered().refused(REGISTER, source=source(), claimed=begun) == refusal


def test_a_command_for_a_record_does_not_act_on_a_patient() -> None:
    """The id of a stream of another kind is answered like an unknown one."""
    stream = Stream(PATIENT, patient())
    kind, faults = stream.refused(StartCare(PATIENT, "cardiology", "", None, ""))
    assert (kind, faults) == (RefusalKind.NOT_FOUND, [("record_id", "WRONG_STREAM")])


def test_identity_never_holds_care_back() -> None:
    """An unidentified patient is cared for and written about like any other."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.entry()
    assert stream.record.phase is Phase.ACTIVE
    assert stream.record.started_at is not None
    assert stream.record.started_at < NOW


@pytest.mark.parametrize("said", ["", "1950", "1950-02", "1950-02-28", "2026-03-02"])
def test_a_birth_date_may_be_known_in_part(said: str) -> None:
    """A year, a month, a day; also the day that has begun in the east. NOW is noon of 1 March, UTC."""
    assert Stream().when(replace(REGISTER, details=PatientDetails(birth_date=said))).events


@pytest.mark.parametrize(
    "said", ["nonsense", "50", "1950-13", "1950-02-30", "1950-2-3", "1950-01-01T00:00:00Z", "٢٠٢٦"]
)
def test_a_birth_date_that_is_none_is_refused(said: str) -> None:
    """No date of ISO 8601, or no day of the calendar."""
    _, faults = Stream().refused(replace(REGISTER, details=PatientDetails(birth_date=said)))
    assert faults == [("details.birth_date", "MALFORMED_DATE")]


@pytest.mark.parametrize("said", ["2026-03-03", "2026-04", "2027"])
def test_nobody_is_born_after_today(said: str) -> None:
    """Wherever the hospital lies."""
    _, faults = Stream().refused(replace(REGISTER, details=PatientDetails(birth_date=said)))
    assert faults == [("details.birth_date", "TIME_IN_FUTURE")]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (NOW.isoformat(), None),
        ("2026-03-01T13:05:00+01:00", None),
        ("2026-02", None),
        ((NOW + timedelta(minutes=5)).isoformat(), None),
        ((NOW + timedelta(minutes=5, seconds=1)).isoformat(), "TIME_IN_FUTURE"),
        ("2026-03-01T11:00:00", "MALFORMED_DATE"),
        ("2026-03-01T25:00:00Z", "MALFORMED_DATE"),
        ("<b>", "MALFORMED_DATE"),
    ],
)
def test_a_death_has_a_time_with_its_offset(said: str, rule: str | None) -> None:
    """Or a date; up to the five minutes that clocks may differ."""
    command = replace(REGISTER, details=PatientDetails(deceased_at=said))
    if rule is None:
        assert Stream().when(command).events
    else:
        assert Stream().refused(command)[1] == [("details.deceased_at", rule)]


def _merged() -> PatientState:
    """A patient who goes on as another one."""
    gone = patient()
    assert isinstance(gone, PatientState)
    return replace(gone, merged_into=SURVIVOR)


def test_nothing_new_is_filed_under_who_was_merged_away() -> None:
    """A new visit, and a stay that is identified, are the survivor's, whom the refusal names."""
    merged = (RefusalKind.STATE, [("patient_id", "MERGED")])
    with pytest.raises(Refused, match="MERGED") as refused:
        decide(VISIT, None, facts(patient=_merged()))
    assert str(SURVIVOR) in refused.value.violations[0].text
    unknown = active(identity=IdentityStatus.UNVERIFIED)
    assert unknown.refused(IdentifyPatient(RECORD, PATIENT), patient=_merged()) == merged
    Stream().when(VISIT, patient=replace(_merged(), merged_into=None))


def test_a_source_of_who_was_merged_away_is_led_to_the_survivor() -> None:
    """The same again and other data alike; what it says stays with the half whose item it is."""
    known = ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT)
    for digest, events in ((DIGEST, []), (OTHER_DIGEST, ["DetailsStated", "PatientAmended"])):
        stream = Stream(PATIENT, _merged())
        decision = stream.when(REGISTER, source=source(digest), claimed=known)
        assert (decision.stream_id, stream.last_events) == (PATIENT, events)
        assert decision.result == {"recognised_id": SURVIVOR}


def test_a_visit_of_the_absorbed_half_is_known_again_as_the_survivors() -> None:
    """Its item is not registered once more, whichever of the two is named."""
    stream = registered(source=source())
    known: dict[str, Any] = {"source": source(), "claimed": ClaimedItem(RECORD, None, DIGEST, Taken.RECORD)}
    survivor = patient()
    assert isinstance(survivor, PatientState)
    survivor = replace(survivor, absorbed=frozenset({PATIENT}))
    assert stream.when(replace(VISIT, patient_id=SURVIVOR), patient=survivor, **known).events == ()
    assert stream.when(VISIT, patient=_merged(), **known).events == ()
