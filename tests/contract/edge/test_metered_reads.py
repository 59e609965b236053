"""Reads are metered at the edge, by hospital and day, over both protocols, and shown beside what was written."""

from __future__ import annotations

from typing import cast
from uuid import uuid4

import psycopg
import pytest

from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import stream_pb2 as stream
from ledger.api.v1 import usage_pb2 as usage
from ledger.cli.queries import view_queries
from ledger.server.method import methods
from ledger.server.read_meter import ReadMeter
from ledger.store.errors import StoreUnavailable
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.composition import projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record, register_patient
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

GET_RECORD = next(each for each in methods() if each.name == "GetRecord")


async def test_every_read_that_was_answered_is_counted_once(client: EdgeClient, edge: RunningEdge) -> None:
    """With its bytes, when the server ends at the latest; commands, failures and the service's own state are none."""
    ward = await open_record(client)
    get = records.GetRecordRequest(hospital="north", record_id=ward.record_id)
    answers = [await client.call("RecordService/GetRecord", get) for _ in range(3)]
    in_batches = stream.ReadHospitalRequest(hospital="north", batch_size=1)
    answers += [each async for each in client.stream("StreamService/ReadHospital", in_batches)]
    with pytest.raises(RpcFailed):
        await client.call("RecordService/GetRecord", records.GetRecordRequest(hospital="north", record_id=str(uuid4())))
    await client.call("OperationsService/GetStatus", stream.GetStatusRequest(hospital="north"))
    await edge.stop()
    assert metered(edge) == [("north", 4, sum(each.ByteSize() for each in answers))]


async def test_totals_that_are_written_again_add_nothing(idle_edge: RunningEdge) -> None:
    """A run's totals stand in the place of its earlier ones; another run of a server has its own beside them."""
    one, other = ReadMeter(idle_edge.ledger, uuid4()), ReadMeter(idle_edge.ledger, uuid4())
    for meter in (one, one, other):
        counted = meter.of(GET_RECORD)
        assert counted
        counted("north", 1, 100)
        await meter.flush()
        await meter.flush()
    assert metered(idle_edge) == [("north", 1, 100), ("north", 2, 200)]


async def test_what_the_store_did_not_take_is_written_later(idle_edge: RunningEdge, database: Database) -> None:
    """While the table is closed nothing is forgotten, and nothing is counted twice afterwards."""
    meter = ReadMeter(idle_edge.ledger, uuid4())
    counted = meter.of(GET_RECORD)
    assert counted
    counted("north", 1, 100)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON ledger_control.read_usage FROM ledger_append")
        with pytest.raises(StoreUnavailable):
            await meter.flush()
        connection.execute("GRANT INSERT ON ledger_control.read_usage TO ledger_append")
    await meter.flush()
    assert metered(idle_edge) == [("north", 1, 100)]


async def test_usage_shows_reads_on_days_without_events_too(client: EdgeClient, edge: RunningEdge) -> None:
    """By day, of this hospital alone, summed over the servers."""
    days = {("north", "2026-01-01"): (3, 300), ("south", "2026-01-02"): (9, 900)}
    head = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.position
    await edge.ledger.notes.keep_reads(uuid4(), days)
    await edge.ledger.notes.keep_reads(uuid4(), {("north", "2026-01-01"): (4, 400)})
    async with projecting(edge.settings), view_queries(edge.settings, edge.ledger, FIXED_KEY) as queries:
        request = usage.GetUsageRequest(hospital="north", last_day="2026-01-31", min_position=head)
        answer = await queries["ledger.api.v1.UsageService/GetUsage"](request)
    days_shown = list(cast("usage.GetUsageResponse", answer).days)
    assert days_shown == [usage.UsageDay(day="2026-01-01", reads=7, bytes_read=700)]


def metered(edge: RunningEdge) -> list[tuple[str, int, int]]:
    """What the runs have written down, today's."""
    with psycopg.connect(edge.settings.postgres_append_url) as connection:
        today = edge.ledger.now().date().isoformat()
        query = "SELECT hospital, reads, bytes_read FROM ledger_control.read_usage WHERE day = %s ORDER BY reads"
        return connection.execute(query, (today,)).fetchall()
