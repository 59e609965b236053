"""Whose a provisional person's record is: who holds it as somebody else's is told, and nobody keeps it by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.application.hospital_ledger import EVENTS_PER_COMMAND_MAX
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import ArchiveRecord, Command, PassQuality, SubmitRecord
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide_holder import TOLD_MAX
from ledger.domain.decision import Bump, Claim, PackageFacts
from ledger.domain.handover import handed_over
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.identity_events import IdentificationWithdrawn
from ledger.domain.keeping_events import RecordSealed, SealExtended
from ledger.domain.keeping_values import DisposalOpinion, EntryRef, SealedVersion, SealMode, SealParty, UnsealGround
from ledger.domain.misnamed_offers import WRONG_NAME
from ledger.domain.sealed_versions import came_since
from ledger.domain.state import PatientState
from ledger.domain.transfer_commands import OfferTransfer, RecordTransferAnswer
from ledger.domain.transfer_events import TransferOutdated, TransferWithdrawn
from ledger.domain.use_events import CopiesOutdated
from ledger.domain.values import IdentityStatus, Phase, TransferAnswer, TransferKind, TransferState
from tests.unit.domain.given import (
    ARCHIVIST,
    DIGEST,
    HEAD,
    HEAD_OF_HOSPITAL,
    LIST,
    NOW,
    PATIENT,
    PATIENTS_SIDE,
    RECORD,
    STEWARD,
    SUPERVISORS,
    TERM,
    Stream,
    active,
    closed,
    patient,
    visit_of,
)
from tests.unit.domain.refusals import hold, leaves, made

WRONG, RIGHT = UUID(int=21), UUID(int=22)
LATER = NOW + TERM
NOBODY_KNOWN = WithdrawIdentification(RECORD, "his brother's papers", STEWARD)
CORRECTED = IdentifyPatient(RECORD, RIGHT, 0, "a namesake", STEWARD)


def known_as(case_number: str) -> PatientState:
    """A patient whose identity is established."""
    state = patient()
    assert isinstance(state, PatientState)
    return replace(state, case_number=case_number)


def taken_for_another(stream: Stream | None = None, number: int = 0) -> Stream:
    """The record of a provisional person who was taken for somebody."""
    stream = stream or active(identity=IdentityStatus.UNVERIFIED)
    stream.entry()
    stream.when(IdentifyPatient(RECORD, WRONG, number), patient=known_as("MRN-7"))
    return stream


def handed_out(stream: Stream) -> tuple[UUID, UUID]:
    """A copy, and a package that another hospital has."""
    copy_id = made(stream, keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy"), "copy_id")
    package = PackageFacts(stream.record.version, HEAD, stream.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    transfer_id = made(stream, offer, "transfer_id", counterpart_known=True, package=package)
    stream.when(RecordTransferAnswer(RECORD, transfer_id, "south", TransferAnswer.ACCEPTED, "", ""))
    return copy_id, transfer_id


@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_who_holds_it_under_the_wrong_name_is_told(command: Command) -> None:
    """Every hospital and every applicant, of no entry but of the whole; until somebody says that it was done."""
    stream = taken_for_another()
    copy_id, transfer_id = handed_out(stream)
    events = stream.when(command, patient=known_as("MRN-8")).events
    meta = events[0].meta
    assert events[-3:-1] == (TransferOutdated(meta, transfer_id, "south", None), CopiesOutdated(meta, (copy_id,), None))
    for holder in (copy_id, transfer_id):
        stream.when(keeping.RecordHolderTold(RECORD, holder, "by letter", stream.record.version))
        assert stream.last_events == ["HolderTold"]


def test_a_letter_of_before_does_not_tell_whose_it_is() -> None:
    """Who was written to of an earlier version waits to be told that it is somebody else's."""
    stream = taken_for_another()
    copy_id, transfer_id = handed_out(stream)
    written = stream.record.version
    stream.when(CORRECTED, patient=known_as("MRN-8"))
    for holder, news in ((copy_id, "CopiesOutdated"), (transfer_id, "TransferOutdated")):
        stream.when(keeping.RecordHolderTold(RECORD, holder, "by letter", written))
        assert stream.last_events == ["HolderTold", news]


def offered(stream: Stream, recipient: str = "south") -> UUID:
    """An offer that nobody has fetched."""
    package = PackageFacts(stream.record.version, HEAD, stream.record.version, DIGEST, 1234)
    offer = OfferTransfer(RECORD, recipient, TransferKind.REFERRAL, None)
    return made(stream, offer, "transfer_id", counterpart_known=True, package=package)


@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_what_is_offered_under_the_wrong_name_is_taken_back(command: Command) -> None:
    """Nobody fetches or accepts it any more; its reader is told, and nothing of why. What was completed stays."""
    stream = taken_for_another()
    _, done = handed_out(stream)
    fetched, waits = offered(stream, "east"), offered(stream, "west")
    stream.when(RecordTransferAnswer(RECORD, fetched, "east", TransferAnswer.VERIFIED, "", ""))
    events = stream.when(command, patient=known_as("MRN-8")).events
    told = [each.transfer_id for each in events if isinstance(each, TransferOutdated)]
    back = [each for each in events if isinstance(each, TransferWithdrawn)]
    assert told == [done, fetched, waits]
    assert [(each.transfer_id, each.counterpart, each.reason) for each in back] == [
        (fetched, "east", WRONG_NAME),
        (waits, "west", WRONG_NAME),
    ]
    assert stream.record.transfers[done].state is TransferState.COMPLETED
    now = (stream.record.patient_id, NOW)
    assert not any(handed_over(stream.record.transfers[each], *now) for each in (fetched, waits))
    answer = RecordTransferAnswer(RECORD, waits, "west", TransferAnswer.ACCEPTED, "", "")
    assert stream.refused(answer)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]


def test_what_an_earlier_release_left_out_under_the_wrong_name_is_taken_back_with_the_next() -> None:
    """It withdrew the identification and nothing else: whoever is named first finds the offer."""
    stream = taken_for_another()
    waits = offered(stream)
    meta = stream.events[-1].meta
    stream.apply(IdentificationWithdrawn(meta, PATIENT, "MRN-1", 1, "his brother's papers", STEWARD))
    stream.when(IdentifyPatient(RECORD, RIGHT), patient=known_as("MRN-8"))
    assert stream.last_events == ["PatientIdentified", "TransferWithdrawn"]
    assert stream.record.transfers[waits].state is TransferState.WITHDRAWN


def test_hospitals_are_told_and_offers_taken_back_in_one_command() -> None:
    """However many: offers first, and of all together no more than a command may say."""
    stream = taken_for_another()
    for number in range(60):
        offered(stream, f"h{number}")
    events = stream.when(NOBODY_KNOWN, patient=patient(IdentityStatus.UNVERIFIED)).events
    kinds = [type(each) for each in events]
    assert (kinds.count(TransferWithdrawn), kinds.count(TransferOutdated)) == (60, TOLD_MAX - 60)
    assert len(events) <= EVENTS_PER_COMMAND_MAX


def many_offers(stream: Stream) -> list[UUID]:
    """More than one command can take back; the last one was fetched."""
    sent = [offered(stream, f"h{number}") for number in range(TOLD_MAX + 20)]
    stream.when(RecordTransferAnswer(RECORD, sent[-1], f"h{len(sent) - 1}", TransferAnswer.VERIFIED, "", ""))
    return sent


def left_out(stream: Stream) -> list[UUID]:
    """Transfers that wait for their recipient."""
    return [each.transfer_id for each in stream.record.transfers.values() if each.state is TransferState.OFFERED]


@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_any_number_of_offers_keeps_no_wrong_name(command: Command) -> None:
    """The name is put right; what one command cannot take back is handed over to nobody, and accepted by nobody."""
    stream = taken_for_another()
    sent = many_offers(stream)
    events = stream.when(command, patient=known_as("MRN-8")).events
    assert len(events) <= EVENTS_PER_COMMAND_MAX
    assert [type(each) for each in events].count(TransferWithdrawn) == TOLD_MAX
    left = left_out(stream)
    assert len(left) == 20
    assert sent[-1] not in left, "what was fetched runs out by no time"
    assert not any(handed_over(stream.record.transfers[each], stream.record.patient_id, NOW) for each in sent)
    recipient = stream.record.transfers[left[0]].counterpart
    for answer in (TransferAnswer.VERIFIED, TransferAnswer.ACCEPTED):
        taken = RecordTransferAnswer(RECORD, left[0], recipient, answer, "", "")
        assert stream.refused(taken)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]
    # A recipient that found nothing to fetch says so.
    stream.when(RecordTransferAnswer(RECORD, left[0], recipient, TransferAnswer.REJECTED, "OFFER_WITHDRAWN", ""))
    assert stream.record.transfers[left[0]].state is TransferState.REJECTED


def test_what_was_left_is_taken_back_with_the_next_offer_or_identification() -> None:
    """Under the right name the record is offered anew: to one of them in place of the earlier offer, the rest go."""
    stream = taken_for_another()
    many_offers(stream)
    stream.when(CORRECTED, patient=known_as("MRN-8"))
    anew = offered(stream, stream.record.transfers[left_out(stream)[0]].counterpart)
    assert stream.last_events.count("TransferSuperseded") == 1
    assert stream.last_events.count("TransferWithdrawn") == 19
    assert left_out(stream) == [anew]
    offered(stream, "west")
    assert "TransferWithdrawn" not in stream.last_events
    other = taken_for_another()
    many_offers(other)
    other.when(NOBODY_KNOWN, patient=known_as("MRN-1"))
    other.when(IdentifyPatient(RECORD, RIGHT), patient=known_as("MRN-8"))
    assert other.last_events.count("TransferWithdrawn") == 20
    assert left_out(other) == []


def test_who_is_named_again_has_the_stay_under_its_old_number() -> None:
    """After nobody, and after somebody else: the claim of the first time is its own, and another is no second one."""
    stream = taken_for_another(number=4)
    stream.when(NOBODY_KNOWN, patient=patient(IdentityStatus.UNVERIFIED))
    again = IdentifyPatient(RECORD, WRONG)
    decision = stream.when(again, patient=known_as("MRN-7"), number_claimed=True)
    assert decision.reservations == ()
    assert stream.last_events == ["PatientIdentified", "VisitRenumbered"]
    assert (stream.record.case_number, stream.record.visit_sequence) == ("MRN-7", 4)
    stream.when(CORRECTED, patient=known_as("MRN-8"))
    assert stream.record.visit_sequence == 1
    stream.when(replace(CORRECTED, patient_id=WRONG, visit_sequence=6), patient=known_as("MRN-7"))
    stream.when(CORRECTED, patient=known_as("MRN-8"), number_claimed=True)
    claims = stream.when(replace(CORRECTED, patient_id=WRONG), patient=known_as("MRN-7")).reservations
    assert claims == (Claim("visit", ("MRN-7", "INPATIENT", "6"), group=("MRN-7",)),)
    assert stream.record.visit_sequence == 6


def test_a_correction_gives_nobody_the_wrong_patients_number() -> None:
    """Who is new to the record has the stay under the number of its registration, or the one that is named."""
    stream = taken_for_another(number=4)
    decision = stream.when(CORRECTED, patient=known_as("MRN-8"))
    assert decision.reservations == (Claim("visit", ("MRN-8", "INPATIENT", "1"), group=("MRN-8",)),)
    assert stream.last_events == ["IdentificationCorrected", "PatientIdentified", "VisitRenumbered", "EndorsementUsed"]
    assert (stream.record.case_number, stream.record.visit_sequence) == ("MRN-8", 1)
    named = taken_for_another(number=4)
    named.when(replace(CORRECTED, visit_sequence=9), patient=known_as("MRN-8"))
    assert named.record.visit_sequence == 9


def test_a_first_identification_outdates_nothing_and_waits_for_no_hold() -> None:
    """Nobody could have had it under another name, and a hold keeps what was said of nobody."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    hold(stream)
    stream.when(IdentifyPatient(RECORD, WRONG), patient=known_as("MRN-7"))
    assert stream.last_events == ["PatientIdentified"]


def of_entry(stream: Stream, entry_id: UUID, mode: SealMode) -> UUID:
    """A seal of one entry beside others."""
    command = keeping.SealRecord(RECORD, mode, SealParty.PATIENT_SIDE, "", (entry_id,), PATIENTS_SIDE)
    return made(stream, command, "seal_id", leaves=leaves(stream))


@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_whose_a_sealed_original_is_stays(command: Command) -> None:
    """Once care is over one sealed entry is enough, whatever is written beside it; who opens the seal puts it right."""
    stream = taken_for_another(closed(identity=IdentityStatus.UNVERIFIED))
    seal_id = of_entry(stream, stream.entry(), SealMode.ORIGINAL)
    stream.entry()
    assert stream.refused(command, patient=known_as("MRN-8"))[1] == [("record_id", "SEALED")]
    both = keeping.UnsealRecord(RECORD, seal_id, UnsealGround.BOTH_PRESENT, "", PATIENTS_SIDE)
    stream.when(both)
    stream.when(command, patient=known_as("MRN-8"))


@pytest.mark.parametrize("whole", [False, True], ids=["in part", "as a whole"])
@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_who_is_treated_under_a_strangers_name_waits_for_no_seal(command: Command, whole: bool) -> None:
    """Two persons put it right; what is sealed stays as it is, and the act is shown and listed with the seal."""
    stream = taken_for_another()
    (first,) = stream.record.entries
    seal_id = of_entry(stream, first, SealMode.ORIGINAL)
    if not whole:
        stream.entry()
    sealed, before = stream.record.entries[first].versions, stream.record.version
    by_one = replace(command, confirmed_by=ARCHIVIST)
    faults = stream.refused(by_one, patient=known_as("MRN-8"), actor=ARCHIVIST)[1]
    assert faults == [("confirmed_by", "SAME_PERSON")]
    stream.when(command, patient=known_as("MRN-8"))
    assert stream.record.entries[first].versions == sealed
    assert EntryRef(first, 1) in came_since(stream.record, stream.record.overlays.seals[seal_id])
    extended = stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream)).events[0]
    assert isinstance(extended, SealExtended)
    said = {"PatientIdentified", "IdentificationWithdrawn"}
    (act,) = [each for each in range(before, len(stream.events)) if type(stream.events[each]).__name__ in said]
    assert SealedVersion(first, 1, leaves(stream)[act]) in extended.versions


def test_whose_the_record_is_is_an_act_on_a_sealed_copy() -> None:
    """Who was named first, another, nobody, somebody again: each came since, until an extension lists its leaf."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    first = stream.entry()
    seal_id = of_entry(stream, first, SealMode.COPY)
    again = IdentifyPatient(RECORD, WRONG)
    said = "PatientIdentified"
    for command, event in ((again, said), (CORRECTED, said), (NOBODY_KNOWN, "IdentificationWithdrawn"), (again, said)):
        assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == []
        stream.endorse(command)
        before = stream.record.version
        stream.when(command, patient=known_as("MRN-8"))
        act = leaves(stream)[before + stream.last_events.index(event)]
        assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == [EntryRef(first, 1)]
        extended, _ = stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream)).events
        assert isinstance(extended, SealExtended)
        assert extended.versions == (SealedVersion(first, 1, act),)
    later = stream.entry()
    sealed = stream.when(
        keeping.SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "", (later,), PATIENTS_SIDE),
        leaves=leaves(stream),
    ).events[0]
    assert isinstance(sealed, RecordSealed)
    assert len(sealed.versions) == 1, "nothing was said of whose it is since it was written"


def test_who_is_nobody_known_is_provisional_again() -> None:
    """Under the person and the number of before; copies wait again, and the next identification is a first one."""
    stream = taken_for_another(number=4)
    assert (stream.record.case_number, stream.record.visit_sequence) == ("MRN-7", 4)
    decision = stream.when(NOBODY_KNOWN, patient=patient(IdentityStatus.UNVERIFIED), persons={WRONG: 2, PATIENT: 1})
    meta = decision.events[0].meta
    withdrawn = IdentificationWithdrawn(meta, PATIENT, "MRN-1", 1, NOBODY_KNOWN.reason, STEWARD)
    assert decision.events[:-1] == (withdrawn,)
    assert decision.reservations == (Bump("patient", (str(WRONG),), 2), Bump("patient", (str(PATIENT),), 1))
    record = stream.record
    assert (record.patient_id, record.case_number, record.visit_sequence) == (PATIENT, "MRN-1", 1)
    copy = keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy")
    assert stream.refused(copy)[1] == [("record_id", "IDENTITY_UNVERIFIED")]
    stream.when(IdentifyPatient(RECORD, RIGHT), patient=known_as("MRN-8"))
    assert stream.last_events == ["PatientIdentified"]
    stream.when(copy)


def test_it_goes_back_to_the_provisional_person_after_any_number_of_corrections() -> None:
    """Whom it was filed under first is kept; who was identified by name is not un-identified."""
    stream = taken_for_another()
    stream.when(CORRECTED, patient=known_as("MRN-8"))
    stream.when(NOBODY_KNOWN, patient=patient(IdentityStatus.UNVERIFIED))
    assert (stream.record.patient_id, stream.record.identity) == (PATIENT, IdentityStatus.UNVERIFIED)
    assert active().refused(NOBODY_KNOWN)[1] == [("record_id", "NOT_IDENTIFIED")]


def test_a_merge_of_the_provisional_person_is_taken_back_first() -> None:
    """Else the record would go on counting as the stranger's."""
    merged = replace(known_as("MRN-1"), merged_into=WRONG)
    assert taken_for_another().refused(NOBODY_KNOWN, patient=merged)[1] == [("record_id", "MERGED")]
    faults = taken_for_another().refused(replace(NOBODY_KNOWN, reason=" ", confirmed_by=replace(STEWARD, name="")))[1]
    assert faults == [("reason", "REQUIRED"), ("confirmed_by.name", "REQUIRED")]


@pytest.mark.parametrize("command", [CORRECTED, NOBODY_KNOWN], ids=["corrected", "withdrawn"])
def test_an_appraisal_was_of_the_record_of_somebody_else(command: Command) -> None:
    """Nothing is destroyed by an opinion on a stranger's record: it is appraised anew, for a list of its own."""
    stream = taken_for_another(closed(identity=IdentityStatus.UNVERIFIED))
    for each in (SubmitRecord(RECORD), PassQuality(RECORD), ArchiveRecord(RECORD)):
        stream.when(each)
    late = {"now": LATER, "visits": (visit_of(stream),)}
    stream.when(keeping.EndRetention(RECORD), **late)
    stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", ""), now=LATER)
    stream.when(keeping.ApproveDisposal(RECORD, LIST), now=LATER)
    stream.when(command, now=LATER, patient=known_as("MRN-8"))
    assert stream.record.phase is Phase.DUE
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    assert ("record_id", "CHANGED_SINCE_APPRAISAL") in stream.refused(destroy, **late)[1]


def test_a_correction_is_written_within_its_limit_of_time() -> None:
    """As any other: not from the future."""
    ahead = NOW + timedelta(hours=1)
    faults = taken_for_another().refused(NOBODY_KNOWN, occurred_at=ahead)[1]
    assert faults == [("context.occurred_at", "TIME_IN_FUTURE")]
