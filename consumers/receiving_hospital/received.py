"""What arrived, and what its check said."""

from dataclasses import dataclass
from hashlib import sha256

from consumers.receiving_hospital.inspection import Verified, inspect_package
from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import Rejection


@dataclass(frozen=True, slots=True)
class Received:
    """The bytes as received, by size and digest, and their check."""

    sha256: bytes
    size: int
    check: Verified | Rejection


def received_bytes(data: bytes, offer: Offer) -> Received:
    """Bytes that arrived."""
    return Received(sha256(data).digest(), len(data), inspect_package(data, offer))


def received_nothing(rejection: Rejection) -> Received:
    """Nothing arrived, or was asked for: size 0, the digest of no bytes."""
    return Received(sha256(b"").digest(), 0, rejection)
