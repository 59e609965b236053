"""An offer as it comes from the sender's ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from consumers.leaf_place import LeafPlace
from consumers.transfer_message import PoisonMessage, TransferMessage, read_body, read_uuid
from ledger.api.v1.common_pb2 import TransferKind
from ledger.api.v1.events_pb2 import TransferOffered

OFFERED = "ledger.v1.TransferOffered"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sender says of a package before it is fetched."""

    transfer_id: UUID
    sender: str
    """Hospital that sends."""
    sender_origin: str
    recipient: str
    """Hospital that shall receive."""
    record_id: UUID
    """Record in the sender's ledger."""
    kind: TransferKind.ValueType
    record_version: int
    head_leaf: bytes
    events: int
    package_sha256: bytes
    package_size: int
    """Bytes."""
    expires_at: datetime | None
    """None where the offer has no end."""
    position: int
    """Of the offer in the sender's ledger, as its message says."""
    leaf: bytes
    """Leaf hash of the offer, 32 bytes."""

    @property
    def place(self) -> LeafPlace:
        """Where the sender's log has to hold it."""
        return LeafPlace(self.sender_origin, self.position, self.leaf)


def read_offer(message: TransferMessage) -> Offer:
    """The offer in a message whose type is OFFERED; PoisonMessage where it does not say what an offer must say."""
    envelope = message.checked()
    body = read_body(TransferOffered, message.plaintext)
    offer = Offer(
        transfer_id=read_uuid("transfer_id", body.transfer_id),
        sender=body.sender,
        sender_origin=envelope.origin,
        recipient=body.counterpart,
        record_id=UUID(bytes=envelope.stream_id),
        kind=body.kind,
        record_version=body.record_version,
        head_leaf=body.head_leaf,
        events=body.events,
        package_sha256=body.package_sha256,
        package_size=body.package_size,
        expires_at=body.expires_at.ToDatetime(UTC) if body.HasField("expires_at") else None,
        position=message.place.position,
        leaf=message.place.leaf,
    )
    if len(offer.package_sha256) != 32 or len(offer.head_leaf) != 32:
        raise PoisonMessage("FIELD_INVALID: a digest of the offer is not 32 bytes")
    return offer
