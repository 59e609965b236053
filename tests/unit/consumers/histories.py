"""Whole histories of one record in bytes, as a ledger stores them, and the offer and package made of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from consumers.receiving_hospital.offer import Offer
from consumers.transfer_message import TransferMessage
from ledger.api.v1.common_pb2 import TRANSFER_KIND_TRANSFER
from ledger.api.v1.events_pb2 import CareStarted, RecordRegistered, TransferOffered
from ledger.api.v1.stream_pb2 import StoredEvent
from ledger.api.v1.transfers_pb2 import PackagedEvent, TransferPackage
from ledger.trust.envelope import Envelope
from tests.services.sealed import opened_body, stored_under_fixed_key

NORTH = "ledger.example/north/1"
RECORD = UUID("11111111-1111-4111-8111-111111111111")
TRANSFER = UUID("22222222-2222-4222-8222-222222222222")
ACTOR = UUID("33333333-3333-4333-8333-333333333333")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
_FIRST_MICROSECOND = 1_777_000_000_000_000


@dataclass
class History:
    """A stream that grows; `events` are what the ledger holds of it."""

    stream_id: UUID = RECORD
    origin: str = NORTH
    events: list[StoredEvent] = field(default_factory=list[StoredEvent])
    head_leaf: bytes = b""

    def add(self, body: bytes, event_type: str, position: int = 0) -> StoredEvent:
        """Appends an event; the position is the version unless told."""
        version = len(self.events) + 1
        place = Envelope(
            format=1,
            origin=self.origin,
            stream_id=self.stream_id.bytes,
            stream_version=version,
            type=event_type,
            recorded_at=_FIRST_MICROSECOND + version,
            actor=ACTOR.bytes,
            key_id=b"",
            body_sha256=b"",
            commitment=b"",
            prev_leaf=self.head_leaf,
        )
        stored = stored_under_fixed_key(place, body)
        self.head_leaf = stored.leaf
        self.events.append(StoredEvent(position=position or version, envelope=stored.envelope, body=stored.body))
        return self.events[-1]


def short_history(stream_id: UUID = RECORD, origin: str = NORTH) -> History:
    """A record of three events."""
    history = History(stream_id, origin)
    history.add(RecordRegistered(case_number="C-1", department="MED").SerializeToString(), "ledger.v1.RecordRegistered")
    history.add(CareStarted(department="MED", bed="12").SerializeToString(), "ledger.v1.CareStarted")
    history.add(CareStarted(department="SUR", bed="3").SerializeToString(), "ledger.v1.CareStarted")
    return history


def package_of(history: History) -> TransferPackage:
    """The package of a whole history."""
    return TransferPackage(
        format=1,
        transfer_id=str(TRANSFER),
        sender_origin=history.origin,
        record_id=str(history.stream_id),
        record_version=len(history.events),
        head_leaf=history.head_leaf,
        events=[PackagedEvent(envelope=event.envelope, body=event.body) for event in history.events],
    )


def offer_of(package: TransferPackage, data: bytes, expires_at: datetime | None = None) -> Offer:
    """An offer that names exactly these bytes, whatever they hold."""
    return Offer(
        transfer_id=TRANSFER,
        sender="north",
        sender_origin=NORTH,
        recipient="south",
        record_id=RECORD,
        kind=TRANSFER_KIND_TRANSFER,
        record_version=package.record_version,
        head_leaf=package.head_leaf,
        events=len(package.events),
        package_sha256=sha256(data).digest(),
        package_size=len(data),
        expires_at=expires_at,
        position=40,
        leaf=bytes(32),
    )


def offer_message(history: History, offer: Offer, position: int = 40) -> TransferMessage:
    """The offer as the next event of the record, as it lies on the recipient's topic."""
    body = TransferOffered(
        transfer_id=str(offer.transfer_id),
        counterpart=offer.recipient,
        sender=offer.sender,
        kind=offer.kind,
        record_version=offer.record_version,
        head_leaf=offer.head_leaf,
        events=offer.events,
        package_sha256=offer.package_sha256,
        package_size=offer.package_size,
    )
    if offer.expires_at is not None:
        expires_at = Timestamp()
        expires_at.FromDatetime(offer.expires_at)
        body.expires_at.CopyFrom(expires_at)
    event = history.add(body.SerializeToString(), "ledger.v1.TransferOffered", position)
    return TransferMessage(
        history.origin, position, event.envelope, event.body, opened_body(event.envelope, event.body)
    )
