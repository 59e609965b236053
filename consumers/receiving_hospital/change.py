"""The news of a sender that a package is no longer what its record says."""

from dataclasses import dataclass
from uuid import UUID

from consumers.registry import KnownHospital
from consumers.transfer_message import PoisonMessage, TransferMessage, read_body, read_uuid
from ledger.api.v1.common_pb2 import TRANSFER_STATE_ACCEPTED, TRANSFER_STATE_VERIFIED
from ledger.api.v1.events_pb2 import TransferOutdated
from ledger.api.v1.transfers_pb2 import ReceivedPackage
from ledger.trust.lineage import first_of

OUTDATED = "ledger.v1.TransferOutdated"
_HELD = (TRANSFER_STATE_VERIFIED, TRANSFER_STATE_ACCEPTED)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a package was changed; which, and how, only the later version says."""

    transfer_id: UUID
    recipient: str
    sender_origin: str
    record_id: UUID
    """Record in the sender's ledger."""


def read_change(message: TransferMessage) -> Change:
    """The news in a message whose type is OUTDATED; PoisonMessage where it does not say what it must say."""
    envelope = message.checked()
    body = read_body(TransferOutdated, message.plaintext)
    return Change(
        transfer_id=read_uuid("transfer_id", body.transfer_id),
        recipient=body.counterpart,
        sender_origin=envelope.origin,
        record_id=UUID(bytes=envelope.stream_id),
    )


def concerns(change: Change, known: ReceivedPackage, hospital: str, sender: KnownHospital | None) -> bool:
    """Whether the package is to be marked; not one that was rejected. PoisonMessage for news of somebody else's."""
    if change.recipient != hospital:
        raise PoisonMessage("WRONG_RECIPIENT: the news is for another hospital")
    if sender is None or first_of(sender.origin) != first_of(change.sender_origin):
        raise PoisonMessage("SENDER_UNKNOWN: the registry knows the package's sender at another origin")
    if known.sender_record_id != str(change.record_id):
        raise PoisonMessage("TRANSFER_ID_TAKEN: another record stands under this transfer")
    return known.state in _HELD and not known.outdated
