"""What a front end is told: what a record takes now, and from whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import ArchiveRecord, EndCare
from ledger.domain.decide import decide
from ledger.domain.lifecycle import RULES
from ledger.domain.refusal import Refused
from ledger.domain.values import Actor, Disposition
from tests.unit.domain.given import (
    AFFAIRS,
    APPROVER,
    ARCHIVIST,
    CLOCK,
    LEGAL,
    PHYSICIAN,
    QUALITY,
    RECORD,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    facts,
    permanent,
    reopened,
    submitted,
)


def asked_to_reopen() -> Stream:
    """An archived case that somebody wants opened."""
    stream = archived()
    stream.when(keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",)))
    return stream


def test_allowed_actions_are_what_decide_allows() -> None:
    """In care a note may be written and nothing archived; every refusal says why."""
    stream = active()
    actions = {each.name: [fault.rule for fault in each.reasons] for each in allowed_actions(stream.record, facts())}
    assert actions["RecordEntry"] == []
    assert actions["EndCare"] == []
    assert "PHASE_NOT_ALLOWED" in actions["ArchiveRecord"]
    assert "PHASE_NOT_ALLOWED" in actions["SubmitRecord"]
    stream.when(EndCare(RECORD, Disposition.HOME, None))
    ended = {each.name: [fault.rule for fault in each.reasons] for each in allowed_actions(stream.record, facts())}
    assert set(ended["SubmitRecord"]) == {"MISSING_ENTRY"}


@pytest.mark.parametrize(
    ("make", "asker", "against"),
    [
        (
            archived,
            PHYSICIAN,
            {"IssueCopy": ["ROLE_NOT_ALLOWED"], "RequestReopen": [], "ExtendRetention": ["ROLE_NOT_ALLOWED"]},
        ),
        (archived, ARCHIVIST, {"IssueCopy": [], "LendRecord": [], "PlaceHold": ["ROLE_NOT_ALLOWED"]}),
        (archived, LEGAL, {"PlaceHold": [], "LendRecord": ["ROLE_NOT_ALLOWED"]}),
        (archived, CLOCK, {"PlaceHold": ["NOT_A_PERSON", "ROLE_NOT_ALLOWED"], "ExtendRetention": []}),
        (submitted, QUALITY, {"PassQuality": [], "ArchiveRecord": ["QUALITY_NOT_PASSED", "ROLE_NOT_ALLOWED"]}),
        (asked_to_reopen, replace(AFFAIRS, id=PHYSICIAN.id), {"ApproveReopen": ["SAME_PERSON"]}),
        (asked_to_reopen, AFFAIRS, {"ApproveReopen": []}),
    ],
)
def test_allowed_actions_know_who_asks(make: Callable[[], Stream], asker: Actor, against: dict[str, list[str]]) -> None:
    """Beside the state it counts what the pack leaves to which role, who is no person, and who was the first of two."""
    actions = allowed_actions(make().record, facts(), asker)
    assert {each.name: [fault.rule for fault in each.reasons] for each in actions if each.name in against} == against


def test_what_is_said_to_be_allowed_is_not_refused_for_who_asks() -> None:
    """For every phase, command and role: no fault of the actor that `decide` names is left out, or made up."""
    for make in (active, closed, submitted, archived, reopened, due, condemned, permanent):
        stream = make()
        for asker in (PHYSICIAN, ARCHIVIST, LEGAL, QUALITY, AFFAIRS, APPROVER, CLOCK):
            known = facts(actor=asker)
            for action, command in zip(allowed_actions(stream.record, known, asker), RULES, strict=True):
                guards = [each for each in RULES[command].of_command if each.of_actor]
                said = {each.rule for each in action.reasons}
                assert {each.rule for each in guards if list(each.faults(None, stream.record, known))} <= said
                if command in (keeping.PlaceHold, keeping.RearchiveRecord, ArchiveRecord, keeping.EndRetention):
                    assert said == _refused_with(stream, _plain(command), asker)


def _plain(command: Any) -> Any:
    return command(RECORD, "order", "court", ()) if command is keeping.PlaceHold else command(RECORD)


def _refused_with(stream: Stream, command: Any, asker: Actor) -> set[str]:
    try:
        decide(command, stream.record, facts(actor=asker))
    except Refused as refused:
        return {each.rule for each in refused.violations}
    return set()
