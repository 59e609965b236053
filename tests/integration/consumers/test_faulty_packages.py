"""What arrives is not what was offered: rejected by its stable code, which reaches the sender's record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import repeat

import grpc
import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from tests.integration.consumers.crooked_sender import Change, crooked_sender
from tests.integration.consumers.hospitals import Hospitals, context

ENDLESS = 2**40


def _one_byte(data: bytes) -> list[bytes]:
    middle = len(data) // 2
    return [data[:middle], bytes((data[middle] ^ 1,)), data[middle + 1 :]]


CHANGES: dict[str, tuple[Change, str]] = {
    "one byte changed": (_one_byte, "DIGEST_MISMATCH"),
    "cut short": (lambda data: [data[:-1]], "SIZE_MISMATCH"),
    "nothing at all": (lambda _: [], "SIZE_MISMATCH"),
    "one byte more": (lambda data: [data, b"x"], "SIZE_MISMATCH"),
    "without end": (lambda data: repeat(data, ENDLESS), "SIZE_MISMATCH"),  # pyright: ignore[reportAssignmentType]
}


@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES)
async def test_a_changed_package_is_rejected_at_both_ends(hospitals: Hospitals, change: Change, code: str) -> None:
    """One PackageReceived, one PackageRejected; the sender's record has the code; no file is kept."""
    async with crooked_sender(hospitals) as sender:
        sender.change = change
        record_id = await hospitals.record()
        transfer_id = await hospitals.offer(record_id)
        async with hospitals.following("east", "south"):
            await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (await hospitals.sent(record_id, transfer_id)).code == code
    assert await hospitals.event_types("south") == ["PackageReceived", "PackageRejected"]
    assert not hospitals.kept(transfer_id).exists()


async def test_a_package_that_is_no_longer_handed_over_is_rejected(hospitals: Hospitals) -> None:
    """The sender knows no such package for this recipient any more."""
    async with crooked_sender(hospitals) as sender:
        sender.refusals = [grpc.StatusCode.NOT_FOUND]
        record_id = await hospitals.record()
        transfer_id = await hospitals.offer(record_id)
        async with hospitals.following("east", "south"):
            await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (await hospitals.sent(record_id, transfer_id)).code == "OFFER_WITHDRAWN"


async def test_a_sender_that_is_away_for_a_moment_is_asked_again(hospitals: Hospitals) -> None:
    """UNAVAILABLE is no fault of the package."""
    async with crooked_sender(hospitals) as sender:
        sender.refusals = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE]
        record_id = await hospitals.record()
        transfer_id = await hospitals.offer(record_id)
        async with hospitals.following("east", "south"):
            await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_COMPLETED)
        assert sender.calls == 3


async def test_a_sender_with_a_defect_holds_nobody_else_up(hospitals: Hospitals) -> None:
    """INTERNAL, or a code that nobody expects, is its own trouble: its offer waits, the next sender's is received."""
    async with crooked_sender(hospitals) as sender:
        sender.refusals = [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT]
        waiting = await hospitals.offer(await hospitals.record())
        await hospitals.arrives("south", 1)
        hospitals.sender = "north"
        through = await hospitals.offer(await hospitals.record())
        await hospitals.arrives("south", 2)
        await hospitals.once("south")
        await hospitals.received_state(through, common.TRANSFER_STATE_ACCEPTED)
        for calls in (2, 3):
            await hospitals.once("south")
            assert (await hospitals.received(waiting), sender.calls) == (None, calls)
        await hospitals.once("south")
        await hospitals.received_state(waiting, common.TRANSFER_STATE_ACCEPTED)
    assert not (hospitals.folder / "south" / "transfers" / "dead-letters.jsonl").exists()


async def test_an_offer_of_a_sender_with_a_defect_waits_until_it_ends(hospitals: Hospitals) -> None:
    """Then it is rejected as expired: nothing waits for ever."""
    async with crooked_sender(hospitals) as sender:
        sender.refusals = [grpc.StatusCode.INTERNAL]
        waiting = await hospitals.offer(await hospitals.record(), timedelta(days=1))
        await hospitals.arrives("south", 1)
        await hospitals.once("south")
        assert await hospitals.received(waiting) is None
        await hospitals.once("south", clock=lambda: datetime.now(UTC) + timedelta(days=2))
        package = await hospitals.received_state(waiting, common.TRANSFER_STATE_REJECTED)
    assert package.code == "OFFER_EXPIRED"


async def test_a_sender_that_stays_away_holds_nobody_else_up(hospitals: Hospitals) -> None:
    """Its offer waits, over a restart too, while another sender's goes through; then it is taken up."""
    async with crooked_sender(hospitals) as sender:
        sender.refusals = [grpc.StatusCode.UNAVAILABLE] * 6
        waiting = await hospitals.offer(await hospitals.record())
        await hospitals.arrives("south", 1)
        hospitals.sender = "north"
        through = await hospitals.offer(await hospitals.record())
        await hospitals.arrives("south", 2)
        await hospitals.once("south")
        await hospitals.received_state(through, common.TRANSFER_STATE_ACCEPTED)
        assert await hospitals.received(waiting) is None
        await hospitals.once("south")
        assert (await hospitals.received(waiting), sender.calls) == (None, 6)
        await hospitals.once("south")
        await hospitals.received_state(waiting, common.TRANSFER_STATE_ACCEPTED)
    assert list((hospitals.folder / "south" / "transfers" / "waiting").iterdir()) == []


async def test_an_offer_that_cannot_be_handled_is_put_aside_and_the_topic_goes_on(hospitals: Hospitals) -> None:
    """An answer to no transfer: its place and a reason are kept, nothing clinical, and the next is handled."""
    record_id = await hospitals.record()
    stray = transfers.ReceivePackageRequest(
        context=context("south"),
        transfer_id="22222222-2222-4222-8222-222222222222",
        sender="north",
        sender_origin="ledger.example/north/1",
        sender_record_id=record_id,
        kind=common.TRANSFER_KIND_REFERRAL,
        record_version=1,
        package_sha256=bytes(32),
        verified=transfers.PackageVerdict(events=1, head_leaf=bytes(32)),
    )
    await TransferServiceStub(hospitals.channel).ReceivePackage(stray)
    transfer_id = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_COMPLETED)
    lines = (hospitals.folder / "north" / "transfers" / "dead-letters.jsonl").read_text().splitlines()
    letters = [json.loads(line) for line in lines]
    assert [(each["origin"], each["position"], each["type"]) for each in letters] == [
        ("ledger.example/south/1", 2, "ledger.v1.PackageVerified")
    ]
    assert letters[0]["reason"].startswith("REFUSED")
