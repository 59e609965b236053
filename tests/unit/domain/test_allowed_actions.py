"""What a front end is told: what a record takes now, and from whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import (
    ArchiveRecord,
    EndCare,
    RecordEntry,
)
from ledger.domain.decide import decide
from ledger.domain.defaults import default_pack
from ledger.domain.lifecycle import RULES
from ledger.domain.pack_roles import NoRoles
from ledger.domain.refusal import Refused
from ledger.domain.values import Actor, Disposition
from tests.unit.domain.given import (
    AFFAIRS,
    APPROVER,
    ARCHIVIST,
    CLOCK,
    LEGAL,
    NOW,
    PHYSICIAN,
    QUALITY,
    RECORD,
    RESULT,
    TERM,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    facts,
    permanent,
    reopened,
    signed,
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
    assert set(ended["SubmitRecord"]) == {"MISSING_ENTRY", "NO_ENTRY"}


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


def _against(stream: Stream, name: str, asker: Actor, **known: Any) -> list[str]:
    actions = allowed_actions(stream.record, facts(**known), asker)
    return next([fault.rule for fault in each.reasons] for each in actions if each.name == name)


def test_offices_are_those_of_the_pack_in_force() -> None:
    """As for the commands themselves: who holds the office today is told yes, who held it then no."""
    own = default_pack()
    lend = replace(own.roles["lend_record"], roles=frozenset({"library"}))
    renamed = {"roles_by": replace(own, roles={**own.roles, "lend_record": lend})}
    librarian, stream = replace(ARCHIVIST, role="library"), archived()
    assert _against(stream, "LendRecord", ARCHIVIST, **renamed) == ["ROLE_NOT_ALLOWED"]
    assert _against(stream, "LendRecord", librarian, **renamed) == []
    assert _against(stream, "LendRecord", librarian) == ["ROLE_NOT_ALLOWED"]


def test_a_pack_in_force_that_cannot_be_read_leaves_no_term_over() -> None:
    """It may have lengthened the term; what no role is asked for stays allowed."""
    stream, late = archived(), {"now": NOW + TERM}
    assert _against(stream, "EndRetention", CLOCK, **late) == []
    assert _against(stream, "EndRetention", CLOCK, roles_by=NoRoles(), **late) == ["TERM_NOT_OVER"]
    assert _against(stream, "LendRecord", ARCHIVIST, roles_by=NoRoles()) == ["ROLE_NOT_ALLOWED"]
    assert _against(active(), "RecordEntry", PHYSICIAN, roles_by=NoRoles()) == []


def test_a_record_in_review_is_said_to_take_an_entry() -> None:
    """It takes a result; that it takes nothing else is said when the entry is sent."""
    stream = submitted()
    assert _against(stream, "RecordEntry", PHYSICIAN) == []
    stream.when(RecordEntry(RECORD, RESULT, signed()))


def _plain(command: Any) -> Any:
    return command(RECORD, "order", "court", ()) if command is keeping.PlaceHold else command(RECORD)


def _refused_with(stream: Stream, command: Any, asker: Actor) -> set[str]:
    try:
        decide(command, stream.record, facts(actor=asker))
    except Refused as refused:
        return {each.rule for each in refused.violations}
    return set()
