"""From every state that a record can reach, an end stays reachable: no dead end comes back unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import event as note_to_hypothesis
from hypothesis import strategies as st

from ledger.domain.commands import PassQuality
from ledger.domain.keeping_commands import AppraiseDisposal, PlaceHold, RequestReopen
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.lifecycle import RULES, allowed_phases
from ledger.domain.values import IdentityStatus, Phase, VisitType
from tests.property.walks import EXAMPLES, Draws, beginnings, begun, walks
from tests.property.way_out import ENDS, WayOut
from tests.unit.domain.given import (
    ARCHIVIST,
    NOW,
    RECORD,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    condemned,
    due,
    left_to_a_team,
    registered,
    reopened,
    submitted,
    wrong,
    wrong_and_due,
)

pytestmark = pytest.mark.property
WANTED = {DisposalOpinion.KEEP: Phase.PERMANENT, DisposalOpinion.DESTROY: Phase.DESTROYED}


@given(beginnings, walks, st.sampled_from(list(WANTED)))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_end_is_reachable_from_every_state(
    beginning: tuple[str, VisitType], draws: Draws, opinion: DisposalOpinion
) -> None:
    """Wherever a walk leaves a record, commands that are all accepted lead it to PERMANENT, DESTROYED or VOIDED."""
    walk = begun(beginning)
    for _ in walk.steps(draws):
        pass
    left_in, kept_for_ever = walk.stream.record.phase, walk.stream.record.archiving.permanent
    end = WayOut(walk.stream, NOW + walk.now, opinion).walk()
    note_to_hypothesis(f"from {left_in} to {end}")
    assert end in ENDS
    if left_in not in ENDS | {Phase.REGISTERED}:
        # What was reopened out of PERMANENT goes back there, whatever an appraisal would have said.
        assert end is (Phase.PERMANENT if kept_for_ever else WANTED[opinion])


def _unsigned_after_the_window() -> Stream:
    stream = reopened()
    stream.entry(signer=TRAINEE)
    return stream


def _appraised_otherwise() -> Stream:
    stream = due()
    extend = AppraiseDisposal(RECORD, DisposalOpinion.EXTEND, "study", "2099-01-01")
    stream.when(extend, actor=ARCHIVIST, now=NOW + TERM)
    return stream


def _nobody_known() -> Stream:
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.entry(signer=TRAINEE)
    return stream


def _passed_and_held() -> Stream:
    stream = submitted()
    stream.when(PassQuality(RECORD))
    stream.when(PlaceHold(RECORD, "court order", "district court", ()))
    return stream


def _void_under_hold() -> Stream:
    stream = registered()
    stream.when(PlaceHold(RECORD, "court order", "district court", ()))
    return stream


def _asked_to_reopen() -> Stream:
    stream = archived()
    stream.when(RequestReopen(RECORD, "a mistake", (), ("course_note",)))
    return stream


_HARD = [
    left_to_a_team,
    _unsigned_after_the_window,
    _appraised_otherwise,
    condemned,
    _nobody_known,
    _passed_and_held,
    _void_under_hold,
    _asked_to_reopen,
    wrong,
    wrong_and_due,
]


@pytest.mark.parametrize("opinion", list(WANTED))
@pytest.mark.parametrize("make", _HARD)
def test_what_was_a_dead_end_once_has_a_way_out(make: Callable[[], Stream], opinion: DisposalOpinion) -> None:
    """Each of these states, long after everything in it has run out."""
    stream = make()
    late = NOW + TERM + timedelta(days=400)
    assert WayOut(stream, late, opinion).walk() is (Phase.VOIDED if make is _void_under_hold else WANTED[opinion])


@pytest.mark.parametrize("visit", list(VisitType))
def test_every_phase_of_the_declaration_leads_to_an_end(visit: VisitType) -> None:
    """An exhaustive walk over the declared machine: an end is reached from each phase, for each type of visit."""
    leads = {
        phase: {
            to for command, rule in RULES.items() if phase in allowed_phases(command, visit) for to in rule.leads(phase)
        }
        for phase in Phase
    }
    reached = {Phase.PERMANENT, Phase.DESTROYED, Phase.VOIDED}
    while more := {phase for phase, to in leads.items() if to & reached} - reached:
        reached |= more
    assert reached == set(Phase)
