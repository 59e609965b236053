"""A received package's state as the contract's message."""

from __future__ import annotations

from ledger.api.v1.common_pb2 import TransferState
from ledger.api.v1.transfers_pb2 import ReceivedPackage
from ledger.application.views_of_state import PackageView


def package_message(view: PackageView) -> ReceivedPackage:
    """The package as it stands."""
    state = view.state
    return ReceivedPackage(
        package_id=str(view.package_id),
        transfer_id=str(state.transfer_id),
        sender=state.sender,
        sender_record_id=str(state.sender_record_id),
        state=TransferState.Value(f"TRANSFER_STATE_{state.state}"),
        code=state.code,
        package_sha256=state.package_sha256,
        events=state.events,
        outdated=state.outdated,
        since_fork=state.since_fork,
    )
