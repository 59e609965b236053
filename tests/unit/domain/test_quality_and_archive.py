"""Handed in, returned, passed, archived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import (
    AmendEntry,
    ArchiveRecord,
    EndCare,
    PassQuality,
    RecordEntry,
    RetractEntry,
    ReturnRecord,
    SubmitRecord,
)
from ledger.domain.course_commands import AcceptDeficiency, CorrectTime
from ledger.domain.keeping_commands import EndRetention
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import AmendmentKind, Defect, Disposition, Phase, TimeOf, VisitType
from tests.unit.domain.given import (
    CLOCK,
    HEAD,
    MANDATORY,
    NOW,
    PHYSICIAN,
    RECORD,
    TRAINEE,
    active,
    archived,
    closed,
    imported,
    note,
    signed,
    submitted,
)


def test_a_record_is_handed_in_complete() -> None:
    """Every mandatory entry that is missing is named, and every entry that waits for a signature."""
    stream = active()
    unsigned = stream.entry(signer=TRAINEE)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    kind, faults = stream.refused(SubmitRecord(RECORD))
    assert kind is RefusalKind.STATE
    nothing_signed = [("record_id", "NO_ENTRY"), (f"entries[{unsigned}]", "NOT_SIGNED")]
    assert faults == [("record_id", "MISSING_ENTRY")] * 5 + nothing_signed


def test_a_retracted_entry_neither_counts_nor_waits() -> None:
    """A retracted entry does not stand for a mandatory one and needs no signature."""
    stream = closed()
    front_page = list(stream.record.entries)[-1]
    stream.when(RetractEntry(RECORD, front_page, "wrong patient"))
    stream.when(RetractEntry(RECORD, stream.entry(signer=TRAINEE), "draft"), actor=TRAINEE)
    assert stream.refused(SubmitRecord(RECORD))[1] == [("record_id", "MISSING_ENTRY")]


def test_a_record_of_an_earlier_system_is_taken_as_it_is() -> None:
    """Nobody can sign today what was written then: a historical record is handed in without."""
    stream = imported()
    stream.when(RecordEntry(RECORD, note(), None), historical=True)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    stream.when(SubmitRecord(RECORD))
    assert stream.record.phase is Phase.SUBMITTED


def test_what_is_written_live_in_an_old_record_is_signed() -> None:
    """Given an imported record with a live entry of a trainee, when it is handed in, a signature is waited for."""
    stream = imported()
    unsigned = stream.entry(signer=TRAINEE)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert stream.refused(SubmitRecord(RECORD))[1] == [(f"entries[{unsigned}]", "NOT_SIGNED")]


def test_a_live_amendment_of_an_old_entry_is_signed() -> None:
    """Given an imported entry of a trainee, when the trainee amends it now, the new version waits for a signature."""
    stream = imported()
    old = stream.when(RecordEntry(RECORD, note(), signed(TRAINEE)), historical=True).result["entry_id"]
    assert isinstance(old, UUID)
    change = AmendEntry(RECORD, old, AmendmentKind.CORRECTION, "checked", note("So."), signed(TRAINEE))
    stream.when(change)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert stream.refused(SubmitRecord(RECORD))[1] == [(f"entries[{old}]", "NOT_SIGNED")]


def test_an_old_entry_never_blocks_a_live_record() -> None:
    """Given a live record with everything mandatory, an entry of an earlier system without signature does not block."""
    stream = active()
    for content in MANDATORY:
        stream.entry(content)
    stream.when(RecordEntry(RECORD, note(), None), historical=True)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    stream.when(SubmitRecord(RECORD))
    assert stream.record.phase is Phase.SUBMITTED


def test_live_care_under_an_old_registration_needs_its_mandatory_entries() -> None:
    """Given a registration taken over and care begun live, when it is handed in, what is mandatory is asked for."""
    stream = active(historical=True)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert stream.refused(SubmitRecord(RECORD))[1] == [*[("record_id", "MISSING_ENTRY")] * 5, ("record_id", "NO_ENTRY")]


def test_an_old_visit_is_not_archived_with_a_live_entry_unsigned() -> None:
    """Given an imported outpatient visit with a live unsigned entry, confirmation alone does not archive it."""
    stream = imported(VisitType.OUTPATIENT)
    stream.when(RecordEntry(RECORD, note(), None), historical=True)
    unsigned = stream.entry(signer=TRAINEE)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert stream.refused(ArchiveRecord(RECORD))[1] == [(f"entries[{unsigned}]", "NOT_SIGNED")]
    stream.when(RetractEntry(RECORD, unsigned, "draft"), actor=TRAINEE)
    stream.when(ArchiveRecord(RECORD))
    assert stream.record.phase is Phase.ARCHIVED


def test_a_returned_record_comes_back_and_is_counted() -> None:
    """Return, hand in again, pass: the pass counts for what was handed in last."""
    stream = submitted()
    stream.when(PassQuality(RECORD))
    stream.when(ReturnRecord(RECORD, (Defect("LANGUAGE"),)))
    assert (stream.record.phase, stream.record.archiving.returns) == (Phase.RETURNED, 1)
    stream.when(SubmitRecord(RECORD))
    assert stream.refused(ArchiveRecord(RECORD)) == (RefusalKind.STATE, [("record_id", "QUALITY_NOT_PASSED")])


def test_the_archived_case_holds_the_head_of_the_running_record() -> None:
    """The event of archiving names the leaf hash of the event before it, and the retention date."""
    stream = archived()
    assert stream.record.phase is Phase.ARCHIVED
    assert stream.record.archiving.head_leaf == HEAD
    assert stream.record.retain_until == "2056-03-01"


@pytest.mark.parametrize("visit", [VisitType.OUTPATIENT, VisitType.EMERGENCY])
def test_a_visit_is_archived_at_the_doctors_confirmation(visit: VisitType) -> None:
    """Outpatient and emergency visits go from CLOSED to ARCHIVED, kept for their own term."""
    stream = active(visit)
    stream.entry()
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    stream.when(ArchiveRecord(RECORD))
    assert (stream.record.phase, stream.record.retain_until) == (Phase.ARCHIVED, "2041-03-01")


def test_a_visit_is_not_archived_with_an_unsigned_entry() -> None:
    """The short path skips quality control, not the signatures."""
    stream = active(VisitType.OUTPATIENT)
    stream.entry()
    unsigned = stream.entry(signer=TRAINEE)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert stream.refused(ArchiveRecord(RECORD))[1] == [(f"entries[{unsigned}]", "NOT_SIGNED")]


def test_an_inpatients_record_is_not_archived_unseen() -> None:
    """Inpatients' and observation records go through quality control."""
    for visit in (VisitType.INPATIENT, VisitType.OBSERVATION):
        assert closed(visit).refused(ArchiveRecord(RECORD)) == (RefusalKind.STATE, [("", "PHASE_NOT_ALLOWED")])


def test_a_term_that_ends_on_no_day_ends_on_the_next() -> None:
    """Care that ended on 29 February is kept to 1 March: a term is never shorter than it says."""
    stream = imported(VisitType.OUTPATIENT)
    stream.entry()
    stream.when(EndCare(RECORD, Disposition.HOME, datetime(2024, 2, 29, tzinfo=UTC)), historical=True)
    stream.when(ArchiveRecord(RECORD))
    assert stream.record.retain_until == "2039-03-01"


def test_a_stay_that_is_dated_back_is_kept_for_the_whole_term_from_its_registration() -> None:
    """However long ago somebody types that it ended: at the end of that term, a day before not."""
    stream = active(VisitType.OUTPATIENT)
    stream.entry()
    stream.when(EndCare(RECORD, Disposition.HOME, NOW), now=NOW)
    typed = active(VisitType.OUTPATIENT)
    typed.entry()
    began = NOW - timedelta(days=30 * 366)
    typed.when(CorrectTime(RECORD, TimeOf.CARE_START, None, 0, began, "typed"))
    typed.when(EndCare(RECORD, Disposition.HOME, began + timedelta(hours=1)))
    for each in (stream, typed):
        each.when(ArchiveRecord(RECORD))
        assert each.record.retain_until == "2041-03-01"
        refused = each.refused(EndRetention(RECORD), now=datetime(2041, 2, 28, 12, tzinfo=UTC))
        assert refused[1] == [("record_id", "TERM_NOT_OVER")]
        each.when(EndRetention(RECORD), now=datetime(2041, 3, 1, 12, tzinfo=UTC))


def test_what_an_earlier_system_registered_is_kept_from_its_end() -> None:
    """It was kept there: its term runs from the end that was said, over or not on the day it is taken over."""
    stream = imported(VisitType.OUTPATIENT)
    stream.when(EndCare(RECORD, Disposition.HOME, datetime(2001, 5, 2, tzinfo=UTC)), historical=True)
    stream.when(ArchiveRecord(RECORD))
    assert stream.record.retain_until == "2016-05-02"
    stream.when(EndRetention(RECORD))


def test_a_stay_ended_on_the_day_that_the_hospital_had() -> None:
    """Half past midnight of 1 April in Shanghai is still March in Greenwich: the term begins in April."""
    stream = active()
    for content in MANDATORY:
        stream.entry(content)
    end = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
    stream.when(EndCare(RECORD, Disposition.HOME, end), now=end)
    for command in (SubmitRecord(RECORD), PassQuality(RECORD), ArchiveRecord(RECORD)):
        stream.when(command, now=end)
    assert stream.record.retain_until == "2056-04-01"


def test_a_defect_is_accepted_of_one_version() -> None:
    """The next version waits for its own signature again."""
    stream = closed()
    entry_id = stream.entry(signer=TRAINEE)
    stream.when(AcceptDeficiency(RECORD, entry_id, "", "the author has left"))
    again = AmendEntry(RECORD, entry_id, AmendmentKind.AMENDMENT, "more", note("More."), signed(TRAINEE))
    stream.when(again)
    assert stream.refused(SubmitRecord(RECORD))[1] == [(f"entries[{entry_id}]", "NOT_SIGNED")]


def test_a_record_of_the_short_path_is_archived_by_somebody_and_holds_something() -> None:
    """An empty visit, or one that only a program looked at, is no archived case."""
    empty = active(VisitType.OUTPATIENT)
    empty.when(EndCare(RECORD, Disposition.HOME, NOW))
    assert empty.refused(ArchiveRecord(RECORD))[1] == [("record_id", "NO_ENTRY")]
    written = closed(VisitType.OUTPATIENT)
    assert written.refused(ArchiveRecord(RECORD), actor=CLOCK)[1] == [
        ("context.actor", "NOT_A_PERSON"),
        ("context.actor.role", "ROLE_NOT_ALLOWED"),
    ]
    written.when(ArchiveRecord(RECORD), actor=PHYSICIAN)


def test_a_retention_date_never_moves_back() -> None:
    """A later date that stands already outlives an earlier one that the rules give."""
    stream = submitted()
    stream.when(PassQuality(RECORD))
    stream.state = replace(stream.record, archiving=replace(stream.record.archiving, retain_until="2090-01-01"))
    stream.when(ArchiveRecord(RECORD))
    assert stream.record.retain_until == "2090-01-01"
