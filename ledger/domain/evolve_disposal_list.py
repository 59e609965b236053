"""Destruction lists, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import disposal_events as events
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_values import DisposalListPhase


def drawn_up(_: None, event: events.DisposalListDrawnUp, at: datetime) -> DisposalListState:
    """A list."""
    return DisposalListState(1, event.title, event.records, event.meta.actor, at)


def approved(state: DisposalListState, event: events.DisposalListApproved, at: datetime) -> DisposalListState:
    """To be executed."""
    return replace(
        state,
        version=state.version + 1,
        phase=DisposalListPhase.APPROVED,
        approved_by=event.meta.actor,
        approver=event.approver,
        approved_at=at,
    )


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
    events.DisposalListExecuted: executed,
    events.DisposalCoverageReported: covered,
}
