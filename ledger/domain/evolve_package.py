"""Received packages, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import transfer_events
from ledger.domain.state import PackageState
from ledger.domain.values import TransferState


def received(_: None, event: transfer_events.PackageReceived, __: datetime) -> PackageState:
    """A package arrived."""
    return PackageState(
        version=1,
        transfer_id=event.transfer_id,
        sender=event.counterpart,
        sender_origin=event.sender_origin,
        sender_record_id=event.sender_record_id,
        kind=event.kind,
        record_version=event.record_version,
        package_sha256=event.package_sha256,
        package_size=event.package_size,
    )


def verified(state: PackageState, event: transfer_events.PackageVerified, _: datetime) -> PackageState:
    """It holds."""
    return replace(
        state,
        version=state.version + 1,
        state=TransferState.VERIFIED,
        events=event.events,
        head_leaf=event.head_leaf,
    )


def accepted(state: PackageState, _: transfer_events.PackageAccepted, __: datetime) -> PackageState:
    """It was taken."""
    return replace(state, version=state.version + 1, state=TransferState.ACCEPTED)


def rejected(state: PackageState, event: transfer_events.PackageRejected, _: datetime) -> PackageState:
    """It was not taken."""
    return replace(state, version=state.version + 1, state=TransferState.REJECTED, code=event.code)


def outdated(state: PackageState, _: transfer_events.PackageOutdated, __: datetime) -> PackageState:
    """It is no longer what the sender's record says."""
    return replace(state, version=state.version + 1, outdated=True)


def since_fork(state: PackageState, _: transfer_events.PackageSinceFork, __: datetime) -> PackageState:
    """What its sender's log says of it is in doubt."""
    return replace(state, version=state.version + 1, since_fork=True)


def fork_cleared(state: PackageState, _: transfer_events.PackageForkCleared, __: datetime) -> PackageState:
    """It is not, a person says."""
    return replace(state, version=state.version + 1, since_fork=False)


PACKAGE_STEPS: dict[Any, Callable[[Any, Any, datetime], PackageState]] = {
    transfer_events.PackageReceived: received,
    transfer_events.PackageVerified: verified,
    transfer_events.PackageAccepted: accepted,
    transfer_events.PackageRejected: rejected,
    transfer_events.PackageOutdated: outdated,
    transfer_events.PackageSinceFork: since_fork,
    transfer_events.PackageForkCleared: fork_cleared,
}
