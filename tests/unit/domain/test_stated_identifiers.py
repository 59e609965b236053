"""Each source takes back the identifiers that it gave, always, and never what another gave."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Bearer, ClaimedItem, Swap
from ledger.domain.patient_identifiers import NOBODY, identifiers_named
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.values import IdentityStatus, PatientDetails, PatientIdentifier, SourceItem
from tests.unit.domain.given import PATIENT, Stream

Name = tuple[str, str]
PASSPORT, OTHER_PASSPORT = ("urn:passport", "P-1"), ("urn:passport", "P-2")
LAB_NUMBER, CARD = ("urn:lab", "Y-7"), ("urn:card", "K-3")
NUMBERS = {"his": "MRN-1", "lab": "Y-7"}


class Patient:
    """A patient of whom several systems speak; every identifier is borne by whoever claimed it."""

    def __init__(self) -> None:
        self.stream = Stream(PATIENT)
        self.said = 0
        self.systems = set[str]()

    def says(self, system: str, *identifiers: Name) -> list[Name]:
        """The system's item says these; the identifiers whose claims it frees."""
        self.said += 1
        item = SourceItem(system, "Patient", "p-1", bytes([self.said]) * 32)
        before = ClaimedItem(PATIENT, None, bytes(32), Taken.PATIENT)
        first = system not in self.systems
        self.systems.add(system)
        command = RegisterPatient(NUMBERS[system], IdentityStatus.MATCHED, details(*identifiers))
        amended = self.stream.state if not first else None
        borne = set(self.identifiers())
        bearers = tuple(Bearer(PATIENT) if each in borne else None for each in identifiers_named(command, amended))
        decision = self.stream.when(command, source=item, claimed=None if first else before, bearers=bearers)
        freed = (each for each in decision.reservations if isinstance(each, Swap) and each.value == NOBODY)
        return [(system, value) for each in freed for system, value in [each.parts]]

    def amended(self, *identifiers: Name) -> None:
        """The desk says these."""
        command = AmendPatient(PATIENT, details(*identifiers), "shown at the desk")
        named = identifiers_named(command, self.stream.state)
        borne = set(self.identifiers())
        self.stream.when(command, bearers=tuple(Bearer(PATIENT) if each in borne else None for each in named))

    def identifiers(self) -> list[Name]:
        """What the patient bears."""
        state = self.stream.state
        return (
            [(each.system, each.value) for each in state.details.identifiers] if isinstance(state, PatientState) else []
        )


def details(*identifiers: Name) -> PatientDetails:
    """A patient's data with these."""
    return PatientDetails(tuple(PatientIdentifier(*each) for each in identifiers), "N. N.")


def two_systems() -> Patient:
    """One registered the patient, the other was led to it by the passport and has a number of its own."""
    patient = Patient()
    patient.says("his", PASSPORT)
    patient.says("lab", PASSPORT, LAB_NUMBER)
    return patient


def test_a_source_that_says_its_own_again_takes_nothing_of_anothers() -> None:
    """Another address at the desk of the first: the number of the laboratory stays, and leads its results here."""
    patient = two_systems()
    assert patient.says("his", PASSPORT) == []
    assert patient.identifiers() == [PASSPORT, LAB_NUMBER]
    assert patient.says("his", CARD) == []
    assert patient.identifiers() == [PASSPORT, LAB_NUMBER, CARD]


def test_what_a_source_took_back_is_free_under_a_number_of_its_own_too() -> None:
    """Who bears the passport by right is led to no stranger's record."""
    patient = Patient()
    patient.says("his", PASSPORT)
    patient.says("lab", PASSPORT, LAB_NUMBER, OTHER_PASSPORT)
    assert patient.says("lab", PASSPORT, LAB_NUMBER) == [OTHER_PASSPORT]
    assert patient.identifiers() == [PASSPORT, LAB_NUMBER]


def test_what_two_say_stays_until_both_took_it_back() -> None:
    """In either order; the number by which a source knows the patient it never takes back by leaving it out."""
    patient = two_systems()
    assert patient.says("his", CARD) == []
    assert patient.says("lab", LAB_NUMBER) == [PASSPORT]
    assert patient.says("lab", PASSPORT) == []
    assert patient.identifiers() == [LAB_NUMBER, CARD, PASSPORT]


def test_the_desk_decides_over_every_source_and_no_source_over_the_desk() -> None:
    """What it strikes out nobody states; what it adds no source takes back; what it leaves stays the source's."""
    patient = two_systems()
    patient.amended(LAB_NUMBER, CARD)
    assert patient.says("his", CARD) == []
    assert patient.says("his") == []
    assert patient.identifiers() == [LAB_NUMBER, CARD]
    assert patient.says("lab", LAB_NUMBER, OTHER_PASSPORT) == []
    assert patient.says("lab", LAB_NUMBER) == [OTHER_PASSPORT]


def test_what_an_earlier_release_wrote_is_read_by_what_came_with_each_amendment() -> None:
    """It said no more than that: what was new with a source's amendment is that source's."""
    patient = two_systems()
    events = [each for each in patient.stream.events if type(each).__name__ != "IdentifiersStated"]
    assert len(events) == len(patient.stream.events) - 1
    patient.stream = Stream(PATIENT)
    for event in events:
        patient.stream.apply(event)
    assert patient.says("his") == [PASSPORT]
    assert patient.identifiers() == [LAB_NUMBER]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("his", "lab")), st.sets(st.sampled_from((PASSPORT, OTHER_PASSPORT, CARD)), max_size=3)
        ),
        max_size=8,
    )
)
def test_a_patient_bears_what_some_source_says_now(sayings: list[tuple[str, set[Name]]]) -> None:
    """After any sayings of two sources: the union of their last ones, each identifier once, and every other freed."""
    patient, last = two_systems(), {"his": {PASSPORT}, "lab": {PASSPORT, LAB_NUMBER}}
    for system, said in sayings:
        own = {LAB_NUMBER} if system == "lab" else set[Name]()
        before = set(patient.identifiers())
        freed = patient.says(system, *sorted(said))
        last[system] = said | own
        borne = patient.identifiers()
        assert sorted(borne) == sorted(last["his"] | last["lab"])
        assert set(freed) == before - set(borne)
