"""An item that a mistyped identifier led to the wrong patient is taken back by a person, as if it had never spoken."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import RegisterPatient
from ledger.domain.decision import Bearer, ClaimedItem, Decision, Swap
from ledger.domain.events import PatientAmended, PatientRegistered
from ledger.domain.identity_commands import WithdrawRecognition
from ledger.domain.patient_identifiers import NOBODY, identifiers_named
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken, encode_claim
from ledger.domain.stated_details import Said
from ledger.domain.values import EventMeta, IdentityStatus, PatientDetails, PatientIdentifier, SourceItem
from tests.unit.domain.given import ARCHIVIST, DIGEST, NOW, OTHER_DIGEST, PATIENT, PHYSICIAN, Stream, patient, source
from tests.unit.domain.test_registration import VISIT
from tests.unit.domain.test_stated_details import FULL, NOTHING, NUMBERS, Patient, said_words, two_systems

OTHER = UUID(int=555)
STRANGER = Said("Wu Mei", "1980-05-06", "female", "2026-02-01")
FREE = ClaimedItem(PATIENT, None, DIGEST, Taken.FREED)
PASSPORT = PatientIdentifier("urn:passport", "P-2")
BROUGHT = RegisterPatient("Y-7", IdentityStatus.MATCHED, PatientDetails((PASSPORT,), "Wu Mei"))


def withdraw(known: Patient, system: str = "lab", held: ClaimedItem | None = None, **given: Any) -> Decision:
    """The item of that system is about somebody else."""
    command = WithdrawRecognition(PATIENT, system, "Patient", "p-1", "a slip in the passport")
    bearers = tuple(Bearer(PATIENT) for _ in identifiers_named(command, known.state))
    claimed = held or ClaimedItem(PATIENT, None, DIGEST, Taken.PATIENT)
    known.systems.remove(system)
    return known.stream.when(command, actor=ARCHIVIST, bearers=bearers, claimed=claimed, **given)


def test_what_the_item_said_goes_with_it() -> None:
    """Death and number of the stranger; what others say too stays, and the item and its number are free."""
    known = two_systems(STRANGER)
    assert known.shown.deceased_at == "2026-02-01"
    decision = withdraw(known)
    assert known.shown == FULL
    assert known.stream.last_events == ["RecognitionWithdrawn", "PatientAmended"]
    assert [each.value for each in known.state.details.identifiers] == ["P-1", "MRN-1"]
    held, free = encode_claim(Taken.PATIENT, None, DIGEST), encode_claim(Taken.FREED, None, DIGEST)
    number = NUMBERS["lab"]
    assert decision.reservations[:2] == (
        Swap("source", ("lab", "Patient", "p-1"), held, free),
        Swap("identifier", (number.system, number.value), b"", NOBODY),
    )


def test_the_desk_has_said_nothing_by_it() -> None:
    """What is in force afterwards is everybody's own word still: the source changes what it said."""
    known = two_systems(STRANGER)
    withdraw(known)
    known.says("his", replace(FULL, name="Li Wai"))
    assert known.shown == replace(FULL, name="Li Wai")


def test_an_item_that_changed_nothing_is_one_event() -> None:
    """Another source gives the same identifiers, so nothing else is in force than before."""
    known = two_systems()
    his, lab = known.state.stated
    shared = known.state.stated[his] | known.state.stated[lab]
    known.stream.state = replace(known.state, stated={his: shared, lab: shared})
    withdraw(known)
    assert known.stream.last_events == ["RecognitionWithdrawn"]


def test_an_item_whose_claim_is_not_the_patients_frees_none() -> None:
    """An earlier release let an item speak at the desk that was led elsewhere, or nowhere."""
    elsewhere = ClaimedItem(OTHER, None, DIGEST, Taken.PATIENT)
    for held in (elsewhere, replace(elsewhere, stream_id=PATIENT, taken=Taken.RECORD)):
        decision = withdraw(two_systems(STRANGER), held=held)
        assert not [each for each in decision.reservations if each.kind == "source"]


@pytest.mark.parametrize("name", [("his", "Patient", "p-1"), ("pacs", "Patient", "p-1")])
def test_who_registered_the_patient_was_led_to_nobody(name: tuple[str, str, str]) -> None:
    """Nor was who never spoke; every fault is named."""
    command = WithdrawRecognition(PATIENT, *name, "")
    faults = two_systems().stream.refused(command, actor=ARCHIVIST)[1]
    assert faults == [("reason", "REQUIRED"), ("id", "NOT_RECOGNISED")]


def test_it_is_not_withdrawn_tomorrow() -> None:
    """Like every command."""
    command = WithdrawRecognition(PATIENT, "lab", "Patient", "p-1", "a slip")
    ahead = NOW.replace(year=NOW.year + 1)
    faults = two_systems().stream.refused(command, actor=ARCHIVIST, occurred_at=ahead)[1]
    assert faults == [("context.occurred_at", "TIME_IN_FUTURE")]


def test_a_freed_item_registers_its_own_patient_who_keeps_it() -> None:
    """The claim says whose it is now, also once the item says something else, until that is taken back too."""
    stream = Stream(PATIENT)
    decision = stream.when(BROUGHT, source=source(OTHER_DIGEST), claimed=FREE, bearers=(None,))
    assert stream.last_events == ["PatientRegistered"]
    parts, own = ("his", "DocumentReference", "doc-1"), decision.stream_id
    free, moved = encode_claim(Taken.FREED, None, DIGEST), encode_claim(Taken.PATIENT, own, OTHER_DIGEST)
    assert Swap("source", parts, free, moved) in decision.reservations
    held = ClaimedItem(own, own, OTHER_DIGEST, Taken.PATIENT)
    amended = stream.when(BROUGHT, source=source(), claimed=held, bearers=(Bearer(own),))
    assert amended.stream_id == own
    assert Swap("source", parts, moved, encode_claim(Taken.PATIENT, own, DIGEST)) in amended.reservations


def test_a_freed_item_is_led_to_who_bears_its_identifiers_now() -> None:
    """The same content again too: it is no repetition of what was taken back."""
    stream = Stream(PATIENT, patient())
    decision = stream.when(BROUGHT, source=source(), claimed=FREE, bearers=(Bearer(PATIENT),))
    assert decision.result == {"recognised_id": PATIENT}
    moved = encode_claim(Taken.PATIENT, PATIENT, DIGEST)
    assert Swap("source", ("his", "DocumentReference", "doc-1"), encode_claim(FREE.taken, None, DIGEST), moved) in (
        decision.reservations
    )
    two = replace(BROUGHT, details=PatientDetails((PASSPORT, NUMBERS["lab"])))
    faults = stream.refused(two, source=source(), claimed=FREE, bearers=(Bearer(PATIENT), Bearer(OTHER)))[1]
    assert faults == [("details.identifiers", "IDENTIFIERS_OF_TWO")]


def test_an_item_that_was_taken_back_is_not_led_there_again() -> None:
    """Whatever its source goes on saying: it registers a patient of its own, who may be the first."""
    known = two_systems(STRANGER)
    withdraw(known)
    assert known.state.taken_back == {("lab", "Patient", "p-1")}
    of_two = replace(BROUGHT, details=PatientDetails((PASSPORT, NUMBERS["lab"]), "Wu Mei"))
    by = {"source": source(), "claimed": FREE, "not_about": frozenset({PATIENT}), "alike": (PATIENT, OTHER)}
    stream = Stream(OTHER)
    decision = stream.when(of_two, **by, bearers=(Bearer(PATIENT), None))
    assert isinstance(event := decision.events[0], PatientRegistered)
    assert event.details.identifiers == (NUMBERS["lab"],)
    assert decision.result == {"possible_matches": PATIENT.bytes + OTHER.bytes}
    assert [each.parts for each in decision.reservations if each.kind == "identifier"] == [("urn:lab", "Y-7")]


def test_an_item_that_was_taken_back_is_led_to_whom_else_it_names() -> None:
    """By an identifier of somebody else: what the first one bears is not given to that patient, who is told of it."""
    stream = Stream(PATIENT, patient())
    two = replace(BROUGHT, details=PatientDetails((PASSPORT, NUMBERS["lab"]), "Wu Mei"))
    by = {"source": source(), "claimed": FREE, "not_about": frozenset({OTHER})}
    decision = stream.when(two, **by, bearers=(Bearer(OTHER), Bearer(PATIENT)))
    assert decision.result == {"recognised_id": PATIENT, "possible_matches": OTHER.bytes}
    amended = next(each for each in decision.events if isinstance(each, PatientAmended))
    assert amended.details.identifiers == (NUMBERS["lab"],)
    assert not [each for each in decision.reservations if each.kind == "identifier"]


def test_a_freed_item_makes_nothing_but_a_patient() -> None:
    """It was a patient's, and stays one's."""
    refused = Stream().refused(VISIT, patient=patient(), source=source(), claimed=FREE)
    assert refused == (RefusalKind.STATE, [("context.source", "SOURCE_ELSEWHERE")])


def test_a_source_gives_nobody_what_another_patient_bears() -> None:
    """The corrected passport of who was led here by a slip is not this patient's; the halves of a merge are one."""
    stream = Stream(PATIENT, patient())
    corrected = replace(BROUGHT, case_number="MRN-1", details=PatientDetails((PASSPORT, NUMBERS["lab"])))
    held = ClaimedItem(PATIENT, None, OTHER_DIGEST, Taken.PATIENT)
    by = {"source": source(), "claimed": held}
    taken = stream.when(corrected, **by, bearers=(Bearer(OTHER), None))
    amended = next(each for each in taken.events if isinstance(each, PatientAmended))
    assert not {each.value for each in amended.details.identifiers} & {PASSPORT.value}
    # The rest of its word is taken, and care goes on: a person looks at who bears what it said.
    assert (NUMBERS["lab"] in amended.details.identifiers, taken.result["possible_matches"]) == (True, OTHER.bytes)
    assert stream.when(corrected, **by, bearers=(Bearer(OTHER, b"", PATIENT), None)).events
    merged = Stream(PATIENT, replace(patient(), merged_into=OTHER))
    assert merged.when(corrected, **by, bearers=(Bearer(OTHER), None)).events


def overwritten(known: Patient, system: str, said: Said) -> None:
    """An earlier release let a source's item take the place of what everybody said."""
    meta = EventMeta(PHYSICIAN, NOW, UUID(int=4), source=SourceItem(system, "Patient", "p-1", DIGEST))
    details = replace(known.state.details, **asdict(said))
    known.stream.apply(PatientAmended(meta, details, "the source says something else now"))


def test_what_an_earlier_release_let_the_item_overwrite_is_in_force_again() -> None:
    """The word of who has not spoken since; what was struck out at the desk is struck out again."""
    known = two_systems()
    known.says("pacs", Said(deceased_at="2026-02-20"))
    known.amended(FULL)
    assert known.shown == FULL
    overwritten(known, "lab", replace(STRANGER, deceased_at="2026-02-20"))
    known.says("his", replace(FULL, name="Li Wai"))
    assert known.shown == replace(FULL, name="Li Wai", deceased_at="2026-02-20")
    withdraw(known)
    assert known.shown == replace(FULL, name="Li Wai")


def test_what_was_overwritten_twice_stands_again_once_both_are_taken_back() -> None:
    """In either order: as long as one of them speaks in its place, of the name, the first word waits."""
    between = {("lab", "pacs"): replace(FULL, name="Wu"), ("pacs", "lab"): STRANGER}
    for (first, second), shown in between.items():
        known = two_systems()
        known.says("pacs", NOTHING)
        overwritten(known, "lab", STRANGER)
        overwritten(known, "pacs", replace(STRANGER, name="Wu"))
        withdraw(known, first)
        assert known.shown == shown
        withdraw(known, second)
        assert known.shown == FULL


def test_who_spoke_since_has_the_word_that_was_said_last() -> None:
    """Also where that is a blank: what was taken back by its owner does not come again."""
    known = two_systems()
    overwritten(known, "lab", STRANGER)
    known.says("his", Said("Li Wei"))
    withdraw(known)
    assert known.shown == Said("Li Wei")
    by_desk = two_systems()
    by_desk.amended(replace(FULL, name="Li Wai"))
    overwritten(by_desk, "lab", STRANGER)
    by_desk.amended(replace(STRANGER, name="Li"))
    withdraw(by_desk)
    assert by_desk.shown.name == "Li"


def test_what_the_desk_struck_out_while_it_waited_stays_out() -> None:
    """A death that an earlier release overwrote does not come back over the desk's word that there is none."""
    known = two_systems(Said(deceased_at="2026-02-01"))
    known.says("pacs", NOTHING)
    overwritten(known, "pacs", replace(FULL, deceased_at="2026-02-20"))
    known.amended(FULL)
    withdraw(known, "pacs")
    assert known.shown == FULL


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("lab", "pacs", "his", "overwrites")), said_words), max_size=8))
def test_it_is_as_if_the_item_had_never_spoken(sayings: list[tuple[str, Said]]) -> None:
    """Whatever the sources said before: the patient is as the others alone tell."""
    known, never = two_systems(STRANGER), Patient()
    never.says("his", FULL)
    for system, said in sayings:
        if system == "overwrites":
            overwritten(known, "lab", said)
            continue
        known.says(system, said)
        if system != "lab":
            never.says(system, said)
    withdraw(known)
    assert known.state.details.name == never.state.details.name
    assert (known.shown, known.state.said.said) == (never.shown, never.state.said.said)
    assert set(known.state.details.identifiers) == set(never.state.details.identifiers)
