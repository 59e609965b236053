"""A server killed in the middle of a bulk load: a batch is there whole or not at all, and the load goes on."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any, cast

import grpc.aio
import psycopg
import pytest

from ledger.api.v1.records_pb2 import BulkLoadRequest
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from tests.contract.edge.clients import GrpcClient
from tests.contract.edge.requests import record_entry
from tests.eventually import eventually
from tests.fault.serve_that_dies_loading import BATCH, COMMITTED, COPIED, STEP
from tests.integration.application.written import HOSPITAL, record_under_care
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment, serving, start_serve

RECORDS, COMMANDS = 5, 600
_OF_RULEBOOK = 3
"""Events of one command, before the first record."""
_FIRST_EVENTS = 3 * RECORDS + _OF_RULEBOOK


def _stored(database: Database) -> tuple[int, int, int, Counter[str]]:
    """Head, events, commands, and events per record."""
    with psycopg.connect(database.url) as connection:
        (counts,) = connection.execute(
            "SELECT (SELECT position FROM h_north.head), (SELECT count(*) FROM h_north.events),"
            " (SELECT count(*) FROM h_north.commands)"
        ).fetchall()
        rows = connection.execute("SELECT stream_id::text, max(version) FROM h_north.events GROUP BY 1").fetchall()
    return (*counts, Counter(dict(rows)))


async def _broken_off(address: str, commands: list[BulkLoadRequest]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = cast("Any", channel).stream_unary("/ledger.api.v1.RecordService/BulkLoad")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(iter([each.SerializeToString() for each in commands]))


@pytest.mark.parametrize("step", [pytest.param(COPIED, marks=pytest.mark.long), COMMITTED])
async def test_nothing_half_and_the_same_load_completes_it(database: Database, tmp_path: Path, step: str) -> None:
    """Events, commands and head agree after the kill; sent again, each command is there once."""
    environment = serve_environment(database)
    settings = load(environment)
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await ledger.add_hospital(HOSPITAL, 1, "")
        records = [str(await record_under_care(ledger)) for _ in range(RECORDS)]
        await ledger.close()
    entries = [record_entry(records[number % RECORDS], f"note {number}") for number in range(COMMANDS)]
    commands = [BulkLoadRequest(record_entry=each) for each in entries]

    ready = tmp_path / "dies"
    process = start_serve({**environment, STEP: step, BATCH: "2"}, ready, "tests.fault.serve_that_dies_loading")
    try:
        eventually(lambda: ready.exists() or process.poll() is not None, seconds_max=60, what="ready")
        await _broken_off(json.loads(await asyncio.to_thread(ready.read_text))["grpc"], commands)
        assert process.wait(60) == -signal.SIGKILL
    finally:
        process.kill()

    head, events, done, _ = _stored(database)
    assert head == events == done + _OF_RULEBOOK - 1
    assert _FIRST_EVENTS < head < _FIRST_EVENTS + COMMANDS

    with serving(environment, tmp_path / "ready") as address:
        client = GrpcClient(address)
        answer = await client.send("RecordService/BulkLoad", commands)
        await client.close()
    assert (answer.appended + answer.repeated_commands, answer.refused) == (COMMANDS, 0)
    assert answer.repeated_commands == head - _FIRST_EVENTS
    head, events, done, versions = _stored(database)
    assert head == events == done + _OF_RULEBOOK - 1 == _FIRST_EVENTS + COMMANDS
    assert {versions[each] for each in records} == {2 + COMMANDS // RECORDS}
