"""Who is in charge can be named and changed after the start, also where a team took over, by whom the pack names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import ArchiveRecord, EndCare, StartCare, TransferDepartment
from ledger.domain.course_commands import AcceptDeficiency, AssignPhysician, CorrectTime, ReportMissedDeadline
from ledger.domain.deadlines import deadlines
from ledger.domain.defaults import default_pack
from ledger.domain.pack_text import read_pack
from ledger.domain.refusal import RefusalKind
from ledger.domain.state_guards import PHYSICIAN_IN_CHARGE
from ledger.domain.values import Actor, Disposition, Phase, TimeOf, VisitType
from tests.unit.domain.given import (
    CLOCK,
    IMPORTER,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    Stream,
    active,
    archived,
    by_a_team,
    facts,
    left_to_a_team,
    registered,
    submitted,
)
from tests.unit.domain.test_pack_roles import HEAD, NURSE
from tests.unit.domain.test_pack_text import bases, faults_of


def test_a_physician_follows_the_team_that_took_over() -> None:
    """In an emergency the team begins; the physician is named later, and the record shows both."""
    stream = registered(VisitType.EMERGENCY)
    stream.when(StartCare(RECORD, "emergency", "", None, "team on duty"))
    assert stream.record.responsible is None
    stream.when(AssignPhysician(RECORD, PHYSICIAN, ""))
    assert stream.last_events == ["PhysicianAssigned"]
    assert (stream.record.responsible, stream.record.team) == (PHYSICIAN, "team on duty")


def test_another_physician_takes_over_until_the_record_is_kept() -> None:
    """Under care and under quality control, whose defects somebody has to mend; an archived case has nobody anew."""
    assign = AssignPhysician(RECORD, SUPERIOR, "the physician left the hospital")
    for stream in (active(), submitted()):
        stream.when(assign)
        assert stream.record.responsible == SUPERIOR
    assert "PHASE_NOT_ALLOWED" in {rule for _, rule in archived().refused(assign)[1]}


def test_nobody_nameless_nor_a_program_is_in_charge() -> None:
    """A person with name and role, who is no trainee."""
    stream = active()
    assert stream.refused(AssignPhysician(RECORD, None, "")) == (RefusalKind.INVALID, [("responsible", "REQUIRED")])
    nameless = Actor(SUPERIOR.id, "", "attending")
    assert stream.refused(AssignPhysician(RECORD, nameless, ""))[0] is RefusalKind.INVALID
    assert ("responsible.role", "NOT_QUALIFIED") in stream.refused(AssignPhysician(RECORD, CLOCK, ""))[1]


def test_who_names_the_physician_in_charge_has_a_role_for_it() -> None:
    """A physician takes the patient over, or who leads the department says who does; a hospital's layer adds others."""
    assign = AssignPhysician(RECORD, SUPERIOR, "")
    refused = active().refused(assign, actor=NURSE)
    assert refused == (RefusalKind.STATE, [("context.actor.role", "ROLE_NOT_ALLOWED")])
    active().when(assign, actor=PHYSICIAN)
    layer = HEAD + "assign_physician = { roles = ['physician', 'nurse'], source = 'house', unconfirmed = false }\n"
    active().when(assign, actor=NURSE, roles_by=read_pack(layer, bases())[0])


def test_a_time_of_the_stay_is_corrected_by_who_has_a_role_for_it() -> None:
    """Whose deadlines the time moves does not move it; an entry's time goes by the entry's author as before."""
    began = CorrectTime(RECORD, TimeOf.CARE_START, None, 0, NOW - timedelta(days=2), "wrong clock")
    refused = active().refused(began, actor=PHYSICIAN)
    assert refused == (RefusalKind.STATE, [("context.actor.role", "ROLE_NOT_ALLOWED")])
    active().when(began, actor=SUPERIOR)
    layer = HEAD + "correct_time = { roles = ['physician'], source = 'house', unconfirmed = false }\n"
    active().when(began, actor=PHYSICIAN, roles_by=read_pack(layer, bases())[0])
    stream = active()
    stream.when(replace(began, of=TimeOf.ENTRY, entry_id=stream.entry()), actor=PHYSICIAN)


TERM_OF_TEAM = (
    'id = "house"\nversion = 1\nextends = "cn-2010@1"\n[[deadline]]\nid = "physician_named"\nstart = "team_took_over"\n'
    "stop = 'physician'\nfigure = 30\nunit = 'minutes'\nvisits = ['EMERGENCY']\nsource = 'house'\nunconfirmed = false\n"
    "ends_with_stay = true\n"
)


@pytest.mark.parametrize(("seconds", "missed"), [(-1, False), (0, False), (1, True)])
def test_after_a_team_a_physician_is_named_within_the_hospitals_term(seconds: int, *, missed: bool) -> None:
    """A hospital's layer gives its own in the place of the pack's. Counted by the ledger's clock; missed for good."""
    house, due = read_pack(TERM_OF_TEAM, bases())[0], NOW + timedelta(minutes=30)
    at = due + timedelta(seconds=seconds)
    stream = by_a_team()
    (open_,) = (each for each in deadlines(stream.record, house, NOW) if each.rule == "physician_named")
    assert (open_.since, open_.due_at, open_.met_at, open_.missed(at)) == (
        NOW,
        NOW + timedelta(minutes=30),
        None,
        missed,
    )
    report = ReportMissedDeadline(RECORD, "physician_named", None, open_.due_at)
    if not missed:
        assert stream.refused(report, pack=house, now=at)[1] == [("rule", "NOT_MISSED")]
    stream.when(AssignPhysician(RECORD, PHYSICIAN, ""), now=at, occurred_at=NOW)
    stream.when(AssignPhysician(RECORD, SUPERIOR, "on leave"), now=at + timedelta(hours=1))
    (kept,) = (each for each in deadlines(stream.record, house, NOW) if each.rule == "physician_named")
    assert (kept.met_at, kept.missed(at + timedelta(days=1))) == (at, missed)
    if missed:
        stream.when(report, pack=house, now=at)
        assert stream.last_events == ["DeadlineMissed"]


def test_who_was_never_left_to_a_team_or_has_gone_owes_nothing() -> None:
    """Named at the start, in time with a move, or gone before the term was over."""
    house = read_pack(TERM_OF_TEAM, bases())[0]
    assert "physician_named" not in {each.rule for each in deadlines(active(VisitType.EMERGENCY).record, house, NOW)}
    moved, gone = by_a_team(), by_a_team()
    moved.when(TransferDepartment(RECORD, "icu", "", None, PHYSICIAN))
    gone.when(EndCare(RECORD, Disposition.HOME, NOW))
    for stream in (moved, gone):
        (kept,) = (each for each in deadlines(stream.record, house, NOW) if each.rule == "physician_named")
        assert kept.met_at == NOW


def test_a_physicians_naming_ends_nothing_but_a_teams_care() -> None:
    """A rule that stops by it starts by it, or the layer is refused with the line."""
    (fault,) = faults_of(TERM_OF_TEAM.replace("team_took_over", "care_started"))
    assert fault.startswith("line 6: ")
    assert fault.endswith(".start: a physician is named after a team_took_over")


def test_a_front_end_learns_that_it_may_be_sent() -> None:
    """Under care both corrections are offered."""
    allowed = {
        each.name for each in allowed_actions(active().record, facts(now=NOW, actor=SUPERIOR)) if not each.reasons
    }
    assert {"AssignPhysician", "CorrectTime"} <= allowed


@pytest.mark.parametrize(("pack_id", "hours"), [("cn-2010", 6), ("core-2018", 6), ("us-generic", 24)])
def test_the_shipped_packs_give_a_term_and_say_that_no_norm_does(pack_id: str, hours: int) -> None:
    """For any visit that a team can take over; whoever may name somebody is told in time."""
    pack = default_pack(pack_id)
    (found,) = (each for each in deadlines(by_a_team().record, pack, NOW) if each.rule == "physician_named")
    assert found.due_at == NOW + timedelta(hours=hours)
    (rule,) = (each for each in pack.deadlines.rules if each.id == "physician_named")
    assert rule.visits == frozenset(VisitType)
    (figure,) = (each for each in pack.figures if each.name == "deadline.physician_named")
    assert figure.unconfirmed
    assert "no norm" in figure.source or "no federal rule" in figure.source


def confirmed_by(stream: Stream) -> list[tuple[str, str]]:
    """What stands against a doctor's confirmation of the visit."""
    return stream.refused(ArchiveRecord(RECORD), actor=SUPERIOR)[1]


def test_no_visit_is_archived_with_nobody_ever_in_charge() -> None:
    """Care began and ended all the same; whoever it was can be named afterwards."""
    stream = left_to_a_team()
    assert confirmed_by(stream) == [("record_id", "NOBODY_IN_CHARGE")]
    stream.when(AssignPhysician(RECORD, PHYSICIAN, "named from the duty roster"))
    stream.when(ArchiveRecord(RECORD), actor=SUPERIOR)
    assert stream.record.phase is Phase.ARCHIVED


def test_where_nobody_can_be_named_any_more_that_is_accepted_as_a_defect() -> None:
    """By an office, once, with its reason; another missing thing is none of it."""
    stream = left_to_a_team(asked=True)
    stream.when(AcceptDeficiency(RECORD, None, "consultation", "nobody came"))
    assert confirmed_by(stream) == [("record_id", "NOBODY_IN_CHARGE")]
    accept = AcceptDeficiency(RECORD, None, PHYSICIAN_IN_CHARGE, "the roster of that night is lost")
    assert ("context.actor.role", "ROLE_NOT_ALLOWED") in stream.refused(accept, actor=NURSE)[1]
    stream.when(accept)
    assert stream.refused(accept)[1] == [("record_id", "ALREADY_ACCEPTED")]
    stream.when(ArchiveRecord(RECORD), actor=SUPERIOR)


def test_who_was_in_charge_under_an_earlier_system_its_documents_say() -> None:
    """What is taken over is archived as it is."""
    stream = registered(VisitType.EMERGENCY)
    given_there = {"historical": True, "actor": IMPORTER}
    stream.when(StartCare(RECORD, "emergency", "", None, "team on duty"), **given_there)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW), **given_there)
    stream.when(ArchiveRecord(RECORD), actor=SUPERIOR)
