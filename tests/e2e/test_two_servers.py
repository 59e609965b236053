"""Two server processes on one database: a retry at the other one, and records that the other one has advanced."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import grpc.aio
import pytest

from ledger.api.v1.common_pb2 import CommandReceipt
from ledger.api.v1.records_pb2 import GetCommandRequest, GetRecordRequest, Record, RecordEntryRequest
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.api.v1.stream_pb2 import AddHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.cli.demo.client import note
from ledger.embedded.postgres import EmbeddedPostgres
from tests.eventually import eventually_async
from tests.fault.load import HOSPITAL, Load, open_channel
from tests.services.postgres import lent_database, open_to_roles
from tests.services.serve_process import serve_environment, serving


class Pair:
    """Two servers, and one record that is under care."""

    def __init__(self, channels: list[grpc.aio.Channel]) -> None:
        self.loads = [Load(each) for each in channels]
        self.stubs = [RecordServiceStub(each) for each in channels]
        self.record_id = ""

    async def open_record(self) -> None:
        """Registers the people who act, and one record at the first server."""
        await self.loads[0].register()
        await eventually_async(self._second_knows, what="the second server knows the hospital")
        self.record_id = await self.loads[0].opened()

    async def _second_knows(self) -> bool:
        try:
            await self.loads[1].register()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return False
        return True

    def entry(self, text: str, **more: int) -> RecordEntryRequest:
        """An entry under a fresh command id."""
        request = RecordEntryRequest(record_id=self.record_id, content=note("course_note", text, note=text))
        request.context.CopyFrom(self.loads[0].context(**more))
        request.attestation.CopyFrom(self.loads[0].signed())
        return request


@pytest.fixture(scope="module")
def addresses(
    postgres_server: EmbeddedPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Of two servers of one database: all tests ask the same two, each about a record of its own."""
    folder = tmp_path_factory.mktemp("servers")
    for database in lent_database(postgres_server, template_database):
        open_to_roles(postgres_server, database.name)
        settings = serve_environment(database)
        with serving(settings, folder / "a") as first, serving(settings, folder / "b") as second:
            yield first, second


@pytest.fixture
async def pair(addresses: tuple[str, str]) -> AsyncIterator[Pair]:
    """Both servers, with hospital `north` and a record under care."""
    async with open_channel(addresses[0]) as one, open_channel(addresses[1]) as other:
        await HospitalServiceStub(one).AddHospital(AddHospitalRequest(hospital_id=HOSPITAL))
        found = Pair([one, other])
        await found.open_record()
        yield found


async def test_a_retry_at_another_server_gets_the_first_receipt(pair: Pair) -> None:
    """Same command id, other process: the same receipt, marked as repeated, and no second event."""
    request = pair.entry("once")
    first = await pair.stubs[0].RecordEntry(request)
    again = await pair.stubs[1].RecordEntry(request)
    assert (again.receipt.repeated, again.receipt.events) == (True, 0)
    assert (again.entry_id, _place(again.receipt)) == (first.entry_id, _place(first.receipt))
    asked = GetCommandRequest(hospital=HOSPITAL, command_id=request.context.command_id)
    assert _place((await pair.stubs[1].GetCommand(asked)).receipt) == _place(first.receipt)


async def test_a_command_sent_to_both_servers_at_once_is_done_once(pair: Pair) -> None:
    """Twenty commands, each at both servers in the same moment: one event each, one receipt each."""
    for number in range(20):
        request = pair.entry(f"race {number}")
        here, there = await asyncio.gather(*(stub.RecordEntry(request) for stub in pair.stubs))
        assert (here.entry_id, _place(here.receipt)) == (there.entry_id, _place(there.receipt))
        assert sorted([here.receipt.repeated, there.receipt.repeated]) == [False, True]
    assert (await _record(pair, 0)).version == 2 + 20


async def test_a_record_advanced_elsewhere_is_not_judged_by_old_memory(pair: Pair) -> None:
    """The servers take turns on one record: neither refuses for what it remembers, nor misses what the other did."""
    version = (await _record(pair, 0)).version
    for number in range(10):
        request = pair.entry(f"turn {number}", expected_version=version + number)
        receipt = (await pair.stubs[number % 2].RecordEntry(request)).receipt
        assert receipt.record_version == version + number + 1
    for server in (0, 1):
        assert len((await _record(pair, server)).entries) == 10


async def test_a_wrong_expected_version_is_refused_at_both(pair: Pair) -> None:
    """What the other server appended counts: the version of before is ABORTED, and nothing is written."""
    version = (await _record(pair, 0)).version
    await pair.stubs[0].RecordEntry(pair.entry("newer"))
    for stub in pair.stubs:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.RecordEntry(pair.entry("late", expected_version=version))
        assert refused.value.code() is grpc.StatusCode.ABORTED
    assert (await _record(pair, 1)).version == version + 1


async def test_an_id_used_with_other_content_is_refused_at_both(pair: Pair) -> None:
    """COMMAND_ID_REUSED from either process."""
    request = pair.entry("content")
    await pair.stubs[0].RecordEntry(request)
    request.content.title = "other content"
    for stub in pair.stubs:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.RecordEntry(request)
        assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS


async def test_a_registration_sent_again_elsewhere_gives_the_first_record(pair: Pair) -> None:
    """A command that opens a record has no lane: the retry must still find the first one."""
    requests = [pair.loads[0].registration(f"C-{uuid.uuid4().hex[:8]}") for _ in range(10)]
    for request in requests:
        here, there = await asyncio.gather(*(load.patients.RegisterPatient(request) for load in pair.loads))
        assert here.receipt.record_id == there.receipt.record_id


def _place(receipt: CommandReceipt) -> tuple[str, int, int]:
    return receipt.record_id, receipt.record_version, receipt.position


async def _record(pair: Pair, server: int) -> Record:
    asked = GetRecordRequest(hospital=HOSPITAL, record_id=pair.record_id)
    return (await pair.stubs[server].GetRecord(asked)).record
