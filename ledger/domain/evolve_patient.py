"""Patient streams, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import events, identity_events, stated_details
from ledger.domain.recognition import without_item
from ledger.domain.state import PatientState
from ledger.domain.stated_details import Said, StatedDetails, said_in
from ledger.domain.stated_identifiers import after_amendment, after_statement, item_of


def registered(_: None, event: events.PatientRegistered, __: datetime) -> PatientState:
    """A person becomes known."""
    stated = after_amendment({}, (), event.details.identifiers, item_of(event.meta.source))
    said = stated_details.after_statement(StatedDetails(), item_of(event.meta.source), said_in(event.details))
    return PatientState(1, event.case_number, event.identity, event.details, stated, said)


def amended(state: PatientState, event: events.PatientAmended, _: datetime) -> PatientState:
    """Other data are in force."""
    before, after = state.details.identifiers, event.details.identifiers
    item = item_of(event.meta.source)
    stated = after_amendment(state.stated, before, after, item)
    said = stated_details.after_amendment(state.said, item, said_in(state.details), said_in(event.details))
    return replace(state, version=state.version + 1, details=event.details, stated=stated, said=said)


def identifiers_stated(state: PatientState, event: identity_events.IdentifiersStated, _: datetime) -> PatientState:
    """What the item gives, which others may give too."""
    stated = after_statement(state.stated, item_of(event.meta.source), event.identifiers)
    return replace(state, version=state.version + 1, stated=stated)


def details_stated(state: PatientState, event: identity_events.DetailsStated, _: datetime) -> PatientState:
    """What the item says; what that changes is said by the amendment that follows."""
    said = Said(event.name, event.birth_date, event.gender, event.deceased_at)
    stated = stated_details.after_statement(state.said, item_of(event.meta.source), said)
    return replace(state, version=state.version + 1, said=stated)


def recognition_withdrawn(
    state: PatientState, event: identity_events.RecognitionWithdrawn, _: datetime
) -> PatientState:
    """As if the item had never spoken; that it is about somebody else stays known."""
    item = (event.system, event.type, event.id)
    taken_back = state.taken_back | {item}
    return replace(without_item(state, item), version=state.version + 1, taken_back=taken_back)


def linked(state: PatientState, event: identity_events.PatientLinked, _: datetime) -> PatientState:
    """Perhaps the same person."""
    return replace(state, version=state.version + 1, linked=state.linked | {event.other_id})


def unlinked(state: PatientState, event: identity_events.PatientUnlinked, _: datetime) -> PatientState:
    """Not the same person after all."""
    return replace(state, version=state.version + 1, linked=state.linked - {event.other_id})


def merged(state: PatientState, event: identity_events.PatientMerged, _: datetime) -> PatientState:
    """The same person: one goes on, the other refers to it."""
    if event.survivor:
        return replace(state, version=state.version + 1, absorbed=state.absorbed | {event.other_id})
    return replace(state, version=state.version + 1, merged_into=event.other_id)


def unmerged(state: PatientState, event: identity_events.PatientUnmerged, _: datetime) -> PatientState:
    """Two persons again."""
    into = None if state.merged_into == event.other_id else state.merged_into
    return replace(state, version=state.version + 1, merged_into=into, absorbed=state.absorbed - {event.other_id})


PATIENT_STEPS: dict[Any, Callable[[Any, Any, datetime], PatientState]] = {
    events.PatientRegistered: registered,
    events.PatientAmended: amended,
    identity_events.IdentifiersStated: identifiers_stated,
    identity_events.DetailsStated: details_stated,
    identity_events.RecognitionWithdrawn: recognition_withdrawn,
    identity_events.PatientLinked: linked,
    identity_events.PatientUnlinked: unlinked,
    identity_events.PatientMerged: merged,
    identity_events.PatientUnmerged: unmerged,
}
