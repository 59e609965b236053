"""A transfer to another hospital, and whether that hospital has what it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import TransferKind, TransferState

UNANSWERED = frozenset({TransferState.OFFERED})
"""States in which an offer can run out: what the recipient has cannot be taken back by time."""
OPEN = frozenset({TransferState.OFFERED, TransferState.DELIVERED, TransferState.VERIFIED})
ANSWERABLE = OPEN | {TransferState.EXPIRED}
"""An answer that was given in time may arrive after the offer has run out; who has the package is written down."""


@dataclass(frozen=True)
class Transfer:
    """A transfer to another hospital, as the sender knows it."""

    transfer_id: UUID
    counterpart: str
    kind: TransferKind
    state: TransferState
    record_version: int = 0
    package_sha256: bytes = b""
    expires_at: datetime | None = None
    code: str = ""
    delivered: bool = False
    """The recipient has the package, whatever became of the offer afterwards."""
    patient_id: UUID | None = None
    """Whose the record was when it was offered."""
    outdated: bool = False
    """The record was changed since, and the recipient is to be told, or to get a later version."""


def run_out(transfer: Transfer, now: datetime) -> bool:
    """Whether the offer's last moment is over: at it the package is no longer handed over."""
    return transfer.expires_at is not None and now >= transfer.expires_at


def misnamed(transfer: Transfer, patient_id: UUID) -> bool:
    """Whether it was offered when the record was another patient's."""
    return transfer.patient_id != patient_id
