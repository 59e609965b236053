"""Where no hospital is named, all are meant: also those beyond the first page of the registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from click.testing import CliRunner, Result
from typing_extensions import override

from ledger.api.v1 import stream_pb2 as messages
from ledger.api.v1.stream_pb2_grpc import (
    HospitalServiceServicer,
    StreamServiceServicer,
    add_HospitalServiceServicer_to_server,
    add_StreamServiceServicer_to_server,
)
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.main import main
from ledger.cli.map_records import map_all
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.log.own_heads import OwnLogs
from tests.eventually import eventually_async

HOSPITALS = ["east", "north", "south", "west", "west-2"]
PAGE = 2
"""A service gives no larger page than it likes, whatever it is asked for."""
Context = grpc.aio.ServicerContext[object, object]


class Registry(HospitalServiceServicer):
    """Answers two hospitals at a time."""

    @override
    async def AddHospital(self, request: messages.AddHospitalRequest, context: Context) -> messages.AddHospitalResponse:
        raise NotImplementedError

    @override
    async def ListHospitals(
        self, request: messages.ListHospitalsRequest, context: Context
    ) -> messages.ListHospitalsResponse:
        begin = int(request.page_token or 0)
        page, end = HOSPITALS[begin : begin + PAGE], begin + PAGE
        rows = [messages.Hospital(id=each, origin=f"ledger.test/{each}/1", state="active") for each in page]
        token = str(end) if end < len(HOSPITALS) else ""
        return messages.ListHospitalsResponse(hospitals=rows, next_page_token=token)


class Empty(StreamServiceServicer):
    """No hospital has an event."""

    @override
    async def ReadHospital(
        self, request: messages.ReadHospitalRequest, context: Context
    ) -> AsyncIterator[messages.ReadHospitalResponse]:
        for _ in range(0):
            yield messages.ReadHospitalResponse()

    @override
    async def ReadRecord(
        self, request: messages.ReadRecordRequest, context: Context
    ) -> AsyncIterator[messages.ReadRecordResponse]:
        for _ in range(0):
            yield messages.ReadRecordResponse()

    @override
    async def ReadBundles(
        self, request: messages.ReadBundlesRequest, context: Context
    ) -> AsyncIterator[messages.ReadBundlesResponse]:
        for _ in range(0):
            yield messages.ReadBundlesResponse()


@asynccontextmanager
async def served() -> AsyncGenerator[str]:
    """The address of such a service."""
    server = grpc.aio.server()
    add_HospitalServiceServicer_to_server(Registry(), server)
    add_StreamServiceServicer_to_server(Empty(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def said(tmp_path: Path, *command: str) -> Result:
    """What a command says, asked of such a service."""
    async with served() as address:
        runner = CliRunner(env={"LEDGER_DATA_DIR": str(tmp_path)})
        return await asyncio.to_thread(runner.invoke, main, [*command, "--address", address])


async def test_verify_checks_every_hospital(tmp_path: Path) -> None:
    """Those of the last page too."""
    result = await said(tmp_path, "verify", "ledger")
    assert result.exit_code == 0, result.output
    assert [each for each in HOSPITALS if f"{each}:" in result.output] == HOSPITALS, result.output


async def test_map_goes_over_every_hospital(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the last page too."""
    said = ""

    async def mapped() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return said.count("\n") >= len(HOSPITALS)

    logs = OwnLogs(DirectoryBlobs(tmp_path / "log"), LogVerifiers(tmp_path / FILE_NAME))
    async with served() as address:
        mapping = asyncio.create_task(map_all(address, logs, every=60, first=0))
        await eventually_async(mapped, seconds_max=20.0)
        mapping.cancel()
        await asyncio.gather(mapping, return_exceptions=True)
    assert said.splitlines() == [f"{each}: nothing new" for each in HOSPITALS]
