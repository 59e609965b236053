"""Further items of an entry and what they state: claimed, moved, refused; links instead of second entries."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.commands import RecordEntry, RegisterPatient, RetractEntry
from ledger.domain.course_commands import LinkDuplicate
from ledger.domain.decision import Bearer, Claim, ClaimedItem, FactClaim, KnownFact, KnownItem, Swap
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken, encode_claim
from ledger.domain.values import HeldItem, IdentityStatus, PatientDetails, PatientIdentifier, SourceItem
from tests.unit.domain.given import (
    DIGEST,
    OTHER_DIGEST,
    PATIENT,
    RECORD,
    RESULT,
    Stream,
    active,
    registered,
    signed,
    source,
)

FACT = bytes([9]) * 32
ITEM = SourceItem("lab", "Observation", "o1", DIGEST)
PARTS = ("lab", "Observation", "o1")
ELSEWHERE = UUID(int=999)


def _command(*also: HeldItem) -> RecordEntry:
    return RecordEntry(RECORD, RESULT, signed(), also=also or (HeldItem(ITEM, FACT),))


def _held(entry_id: UUID, taken: Taken = Taken.MEMBER, stream_id: UUID = RECORD) -> KnownItem:
    return KnownItem(ClaimedItem(stream_id, entry_id, DIGEST, taken))


def _stated(holder: ClaimedItem | None, system: str = "his", *, own: bool = False) -> KnownItem:
    return KnownItem(None, KnownFact(b"stored", system, own, holder))


def test_a_new_item_and_its_fact_are_claimed_for_the_entry() -> None:
    """Both stand in the append transaction of the entry."""
    decision = active().when(_command())
    entry_id = decision.result["entry_id"]
    assert isinstance(entry_id, UUID)
    assert decision.reservations == (
        Claim("source", PARTS, encode_claim(Taken.MEMBER, entry_id, DIGEST)),
        FactClaim((str(PATIENT), FACT.hex()), ITEM),
    )


@pytest.mark.parametrize("taken", [Taken.MEMBER, Taken.LINKED])
def test_an_item_moves_between_entries_of_one_record(taken: Taken) -> None:
    """Its claim goes from the old entry, or link, to the new one."""
    stream = active()
    old = stream.entry(RESULT)
    decision = stream.when(_command(HeldItem(ITEM)), also=(_held(old, taken),))
    new = decision.result["entry_id"]
    assert isinstance(new, UUID)
    before, after = encode_claim(taken, old, DIGEST), encode_claim(Taken.MEMBER, new, DIGEST)
    assert decision.reservations == (Swap("source", PARTS, before, after),)


def test_an_item_that_something_else_holds_is_refused() -> None:
    """Another record's, one that a whole entry was made from, and one of a retracted entry."""
    stream = active()
    old = stream.entry(RESULT)
    for known in (_held(old, stream_id=ELSEWHERE), _held(old, Taken.ENTRY), _held(old, Taken.PATIENT)):
        assert stream.refused(_command(), also=(known,)) == (RefusalKind.STATE, [("also[0]", "SOURCE_ELSEWHERE")])
    stream.when(RetractEntry(RECORD, old, "wrong patient"))
    assert stream.refused(_command(), also=(_held(old),)) == (RefusalKind.STATE, [("also[0]", "ENTRY_RETRACTED")])


def test_every_malformed_item_is_named() -> None:
    """Empty names, digests of another length, an item twice, too many: all at once."""
    bad = HeldItem(SourceItem("", "Observation", "o2", b"x"), b"y")
    kind, faults = active().refused(_command(HeldItem(ITEM), bad, HeldItem(ITEM)))
    assert kind is RefusalKind.INVALID
    assert faults == [
        ("also[1].item.system", "REQUIRED"),
        ("also[1].item.content_sha256", "MALFORMED_DIGEST"),
        ("also[1].fact_sha256", "MALFORMED_DIGEST"),
        ("also[2]", "ITEM_TWICE"),
    ]
    many = tuple(HeldItem(replace(ITEM, id=str(number))) for number in range(501))
    assert active().refused(_command(*many)) == (RefusalKind.INVALID, [("also", "TOO_MANY_ITEMS")])


def test_a_fact_of_another_system_is_refused_at_its_item() -> None:
    """The client links the item; nothing is written a second time."""
    stream = active()
    holder = ClaimedItem(RECORD, stream.entry(RESULT), DIGEST, Taken.MEMBER)
    assert stream.refused(_command(), also=(_stated(holder),)) == (RefusalKind.TAKEN, [("also[0]", "DUPLICATE_FACT")])
    refused = stream.refused(
        RecordEntry(RECORD, RESULT, signed()), source=ITEM, fact_sha256=FACT, fact=_stated(holder).fact
    )
    assert refused == (RefusalKind.TAKEN, [("context.source", "DUPLICATE_FACT")])


def test_a_fact_that_nobody_states_any_more_is_free() -> None:
    """An item that says something else by now stands for nothing: the next one takes the fact over."""
    decision = active().when(_command(), also=(_stated(None),))
    assert decision.reservations[1] == FactClaim((str(PATIENT), FACT.hex()), ITEM, b"stored")


def test_two_results_of_one_system_are_two_results() -> None:
    """Neither a second item of the system nor two of one group are duplicates; one of them stands for the fact."""
    stream = active()
    holder = ClaimedItem(RECORD, stream.entry(RESULT), OTHER_DIGEST, Taken.MEMBER)
    decision = stream.when(_command(), also=(_stated(holder, "lab"),))
    assert [type(each) for each in decision.reservations] == [Claim]
    twin = HeldItem(replace(ITEM, id="o2"), FACT)
    decision = stream.when(_command(HeldItem(ITEM, FACT), twin))
    assert [type(each) for each in decision.reservations] == [Claim, FactClaim, Claim]


def test_a_retracted_entry_says_nothing_any_more() -> None:
    """What another system says is recorded although a hidden entry said it."""
    stream = active()
    holder = ClaimedItem(RECORD, stream.entry(RESULT), DIGEST, Taken.MEMBER)
    assert holder.entry_id
    stream.when(RetractEntry(RECORD, holder.entry_id, "wrong patient"))
    assert [type(each).__name__ for each in stream.when(_command(), also=(_stated(holder),)).events] == [
        "EntryRecorded"
    ]


def test_a_link_is_claimed_once_and_moves_in_its_record_only() -> None:
    """The same again adds nothing; an item from which a whole entry was made is never a link."""
    stream = active()
    entry_id = stream.entry(RESULT)
    decision = stream.when(LinkDuplicate(RECORD, entry_id), source=source())
    claim = Claim("source", ("his", "DocumentReference", "doc-1"), encode_claim(Taken.LINKED, entry_id, DIGEST))
    assert (stream.last_events, decision.reservations) == (["DuplicateLinked"], (claim,))
    held = ClaimedItem(RECORD, entry_id, DIGEST, Taken.LINKED)
    assert stream.when(LinkDuplicate(RECORD, entry_id), source=source(), claimed=held).events == ()
    assert stream.when(RecordEntry(RECORD, RESULT, signed()), source=source(), claimed=held).events == ()
    for other in (replace(held, stream_id=ELSEWHERE), replace(held, taken=Taken.ENTRY)):
        refused = stream.refused(LinkDuplicate(RECORD, entry_id), source=source(), claimed=other)
        assert refused == (RefusalKind.STATE, [("context.source", "SOURCE_ELSEWHERE")])


def test_a_visit_of_another_system_is_linked_to_the_record() -> None:
    """No entry is named: the item is another name of the record itself."""
    decision = active().when(LinkDuplicate(RECORD, None), source=source())
    assert decision.reservations[0] == Claim(
        "source", ("his", "DocumentReference", "doc-1"), encode_claim(Taken.LINKED, None, DIGEST)
    )
    assert registered().record


def test_an_item_that_was_linked_becomes_an_entry_when_it_says_something_else() -> None:
    """It is no correction of the entry that it was linked to."""
    stream = active()
    entry_id = stream.entry(RESULT)
    held = ClaimedItem(RECORD, entry_id, DIGEST, Taken.LINKED)
    decision = stream.when(RecordEntry(RECORD, RESULT, signed()), source=source(OTHER_DIGEST), claimed=held)
    assert stream.last_events == ["EntryRecorded"]
    assert decision.result["entry_id"] != entry_id


def test_an_exact_identifier_is_the_same_patient() -> None:
    """Identifiers are added and the case number stays; identifiers of two patients are refused."""
    stream = Stream(PATIENT)
    known = PatientDetails((PatientIdentifier("urn:id", "7"),), "N. N.", "1950-01-01", "female")
    stream.when(RegisterPatient("MRN-1", IdentityStatus.MATCHED, known))
    said = replace(known, identifiers=(*known.identifiers, PatientIdentifier("urn:lab", "L-1")), name="Other")
    command = RegisterPatient("L-1", IdentityStatus.MATCHED, said)
    decision = stream.when(command, source=ITEM, bearers=(Bearer(PATIENT), None))
    assert decision.result == {"recognised_id": PATIENT}
    assert [type(each).__name__ for each in decision.events] == ["DetailsStated", "PatientAmended", "IdentifiersStated"]
    assert Claim("identifier", ("urn:lab", "L-1")) in decision.reservations
    refused = stream.refused(command, source=ITEM, bearers=(Bearer(PATIENT), Bearer(ELSEWHERE)))
    assert refused == (RefusalKind.STATE, [("details.identifiers", "IDENTIFIERS_OF_TWO")])


def test_likeness_is_told_and_decides_nothing() -> None:
    """A patient of its own is registered; the answer names who may be the same."""
    alike = PatientDetails(name="N.  n.", birth_date="1950-01-01", gender="female")
    stream = Stream(PATIENT)
    decision = stream.when(RegisterPatient("MRN-2", IdentityStatus.MATCHED, alike), source=ITEM, alike=(ELSEWHERE,))
    assert decision.result == {"possible_matches": ELSEWHERE.bytes}
    assert stream.last_events == ["PatientRegistered"]
