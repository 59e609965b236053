"""Streams over both protocols: replay, tail, packages, clients that go away."""

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from consumers.event_bundle import rows_of
from ledger.api.v1.common_pb2 import TRANSFER_KIND_REFERRAL
from ledger.api.v1.stream_pb2 import ReadBundlesRequest, ReadHospitalRequest, ReadRecordRequest
from ledger.api.v1.transfers_pb2 import FetchPackageRequest, OfferTransferRequest
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import context, open_record, record_entry, register_patient
from tests.eventually import eventually_async
from tests.services.sealed import open_ledger


async def test_a_hospital_is_replayed_in_batches_to_its_head(client: EdgeClient) -> None:
    """Every event once, in order, no batch larger than asked for, and then the word that this was all."""
    ward = await open_record(client)
    await ward.enter()
    request = ReadHospitalRequest(hospital="north", after_position=1, batch_size=2)
    answers = [each async for each in client.stream("StreamService/ReadHospital", request)]
    assert [[event.position for event in each.events] for each in answers] == [[2, 3], [4, 5], [6, 7], []]
    assert [each.HasField("caught_up") for each in answers] == [False, False, False, True]
    assert answers[-1].caught_up.position == 7
    assert answers[-1].caught_up.time.seconds > 0
    assert all(event.envelope and event.body for each in answers for event in each.events)


async def test_a_hospital_is_replayed_in_raw_bundles_to_its_head(client: EdgeClient) -> None:
    """The very events of the other replay, in order, and then the word that this was all."""
    ward = await open_record(client)
    await ward.enter()
    request = ReadBundlesRequest(hospital="north", after_position=1)
    *served, end = [each async for each in client.stream("StreamService/ReadBundles", request)]
    rows = [row for each in served for row in rows_of(each.bundle)]
    whole = ReadHospitalRequest(hospital="north", after_position=1)
    answers = [each async for each in client.stream("StreamService/ReadHospital", whole)]
    events = [(each.position, each.envelope, each.body) for answer in answers for each in answer.events]
    assert [(row.position, row.envelope, row.body) for row in rows] == events
    assert (len(events), end.caught_up.position, end.HasField("bundle")) == (6, 7, False)


async def test_a_record_is_replayed_from_a_version(client: EdgeClient) -> None:
    """The stream's own events only; caught_up names the position of its last one, also where none is new."""
    ward = await open_record(client)
    request = ReadRecordRequest(hospital="north", record_id=ward.record_id, after_version=1)
    answers = [each async for each in client.stream("StreamService/ReadRecord", request)]
    assert [[event.position for event in each.events] for each in answers] == [[6], []]
    request.after_version = 2
    (end,) = [each async for each in client.stream("StreamService/ReadRecord", request)]
    assert end.caught_up.position == 6


async def test_a_follower_gets_what_comes_later(client: EdgeClient) -> None:
    """The tail goes on behind the head, and says each time that it has caught up."""
    await open_record(client)
    request = ReadHospitalRequest(hospital="north", after_position=6, follow=True)
    async with asyncio.timeout(40), aclosing(client.stream("StreamService/ReadHospital", request)) as stream:
        assert (await anext(stream)).caught_up.position == 6
        await client.call("PatientService/RegisterPatient", register_patient())
        assert [event.position for event in (await anext(stream)).events] == [7]
        assert (await anext(stream)).caught_up.position == 7


async def test_a_follower_of_a_record_gets_what_comes_later(client: EdgeClient, edge: RunningEdge) -> None:
    """Its own record's events alone, in order, from where it was; and each time the word that it has caught up."""
    ward, other = await open_record(client), await open_record(client)
    request = ReadRecordRequest(hospital="north", record_id=ward.record_id, after_version=1, follow=True, batch_size=2)
    async with asyncio.timeout(40), aclosing(client.stream("StreamService/ReadRecord", request)) as stream:
        assert [event.position for event in (await anext(stream)).events] == [6]
        assert (await anext(stream)).caught_up.position == 6
        await other.enter()
        for _ in range(3):
            await ward.enter()
        seen, caught_up = list[int](), 0
        while caught_up < 13:
            answer = await anext(stream)
            seen += [event.position for event in answer.events]
            caught_up = answer.caught_up.position or caught_up
        assert seen == [11, 12, 13]
    await eventually_async(lambda: _none_left(edge), what="the stream's handler ends")
    assert edge.registry.get_sample_value("ledger_calls_in_flight", {"shape": "stream"}) == 0


@pytest.mark.parametrize("from_version", [0, 2])
async def test_a_follower_of_a_record_at_its_head(client: EdgeClient, edge: RunningEdge, from_version: int) -> None:
    """What another server appends arrives too: the watch looks at the ledger itself."""
    ward = await open_record(client)
    request = ReadRecordRequest(
        hospital="north", record_id=ward.record_id, after_version=from_version, follow=True, batch_size=1
    )
    second = await open_ledger(edge.settings)
    async with asyncio.timeout(40), aclosing(client.stream("StreamService/ReadRecord", request)) as stream:
        while not (await anext(stream)).HasField("caught_up"):
            pass
        await second.execute("ledger.api.v1.RecordService/RecordEntry", record_entry(ward.record_id))
        assert [event.position for event in (await anext(stream)).events] == [7]
        assert (await anext(stream)).caught_up.position == 7
    await second.close()


@pytest.mark.parametrize("rpc", ["StreamService/ReadRecord", "TransferService/FetchPackage"])
async def test_a_client_that_goes_away_in_the_middle(client: EdgeClient, edge: RunningEdge, rpc: str) -> None:
    """Of a long replay or a large package: the handler ends, and the next reader gets all of it."""
    ward = await open_record(client)
    for _ in range(40):
        await ward.enter("".join(uuid4().hex for _ in range(2000)))
    request: Any = ReadRecordRequest(hospital="north", record_id=ward.record_id, batch_size=1)
    if rpc == "TransferService/FetchPackage":
        offer = OfferTransferRequest(
            context=context(), record_id=ward.record_id, recipient="south", kind=TRANSFER_KIND_REFERRAL
        )
        offered = await client.call("TransferService/OfferTransfer", offer)
        request = FetchPackageRequest(
            hospital="north", record_id=ward.record_id, transfer_id=offered.transfer_id, recipient="south"
        )
    async with aclosing(client.stream(rpc, request)) as stream:
        await anext(stream)
    await eventually_async(lambda: _none_left(edge), what="the stream's handler ends")
    answers = [each async for each in client.stream(rpc, request)]
    assert sum(each.ByteSize() for each in answers) > 40 * 64_000


async def test_a_client_that_goes_away_leaves_nothing_behind(client: EdgeClient, edge: RunningEdge) -> None:
    """Its handler ends promptly, the watch over the hospital with it, and the ledger is as before."""
    await open_record(client)
    request = ReadHospitalRequest(hospital="north", follow=True)
    async with aclosing(client.stream("StreamService/ReadHospital", request)) as stream:
        await anext(stream)
        assert _streams(edge) == 1
    await eventually_async(lambda: _none_left(edge), what="the stream's handler ends")
    assert await edge.ledger.head("north") == 6


@pytest.mark.parametrize(
    ("rpc", "asked", "code", "reason"),
    [
        ("ReadHospital", ReadHospitalRequest(hospital="nowhere"), "NOT_FOUND", "UNKNOWN_HOSPITAL"),
        (
            "ReadHospital",
            ReadHospitalRequest(hospital="north", after_position=99),
            "OUT_OF_RANGE",
            "POSITION_OUT_OF_RANGE",
        ),
        (
            "ReadHospital",
            ReadHospitalRequest(hospital="north", batch_size=-1),
            "INVALID_ARGUMENT",
            "VALIDATION_FAILED",
        ),
        ("ReadBundles", ReadBundlesRequest(hospital="nowhere"), "NOT_FOUND", "UNKNOWN_HOSPITAL"),
        (
            "ReadBundles",
            ReadBundlesRequest(hospital="north", after_position=99),
            "OUT_OF_RANGE",
            "POSITION_OUT_OF_RANGE",
        ),
        ("ReadRecord", ReadRecordRequest(hospital="north", record_id=str(uuid4())), "NOT_FOUND", "UNKNOWN_RECORD"),
        ("ReadRecord", ReadRecordRequest(hospital="north", record_id="x"), "INVALID_ARGUMENT", "VALIDATION_FAILED"),
    ],
)
async def test_a_stream_that_cannot_begin_says_why(
    client: EdgeClient, rpc: str, asked: Any, code: str, reason: str
) -> None:
    """A stream fails as a unary call does: one code, one reason."""
    with pytest.raises(RpcFailed) as failure:
        async for _ in client.stream(f"StreamService/{rpc}", asked):
            pass
    assert (failure.value.code, failure.value.reason) == (code, reason)


async def test_a_version_that_is_not_there_yet_is_out_of_range(client: EdgeClient) -> None:
    """A reader that is ahead of the record is told so instead of waiting for what may never come."""
    ward = await open_record(client)
    request = ReadRecordRequest(hospital="north", record_id=ward.record_id, after_version=9)
    with pytest.raises(RpcFailed) as failure:
        await anext(client.stream("StreamService/ReadRecord", request))
    assert (failure.value.reason, failure.value.facts) == ("VERSION_OUT_OF_RANGE", {"asked": "9", "version": "2"})


async def test_stopping_ends_followers_at_once(client: EdgeClient, edge: RunningEdge) -> None:
    """A stop is not held up by those who follow; they are told to come again."""
    request = ReadHospitalRequest(hospital="north", follow=True)
    async with aclosing(client.stream("StreamService/ReadHospital", request)) as stream:
        await anext(stream)
        stopping = asyncio.create_task(edge.stop())
        with pytest.raises(RpcFailed) as failure:
            await anext(stream)
        assert (failure.value.code, failure.value.reason) == ("UNAVAILABLE", "SERVER_STOPPING")
        await asyncio.wait_for(stopping, 40)


def _streams(edge: RunningEdge) -> float:
    return edge.registry.get_sample_value("ledger_calls_in_flight", {"shape": "stream"}) or 0.0


async def _none_left(edge: RunningEdge) -> bool:
    return _streams(edge) == 0
