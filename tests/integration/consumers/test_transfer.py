"""A record goes from north to south and the answer comes back, whatever happens on the way, and once only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.policy import Refusal
from ledger.api.v1 import common_pb2 as common
from tests.integration.consumers.hospitals import Hospitals

ANSWERED = ["PackageReceived", "PackageVerified", "PackageAccepted"]


async def test_a_record_is_transferred_checked_kept_and_accepted(hospitals: Hospitals) -> None:
    """South holds the very bytes that north offered; north's record says that nothing is open."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_COMPLETED)
    package = await hospitals.received(transfer_id)
    assert package is not None
    assert package.state == common.TRANSFER_STATE_ACCEPTED
    assert package.sender_record_id == record_id
    assert sha256(hospitals.kept(transfer_id).read_bytes()).digest() == package.package_sha256
    assert await hospitals.event_types("south") == ANSWERED
    sent = await hospitals.event_types("north")
    assert sent[-7:] == [
        "TransferProposed",
        "TransferPackaged",
        "TransferOffered",
        "TransferDelivered",
        "TransferVerified",
        "TransferAccepted",
        "TransferCompleted",
    ]


async def test_a_consumer_that_lost_its_folder_repeats_everything_and_changes_nothing(hospitals: Hospitals) -> None:
    """The ledgers say what was done: neither checkpoint nor kept file is needed to do it once."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_COMPLETED)
    before = [await hospitals.event_types(each) for each in ("north", "south")]
    hospitals.folder = hospitals.folder / "another"
    for hospital in ("south", "north"):
        await hospitals.once(hospital)
    assert [await hospitals.event_types(each) for each in ("north", "south")] == before


async def test_a_record_offered_again_with_more_in_it_takes_the_place_of_the_first(hospitals: Hospitals) -> None:
    """Both packages are kept; the earlier transfer is superseded, and its late answers are no dead letters."""
    record_id = await hospitals.record()
    first = await hospitals.offer(record_id)
    await hospitals.note(record_id, "One more.")
    second = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, second, common.TRANSFER_STATE_COMPLETED)
    assert (await hospitals.sent(record_id, first)).state == common.TRANSFER_STATE_SUPERSEDED
    assert hospitals.kept(first).exists()
    assert hospitals.kept(second).exists()
    await hospitals.once("north")
    assert not (hospitals.folder / "north" / "transfers" / "dead-letters.jsonl").exists()


async def test_a_package_that_its_sender_changed_since_is_outdated(hospitals: Hospitals) -> None:
    """South marks it once, whatever is repeated; the later version is another package, which is not."""
    record_id = await hospitals.record()
    first = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, first, common.TRANSFER_STATE_COMPLETED)
        await hospitals.amend(record_id)
        await hospitals.outdated(first)
        second = await hospitals.offer(record_id)
        await hospitals.sent_state(record_id, second, common.TRANSFER_STATE_COMPLETED)
    hospitals.folder = hospitals.folder / "another"
    await hospitals.once("south")
    assert await hospitals.event_types("south") == [*ANSWERED, "PackageOutdated", *ANSWERED]
    later = await hospitals.received(second)
    assert later is not None
    assert not later.outdated


async def test_news_of_a_package_that_waits_for_its_sender_waits_with_it(hospitals: Hospitals) -> None:
    """The package that comes then is the earlier version, and is marked."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.amend(record_id)
    await hospitals.arrives("south", 2)
    away = replace(hospitals, address="127.0.0.1:1")
    await away.once("south")
    assert await hospitals.received(transfer_id) is None
    async with hospitals.following("south"):
        await hospitals.outdated(transfer_id)


async def test_an_offer_that_ran_out_is_rejected_and_the_sender_learns_it(hospitals: Hospitals) -> None:
    """By its stable code; nothing was fetched."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    await hospitals.once("south", clock=lambda: datetime.now(UTC) + timedelta(days=2))
    async with hospitals.following("north"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (await hospitals.sent(record_id, transfer_id)).code == "OFFER_EXPIRED"
    assert not hospitals.kept(transfer_id).exists()


async def test_the_hospitals_own_rule_may_reject_what_holds(hospitals: Hospitals) -> None:
    """Its code and words reach the sender."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    await hospitals.once("south", policy=lambda _: Refusal("NO_BED", "the ward is full"))
    async with hospitals.following("north"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (await hospitals.sent(record_id, transfer_id)).code == "NO_BED"
    assert await hospitals.event_types("south") == ["PackageReceived", "PackageVerified", "PackageRejected"]


class Died(Exception):
    """The program is gone, as if it had been killed there."""


async def test_a_program_that_ends_between_verified_and_answered_goes_on(hospitals: Hospitals) -> None:
    """Even when the offer has run out since: what is verified gets its answer, once."""

    def die(_: Offer) -> Refusal | None:
        raise Died

    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    with pytest.raises(Died):
        await hospitals.once("south", policy=die)
    assert await hospitals.event_types("south") == ANSWERED[:2]
    await hospitals.once("south", clock=lambda: datetime.now(UTC) + timedelta(days=2))
    assert await hospitals.event_types("south") == ANSWERED
    await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)


async def test_bytes_kept_by_a_run_that_ended_are_used_only_if_they_hold(hospitals: Hospitals) -> None:
    """A kept file with one byte changed is fetched anew."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    await hospitals.once("south")
    kept = hospitals.kept(transfer_id)
    data = kept.read_bytes()
    other = await hospitals.offer(record_id)
    hospitals.kept(other).write_bytes(data[:-1] + bytes((data[-1] ^ 1,)))
    await hospitals.arrives("south", 2)
    await hospitals.once("south")
    package = await hospitals.received_state(other, common.TRANSFER_STATE_ACCEPTED)
    assert sha256(hospitals.kept(other).read_bytes()).digest() == package.package_sha256
    assert kept.read_bytes() == data
