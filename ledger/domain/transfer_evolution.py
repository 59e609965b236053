"""Events of a record's transfers to other hospitals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledger.domain import events
from ledger.domain.events import Event
from ledger.domain.moment import Moment
from ledger.domain.state import RecordState, StreamState, Transfer
from ledger.domain.values import TransferState

Evolution = Callable[[Any, Any, Moment], StreamState]


def _proposed(state: RecordState, event: events.TransferProposed, moment: Moment) -> RecordState:
    transfer = Transfer(event.transfer_id, event.counterpart, event.kind, TransferState.PROPOSED)
    return _with(state, event.transfer_id, transfer, moment)


def _packaged(state: RecordState, event: events.TransferPackaged, moment: Moment) -> RecordState:
    return _changed(
        state,
        event.transfer_id,
        moment,
        state=TransferState.PACKAGED,
        record_version=event.record_version,
        head_leaf=event.head_leaf,
        package_sha256=event.package_sha256,
        package_size=event.package_size,
    )


def _offered(state: RecordState, event: events.TransferOffered, moment: Moment) -> RecordState:
    return _changed(state, event.transfer_id, moment, state=TransferState.OFFERED, expires_at=event.expires_at)


def _rejected(state: RecordState, event: events.TransferRejected, moment: Moment) -> RecordState:
    return _changed(state, event.transfer_id, moment, state=TransferState.REJECTED, code=event.code)


def _to(reached: TransferState) -> Evolution:
    def step(state: RecordState, event: events.TransferDelivered, moment: Moment) -> RecordState:
        return _changed(state, event.transfer_id, moment, state=reached)

    return step


def _changed(state: RecordState, transfer_id: UUID, moment: Moment, **changes: Any) -> RecordState:
    return _with(state, transfer_id, replace(state.transfers[transfer_id], **changes), moment)


def _with(state: RecordState, transfer_id: UUID, transfer: Transfer, moment: Moment) -> RecordState:
    return replace(
        state,
        version=moment.version,
        updated_at=moment.recorded_at,
        transfers={**state.transfers, transfer_id: transfer},
    )


TRANSFER_STEPS: dict[type[Event], Evolution] = {
    events.TransferProposed: _proposed,
    events.TransferPackaged: _packaged,
    events.TransferOffered: _offered,
    events.TransferDelivered: _to(TransferState.DELIVERED),
    events.TransferVerified: _to(TransferState.VERIFIED),
    events.TransferAccepted: _to(TransferState.ACCEPTED),
    events.TransferRejected: _rejected,
    events.TransferCompleted: _to(TransferState.COMPLETED),
    events.TransferWithdrawn: _to(TransferState.WITHDRAWN),
    events.TransferExpired: _to(TransferState.EXPIRED),
    events.TransferSuperseded: _to(TransferState.SUPERSEDED),
}
