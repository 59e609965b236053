"""A running service that loses signed events for good: two persons give the log up, and it goes on by itself."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc.aio
import httpx
import psycopg
import pytest

from ledger.api.v1.boards_pb2 import ListDepartmentsRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.consume import accepted_checkpoint
from ledger.cli.service_folder import ServiceFolder
from ledger.embedded.kafka_jars import default_cache
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from tests.contract.edge.clients import GrpcClient, RpcFailed
from tests.contract.edge.requests import open_record
from tests.eventually import eventually, eventually_async
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]
_APPROVERS = ("--approver", f"{uuid4()},Ada,records_office", "--approver", f"{uuid4()},Bea,physician")
_CUT = """
    SET session_replication_role = replica;
    ALTER TABLE h_north.events DISABLE TRIGGER ALL;
    ALTER TABLE h_north.head DISABLE TRIGGER ALL;
    DELETE FROM h_north.events WHERE position > {kept};
    DELETE FROM h_north.stream_heads WHERE first_position > {kept};
    DELETE FROM h_north.commands WHERE last_position > {kept};
    UPDATE h_north.head SET position = {kept},
        leaf_hash = (SELECT leaf_hash FROM h_north.events WHERE position = {kept})
"""


@pytest.fixture
def service(services_folder: Path) -> Iterator[WholeService]:
    found = WholeService(services_folder / "succession", "postgres", _PROJECT / default_cache())
    found.start()
    yield found
    found.stop_if_running()


def _ledger(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "ledger.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def _execute(service: WholeService, statement: str) -> list[tuple[int]]:
    with psycopg.connect(ServiceFolder.look(service.folder).superuser_url(), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _head(service: WholeService) -> int:
    return _execute(service, "SELECT position FROM h_north.head")[0][0]


def _log_file(service: WholeService, name: str) -> tuple[int, str]:
    answer = httpx.get(f"{service.facts['http']}/log/north/{name}", timeout=60, trust_env=False)
    return answer.status_code, answer.text


def _checkpoint(service: WholeService) -> str:
    status, text = _log_file(service, "checkpoint")
    return text if status == 200 else ""


def _received(service: WholeService, folder: Path) -> int:
    """How much a receiver takes of the log that is served, with every key of it that is known by now."""
    folder.mkdir(exist_ok=True)
    keys = (service.folder / "keys" / "verifiers").read_text().splitlines()
    lines = [f"log {key}\n" for key in keys if key.partition("+")[0].split("/")[-2:-1] == ["north"]]
    (folder / "policy").write_text("".join([*lines, "quorum none\n"]))
    return accepted_checkpoint(f"{service.facts['http']}/log/north", folder / "policy", folder).size


async def _written(service: WholeService) -> int:
    """A patient and a record, on the board; their last position."""
    client = GrpcClient(service.grpc)

    async def opened() -> bool:
        try:
            await open_record(client)
        except RpcFailed:
            return False
        return True

    await eventually_async(opened, what="commands")
    position = _head(service)
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        request = ListDepartmentsRequest(hospital="north", min_position=position)

        async def shown() -> bool:
            try:
                return bool((await BoardServiceStub(channel).ListDepartments(request, timeout=60)).departments)
            except grpc.aio.AioRpcError:
                return False

        await eventually_async(shown, what="the board")
    return position


@pytest.mark.long
async def test_the_service_goes_on_under_a_new_origin(service: WholeService, tmp_path: Path) -> None:
    """Without a restart: commands, a board built anew, a log of the new origin, a ledger that verifies, and a receiver
    that has seen what was lost: both logs prove to it over HTTP what survives.
    """
    kept = await _written(service)
    lost = await _written(service)
    files = LogFiles(DirectoryBlobs(service.folder / "log"), "north")
    eventually(lambda: f"/north/1\n{lost}\n" in _checkpoint(service))
    assert _received(service, tmp_path / "receiver") == lost
    _execute(service, _CUT.format(kept=kept))
    eventually(files.halted, seconds_max=60)
    for kind in ("tile/entries", "bodies"):
        shutil.rmtree(service.folder / "log" / "north" / kind)
    named = ("repair", "succeed", "north", *_APPROVERS, "--reason", "STORAGE_LOST", "--dir", str(service.folder))
    status, said = await asyncio.to_thread(_ledger, *named)
    assert (status, f"positions {kept + 1} to {lost}" in said) == (0, True), said
    assert await _written(service) > kept + 1
    eventually(lambda: "/north/2\n" in _checkpoint(service))
    note = LogFiles(DirectoryBlobs(service.folder / "log"), "north.2").published()
    assert note is not None
    assert parse_checkpoint(note.text).size > kept + 1
    assert _received(service, tmp_path / "receiver") > kept + 1
    found, text = _log_file(service, "succeeded")
    assert (found, text.split("\n")[0]) == (200, "ledger-log-ended@v1")
    status, said = await asyncio.to_thread(_ledger, "verify", "north", "--dir", str(service.folder))
    assert (status, f"ended at position {kept}" in said) == (0, True), said
