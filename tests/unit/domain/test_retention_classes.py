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
from ledger.domain.retention import Term, retention_term
from ledger.domain.values import Phase, TimeOf, VisitType
from tests.unit.domain.given import (
    NOW,
    RECORD,
    SUPERIOR,
    TERM,
    Stream,
    active,
    archived,
    closed,
    facts,
    visit_of,
)

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


def _dated_back() -> Stream:
    """A case whose end somebody dated back by more than its term before it was archived."""
    stream = closed()
    for of in (TimeOf.CARE_START, TimeOf.CARE_END):
        stream.when(CorrectTime(RECORD, of, None, 0, NOW - TERM, "typed wrongly"))
    stream.when(SubmitRecord(RECORD))
    stream.when(PassQuality(RECORD))
    stream.when(ArchiveRecord(RECORD))
    return stream


def test_no_correction_that_is_dated_back_ends_a_term() -> None:
    """Of the ends that were ever said the latest counts: one person's correction makes no term shorter."""
    stream = _dated_back()
    assert stream.record.ended_at == NOW - TERM
    assert stream.record.retain_until == archived().record.retain_until
    assert stream.refused(keeping.EndRetention(RECORD))[1] == [("record_id", "TERM_NOT_OVER")]
    own = visit_of(stream)
    assert own.ended_at == NOW


def test_an_error_that_is_declared_as_of_long_ago_keeps_its_term() -> None:
    """The term of a wrong record runs from the day on which somebody declares it."""
    stream = active()
    declared = DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)
    stream.when(declared, occurred_at=NOW - TERM)
    assert stream.refused(keeping.EndRetention(RECORD))[1] == [("record_id", "TERM_NOT_OVER")]


def test_no_visit_that_began_here_ends_before_the_ledger_knew_of_it() -> None:
    """Whatever end is typed: its whole term is kept from that day on; of an earlier system's the end alone counts."""
    stream = archived()
    own, known_since = visit_of(stream), NOW + timedelta(days=3650)
    typed = Visit(OTHER, VisitType.INPATIENT, "inpatient", Phase.CLOSED, NOW - TERM, registered_at=known_since)
    for here, since in ((typed, known_since), (replace(typed, registered_at=None), NOW)):
        term = retention_term(stream.record, facts(now=LATER, visits=(own, here)))
        same = replace(typed, ended_at=since, registered_at=None)
        assert term == retention_term(stream.record, facts(now=LATER, visits=(own, same)))
    true = replace(typed, ended_at=known_since + DAY)
    later = retention_term(stream.record, facts(now=LATER, visits=(own, true)))
    assert later.until > retention_term(stream.record, facts(now=LATER, visits=(own, typed))).until
