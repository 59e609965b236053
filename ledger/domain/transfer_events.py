"""Events of transfers to another hospital (record streams), and of packages from one; see events.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.values import EventMeta, TransferKind


@dataclass(frozen=True)
class TransferProposed:
    """A transfer was proposed."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    kind: TransferKind


@dataclass(frozen=True)
class TransferPackaged:
    """The package of a transfer was made."""

    meta: EventMeta
    transfer_id: UUID
    record_version: int
    head_leaf: bytes
    events: int
    package_sha256: bytes
    package_size: int


@dataclass(frozen=True)
class TransferOffered:
    """The offer, which also goes to the recipient's topic. It holds no clinical data."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender: str
    kind: TransferKind
    record_version: int
    head_leaf: bytes
    events: int
    package_sha256: bytes
    package_size: int
    expires_at: datetime
    supersedes: UUID | None


@dataclass(frozen=True)
class TransferDelivered:
    """The recipient has the package (said by its answer)."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str


@dataclass(frozen=True)
class TransferVerified:
    """The recipient checked digests and chain."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str


@dataclass(frozen=True)
class TransferAccepted:
    """The recipient accepted."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str


@dataclass(frozen=True)
class TransferRejected:
    """The recipient rejected."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    code: str
    text: str


@dataclass(frozen=True)
class TransferCompleted:
    """The transfer is over; nothing is open."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str


@dataclass(frozen=True)
class TransferWithdrawn:
    """The sender took the offer back."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    reason: str


@dataclass(frozen=True)
class TransferExpired:
    """The offer ran out."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str


@dataclass(frozen=True)
class TransferSuperseded:
    """A later version went out in place of this transfer."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    superseded_by: UUID


@dataclass(frozen=True)
class TransferOutdated:
    """What the package holds was changed since it went out; also goes to the recipient, without what was changed."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    entry_id: UUID | None
    """None = not of an entry: whose record it is, a time of the stay, or the patient's statement on the whole."""


@dataclass(frozen=True)
class PackageReceived:
    """A package arrived (received-package stream of the recipient; stream id = a random UUID of the recipient)."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_origin: str
    sender_record_id: UUID
    kind: TransferKind
    record_version: int
    package_sha256: bytes
    package_size: int


@dataclass(frozen=True)
class PackageVerified:
    """The recipient checked the package."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID
    events: int
    head_leaf: bytes


@dataclass(frozen=True)
class PackageAccepted:
    """The recipient accepted the package."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID


@dataclass(frozen=True)
class PackageRejected:
    """The recipient rejected the package."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID
    code: str
    text: str


@dataclass(frozen=True)
class PackageOutdated:
    """The sender has changed what the package holds since; a later version may follow."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID


@dataclass(frozen=True)
class PackageSinceFork:
    """The package came after the last head that both trees of its sender's log have."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID
    log: str
    """Origin of the log that has shown two trees."""
    common_size: int
    """Up to which position both are the same, as far as it was proven."""


@dataclass(frozen=True)
class PackageForkCleared:
    """A person says that the package may be trusted again."""

    meta: EventMeta
    transfer_id: UUID
    counterpart: str
    sender_record_id: UUID
    reason: str


TransferEvent = (
    TransferProposed
    | TransferPackaged
    | TransferOffered
    | TransferDelivered
    | TransferVerified
    | TransferAccepted
    | TransferRejected
    | TransferCompleted
    | TransferWithdrawn
    | TransferExpired
    | TransferSuperseded
    | TransferOutdated
    | PackageReceived
    | PackageVerified
    | PackageAccepted
    | PackageOutdated
    | PackageSinceFork
    | PackageForkCleared
    | PackageRejected
)
