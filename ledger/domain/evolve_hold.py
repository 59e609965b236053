"""Holds and seals, event by event: what each lists, and whether that is everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import keeping_events as events
from ledger.domain.keeping_state import Hold, Seal
from ledger.domain.keeping_values import EntryRef
from ledger.domain.next_version import next_version, with_overlays, without
from ledger.domain.sealed_versions import finished_versions
from ledger.domain.state import RecordState
from ledger.domain.values import EntryState, Phase

_CASES = frozenset({Phase.ARCHIVED, Phase.DUE, Phase.PERMANENT, Phase.ENTERED_IN_ERROR})
"""Phases of a case that is complete."""


def hold_placed(state: RecordState, event: events.HoldPlaced, at: datetime) -> RecordState:
    """One more hold."""
    listed = frozenset(event.versions)
    finished = {EntryRef(entry_id, version.version) for entry_id, version in finished_versions(state)}
    # The event says what was listed, not whether anybody named it.
    whole = listed >= finished if finished else not listed
    hold = Hold(event.hold_id, event.mandate, listed, at, whole)
    return with_overlays(state, holds={**state.overlays.holds, hold.hold_id: hold})


def hold_lifted(state: RecordState, event: events.HoldLifted, _: datetime) -> RecordState:
    """One hold less."""
    return with_overlays(state, holds=without(state.overlays.holds, event.hold_id))


def sealed(state: RecordState, event: events.RecordSealed, at: datetime) -> RecordState:
    """One more seal."""
    listed = frozenset(EntryRef(each.entry_id, each.version) for each in event.versions)
    seal = Seal(event.seal_id, event.mode, listed, event.unfinished, at, reaches=state.version + 1)
    return _with_seal(state, seal)


def seal_extended(state: RecordState, event: events.SealExtended, _: datetime) -> RecordState:
    """The seal lists more."""
    seal = state.overlays.seals[event.seal_id]
    more = seal.versions | {EntryRef(each.entry_id, each.version) for each in event.versions}
    return _with_seal(state, replace(seal, versions=more, reaches=state.version + 1))


def _with_seal(state: RecordState, seal: Seal) -> RecordState:
    """The seal as it is now; whole for good once it lists by itself all that is finished of a case that is."""
    finished = {entry_id for entry_id, entry in state.entries.items() if entry.state is not EntryState.DRAFT}
    everything = bool(finished) and {each.entry_id for each in seal.versions} >= finished
    # While care goes on notes follow: what a seal lists of them is counted anew each time.
    seal = replace(seal, whole=seal.whole or (everything and state.phase in _CASES))
    return with_overlays(state, seals={**state.overlays.seals, seal.seal_id: seal})


def unsealed(state: RecordState, event: events.RecordUnsealed, _: datetime) -> RecordState:
    """One seal less."""
    return with_overlays(state, seals=without(state.overlays.seals, event.seal_id))


def seal_attended(state: RecordState, event: events.SealAttended, _: datetime) -> RecordState:
    """The seal says who was there, for as long as it stands."""
    seal = state.overlays.seals.get(event.seal_id)
    if seal is None:
        return next_version(state)
    attended = replace(seal, second_persons=(*seal.second_persons, event.second_person))
    return with_overlays(state, seals={**state.overlays.seals, seal.seal_id: attended})


HOLD_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {
    events.HoldPlaced: hold_placed,
    events.HoldLifted: hold_lifted,
    events.RecordSealed: sealed,
    events.SealExtended: seal_extended,
    events.RecordUnsealed: unsealed,
    events.SealAttended: seal_attended,
}
