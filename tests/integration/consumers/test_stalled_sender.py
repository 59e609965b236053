"""A sender that begins to hand a package over and stalls holds up its own offers alone, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from uuid import UUID

import grpc.aio
import pytest
from typing_extensions import override

from consumers.patience import Patience
from consumers.receiving_hospital import fetching
from consumers.receiving_hospital.hand_overs import UNDER_WAY_MAX, HandOvers
from consumers.receiving_hospital.offer import Offer
from consumers.waiting_room import NotNow
from ledger.api.v1.transfers_pb2 import FetchPackageRequest, FetchPackageResponse
from ledger.api.v1.transfers_pb2_grpc import TransferServiceServicer, add_TransferServiceServicer_to_server
from tests.eventually import eventually_async
from tests.unit.consumers.histories import offer_of as offered
from tests.unit.consumers.histories import package_of, short_history

PACKAGE = b"a package in two chunks"
HASTY = Patience(attempts_max=3, first_pause_seconds=0.01, call_seconds_max=0.1)
PATIENT = Patience(attempts_max=3, first_pause_seconds=0.01, call_seconds_max=30)
HELD = 0.05


class Staller(TransferServiceServicer):
    """Hands everybody's packages over; of the senders named it stalls in the middle until it is told to go on."""

    def __init__(self) -> None:
        self.stalled = {"north"}
        self.go_on = asyncio.Event()
        self.calls: list[str] = []

    @override
    async def FetchPackage(  # pyright: ignore[reportIncompatibleMethodOverride]  # asynchronous, as grpc.aio takes it
        self, request: FetchPackageRequest, context: grpc.aio.ServicerContext[FetchPackageRequest, FetchPackageResponse]
    ) -> AsyncIterator[FetchPackageResponse]:
        """The first half, a pause perhaps, the second half."""
        self.calls.append(request.hospital)
        yield FetchPackageResponse(chunk=PACKAGE[:8])
        if request.hospital in self.stalled:
            await self.go_on.wait()
        yield FetchPackageResponse(chunk=PACKAGE[8:])


@pytest.fixture
async def staller() -> AsyncGenerator[tuple[Staller, str]]:
    """It, and where it answers."""
    server, staller = grpc.aio.server(), Staller()  # pyright: ignore[reportAbstractUsage]  # one call is all it serves
    add_TransferServiceServicer_to_server(staller, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield staller, f"127.0.0.1:{port}"
    staller.go_on.set()
    await server.stop(None)


def offer_of(sender: str, number: int = 1) -> Offer:
    whole = package_of(short_history())
    return replace(offered(whole, PACKAGE), sender=sender, transfer_id=UUID(int=number))


async def refused(hand_overs: HandOvers, offer: Offer, address: str) -> str:
    with pytest.raises(NotNow) as later:
        await hand_overs.fetch(offer, address)
    return later.value.status


async def test_others_are_served_while_a_sender_stalls(staller: tuple[Staller, str]) -> None:
    """Its package comes beside the topic, one of its at a time, and is taken once it is there, fetched once."""
    sends, address = staller
    hand_overs = HandOvers(grpc.aio.insecure_channel, PATIENT, HELD)
    assert await refused(hand_overs, offer_of("north"), address) == "STILL_SENDING"
    assert await hand_overs.fetch(offer_of("east", 2), address) == PACKAGE
    assert await refused(hand_overs, offer_of("north", 3), address) == "SENDS_ANOTHER"
    assert await refused(hand_overs, offer_of("north"), address) == "STILL_SENDING"
    sends.go_on.set()

    async def there() -> bool:
        try:
            return await hand_overs.fetch(offer_of("north"), address) == PACKAGE
        except NotNow:
            return False

    await eventually_async(there, what="the package")
    assert sends.calls == ["north", "east"]
    assert await hand_overs.fetch(offer_of("north", 3), address) == PACKAGE


async def test_a_sender_that_stays_silent_is_given_up(staller: tuple[Staller, str]) -> None:
    """After so many attempts, each of which ended when nothing came."""
    sends, address = staller
    with pytest.raises(NotNow) as later:
        await fetching.fetch_package(offer_of("north"), address, grpc.aio.insecure_channel, HASTY)
    assert (later.value.status, len(sends.calls)) == ("DEADLINE_EXCEEDED", 3)


async def test_a_hand_over_takes_no_longer_than_its_size_allows(
    staller: tuple[Staller, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little each wait for a byte is: the whole has an end, and a larger package a later one."""
    _, address = staller
    small, large = offer_of("north"), replace(offer_of("north"), package_size=64 * 1024 * 1024)
    assert fetching.seconds_allowed(small) < fetching.seconds_allowed(large) < 300
    monkeypatch.setattr(fetching, "HAND_OVER_SECONDS_MAX", 0.1)
    with pytest.raises(NotNow, match="TOO_SLOW"):
        await fetching.fetch_package(small, address, grpc.aio.insecure_channel, PATIENT)


async def test_packages_beside_the_topic_have_a_limit(staller: tuple[Staller, str]) -> None:
    """So many senders may stall at once; a place is free again once an offer has its answer without its package."""
    sends, address = staller
    hand_overs, senders = HandOvers(grpc.aio.insecure_channel, PATIENT, 0.0), [f"h{n}" for n in range(UNDER_WAY_MAX)]
    sends.stalled.update(senders)
    for number, sender in enumerate(senders, 1):
        assert await refused(hand_overs, offer_of(sender, number), address) == "STILL_SENDING"
    assert await refused(hand_overs, offer_of("east", 99), address) == "OTHERS_SEND"
    hand_overs.drop(UUID(int=1))
    assert await refused(hand_overs, offer_of("east", 99), address) == "STILL_SENDING"
