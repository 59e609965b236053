"""Whether a sender still hands the package of a transfer over."""

from __future__ import annotations

from datetime import datetime

from ledger.domain.transfer_state import Transfer
from ledger.domain.values import TransferState

_ENDED = frozenset({TransferState.WITHDRAWN, TransferState.EXPIRED, TransferState.REJECTED})
_RECEIVED = frozenset(
    {TransferState.DELIVERED, TransferState.VERIFIED, TransferState.ACCEPTED, TransferState.COMPLETED}
)


def handed_over(transfer: Transfer, now: datetime) -> bool:
    """Whether the recipient gets the package at `now`: until the offer ends; once received, also after that."""
    if transfer.state in _ENDED:
        return False
    if transfer.state in _RECEIVED:
        return True
    return transfer.expires_at is not None and now < transfer.expires_at
