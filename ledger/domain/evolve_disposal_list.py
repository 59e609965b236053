"""Destruction lists, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import disposal_events as events
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.values import Actor


def drawn_up(_: None, event: events.DisposalListDrawnUp, at: datetime) -> DisposalListState:
    """A list."""
    return DisposalListState(1, event.title, event.records, event.meta.actor, at)


def approved(state: DisposalListState, event: events.DisposalListApproved, at: datetime) -> DisposalListState:
    """As an earlier release said it: whoever was named has not acted, and approves it still."""
    return replace(_passed(state, event.meta.actor, at), approver=event.approver)


def appraised(state: DisposalListState, event: events.DisposalListAppraised, at: datetime) -> DisposalListState:
    """It waits for the head of the hospital."""
    return _passed(state, event.meta.actor, at)


def _passed(state: DisposalListState, by: Actor, at: datetime) -> DisposalListState:
    version = state.version + 1
    return replace(state, version=version, phase=DisposalListPhase.APPRAISED, approved_by=by, approved_at=at)


def authorised(state: DisposalListState, event: events.DisposalListAuthorised, at: datetime) -> DisposalListState:
    """To be executed, once two have signed that they watch."""
    version, by = state.version + 1, event.meta.actor
    return replace(state, version=version, phase=DisposalListPhase.APPROVED, approver=by, authorised_at=at)


def supervised(state: DisposalListState, event: events.DisposalSupervisionSigned, _: datetime) -> DisposalListState:
    """One more who watches."""
    return replace(state, version=state.version + 1, supervisors=(*state.supervisors, event.meta.actor))


def executed(state: DisposalListState, event: events.DisposalListExecuted, at: datetime) -> DisposalListState:
    """Closed, with its report."""
    return replace(
        state,
        version=state.version + 1,
        phase=DisposalListPhase.EXECUTED,
        supervisors=event.supervisors,
        outcomes=event.outcomes,
        executed_at=at,
    )


def covered(state: DisposalListState, event: events.DisposalCoverageReported, _: datetime) -> DisposalListState:
    """The report says what else is gone."""
    return replace(state, version=state.version + 1, covered=event.records)


DISPOSAL_LIST_STEPS: dict[Any, Callable[[Any, Any, datetime], DisposalListState]] = {
    events.DisposalListDrawnUp: drawn_up,
    events.DisposalListApproved: approved,
    events.DisposalListAppraised: appraised,
    events.DisposalListAuthorised: authorised,
    events.DisposalSupervisionSigned: supervised,
    events.DisposalListExecuted: executed,
    events.DisposalCoverageReported: covered,
}
