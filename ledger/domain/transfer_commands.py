"""Commands of both sides of a transfer; field names are those of protos/ledger/api/v1/transfers.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import TransferAnswer, TransferKind


@dataclass(frozen=True)
class PackageVerdict:
    """A received package that holds: how many events were checked, and the last one's leaf hash."""

    events: int
    head_leaf: bytes


@dataclass(frozen=True)
class PackageFault:
    """A received package that does not hold."""

    code: str
    text: str = ""


@dataclass(frozen=True)
class OfferTransfer:
    """Proposes, packages and offers a record (sender)."""

    record_id: UUID
    recipient: str
    kind: TransferKind
    expires_at: datetime | None


@dataclass(frozen=True)
class WithdrawTransfer:
    """Takes an open offer back (sender)."""

    record_id: UUID
    transfer_id: UUID
    reason: str


@dataclass(frozen=True)
class ExpireTransfer:
    """Says that an offer that nobody has answered has run out (the clock sends it)."""

    record_id: UUID
    transfer_id: UUID


@dataclass(frozen=True)
class RecordTransferAnswer:
    """Writes the recipient's answer into the record (the sender's consumer sends it)."""

    record_id: UUID
    transfer_id: UUID
    recipient: str
    answer: TransferAnswer
    code: str
    text: str


@dataclass(frozen=True)
class ReceivePackage:
    """Opens the received-package stream with the whole package, checks it and answers (recipient)."""

    transfer_id: UUID
    sender: str
    sender_origin: str
    sender_record_id: UUID
    kind: TransferKind
    record_version: int
    package_sha256: bytes
    package_size: int
    verified: PackageVerdict | None
    fault: PackageFault | None


@dataclass(frozen=True)
class AnswerPackage:
    """Accepts or rejects a verified package (recipient)."""

    package_id: UUID
    accept: bool
    code: str
    text: str


@dataclass(frozen=True)
class MarkPackageOutdated:
    """The sender says that what the package holds was changed (recipient)."""

    package_id: UUID


@dataclass(frozen=True)
class MarkPackageSinceFork:
    """The sender's log has shown two trees, and the offer lies beyond what both have (recipient)."""

    package_id: UUID
    log: str
    common_size: int


@dataclass(frozen=True)
class ClearPackageFork:
    """A person has found which tree is right, and that the package may be trusted again (recipient)."""

    package_id: UUID
    reason: str


TransferCommand = (
    OfferTransfer
    | WithdrawTransfer
    | ExpireTransfer
    | RecordTransferAnswer
    | ReceivePackage
    | AnswerPackage
    | MarkPackageOutdated
    | MarkPackageSinceFork
    | ClearPackageFork
)
