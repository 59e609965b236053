"""The check of a package against its offer: pure, and complete before anybody says VERIFIED."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from ledger.api.v1.transfers_pb2 import TransferPackage
from ledger.trust.chain import ChainFault, ChainWalk, FaultKind, Link
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.lineage import is_at_or_after

PACKAGE_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """The package holds."""

    events: int
    head_leaf: bytes
    """Leaf hash of the last event, 32 bytes."""


_CODES = {
    FaultKind.ENVELOPE: RejectCode.ENVELOPE_INVALID,
    FaultKind.ORIGIN: RejectCode.WRONG_ORIGIN,
    FaultKind.STREAM: RejectCode.WRONG_RECORD,
    FaultKind.BODY: RejectCode.BODY_DIGEST_MISMATCH,
}


def inspect_package(data: bytes, offer: Offer) -> Verified | Rejection:
    """Whether these bytes are the package that was offered, whole and unchanged; else the first thing that is wrong."""
    if len(data) != offer.package_size:
        return Rejection(RejectCode.SIZE_MISMATCH, f"{len(data)} bytes instead of {offer.package_size}")
    if sha256(data).digest() != offer.package_sha256:
        return Rejection(RejectCode.DIGEST_MISMATCH)
    try:
        package = TransferPackage.FromString(data)
    except DecodeError:
        return Rejection(RejectCode.PACKAGE_INVALID, "it does not decode")
    if fault := _fault_of_header(package, offer):
        return fault
    return _walk(package, offer)


def _fault_of_header(package: TransferPackage, offer: Offer) -> Rejection | None:
    checks = (
        (package.format == PACKAGE_FORMAT, RejectCode.PACKAGE_INVALID, "format"),
        (not any(map(_has_unknown_fields, _messages(package))), RejectCode.PACKAGE_INVALID, "unknown fields"),
        (package.transfer_id == str(offer.transfer_id), RejectCode.PACKAGE_INVALID, "it names another transfer"),
        (package.sender_origin == offer.sender_origin, RejectCode.WRONG_ORIGIN, "package"),
        (package.record_id == str(offer.record_id), RejectCode.WRONG_RECORD, "package"),
        (package.record_version == offer.record_version, RejectCode.HEAD_MISMATCH, "version of the package"),
        (package.head_leaf == offer.head_leaf, RejectCode.HEAD_MISMATCH, "head of the package"),
        (len(package.events) == offer.events, RejectCode.HEAD_MISMATCH, "number of events"),
        (bool(package.events), RejectCode.PACKAGE_INVALID, "no events"),
    )
    return next((Rejection(code, place) for holds, code, place in checks if not holds), None)


def _walk(package: TransferPackage, offer: Offer) -> Verified | Rejection:
    # The walk holds the events' origins together, so the first stands for all; it may be of a log that has ended since.
    begun = _origin_of_first(package)
    if begun and not is_at_or_after(offer.sender_origin, begun):
        return Rejection(RejectCode.WRONG_ORIGIN, "events")
    walk = ChainWalk(offer.record_id.bytes)
    for event in package.events:
        if fault := walk.take(Link(event.envelope, event.body)):
            return _rejection(fault)
    if walk.version != offer.record_version or walk.head_leaf != offer.head_leaf:
        return Rejection(RejectCode.HEAD_MISMATCH, f"the chain ends at version {walk.version}")
    return Verified(len(package.events), walk.head_leaf)


def _origin_of_first(package: TransferPackage) -> str:
    """Empty where the envelope cannot be read: the walk says so."""
    try:
        return decode(package.events[0].envelope).origin
    except EnvelopeFault:
        return ""


def _rejection(fault: ChainFault) -> Rejection:
    code = _CODES.get(fault.kind, RejectCode.CHAIN_BROKEN)
    return Rejection(code, f"{fault.kind.name} at version {fault.version}")


def _messages(package: TransferPackage) -> Iterator[Message]:
    yield package
    yield from package.events


def _has_unknown_fields(message: Message) -> bool:
    """Bytes that no check of ours looks at have no place in a package."""
    return len(UnknownFieldSet(message)) > 0
