"""A transfer to another hospital, and whether that hospital has what it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import TransferKind, TransferState


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
    outdated: bool = False
    """The record was changed since, and the recipient is to be told, or to get a later version."""
