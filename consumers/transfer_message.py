"""One message of a transfer topic, checked as far as it can be checked alone."""

from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import DecodeError, Message

from consumers.leaf_place import LeafPlace
from ledger.trust.envelope import Envelope, decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault

T = TypeVar("T", bound=Message)


class PoisonMessage(Exception):
    """A message that can never be handled."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BodyGone(Exception):
    """The sender has destroyed the record meanwhile: there is nothing left to be handed over or answered."""


@dataclass(frozen=True, slots=True)
class TransferMessage:
    """An event of some sender's ledger as it lies on the topic."""

    origin: str
    """Origin of the ledger it comes from, as the message's header says."""
    position: int
    """Position in that ledger. (origin, position) is the message's identity: repeats have the same."""
    envelope: bytes
    body: bytes
    """As stored: sealed."""
    opening: Opening | None = None
    """What became of the body when it was opened; None until then. Never kept on disk."""

    @property
    def place(self) -> LeafPlace:
        """Where the sender's log has to hold it."""
        return LeafPlace(self.origin, self.position, leaf_hash(self.envelope))

    @property
    def plaintext(self) -> bytes:
        """The body in the clear; PoisonMessage where it cannot be opened, BodyGone where its record was destroyed."""
        match self.opening:
            case Opened(plaintext=plaintext):
                return plaintext
            case Destroyed():
                raise BodyGone
            case SealFault(kind=kind):
                raise PoisonMessage(f"BODY_NOT_OPENED: {kind.name}")
            case None:
                raise PoisonMessage("BODY_NOT_OPENED: nobody has opened it")

    def checked(self) -> Envelope:
        """The envelope, once it agrees with the header and the body; PoisonMessage otherwise."""
        try:
            envelope = decode(self.envelope)
        except EnvelopeFault as fault:
            raise PoisonMessage(f"ENVELOPE_INVALID: {fault.reason}") from fault
        if envelope.origin != self.origin:
            raise PoisonMessage("WRONG_ORIGIN: header and envelope name different ledgers")
        if envelope.body_sha256 != sha256(self.body).digest():
            raise PoisonMessage("BODY_DIGEST_MISMATCH: the body is not the one that the envelope names")
        return envelope


def read_body(kind: type[T], body: bytes) -> T:
    """The body as a message of that kind; PoisonMessage for bytes that are none."""
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise PoisonMessage(f"BODY_INVALID: not a {kind.__name__}") from error


def read_uuid(field: str, text: str) -> UUID:
    """A UUID in its canonical text; PoisonMessage for anything else."""
    try:
        value = UUID(text)
    except ValueError as error:
        raise PoisonMessage(f"FIELD_INVALID: {field} is not a UUID") from error
    if str(value) != text:
        raise PoisonMessage(f"FIELD_INVALID: {field} is not a UUID in its canonical form")
    return value
