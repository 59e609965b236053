"""Who is in charge can be named and changed after the start, also where a team took over."""

from __future__ import annotations

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import StartCare
from ledger.domain.course_commands import AssignPhysician
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import Actor, VisitType
from tests.unit.domain.given import (
    CLOCK,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    active,
    archived,
    facts,
    registered,
    submitted,
)


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


def test_a_front_end_learns_that_it_may_be_sent() -> None:
    """Under care both corrections are offered."""
    allowed = {each.name for each in allowed_actions(active().record, facts(now=NOW)) if not each.reasons}
    assert {"AssignPhysician", "CorrectTime"} <= allowed
