"""Holds, seals, copies, loans, reopening, retention and disposal as a records office meets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import AmendEntry, RecordEntry, RetractEntry, SubmitRecord
from ledger.domain.decision import Bump, Claim, ClaimedItem, Visit
from ledger.domain.keeping_events import (
    CopyIssued,
    RecordSealed,
    RetentionEnded,
    SealAttended,
    SealExtended,
    UseRestricted,
)
from ledger.domain.keeping_values import (
    DisposalOpinion,
    EntryRef,
    PaperOutcome,
    RequestKind,
    SealMode,
    SealParty,
    SealStep,
    UnsealGround,
)
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.use_events import RestrictionLifted, UseRestrictionLifted
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    EntryState,
    IdentityStatus,
    Phase,
    TimeOf,
    TransferKind,
    VisitType,
)
from tests.unit.domain.given import (
    AFFAIRS,
    APPROVER,
    ARCHIVIST,
    CLOCK,
    HEAD_OF_HOSPITAL,
    LIST,
    LISTED,
    MANDATORY,
    NOTARY,
    NOW,
    OTHER_DIGEST,
    PACKAGE,
    PATIENT,
    PATIENTS_SIDE,
    RECORD,
    RESULT,
    SUPERIOR,
    SUPERVISORS,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    facts,
    note,
    nowhere,
    patient,
    permanent,
    registered,
    reopened,
    signed,
    submitted,
    visit_of,
)
from tests.unit.domain.refusals import scanned

LATER = NOW + TERM
OTHER = UUID(int=555)


def first(stream: Stream) -> UUID:
    """The first entry."""
    return next(iter(stream.record.entries))


def restrict(stream: Stream) -> None:
    """The patient asks for restricted use, and gets it."""
    ask = keeping.RecordPatientRequest(RECORD, RequestKind.RESTRICTION, "Mr. N.", "self", "a claim is open")
    request_id = stream.when(ask).result["request_id"]
    assert isinstance(request_id, UUID)
    stream.when(keeping.AnswerPatientRequest(RECORD, request_id, True, "law", "", None))


def restricted_on_request() -> Stream:
    """An archived case under restricted use."""
    stream = archived()
    restrict(stream)
    return stream


def leaves(stream: Stream) -> tuple[bytes, ...]:
    """A leaf hash for each event."""
    return tuple(bytes([index % 256]) * 32 for index in range(stream.record.version))


def test_a_draft_becomes_an_entry_with_its_signature() -> None:
    """Each writing is a version; the signed one counts, and what is required is asked only then."""
    stream = active()
    empty = note("")
    draft = stream.when(course.DraftEntry(RECORD, None, empty)).result["entry_id"]
    assert isinstance(draft, UUID)
    stream.when(course.DraftEntry(RECORD, draft, note("Half a sentence")))
    assert ("content.sections[0]", "EMPTY_SECTION") in stream.refused(RecordEntry(RECORD, empty, signed(), draft))[1]
    stream.when(RecordEntry(RECORD, note("Whole."), signed(), draft))
    entry = stream.record.entries[draft]
    assert [each.state for each in entry.versions] == [EntryState.DRAFT, EntryState.DRAFT, EntryState.SIGNED]
    assert stream.refused(RecordEntry(RECORD, note(), signed(), draft))[1] == [("draft_id", "NOT_A_DRAFT")]


def test_a_trainees_signature_is_final_only_with_a_superiors() -> None:
    """AUTHORED stops submission; both names are kept; an amendment needs signatures of its own."""
    stream = closed()
    written = stream.entry(signer=TRAINEE)
    assert (f"entries[{written}]", "NOT_SIGNED") in stream.refused(SubmitRecord(RECORD))[1]
    stream.when(course.CountersignEntry(RECORD, written, 1, signed(SUPERIOR)))
    last = stream.record.entries[written].last
    assert last.state is EntryState.COUNTERSIGNED
    assert (last.attestation.signer, last.countersignature and last.countersignature.signer) == (TRAINEE, SUPERIOR)
    amended = AmendEntry(RECORD, written, AmendmentKind.CORRECTION, "typing", note("Mended."), signed(TRAINEE))
    stream.when(amended)
    assert stream.record.entries[written].last.state is EntryState.AUTHORED


def test_an_accepted_deficiency_is_no_signature_but_lets_the_record_go() -> None:
    """The author is gone: medical affairs names the entry and the reason; the entry stays AUTHORED."""
    stream = closed()
    written = stream.entry(signer=TRAINEE)
    stream.when(course.AcceptDeficiency(RECORD, written, "", "the author has left"))
    stream.when(SubmitRecord(RECORD))
    assert stream.record.entries[written].state is EntryState.AUTHORED


def test_a_discharge_can_be_withdrawn_and_a_record_recalled() -> None:
    """CLOSED goes back to ACTIVE, SUBMITTED back to CLOSED while nobody has looked."""
    stream = closed()
    stream.when(course.ResumeCare(RECORD, "bleeding again"))
    assert (stream.record.phase, stream.record.ended_at) == (Phase.ACTIVE, None)
    back = submitted()
    back.when(course.RecallRecord(RECORD, "a page is missing"))
    assert back.record.phase is Phase.CLOSED


def test_a_wrong_record_is_declared_by_two_and_kept() -> None:
    """Every entry is retracted first; the record is kept until its term is over."""
    stream = closed()
    for entry_id in stream.record.entries:
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    stream.when(course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None, nowhere(stream.record)))
    assert stream.record.phase is Phase.ENTERED_IN_ERROR
    stream.when(keeping.EndRetention(RECORD), now=LATER)
    assert stream.record.phase is Phase.DUE


def test_the_term_of_a_wrong_record_runs_from_the_day_on_which_it_was_declared() -> None:
    """Care had not ended: the record is not kept for ever, and moves no other record's date."""
    stream = active()
    stream.when(course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None))
    own = visit_of(stream)
    early = NOW + timedelta(days=29 * 365)
    assert stream.refused(keeping.EndRetention(RECORD), now=early, visits=(own,))[1] == [("record_id", "TERM_NOT_OVER")]
    stream.when(keeping.EndRetention(RECORD), now=LATER, visits=(own,))
    assert stream.record.phase is Phase.DUE


def test_newborns_are_counted_and_have_subjects_of_their_own() -> None:
    """The second is not the first again."""
    stream = active()
    stream.when(RegisterNewborn(RECORD, 1, None))
    assert ("number", "OUT_OF_RANGE") in stream.refused(RegisterNewborn(RECORD, 1, None))[1]
    stream.when(RegisterNewborn(RECORD, 2, None))
    assert len(stream.record.newborns) == 2


@pytest.mark.parametrize("historical", [False, True])
def test_an_entry_is_about_the_patient_or_a_newborn_of_the_record(historical: bool) -> None:
    """Any other subject is refused by name, in each way by which an entry is written; a known one is taken."""
    stream = active()
    born = stream.when(RegisterNewborn(RECORD, 1, None)).result["subject_id"]
    assert isinstance(born, UUID)
    own = stream.entry()
    about = replace(note("Cries."), subject_id=OTHER)
    fault = ("content.subject_id", "UNKNOWN_SUBJECT")
    amend = AmendEntry(RECORD, own, AmendmentKind.CORRECTION, "typing", about, signed())
    held = ClaimedItem(RECORD, own, OTHER_DIGEST, Taken.ENTRY) if historical else None
    for command, claimed in ((RecordEntry(RECORD, about, signed()), None), (amend, held)):
        assert stream.refused(command, historical=historical, claimed=claimed)[1] == [fault]
    late = course.FileLateItem(RECORD, replace(RESULT, subject_id=OTHER), signed(), "late", None)
    assert archived().refused(late)[1] == [fault]
    stream.when(RecordEntry(RECORD, replace(about, subject_id=born), signed()), historical=historical)


def test_a_copy_is_of_the_patient_or_of_one_newborn() -> None:
    """Without a scope it shows what is of the subject; entries of both are refused at the place of the other's."""
    stream = active()
    first_born, second_born = (born_in(stream, number) for number in (1, 2))
    mothers = stream.entry()
    cries, sleeps = (stream.entry(replace(note("Seen."), subject_id=each)) for each in (first_born, second_born))
    copy = keeping.IssueCopy(RECORD, "Mr. N.", "father", (), "true copy")
    for subject, own, others in ((None, mothers, cries), (first_born, cries, sleeps), (second_born, sleeps, mothers)):
        of_subject = replace(copy, subject_id=subject)
        (event,) = stream.when(of_subject).events
        assert isinstance(event, CopyIssued)
        assert [each.entry_id for each in event.versions] == [own]
        refused = stream.refused(replace(of_subject, entry_ids=(own, others)))
        assert refused[1] == [("entry_ids[1]", "OTHER_SUBJECT")]
    assert stream.refused(replace(copy, subject_id=OTHER))[1] == [
        ("subject_id", "UNKNOWN_SUBJECT"),
        ("entry_ids", "NOTHING_TO_COPY"),
    ]


def born_in(stream: Stream, number: int) -> UUID:
    """A newborn of the record."""
    born = stream.when(RegisterNewborn(RECORD, number, None)).result["subject_id"]
    assert isinstance(born, UUID)
    return born


def test_an_unidentified_patient_gets_care_and_copies_wait() -> None:
    """Identity never stops entries; when it is known, copies are issued."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.entry()
    copy = keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy")
    assert stream.refused(copy)[1] == [("record_id", "IDENTITY_UNVERIFIED")]
    stream.when(course.IdentifyPatient(RECORD, OTHER), patient=patient())
    stream.when(copy)
    assert (stream.record.patient_id, stream.record.identity) == (OTHER, IdentityStatus.MATCHED)


def test_the_stay_of_an_identified_patient_is_one_of_the_known_patients() -> None:
    """It is claimed under that case number, where retention and disposal look; a number in use there is refused."""
    known = patient()
    assert isinstance(known, PatientState)
    stream = active(identity=IdentityStatus.UNVERIFIED)
    known = replace(known, case_number="MRN-7")
    decision = stream.when(course.IdentifyPatient(RECORD, OTHER), patient=known, persons={OTHER: 3})
    claim = Claim("visit", ("MRN-7", VisitType.INPATIENT, "1"), group=("MRN-7",))
    assert decision.reservations == (claim, Bump("patient", (str(OTHER),), 3))


def test_a_stay_whose_number_is_taken_gets_another() -> None:
    """The new number is claimed under the known patient's case number, in the same step; the old one moves nobody."""
    known = patient()
    assert isinstance(known, PatientState)
    stream = active(identity=IdentityStatus.UNVERIFIED)
    known = replace(known, case_number="MRN-7")
    too_many = course.IdentifyPatient(RECORD, OTHER, 100_001)
    assert stream.refused(too_many, patient=known)[1] == [("visit_sequence", "OUT_OF_RANGE")]
    decision = stream.when(course.IdentifyPatient(RECORD, OTHER, 4), patient=known)
    assert stream.last_events == ["PatientIdentified", "VisitRenumbered"]
    assert decision.reservations == (Claim("visit", ("MRN-7", VisitType.INPATIENT, "4"), group=("MRN-7",)),)
    assert (stream.record.case_number, stream.record.visit_sequence) == ("MRN-7", 4)


def test_a_stay_keeps_its_number_where_that_is_said() -> None:
    """Its own number, or none, is no renumbering; another number of the same patient is claimed too."""
    for number, events in ((0, ["PatientIdentified"]), (1, ["PatientIdentified"])):
        stream = active(identity=IdentityStatus.UNVERIFIED)
        decision = stream.when(course.IdentifyPatient(RECORD, PATIENT, number), patient=patient())
        assert (stream.last_events, decision.reservations) == (events, ())
    stream = active(identity=IdentityStatus.UNVERIFIED)
    decision = stream.when(course.IdentifyPatient(RECORD, PATIENT, 2), patient=patient())
    assert decision.reservations == (Claim("visit", ("MRN-1", VisitType.INPATIENT, "2"), group=("MRN-1",)),)


def test_a_late_result_is_filed_into_an_archived_case_and_changes_nothing_else() -> None:
    """No reopening; the phase and the other entries stay."""
    stream = archived()
    before = dict(stream.record.entries)
    stream.when(course.FileLateItem(RECORD, RESULT, signed(), "late pathology", NOW - timedelta(days=2)))
    assert stream.record.phase is Phase.ARCHIVED
    assert before.items() <= dict(stream.record.entries).items()
    assert len(stream.record.entries) == len(before) + 1


def test_a_hold_stops_change_and_never_care() -> None:
    """Held versions are not amended or retracted; a new note beside them is taken."""
    stream = closed()
    held = first(stream)
    stream.when(keeping.PlaceHold(RECORD, "court order", "district court", (EntryRef(held, 1),)))
    assert ("entry_id", "ENTRY_HELD") in stream.refused(RetractEntry(RECORD, held, "x"))[1]
    stream.entry()
    hold_id = next(iter(stream.record.overlays.holds))
    stream.when(keeping.LiftHold(RECORD, hold_id, "settled"))
    stream.when(RetractEntry(RECORD, held, "wrong patient"))


def test_a_seal_lists_every_version_with_its_hash_and_is_extended() -> None:
    """Retracted versions too; what comes later is added; both sides open it."""
    stream = closed()
    stream.when(RetractEntry(RECORD, first(stream), "wrong patient"))
    seal = keeping.SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "Mr. N.", (), PATIENTS_SIDE)
    event, attended = stream.when(seal, leaves=leaves(stream)).events
    assert isinstance(event, RecordSealed)
    assert attended == SealAttended(event.meta, event.seal_id, SealStep.PLACED, PATIENTS_SIDE)
    assert {(each.entry_id, each.version) for each in event.versions} == {
        (entry.entry_id, version.version) for entry in stream.record.entries.values() for version in entry.versions
    }
    said_in = {
        (entry.entry_id, version.version, version.record_version)
        for entry in stream.record.entries.values()
        for version in entry.versions
    }
    # That it was retracted before is listed by the leaf that says so.
    gone, hashes = stream.record.entries[first(stream)], leaves(stream)
    said_in.add((gone.entry_id, gone.last.version, gone.changed_version))
    listed = sorted((each.entry_id, each.version, each.leaf_hash) for each in event.versions)
    assert listed == sorted((entry_id, version, hashes[said - 1]) for entry_id, version, said in said_in)
    assert event.unfinished
    written = stream.entry()
    more, _ = stream.when(keeping.ExtendSeal(RECORD, event.seal_id, NOTARY), leaves=leaves(stream)).events
    assert isinstance(more, SealExtended)
    assert [(each.entry_id, each.version) for each in more.versions] == [(written, 1)]
    assert stream.record.overlays.seals[event.seal_id].second_persons == (PATIENTS_SIDE, NOTARY)
    alone = keeping.UnsealRecord(RECORD, event.seal_id, UnsealGround.BOTH_PRESENT, "")
    assert stream.refused(alone)[1] == [("second_person", "REQUIRED")]
    stream.when(replace(alone, second_person=PATIENTS_SIDE))
    assert stream.last_events == ["SealAttended", "RecordUnsealed"]
    assert not stream.record.overlays.seals


@pytest.mark.parametrize(("days", "opens"), [(3 * 365, False), (3 * 365 + 1, True)])
def test_nobody_claims_for_three_years_and_the_hospital_opens_the_seal_alone(days: int, *, opens: bool) -> None:
    """The pack's term decides, in years of the calendar: 2028 has a day more."""
    stream = closed()
    seal = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.NOTARY, "", (), NOTARY)
    seal_id = stream.when(seal, leaves=leaves(stream)).result["seal_id"]
    assert isinstance(seal_id, UUID)
    unseal = keeping.UnsealRecord(RECORD, seal_id, UnsealGround.NO_CLAIM, "", AFFAIRS)
    if opens:
        stream.when(unseal, now=NOW + timedelta(days=days))
    else:
        assert stream.refused(unseal, now=NOW + timedelta(days=days))[1] == [("ground", "TERM_NOT_OVER")]


def test_a_copy_names_the_last_versions_of_what_is_finished() -> None:
    """Unsigned and retracted entries are left out where no scope is named."""
    stream = closed()
    stream.entry(signer=TRAINEE)
    stream.when(RetractEntry(RECORD, first(stream), "wrong patient"))
    (event,) = stream.when(keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy")).events
    assert isinstance(event, CopyIssued)
    shown = {each.entry_id for each in event.versions}
    assert shown == {entry.entry_id for entry in stream.record.entries.values() if entry.state is EntryState.SIGNED}


def test_a_copy_shows_an_entry_whose_missing_signature_was_accepted() -> None:
    """It is part of the record that was archived: named in the scope or not, never left out in silence."""
    stream = closed()
    unsigned = stream.entry(signer=TRAINEE)
    named = keeping.IssueCopy(RECORD, "Mr. N.", "self", (unsigned,), "true copy")
    assert stream.refused(named)[1] == [("entry_ids[0]", "NOT_SIGNED")]
    stream.when(course.AcceptDeficiency(RECORD, unsigned, "", "the author has left"))
    for command in (named, replace(named, entry_ids=())):
        (event,) = stream.when(command).events
        assert isinstance(event, CopyIssued)
        assert EntryRef(unsigned, 1) in event.versions


def test_a_reopening_takes_what_it_names_from_two_persons_and_ends() -> None:
    """One note may be added and one entry amended; then the case is archived again with a new head."""
    stream = reopened()
    named, *others = stream.record.entries
    amend = AmendEntry(RECORD, named, AmendmentKind.CORRECTION, "side", MANDATORY[0], signed())
    stream.when(amend)
    assert stream.refused(RetractEntry(RECORD, others[0], "x"))[1] == [("entry_id", "NOT_NAMED")]
    stream.entry()
    stream.when(keeping.RearchiveRecord(RECORD), head_leaf=bytes([9]) * 32)
    assert (stream.record.phase, stream.record.archiving.head_leaf) == (Phase.ARCHIVED, bytes([9]) * 32)


def test_what_a_record_must_hold_is_not_withdrawn_in_a_reopening() -> None:
    """It is archived again once the entry is there again, or its lack was accepted by name."""
    stream = reopened()
    stream.when(RetractEntry(RECORD, first(stream), "wrong patient"))
    assert stream.refused(keeping.RearchiveRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]
    stream.when(course.AcceptDeficiency(RECORD, None, "admission_note", "the author has left"))
    stream.when(keeping.RearchiveRecord(RECORD))
    assert stream.record.phase is Phase.ARCHIVED


def test_after_the_window_nothing_is_changed_but_the_case_is_archived_again() -> None:
    """An approval that is over opens nothing."""
    stream = reopened()
    late = NOW + timedelta(hours=72, seconds=1)
    amend = AmendEntry(RECORD, first(stream), AmendmentKind.CORRECTION, "side", MANDATORY[0], signed())
    assert stream.refused(amend, now=late)[1] == [("record_id", "WINDOW_OVER")]
    stream.when(keeping.RearchiveRecord(RECORD), now=late)
    assert stream.record.phase is Phase.ARCHIVED


def test_a_case_kept_for_ever_stays_so_through_a_reopening() -> None:
    """PERMANENT ends disposal only."""
    stream = permanent()
    asked = stream.when(keeping.RequestReopen(RECORD, "a mistake", (first(stream),), ()), now=LATER)
    reopen_id = asked.result["reopen_id"]
    assert isinstance(reopen_id, UUID)
    stream.when(keeping.ApproveReopen(RECORD, reopen_id, None), actor=AFFAIRS, now=LATER)
    stream.when(keeping.RearchiveRecord(RECORD), now=LATER)
    assert stream.record.phase is Phase.PERMANENT


def test_a_late_result_is_filed_into_an_open_case_too() -> None:
    """A reopening for something else keeps no result out."""
    stream = reopened()
    stream.when(course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None))
    assert (stream.last_events, stream.record.phase) == (["LateItemFiled"], Phase.REOPENED)


def test_what_was_sealed_as_a_whole_stays_so_beside_a_late_item() -> None:
    """One result that comes later opens nothing."""
    stream = archived()
    whole = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "Mr. N.", (), PATIENTS_SIDE)
    stream.when(whole, leaves=leaves(stream))
    stream.when(course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None))
    ask = keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",))
    assert stream.refused(ask)[1] == [("record_id", "FULLY_SEALED")]


def test_restricted_use_stops_copies_and_loans_for_other_purposes() -> None:
    """Research gets nothing, nor does who says no purpose; care, law and the patient do."""
    stream = archived()
    overlays = replace(stream.record.overlays, restrictions=(OTHER,))
    stream.state = replace(stream.record, overlays=overlays)
    copy = keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy")
    lend = keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False)
    for purpose in ("HRESCH", ""):
        for command in (copy, lend):
            assert stream.refused(command, purpose=purpose)[1] == [("record_id", "USE_RESTRICTED")]
    stream.when(copy, purpose="PATRQT")
    stream.when(lend, purpose="TREAT")


def test_a_term_that_the_law_has_lengthened_holds_for_old_records() -> None:
    """The later of the pack at registration and the pack in force; a shorter one takes nothing back."""
    stream = archived()
    pack = facts().pack
    own = pack.retention[stream.record.visit_type]
    for years, rules in ((own.years + 30, [("record_id", "TERM_NOT_OVER")]), (1, [])):
        terms = {**pack.retention, stream.record.visit_type: replace(own, years=years)}
        in_force = replace(pack, retention=terms)
        if rules:
            assert stream.refused(keeping.EndRetention(RECORD), now=LATER, pack_in_force=in_force)[1] == rules
        else:
            stream.when(keeping.EndRetention(RECORD), now=LATER, pack_in_force=in_force)
    assert stream.record.phase is Phase.DUE


def test_a_paper_that_is_found_after_the_appraisal_is_not_destroyed_with_the_record() -> None:
    """Also once it was said what became of it: who appraised the record did not know of it."""
    stream = condemned()
    scan = scanned(stream)
    stream.when(keeping.AccountForPaper(RECORD, scan, PaperOutcome.KEPT, "list 7"))
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ("paper",))
    assert stream.refused(destroy, now=LATER, actor=ARCHIVIST)[1] == [("record_id", "CHANGED_SINCE_APPRAISAL")]
    again = keeping.AppraiseDisposal(RECORD, DisposalOpinion.KEEP, "of interest", "")
    stream.when(again, now=LATER, actor=ARCHIVIST)


def test_a_paper_of_which_it_is_said_later_what_became_of_it_needs_no_new_appraisal() -> None:
    """Who appraised the record knew of it."""
    stream = due()
    scan = scanned(stream)
    stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", ""), now=LATER, actor=ARCHIVIST)
    stream.when(keeping.ApproveDisposal(RECORD, LIST), now=LATER, actor=APPROVER)
    stream.when(keeping.AccountForPaper(RECORD, scan, PaperOutcome.KEPT, "list 7"))
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ("paper",))
    stream.when(destroy, now=LATER, actor=ARCHIVIST)


def test_what_came_after_the_appraisal_is_appraised_before_anything_is_destroyed() -> None:
    """A late item, or a request that waits, stops the destruction; a new appraisal may follow, and needs approval."""
    stream = condemned()
    stream.when(course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None), now=LATER)
    stream.when(keeping.RecordPatientRequest(RECORD, RequestKind.ACCESS, "Mr. N.", "self", "please"), now=LATER)
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    refused = [rule for _, rule in stream.refused(destroy, now=LATER, actor=ARCHIVIST)[1]]
    assert refused == ["CHANGED_SINCE_APPRAISAL", "OPEN_REQUEST"]
    again = keeping.AppraiseDisposal(RECORD, DisposalOpinion.KEEP, "of interest", "")
    stream.when(again, now=LATER, actor=ARCHIVIST)
    assert stream.record.archiving.disposal is not None
    assert stream.record.archiving.disposal.approved_by is None


@pytest.mark.parametrize("actor", [ARCHIVIST, APPROVER])
@pytest.mark.parametrize("make", [due, condemned])
def test_an_appraisal_can_be_rejected_or_taken_back(make: Callable[[], Stream], actor: Actor) -> None:
    """By whoever gave it or by another person, before and after the approval; then the record is appraised anew."""
    stream = make()
    if stream.record.archiving.disposal is None:
        stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", ""), actor=ARCHIVIST)
    stream.when(keeping.RejectAppraisal(RECORD, "of interest after all"), now=LATER, actor=actor)
    assert (stream.record.phase, stream.record.archiving.disposal) == (Phase.DUE, None)
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    assert stream.refused(destroy, now=LATER, actor=ARCHIVIST)[1] == [("record_id", "NOT_APPROVED")]
    stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.KEEP, "of interest", ""), now=LATER, actor=ARCHIVIST)
    stream.when(keeping.ApproveDisposal(RECORD, None), now=LATER, actor=APPROVER)
    assert stream.record.phase is Phase.PERMANENT


def test_a_reopened_record_whose_window_is_over_is_archived_with_its_defect() -> None:
    """What a trainee wrote in the window and nobody can sign is accepted as a deficiency; then it may be reopened."""
    stream = reopened()
    named = stream.entry(signer=TRAINEE)
    late = {"now": NOW + timedelta(days=30)}
    assert stream.refused(keeping.RearchiveRecord(RECORD), **late)[1] == [(f"entries[{named}]", "NOT_SIGNED")]
    stream.when(course.AcceptDeficiency(RECORD, named, "", "the author has left"), **late)
    stream.when(keeping.RearchiveRecord(RECORD), **late)
    assert stream.record.phase is Phase.ARCHIVED
    stream.when(keeping.RequestReopen(RECORD, "to be written anew", (named,), ()), **late)


def test_a_paper_has_a_whereabouts_of_its_own() -> None:
    """Moved as often as somebody moves it, also once it is known to be kept; what is gone lies nowhere."""
    stream = archived()
    scan, said = scanned(stream), NOW - timedelta(hours=2)
    stream.when(keeping.MovePaper(RECORD, scan, "cellar, 7", "the shelf is full"), occurred_at=said)
    paper = stream.record.overlays.papers[scan]
    assert (paper.shelf, paper.moved_by, paper.moved_at) == ("cellar, 7", ARCHIVIST, said)
    assert paper.move_reason == "the shelf is full"
    stream.when(keeping.AccountForPaper(RECORD, scan, PaperOutcome.KEPT, "list 7"))
    back = keeping.MovePaper(RECORD, scan, "shelf 4", "asked for")
    stream.when(back)
    assert stream.record.overlays.papers[scan].shelf == "shelf 4"
    here = stream.state
    for outcome in (PaperOutcome.DESTROYED, PaperOutcome.RETURNED):
        stream.state = here
        gone = keeping.AccountForPaper(RECORD, scan, outcome, "list 7")
        stream.when(gone)
        for command in (back, gone, keeping.AccountForPaper(RECORD, scan, PaperOutcome.KEPT, "found")):
            assert stream.refused(command)[1] == [("scan_id", "PAPER_GONE")]


def test_who_destroys_is_not_who_supervises_it() -> None:
    """The two supervisors watch somebody else, and neither of them appraised the record."""
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    assert condemned().refused(destroy, now=LATER, actor=SUPERVISORS[0])[1] == [("supervisors", "SAME_PERSON")]
    watched = replace(LISTED, supervisors=(ARCHIVIST, SUPERVISORS[1]))
    known = {"actor": replace(SUPERVISORS[0], id=UUID(int=98)), "disposal_list": watched}
    destroy = replace(destroy, supervisors=())
    assert condemned().refused(destroy, now=LATER, **known)[1] == [("supervisors", "SAME_PERSON")]


def test_retention_runs_from_the_patients_last_visit_of_the_class() -> None:
    """A readmission moves the earlier record's date; a visit of another class does not; the date never moves back."""
    stream = archived()
    until = stream.record.retain_until
    own = visit_of(stream)
    again = replace(own, record_id=OTHER, phase=Phase.CLOSED, ended_at=NOW + timedelta(days=3650))
    clinic = Visit(OTHER, VisitType.OUTPATIENT, "outpatient", Phase.CLOSED, NOW + timedelta(days=9000))
    refused = stream.refused(keeping.EndRetention(RECORD), now=LATER, visits=(own, again))
    assert refused[1] == [("record_id", "TERM_NOT_OVER")]
    (event,) = stream.when(keeping.EndRetention(RECORD), now=LATER, visits=(own, clinic)).events
    assert isinstance(event, RetentionEnded)
    assert event.retain_until == until
    stream.when(keeping.ExtendRetention(RECORD, "2066-03-01", "readmission", OTHER), now=LATER)
    assert (stream.record.phase, stream.record.retain_until) == (Phase.ARCHIVED, "2066-03-01")
    earlier = keeping.ExtendRetention(RECORD, "2060-01-01", "readmission", OTHER)
    assert stream.refused(earlier, now=LATER)[1] == [("retain_until", "DATE_MOVES_BACK")]


@pytest.mark.parametrize("text", ["20660301", "2066-W09-1", "2066-3-1", "soon"])
def test_a_date_has_one_form(text: str) -> None:
    """Dates are compared as text."""
    extend = keeping.ExtendRetention(RECORD, text, "readmission", None)
    assert ("retain_until", "MALFORMED_DATE") in archived().refused(extend)[1]


def test_an_appraisal_can_keep_longer() -> None:
    """EXTEND leads back to ARCHIVED with the new date, by two persons."""
    stream = due()
    stream.when(
        keeping.AppraiseDisposal(RECORD, DisposalOpinion.EXTEND, "study", "2070-01-01"), now=LATER, actor=ARCHIVIST
    )
    stream.when(keeping.ApproveDisposal(RECORD, None), now=LATER, actor=APPROVER)
    assert stream.last_events == ["DisposalApproved", "RetentionExtended"]
    assert (stream.record.phase, stream.record.retain_until) == (Phase.ARCHIVED, "2070-01-01")


def test_a_destruction_bumps_the_patient_so_that_a_racing_registration_wins() -> None:
    """The decision holds only while nobody registered or linked anything for the patient."""
    stream = condemned()
    destroy = keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    decision = stream.when(destroy, now=LATER, actor=ARCHIVIST, persons={PATIENT: 7}, list_bumps=3)
    patient_row = Bump("patient", (str(PATIENT),), 7)
    assert decision.reservations == (Bump("disposal", (str(LIST),), 3), patient_row)
    assert stream.record.phase is Phase.DESTROYED
    everything = allowed_actions(stream.record, facts(now=LATER))
    assert all(action.reasons for action in everything)


@pytest.mark.parametrize("purpose", ["", "TREAT", "HPAYMT", "HRESCH"])
def test_a_record_under_restricted_use_leaves_only_with_consent_or_by_law(purpose: str) -> None:
    """Another purpose offers nothing; the patient's own wish, an emergency, law and claims do; once lifted, all do."""
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    known: dict[str, Any] = {"counterpart_known": True, "package": PACKAGE}
    stream = restricted_on_request()
    assert stream.refused(offer, purpose=purpose, **known)[1] == [("record_id", "USE_RESTRICTED")]
    for allowed in ("PATRQT", "ETREAT", "HLEGAL", "CLMATTCH"):
        restricted_on_request().when(offer, purpose=allowed, **known)
    stream.when(keeping.LiftRestriction(RECORD, "the patient wants it no longer"))
    assert (stream.last_events, stream.record.overlays.restricted) == (["RestrictionLifted"], False)
    stream.when(offer, purpose=purpose, **known)


def test_a_restriction_is_lifted_once_with_a_reason_and_may_come_back() -> None:
    """By who answers requests; another request restricts it again."""
    stream = restricted_on_request()
    assert stream.refused(keeping.LiftRestriction(RECORD, " "))[1] == [("reason", "REQUIRED")]
    stream.when(keeping.LiftRestriction(RECORD, "the claim is settled"))
    again = keeping.LiftRestriction(RECORD, "again")
    assert stream.refused(again)[1] == [("record_id", "NOT_RESTRICTED")]
    restrict(stream)
    assert stream.record.overlays.restricted


def test_a_restriction_ends_for_one_request_alone() -> None:
    """What another request restricted goes on; of several the one that ends is named."""
    stream = restricted_on_request()
    (first_one,) = stream.record.overlays.restrictions
    restrict(stream)
    (_, second) = stream.record.overlays.restrictions
    lift = keeping.LiftRestriction(RECORD, "the claim is settled")
    assert stream.refused(lift)[1] == [("request_id", "REQUIRED")]
    assert stream.refused(replace(lift, request_id=OTHER))[1] == [("request_id", "NOT_RESTRICTED")]
    stream.when(replace(lift, request_id=first_one))
    assert stream.events[-1] == RestrictionLifted(stream.events[-1].meta, first_one, "the claim is settled")
    assert stream.record.overlays.restrictions == (second,)
    stream.when(lift)
    assert (stream.events[-1], stream.record.overlays.restrictions) == (
        RestrictionLifted(stream.events[-1].meta, second, "the claim is settled"),
        (),
    )


def test_an_end_that_an_earlier_release_wrote_ended_every_restriction() -> None:
    """It named no request: whatever went on was said anew beside it."""
    stream = restricted_on_request()
    restrict(stream)
    (_, second) = stream.record.overlays.restrictions
    meta = facts().meta()
    stream.apply(UseRestrictionLifted(meta, "the claim is settled"))
    assert not stream.record.overlays.restricted
    stream.apply(UseRestricted(meta, second))
    assert stream.record.overlays.restrictions == (second,)


def test_erasure_inside_the_term_is_refused_and_use_is_restricted() -> None:
    """Granting is not possible; the refusal restricts use to storage, care, law and claims."""
    stream = archived()
    asked = stream.when(keeping.RecordPatientRequest(RECORD, RequestKind.ERASURE, "Mr. N.", "self", "please erase"))
    request_id = asked.result["request_id"]
    assert isinstance(request_id, UUID)
    grant = keeping.AnswerPatientRequest(RECORD, request_id, granted=True, ground="law", statement="", entry_id=None)
    assert stream.refused(grant)[1] == [("granted", "RETENTION_TERM")]
    refuse = keeping.AnswerPatientRequest(RECORD, request_id, granted=False, ground="law", statement="", entry_id=None)
    stream.when(refuse)
    assert stream.last_events == ["PatientRequestAnswered", "UseRestricted"]
    assert stream.record.overlays.restricted


def test_a_refused_correction_needs_the_patients_statement() -> None:
    """It stands beside the entry, which is named."""
    stream = closed()
    asked = stream.when(keeping.RecordPatientRequest(RECORD, RequestKind.CORRECTION, "Mr. N.", "self", "not so"))
    request_id = asked.result["request_id"]
    assert isinstance(request_id, UUID)
    bare = keeping.AnswerPatientRequest(RECORD, request_id, granted=False, ground="law", statement="", entry_id=None)
    assert stream.refused(bare)[1] == [("statement", "REQUIRED"), ("entry_id", "REQUIRED")]
    stream.when(replace(bare, statement="I never smoked.", entry_id=first(stream)))


def test_a_voided_record_holds_no_entry_and_takes_nothing() -> None:
    """Registered by mistake."""
    stream = registered()
    stream.when(course.VoidRecord(RECORD, "by mistake"))
    assert stream.record.phase is Phase.VOIDED
    allowed = [each.name for each in allowed_actions(stream.record, facts(actor=CLOCK)) if not each.reasons]
    assert allowed == []


def test_a_seal_of_the_first_notes_holds_up_no_care_that_follows() -> None:
    """One note was finished when it was sealed: with the next one the original is not sealed as a whole."""
    stream = active()
    sealed = stream.entry()
    seal = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "Mr. N.", (sealed,), PATIENTS_SIDE)
    stream.when(seal, leaves=leaves(stream))
    start = course.CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - timedelta(days=2), "read off wrongly")
    assert ("record_id", "FULLY_SEALED") in stream.refused(start, actor=SUPERIOR)[1]
    stream.entry()
    stream.when(start, actor=SUPERIOR)
    assert stream.last_events[0] == "TimeCorrected"


def test_a_seal_is_whole_by_what_it_lists_itself() -> None:
    """What another seal listed is open once that one is."""
    stream = archived()
    first, *others = stream.record.entries
    ids: list[UUID] = []
    for scope in ((first,), tuple(others)):
        seal = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "Mr. N.", scope, PATIENTS_SIDE)
        made = stream.when(seal, leaves=leaves(stream)).result["seal_id"]
        assert isinstance(made, UUID)
        ids.append(made)
    ask = keeping.RequestReopen(RECORD, "a mistake", (first,), ())
    assert stream.refused(ask)[1] == [("record_id", "FULLY_SEALED")]
    stream.when(keeping.UnsealRecord(RECORD, ids[0], UnsealGround.BOTH_PRESENT, "Mr. N.", PATIENTS_SIDE))
    stream.when(ask)
    assert stream.last_events == ["ReopenRequested"]
