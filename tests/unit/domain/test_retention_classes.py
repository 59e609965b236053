"""From which visits a term counts, and which figure makes the date."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import ArchiveRecord, PassQuality, SubmitRecord
from ledger.domain.course_commands import CorrectTime, DeclareEnteredInError
from ledger.domain.decision import Visit
from ledger.domain.retention import Term, counted_from, retention_term
from ledger.domain.values import Phase, TimeOf, VisitType
from tests.unit.domain.given import NOW, RECORD, SUPERIOR, TERM, active, archived, closed, facts, visit_of

LATER = NOW + TERM
DAY = timedelta(days=1)
OTHER = UUID(int=555)


def test_a_visit_under_another_packs_names_moves_the_date_all_the_same() -> None:
    """What a class means counts, not what a pack calls it: each pack says which visits go together in it."""
    stream = archived()
    ended = NOW + timedelta(days=3650)
    older = Visit(OTHER, VisitType.OBSERVATION, "stay", Phase.CLOSED, ended)
    moved = stream.refused(keeping.EndRetention(RECORD), now=LATER, visits=(visit_of(stream), older))
    assert moved[1] == [("record_id", "TERM_NOT_OVER")]
    clinic = replace(older, visit_type=VisitType.OUTPATIENT, retention_class=stream.record.retention_class)
    stream.when(keeping.EndRetention(RECORD), now=LATER, visits=(visit_of(stream), clinic))


def test_the_pack_in_force_says_for_its_own_date_which_visits_go_together() -> None:
    """A new pack that keeps clinics as long as stays, counted from the last of both, holds for old records too."""
    stream = archived()
    pack = facts().pack
    together = dict.fromkeys(VisitType, pack.retention[VisitType.INPATIENT])
    clinic = Visit(OTHER, VisitType.OUTPATIENT, "outpatient", Phase.CLOSED, NOW + timedelta(days=3650))
    known: dict[str, Any] = {"now": LATER, "visits": (visit_of(stream), clinic)}
    refused = stream.refused(keeping.EndRetention(RECORD), pack_in_force=replace(pack, retention=together), **known)
    assert refused[1] == [("record_id", "TERM_NOT_OVER")]
    stream.when(keeping.EndRetention(RECORD), pack_in_force=pack, **known)


def test_a_date_comes_with_the_figure_that_makes_it() -> None:
    """Own pack or the one in force, whichever keeps it longer; none where a date promised before is later."""
    stream = archived()
    pack = facts().pack
    named = next(each for each in pack.figures if each.name == "retention.INPATIENT")
    longer = [replace(each, source="own counsel") if each is named else each for each in pack.figures]
    terms = {**pack.retention, VisitType.INPATIENT: replace(pack.retention[VisitType.INPATIENT], years=40)}
    in_force = replace(pack, id="house", version=3, retention=terms, figures=tuple(longer))
    own = retention_term(stream.record, facts())
    assert (own.until, own.years, own.source, own.pack) == ("2056-03-01", 30, named.source, "cn-2010@1")
    later = retention_term(stream.record, facts(pack_in_force=in_force))
    assert (later.until, later.years, later.source, later.pack) == ("2066-03-01", 40, "own counsel", "house@3")
    stream.when(keeping.ExtendRetention(RECORD, "2070-01-01", "link", None))
    assert retention_term(stream.record, facts(pack_in_force=in_force)) == Term("2070-01-01")


def test_a_corrected_end_brings_no_disposal_nearer() -> None:
    """One person's word ends no term: the latest end that was ever said counts, of this visit and of any other."""
    stream, back = closed(), NOW - TERM
    stream.when(CorrectTime(RECORD, TimeOf.CARE_START, None, 0, back - DAY, "another year"))
    stream.when(CorrectTime(RECORD, TimeOf.CARE_END, None, 0, back, "another year"))
    assert (stream.record.ended_at, counted_from(stream.record)) == (back, NOW)
    for command in (SubmitRecord(RECORD), PassQuality(RECORD), ArchiveRecord(RECORD)):
        stream.when(command)
    assert stream.record.retain_until == archived().record.retain_until
    assert stream.refused(keeping.EndRetention(RECORD))[1] == [("record_id", "TERM_NOT_OVER")]
    stream.when(keeping.EndRetention(RECORD), now=LATER)


def test_a_corrected_end_keeps_a_record_longer() -> None:
    """A later end than was said counts as it does from the start."""
    stream = closed()
    stream.when(CorrectTime(RECORD, TimeOf.CARE_END, None, 0, NOW + DAY, "the next day"), now=NOW + DAY)
    assert retention_term(stream.record, facts(now=NOW + DAY)).until == "2056-03-02"


def test_a_declaration_said_to_lie_back_ends_no_term() -> None:
    """What is wrong is kept from the day on which the ledger learnt of it."""
    stream = active()
    declare = DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)
    stream.when(declare, occurred_at=NOW - TERM)
    assert stream.record.ended_at == NOW
    assert stream.refused(keeping.EndRetention(RECORD))[1] == [("record_id", "TERM_NOT_OVER")]
