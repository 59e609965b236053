"""A package is verified only when every byte of it is what was offered; each fault has its own stable code."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.receiving_hospital.inspection import Verified, inspect_package
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from ledger.api.v1.transfers_pb2 import PackagedEvent, TransferPackage
from ledger.trust.envelope import decode, encode
from tests.unit.consumers.histories import History, offer_of, package_of, short_history

PACKAGE = package_of(short_history())
DATA = PACKAGE.SerializeToString(deterministic=True)
OFFER = offer_of(PACKAGE, DATA)


def test_an_honest_package_is_verified() -> None:
    """Count and head of the verdict are those of the offer."""
    assert inspect_package(DATA, OFFER) == Verified(3, OFFER.head_leaf)


@given(at=st.integers(0, len(DATA) - 1), mask=st.integers(1, 255))
def test_any_single_byte_changed_is_refused(at: int, mask: int) -> None:
    """One flipped bit anywhere in the package is enough."""
    assert inspect_package(_flipped(at, mask), OFFER) == Rejection(RejectCode.DIGEST_MISMATCH)


@given(at=st.integers(0, len(DATA) - 1), mask=st.integers(1, 255))
def test_a_sender_that_offers_changed_bytes_is_caught_by_the_chain(at: int, mask: int) -> None:
    """Even where the offer names the digest of the changed bytes, nothing but the same events is verified."""
    changed = _flipped(at, mask)
    found = inspect_package(changed, replace(OFFER, package_sha256=sha256(changed).digest()))
    if isinstance(found, Verified):
        assert TransferPackage.FromString(changed) == PACKAGE
    else:
        assert isinstance(found, Rejection)


@given(size=st.integers(0, len(DATA) - 1))
def test_a_package_cut_short_is_refused(size: int) -> None:
    """However much of it arrived."""
    found = inspect_package(DATA[:size], OFFER)
    assert isinstance(found, Rejection)
    assert found.code is RejectCode.SIZE_MISMATCH


@pytest.mark.parametrize("size_of_rest", [0, 1, 20])
def test_garbage_offered_as_a_package_is_refused(size_of_rest: int) -> None:
    """Bytes that are no package, or carry more than one, are named as such."""
    data = b"\xff\xff" + bytes(size_of_rest)
    offer = replace(OFFER, package_sha256=sha256(data).digest(), package_size=len(data))
    assert _code(inspect_package(data, offer)) is RejectCode.PACKAGE_INVALID


def _drop_first(package: TransferPackage) -> None:
    del package.events[0]


def _drop_middle(package: TransferPackage) -> None:
    del package.events[1]


def _swap(package: TransferPackage) -> None:
    events = list(package.events)
    del package.events[:]
    package.events.extend([events[1], events[0], events[2]])


def _double(package: TransferPackage) -> None:
    package.events.append(package.events[-1])


def _other_body(package: TransferPackage) -> None:
    package.events[1].body += b"\x00"


def _broken_envelope(package: TransferPackage) -> None:
    package.events[1].envelope += b"\x00"


def _unknown_field(package: TransferPackage) -> None:
    package.events[1].MergeFromString(b"\x98\x06\x01")


def _rewritten(**fields: Any) -> Callable[[TransferPackage], None]:
    """Rewrites the middle event's envelope; what follows still names the old leaf."""

    def change(package: TransferPackage) -> None:
        package.events[1].envelope = encode(replace(decode(package.events[1].envelope), **fields))

    return change


def _header(**fields: Any) -> Callable[[TransferPackage], None]:
    def change(package: TransferPackage) -> None:
        for name, value in fields.items():
            setattr(package, name, value)

    return change


FOREIGN = UUID("99999999-9999-4999-8999-999999999999")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_header(format=2), RejectCode.PACKAGE_INVALID),
        (_header(transfer_id=str(FOREIGN)), RejectCode.PACKAGE_INVALID),
        (_header(sender_origin="ledger.example/east/1"), RejectCode.WRONG_ORIGIN),
        (_header(record_id=str(FOREIGN)), RejectCode.WRONG_RECORD),
        (_header(record_version=2), RejectCode.HEAD_MISMATCH),
        (_header(head_leaf=bytes(32)), RejectCode.HEAD_MISMATCH),
        (_unknown_field, RejectCode.PACKAGE_INVALID),
        (_drop_first, RejectCode.CHAIN_BROKEN),
        (_drop_middle, RejectCode.CHAIN_BROKEN),
        (_swap, RejectCode.CHAIN_BROKEN),
        (_double, RejectCode.CHAIN_BROKEN),
        (_other_body, RejectCode.BODY_DIGEST_MISMATCH),
        (_broken_envelope, RejectCode.ENVELOPE_INVALID),
        (_rewritten(origin="ledger.example/east/1"), RejectCode.WRONG_ORIGIN),
        (_rewritten(stream_id=FOREIGN.bytes), RejectCode.WRONG_RECORD),
        (_rewritten(stream_version=9), RejectCode.CHAIN_BROKEN),
        (_rewritten(prev_leaf=bytes(32)), RejectCode.CHAIN_BROKEN),
        (_rewritten(recorded_at=1), RejectCode.CHAIN_BROKEN),
        (_rewritten(body_sha256=bytes(32)), RejectCode.BODY_DIGEST_MISMATCH),
        (_rewritten(type="ledger.v1.RecordArchived"), RejectCode.CHAIN_BROKEN),
        (_rewritten(actor=FOREIGN.bytes), RejectCode.CHAIN_BROKEN),
    ],
)
def test_each_fault_has_its_code(change: Callable[[TransferPackage], None], code: RejectCode) -> None:
    """The offer keeps its word on version, head and count, and names the digest of the faulty bytes."""
    package = TransferPackage.FromString(DATA)
    change(package)
    data = package.SerializeToString(deterministic=True)
    offer = replace(OFFER, package_sha256=sha256(data).digest(), package_size=len(data), events=len(package.events))
    assert _code(inspect_package(data, offer)) is code


def test_a_number_of_events_other_than_offered_is_a_wrong_head() -> None:
    """Even when what is there holds together."""
    assert _code(inspect_package(DATA, replace(OFFER, events=4))) is RejectCode.HEAD_MISMATCH


def test_a_package_of_another_ledger_is_refused_although_its_chain_holds() -> None:
    """The offer's origin counts for every event."""
    package = package_of(short_history(origin="ledger.example/east/1"))
    package.sender_origin = OFFER.sender_origin
    data = package.SerializeToString(deterministic=True)
    assert _code(inspect_package(data, offer_of(package, data))) is RejectCode.WRONG_ORIGIN


def test_a_package_that_ends_elsewhere_than_it_says_is_refused() -> None:
    """Header and offer agree on a head that the chain does not have."""
    package = package_of(short_history())
    package.head_leaf = bytes(32)
    data = package.SerializeToString(deterministic=True)
    assert _code(inspect_package(data, offer_of(package, data))) is RejectCode.HEAD_MISMATCH


def test_a_package_without_events_is_refused() -> None:
    """There is nothing to verify."""
    package = package_of(History())
    package.head_leaf = bytes(32)
    data = package.SerializeToString(deterministic=True)
    assert _code(inspect_package(data, offer_of(package, data))) is RejectCode.PACKAGE_INVALID


def test_a_rejection_tells_no_clinical_data() -> None:
    """Only places and versions."""
    package = TransferPackage(events=[PackagedEvent(envelope=b"C-1", body=b"secret")], format=1)
    for change in (_other_body, _broken_envelope):
        package = TransferPackage.FromString(DATA)
        change(package)
        data = package.SerializeToString(deterministic=True)
        found = inspect_package(data, replace(OFFER, package_sha256=sha256(data).digest(), package_size=len(data)))
        assert isinstance(found, Rejection)
        assert "C-1" not in found.text
        assert "MED" not in found.text


def _flipped(at: int, mask: int) -> bytes:
    return DATA[:at] + bytes((DATA[at] ^ mask,)) + DATA[at + 1 :]


def _code(found: Verified | Rejection) -> RejectCode:
    assert isinstance(found, Rejection)
    return found.code
