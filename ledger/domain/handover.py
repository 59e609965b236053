"""Whether a sender still hands the package of a transfer over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ledger.domain.transfer_state import Transfer, misnamed
from ledger.domain.values import TransferState

_ENDED = frozenset({TransferState.WITHDRAWN, TransferState.EXPIRED, TransferState.REJECTED})
_RECEIVED = frozenset(
    {TransferState.DELIVERED, TransferState.VERIFIED, TransferState.ACCEPTED, TransferState.COMPLETED}
)


def handed_over(transfer: Transfer, patient_id: UUID, now: datetime, *, in_error: bool = False) -> bool:
    """Whether the recipient gets the package at `now`: until the offer ends; once received, also after that.

    Never under another name than the record's patient now (`patient_id`), nor once the record was entered in error.
    """
    if in_error or transfer.state in _ENDED or misnamed(transfer, patient_id):
        return False
    if transfer.state in _RECEIVED:
        return True
    return transfer.expires_at is not None and now < transfer.expires_at
