"""A patient's name, birth, gender and death: the desk before who registered, and that before who came later."""

from __future__ import annotations

from dataclasses import asdict, replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Bearer, Claim, ClaimedItem, Decision
from ledger.domain.events import PatientAmended
from ledger.domain.identity_events import DetailsStated
from ledger.domain.patient_identifiers import identifiers_named
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.stated_details import Said, differing, said_in
from ledger.domain.values import EventMeta, IdentityStatus, PatientDetails, PatientIdentifier, SourceItem
from tests.unit.domain.given import NOW, PATIENT, PHYSICIAN, Stream

PASSPORT = PatientIdentifier("urn:passport", "P-1")
NUMBERS = {"his": PatientIdentifier("urn:his", "MRN-1"), "lab": PatientIdentifier("urn:lab", "Y-7")}
NUMBERS["pacs"] = PatientIdentifier("urn:pacs", "X-3")
FULL = Said("Li Wei", "1950-01-02", "male")
NOTHING = Said()


class Patient:
    """A patient of whom the desk and several systems speak; each system has one item."""

    def __init__(self, registered: Said | None = None) -> None:
        self.stream = Stream(PATIENT)
        self.said = 0
        self.systems: list[str] = []
        if registered is not None:
            command = RegisterPatient("MRN-1", IdentityStatus.MATCHED, details(registered))
            self.stream.when(command, bearers=(None,))

    def says(self, system: str, said: Said, *, likeness_claimed: bool = False) -> Decision:
        """The system's item says this."""
        self.said += 1
        known = system in self.systems
        claimed = ClaimedItem(PATIENT, None, bytes(32), Taken.PATIENT) if known else None
        self.systems += [] if known else [system]
        command = RegisterPatient(NUMBERS[system].value, IdentityStatus.MATCHED, details(said, NUMBERS[system]))
        item = SourceItem(system, "Patient", "p-1", bytes([self.said]) * 32)
        bearer = Bearer(PATIENT) if self.stream.state else None
        bearers = tuple(bearer for _ in identifiers_named(command, self.stream.state if known else None))
        return self.stream.when(
            command, source=item, claimed=claimed, bearers=bearers, likeness_claimed=likeness_claimed
        )

    def amended(self, said: Said) -> Decision:
        """The desk says this."""
        data = replace(self.state.details, **asdict(said))
        bearers = tuple(Bearer(PATIENT) for _ in data.identifiers)
        seen = self.state.version
        return self.stream.when(
            AmendPatient(PATIENT, data, "shown at the desk"), bearers=bearers, expected_version=seen
        )

    @property
    def state(self) -> PatientState:
        """What is known."""
        assert isinstance(self.stream.state, PatientState)
        return self.stream.state

    @property
    def shown(self) -> Said:
        """What is in force."""
        return said_in(self.state.details)


def details(said: Said, *identifiers: PatientIdentifier) -> PatientDetails:
    """The data of a command."""
    return PatientDetails((PASSPORT, *identifiers), **asdict(said))


def likeness_claim(said: Said) -> Claim:
    """By which the patient is found as one who may be the same."""
    alike = (said.name.casefold(), said.birth_date, said.gender)
    return Claim("alike", (*alike, str(PATIENT)), group=alike)


def two_systems(second: Said = NOTHING) -> Patient:
    """One registered the patient with all it knows, the other was led to it by the passport."""
    patient = Patient()
    patient.says("his", FULL)
    patient.says("lab", second)
    return patient


def test_who_is_led_to_a_patient_wipes_and_overwrites_nothing() -> None:
    """Whatever a laboratory does not know, or knows otherwise, at first and at each later word."""
    patient = two_systems()
    for said in (NOTHING, Said("LI,WEI", "1951-01-02", "female"), Said("LI,WEI")):
        patient.says("lab", said)
        assert patient.shown == FULL


def test_what_nobody_else_says_is_in_force() -> None:
    """A blank is no word: what the first leaves open the next one says, and may take back."""
    patient = two_systems(Said(deceased_at="2026-02-01"))
    assert patient.shown == replace(FULL, deceased_at="2026-02-01")
    patient.says("lab", NOTHING)
    assert patient.shown == FULL


def test_a_source_changes_what_it_said_itself() -> None:
    """Also to a blank: then the next one's word shows, and after that of whoever came third."""
    patient = two_systems(Said("LI,WEI", "1951"))
    patient.says("pacs", Said("WEI LI", "1952"))
    patient.says("his", replace(FULL, name="Li Wai"))
    assert patient.shown == replace(FULL, name="Li Wai")
    patient.says("his", Said(birth_date="1950-01-02"))
    assert patient.shown == Said("LI,WEI", "1950-01-02")
    patient.says("lab", NOTHING)
    assert patient.shown == Said("WEI LI", "1950-01-02")


def test_the_desk_decides_over_every_source() -> None:
    """What it changes stays until it is changed there; what it leaves stays the source's."""
    patient = two_systems(Said("LI,WEI"))
    patient.amended(replace(FULL, birth_date="1949-12-31"))
    patient.says("his", Said("Li Wai", "1950-01-03", "male"))
    assert patient.shown == Said("Li Wai", "1949-12-31", "male")


def test_what_the_desk_struck_out_does_not_come_back_by_being_said_again() -> None:
    """Nobody is dead again because a system has not heard of the mistake; another date is another word."""
    dead = replace(FULL, deceased_at="2026-02-01")
    patient = Patient()
    patient.says("his", dead)
    patient.says("lab", dead)
    patient.amended(FULL)
    for system in ("his", "lab"):
        patient.says(system, dead)
        assert patient.shown == FULL
    patient.says("lab", replace(FULL, deceased_at="2026-02-20"))
    assert patient.shown.deceased_at == "2026-02-20"


def test_who_says_something_else_is_told() -> None:
    """Whoever reads the patient sees the contradiction, and none where a source knows less."""
    patient = two_systems(Said("Li Wei"))
    assert not [*differing(patient.state.said)]
    patient.says("lab", Said("Li Wei", "1951-01-02"))
    assert [*differing(patient.state.said)] == [(("lab", "Patient", "p-1"), Said("Li Wei", "1951-01-02"))]
    patient.amended(replace(FULL, birth_date="1951-01-02"))
    assert [*differing(patient.state.said)] == [(("his", "Patient", "p-1"), FULL)]


def test_unknown_and_half_a_date_stand_in_nobodys_way() -> None:
    """Whoever knows more is heard, after the desk too; nobody contradicts by knowing less; the match follows."""
    vague = Said("Li Wei", "1950", "unknown", "2026-02")
    patient = Patient(vague)
    for deceased, shown in (("2026-02-03", "2026-02-03"), ("2026-02-03T09:00:00Z", "2026-02-03T09:00:00Z")):
        decision = patient.says("his", replace(FULL, deceased_at=deceased))
        assert patient.shown == replace(FULL, deceased_at=shown)
        assert not [*differing(patient.state.said)]
        assert likeness_claim(FULL) in decision.reservations
    patient.says("lab", Said(birth_date="1950-03", gender="female", deceased_at="2026"))
    assert patient.shown.birth_date == "1950-01-02"
    assert [item[0] for item, _ in differing(patient.state.said) if item] == ["lab"]
    patient.says("lab", Said(birth_date="1950-01", gender="unknown"))
    assert not [*differing(patient.state.said)]


def test_the_desk_says_that_less_is_known() -> None:
    """Half a date and an unknown gender strike out what said more, and nothing that is said anew."""
    patient = two_systems()
    less = replace(FULL, birth_date="1950", gender="unknown")
    patient.amended(less)
    patient.says("lab", FULL)
    assert patient.shown == less
    patient.says("lab", replace(FULL, birth_date="1950-03", gender="female"))
    assert patient.shown == replace(FULL, birth_date="1950-03", gender="female")


def test_a_lesser_word_that_an_earlier_release_kept_in_force_takes_no_word_away() -> None:
    """The first word was in force there whatever the next one knew: that is heard with the next item."""
    patient = Patient()
    patient.says("his", replace(FULL, gender="unknown"))
    item = SourceItem("lab", "Patient", "p-1", bytes(32))
    meta = EventMeta(PHYSICIAN, NOW, UUID(int=4), source=item)
    patient.stream.apply(DetailsStated(meta, gender="female"))
    patient.stream.apply(PatientAmended(meta, patient.state.details, "the source says something else now"))
    assert patient.shown.gender == "unknown"
    patient.says("pacs", NOTHING)
    assert patient.shown.gender == "female"


def test_its_word_is_stored_only_where_the_amendment_does_not_tell() -> None:
    """One source's own change is one event; what is outdone, or confirms, is an event beside it, before it."""
    patient = Patient()
    patient.says("his", FULL)
    patient.says("his", replace(FULL, name="Li Wai"))
    assert patient.stream.last_events == ["PatientAmended"]
    patient.says("lab", FULL)
    assert patient.stream.last_events == ["DetailsStated", "PatientAmended", "IdentifiersStated"]
    first = patient.stream.events[-3]
    assert isinstance(first, DetailsStated)
    assert Said(first.name, first.birth_date, first.gender, first.deceased_at) == FULL


def test_what_an_earlier_release_let_a_source_overwrite_stays_until_its_owner_speaks() -> None:
    """Its bodies mean what they meant: the later data are in force, blanks too."""
    patient = two_systems()
    wiped = PatientDetails(patient.state.details.identifiers, "LI,WEI")
    item = SourceItem("lab", "Patient", "p-1", bytes(32))
    meta = EventMeta(PHYSICIAN, NOW, UUID(int=4), source=item)
    patient.stream.apply(PatientAmended(meta, wiped, "the source says something else now"))
    assert patient.shown == Said("LI,WEI")
    patient.says("lab", Said("LI WEI"))
    assert patient.shown == Said("LI WEI")
    patient.says("his", FULL)
    assert patient.shown == FULL


def test_who_is_called_otherwise_now_is_found_by_it() -> None:
    """By the desk, a source, or a field that was missing; once, however often the name goes back and forth."""
    patient = Patient(replace(FULL, birth_date=""))
    assert likeness_claim(FULL) in patient.says("his", FULL).reservations
    renamed = patient.amended(replace(FULL, name="Li Wai"))
    assert [each.parts[0] for each in renamed.reservations if each.kind == "alike"] == ["li wai"]
    again = two_systems().says("his", replace(FULL, name="Li Wai"), likeness_claimed=True)
    assert not [each for each in again.reservations if each.kind == "alike"]
    moved = two_systems().says("his", replace(FULL, name="Li Wai"))
    assert [each.parts[0] for each in moved.reservations if each.kind == "alike"] == ["li wai"]


def more(value: str, than: str) -> bool:
    """Whether one of the words below says more than the other."""
    return (than, value) in {("1950", "1950-03"), ("unknown", "male"), ("unknown", "female")} or bool(
        value > than == ""
    )


said_words = st.builds(
    Said,
    st.sampled_from(("", "A", "B")),
    st.sampled_from(("", "1950", "1951", "1950-03")),
    st.sampled_from(("", "male", "female", "unknown")),
    st.sampled_from(("", "2026-02-01", "2026-02-20")),
)


@settings(max_examples=80, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(("his", "lab", "pacs", "desk")), said_words), min_size=1, max_size=8),
)
def test_no_word_is_lost_and_the_first_of_them_shows(by_desk: bool, sayings: list[tuple[str, Said]]) -> None:
    """Of each field: the desk's word, else the first that it did not strike out, or what says more."""
    patient, desk, struck = Patient(FULL if by_desk else None), FULL if by_desk else NOTHING, set[tuple[str, str]]()
    last: dict[str, Said] = {}
    if not by_desk:
        patient.says("his", FULL)
        last["his"] = FULL
    for who, said in sayings:
        if who != "desk":
            patient.says(who, said)
            if who in last or said != NOTHING:
                last[who] = said
        elif said != (before := patient.shown):
            patient.amended(said)
            for name, value in asdict(said).items():
                if value != asdict(before)[name]:
                    words = (*last.values(), desk)
                    struck |= {(name, asdict(each)[name]) for each in words if more(asdict(each)[name], value)}
                    desk = replace(desk, **{name: value})
        heard = [
            {name: value for name, value in asdict(each).items() if (name, value) not in struck}
            for each in last.values()
        ]
        expected = dict.fromkeys(asdict(FULL), "")
        for each in (asdict(desk), *heard):
            expected |= {name: value for name, value in each.items() if more(value, expected[name])}
        assert asdict(patient.shown) == expected
