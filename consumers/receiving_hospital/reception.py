"""What the receiving hospital does next with an offer: a pure state machine, asked again after every step.

The state is the recipient's own ledger, so a program that was killed anywhere asks it and goes on from there.
"""

from dataclasses import dataclass
from datetime import datetime

from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from consumers.registry import KnownHospital
from consumers.transfer_message import PoisonMessage
from ledger.api.v1.common_pb2 import (
    TRANSFER_STATE_ACCEPTED,
    TRANSFER_STATE_REJECTED,
    TRANSFER_STATE_VERIFIED,
)
from ledger.api.v1.transfers_pb2 import ReceivedPackage
from ledger.trust.lineage import first_of


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get the package from the sender and inspect it."""

    sender: KnownHospital


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say why the package is not even fetched."""

    rejection: Rejection


@dataclass(frozen=True, slots=True)
class Answer:
    """The package is verified in the ledger; the policy decides."""

    package_id: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The package has its final answer in the ledger."""


Step = Fetch | Refuse | Answer | Finished


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the decision may know beside the offer."""

    hospital: str
    """The hospital that receives here."""
    now: datetime
    sender: KnownHospital | None
    """The sender as the registry knows it."""
    package_size_max: int
    """Bytes that this hospital takes."""


def next_step(offer: Offer, known: ReceivedPackage | None, around: Circumstances) -> Step:
    """The next step; `known` is the package as it stands in the own ledger, None where there is none.

    PoisonMessage where the offer is for somebody else, from nobody, or another transfer stands under its id.
    """
    if offer.recipient != around.hospital:
        raise PoisonMessage("WRONG_RECIPIENT: the offer is for another hospital")
    if known is not None:
        return _go_on(offer, known, around)
    return _begin(offer, around)


def _go_on(offer: Offer, known: ReceivedPackage, around: Circumstances) -> Step:
    if known.sender != offer.sender or known.sender_record_id != str(offer.record_id):
        raise PoisonMessage("TRANSFER_ID_TAKEN: another transfer stands under this id")
    if known.state in (TRANSFER_STATE_ACCEPTED, TRANSFER_STATE_REJECTED):
        return Finished()
    if known.state == TRANSFER_STATE_VERIFIED:
        return Answer(known.package_id)
    return _begin(offer, around)


def _begin(offer: Offer, around: Circumstances) -> Step:
    # A ledger whose log has ended goes on under the next origin: what was offered before is offered still.
    if around.sender is None or first_of(around.sender.origin) != first_of(offer.sender_origin):
        # A rejection would go to whoever bears the name, or to a topic that nobody made.
        raise PoisonMessage("SENDER_UNKNOWN: the registry knows no such sender at this origin")
    if offer.expires_at is not None and offer.expires_at <= around.now:
        return Refuse(Rejection(RejectCode.OFFER_EXPIRED))
    if offer.package_size > around.package_size_max:
        return Refuse(Rejection(RejectCode.PACKAGE_TOO_LARGE, f"at most {around.package_size_max} bytes"))
    return Fetch(around.sender)
