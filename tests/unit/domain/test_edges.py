"""The declared machine is exact: every edge is taken by some record; that none takes another, the random walks show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    ArchiveRecord,
    Command,
    EndCare,
    PassQuality,
    RetractEntry,
    ReturnRecord,
    StartCare,
    SubmitRecord,
)
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.lifecycle import RULES, allowed_phases
from ledger.domain.values import Defect, Disposition, Phase, VisitType
from tests.unit.domain.given import (
    AFFAIRS,
    HEAD_OF_HOSPITAL,
    LIST,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    SUPERVISORS,
    TERM,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    emptied,
    nowhere,
    permanent,
    registered,
    reopened,
    submitted,
    wrong,
    wrong_and_due,
)

Edge = tuple[type[Command], Phase, Phase]
Story = tuple[Callable[[], Stream], Callable[[Stream], Command]]
EXTEND = keeping.ExtendRetention(RECORD, "2190-01-01", "link", None)
DECLARE = course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)


def _after(make: Callable[[], Stream], *commands: Command, **who: Any) -> Callable[[], Stream]:
    def build() -> Stream:
        stream = make()
        for command in commands:
            stream.when(command, now=NOW + TERM, **who)
        return stream

    return build


def _asked(make: Callable[[], Stream]) -> Callable[[], Stream]:
    return _after(make, keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",)))


def _returned_and_emptied() -> Stream:
    stream = _after(submitted, ReturnRecord(RECORD, (Defect("LANGUAGE"),)))()
    for entry_id in stream.record.entries:
        stream.when(RetractEntry(RECORD, entry_id, "of another patient"))
    return stream


def _approve_reopen(stream: Stream) -> Command:
    asked = stream.record.overlays.reopening
    return keeping.ApproveReopen(RECORD, asked.reopen_id if asked else UUID(int=0), None)


def _kept_and_reopened() -> Stream:
    stream = _asked(permanent)()
    stream.when(_approve_reopen(stream), now=NOW + TERM, actor=AFFAIRS)
    return stream


def _approved(opinion: DisposalOpinion, make: Callable[[], Stream] = due) -> Story:
    until = "2190-01-01" if opinion is DisposalOpinion.EXTEND else ""
    appraised = _after(make, keeping.AppraiseDisposal(RECORD, opinion, "term over", until))
    return appraised, lambda _: keeping.ApproveDisposal(RECORD, LIST if opinion is DisposalOpinion.DESTROY else None)


def _always(command: Command) -> Callable[[Stream], Command]:
    return lambda _: command


STORIES: dict[Edge, Story] = {
    (StartCare, Phase.REGISTERED, Phase.ACTIVE): (
        registered,
        _always(StartCare(RECORD, "cardiology", "12", PHYSICIAN, "")),
    ),
    (course.VoidRecord, Phase.REGISTERED, Phase.VOIDED): (registered, _always(course.VoidRecord(RECORD, "typing"))),
    (EndCare, Phase.ACTIVE, Phase.CLOSED): (active, _always(EndCare(RECORD, Disposition.HOME, None))),
    (course.ResumeCare, Phase.CLOSED, Phase.ACTIVE): (closed, _always(course.ResumeCare(RECORD, "bleeding again"))),
    (course.DeclareEnteredInError, Phase.REGISTERED, Phase.ENTERED_IN_ERROR): (registered, _always(DECLARE)),
    (course.DeclareEnteredInError, Phase.ACTIVE, Phase.ENTERED_IN_ERROR): (active, _always(DECLARE)),
    (course.DeclareEnteredInError, Phase.CLOSED, Phase.ENTERED_IN_ERROR): (
        emptied,
        lambda s: replace(DECLARE, traces=nowhere(s.record)),
    ),
    (course.DeclareEnteredInError, Phase.RETURNED, Phase.ENTERED_IN_ERROR): (
        _returned_and_emptied,
        lambda s: replace(DECLARE, traces=nowhere(s.record)),
    ),
    (SubmitRecord, Phase.CLOSED, Phase.SUBMITTED): (closed, _always(SubmitRecord(RECORD))),
    (SubmitRecord, Phase.RETURNED, Phase.SUBMITTED): (
        _after(submitted, ReturnRecord(RECORD, (Defect("LANGUAGE"),))),
        _always(SubmitRecord(RECORD)),
    ),
    (course.RecallRecord, Phase.SUBMITTED, Phase.CLOSED): (submitted, _always(course.RecallRecord(RECORD, "a page"))),
    (ReturnRecord, Phase.SUBMITTED, Phase.RETURNED): (submitted, _always(ReturnRecord(RECORD, (Defect("LANGUAGE"),)))),
    (ArchiveRecord, Phase.SUBMITTED, Phase.ARCHIVED): (
        _after(submitted, PassQuality(RECORD)),
        _always(ArchiveRecord(RECORD)),
    ),
    (ArchiveRecord, Phase.CLOSED, Phase.ARCHIVED): (
        lambda: closed(VisitType.OUTPATIENT),
        _always(ArchiveRecord(RECORD)),
    ),
    (keeping.ApproveReopen, Phase.ARCHIVED, Phase.REOPENED): (_asked(archived), _approve_reopen),
    (keeping.ApproveReopen, Phase.PERMANENT, Phase.REOPENED): (_asked(permanent), _approve_reopen),
    (keeping.RearchiveRecord, Phase.REOPENED, Phase.ARCHIVED): (reopened, _always(keeping.RearchiveRecord(RECORD))),
    (keeping.RearchiveRecord, Phase.REOPENED, Phase.PERMANENT): (
        _kept_and_reopened,
        _always(keeping.RearchiveRecord(RECORD)),
    ),
    (keeping.ExtendRetention, Phase.DUE, Phase.ARCHIVED): (due, _always(EXTEND)),
    (keeping.ExtendRetention, Phase.DUE, Phase.ENTERED_IN_ERROR): (wrong_and_due, _always(EXTEND)),
    (keeping.EndRetention, Phase.ARCHIVED, Phase.DUE): (archived, _always(keeping.EndRetention(RECORD))),
    (keeping.EndRetention, Phase.ENTERED_IN_ERROR, Phase.DUE): (wrong, _always(keeping.EndRetention(RECORD))),
    (keeping.ApproveDisposal, Phase.DUE, Phase.DUE): _approved(DisposalOpinion.DESTROY),
    (keeping.ApproveDisposal, Phase.DUE, Phase.ARCHIVED): _approved(DisposalOpinion.EXTEND),
    (keeping.ApproveDisposal, Phase.DUE, Phase.ENTERED_IN_ERROR): _approved(DisposalOpinion.EXTEND, wrong_and_due),
    (keeping.ApproveDisposal, Phase.DUE, Phase.PERMANENT): _approved(DisposalOpinion.KEEP),
    (keeping.DestroyRecord, Phase.DUE, Phase.DESTROYED): (
        condemned,
        _always(keeping.DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ("paper",))),
    ),
}
"""From each edge to the record that takes it and the command by which it does."""
_AT_ONCE = frozenset({EndCare, StartCare})
"""Commands that a record meets at once; every other comes when all terms are over."""


def declared_edges() -> set[Edge]:
    """Every edge of the declaration, over all types of visits; where a command can leave a record, too."""
    return {
        (command, before, after)
        for command, rule in RULES.items()
        for visit in VisitType
        for before in allowed_phases(command, visit)
        for after in rule.leads(before)
        if rule.leads(before) - {before}
    }


def test_no_edge_is_declared_that_no_story_takes() -> None:
    """And no story is told of an edge that is not declared."""
    assert declared_edges() == set(STORIES)


@pytest.mark.parametrize("edge", list(STORIES), ids=lambda edge: f"{edge[0].__name__}-{edge[1]}-{edge[2]}")
def test_every_declared_edge_is_taken_by_a_record(edge: Edge) -> None:
    """From its phase to its phase, by its command."""
    command_type, before, after = edge
    make, command_of = STORIES[edge]
    stream = make()
    assert stream.record.phase is before
    command = command_of(stream)
    assert type(command) is command_type
    who = {"actor": AFFAIRS} if command_type is keeping.ApproveReopen else {}
    stream.when(command, now=NOW if command_type in _AT_ONCE else NOW + TERM, **who)
    assert stream.record.phase is after


@pytest.mark.parametrize("make", [archived, permanent, reopened])
def test_a_longer_term_leaves_what_is_not_due_as_it_is(make: Callable[[], Stream]) -> None:
    """Only a record that is due goes back to what it was before."""
    stream = make()
    before = stream.record.phase
    stream.when(EXTEND)
    assert stream.record.phase is before
    assert RULES[keeping.ExtendRetention].leads(before) == {before}
