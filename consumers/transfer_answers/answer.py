"""A recipient's answer as it comes from the recipient's ledger."""

from dataclasses import dataclass
from uuid import UUID

from consumers.transfer_message import TransferMessage, read_body, read_uuid
from ledger.api.v1.events_pb2 import PackageAccepted, PackageRejected, PackageVerified
from ledger.api.v1.transfers_pb2 import (
    TRANSFER_ANSWER_ACCEPTED,
    TRANSFER_ANSWER_REJECTED,
    TRANSFER_ANSWER_VERIFIED,
    TransferAnswer,
)

_KINDS = {
    "ledger.v1.PackageVerified": (PackageVerified, TRANSFER_ANSWER_VERIFIED),
    "ledger.v1.PackageAccepted": (PackageAccepted, TRANSFER_ANSWER_ACCEPTED),
    "ledger.v1.PackageRejected": (PackageRejected, TRANSFER_ANSWER_REJECTED),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient says of a package."""

    kind: TransferAnswer.ValueType
    origin: str
    """Origin of the recipient's ledger."""
    transfer_id: UUID
    sender: str
    """Hospital that sent the package."""
    record_id: UUID
    """Record in the sender's ledger."""
    code: str
    text: str


def read_answer(message: TransferMessage) -> Answer | None:
    """The answer in a message; None for an event that is none; PoisonMessage where it does not say what it must."""
    envelope = message.checked()
    if envelope.type not in _KINDS:
        return None
    message_type, kind = _KINDS[envelope.type]
    body = read_body(message_type, message.plaintext)
    rejected = body if isinstance(body, PackageRejected) else PackageRejected()
    return Answer(
        kind=kind,
        origin=envelope.origin,
        transfer_id=read_uuid("transfer_id", body.transfer_id),
        sender=body.counterpart,
        record_id=read_uuid("sender_record_id", body.sender_record_id),
        code=rejected.code,
        text=rejected.text,
    )
