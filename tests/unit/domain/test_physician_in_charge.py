"""Who is in charge can be named and changed after the start, also where a team took over, by whom the pack names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import EndCare, StartCare, TransferDepartment
from ledger.domain.course_commands import AssignPhysician, CorrectTime, ReportMissedDeadline
from ledger.domain.deadlines import deadlines
from ledger.domain.pack_text import read_pack
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import Actor, Disposition, TimeOf, VisitType
from tests.unit.domain.given import (
    CLOCK,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    Stream,
    active,
    archived,
    facts,
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


def by_a_team() -> Stream:
    """An emergency that a team took over now."""
    stream = registered(VisitType.EMERGENCY)
    stream.when(StartCare(RECORD, "emergency", "", None, "team on duty"))
    return stream


@pytest.mark.parametrize(("seconds", "missed"), [(-1, False), (0, False), (1, True)])
def test_after_a_team_a_physician_is_named_within_the_hospitals_term(seconds: int, *, missed: bool) -> None:
    """No national figure is known: a hospital's layer gives its own. Counted by the ledger's clock; missed for good."""
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
