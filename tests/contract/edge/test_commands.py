"""Commands over both protocols, on a real PostgreSQL."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.stream_pb2 import AddHospitalRequest, ListHospitalsRequest
from ledger.server import bulk_load
from ledger.store import committer
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record, record_entry, register_patient, start_care
from tests.eventually import eventually_async
from tests.services.postgres import Database


async def test_a_record_is_registered_and_written(client: EdgeClient, edge: RunningEdge) -> None:
    """Each answer names version and position; positions have no gap."""
    ward = await open_record(client)
    entry = await ward.enter()
    assert entry.entry_id
    assert (entry.receipt.record_version, entry.receipt.position, entry.receipt.events) == (3, 7, 1)
    assert not entry.receipt.repeated
    assert await edge.ledger.head("north") == 7


async def test_a_retry_gets_the_first_answer_and_adds_nothing(client: EdgeClient, edge: RunningEdge) -> None:
    """A client that never saw its answer may send the same command again."""
    request = register_patient()
    first = await client.call("PatientService/RegisterPatient", request)
    second = await client.call("PatientService/RegisterPatient", request)
    assert second.receipt.record_id == first.receipt.record_id
    assert (second.receipt.repeated, second.receipt.events) == (True, 0)
    assert await edge.ledger.head("north") == 1


async def test_get_command_says_what_became_of_it(client: EdgeClient) -> None:
    """The way out of an unknown outcome."""
    request = register_patient()
    done = await client.call("PatientService/RegisterPatient", request)
    ask = records.GetCommandRequest(hospital="north", command_id=request.context.command_id)
    found = await client.call("RecordService/GetCommand", ask)
    assert found.rpc == "ledger.api.v1.PatientService/RegisterPatient"
    assert (found.receipt.record_id, found.receipt.position) == (done.receipt.record_id, 1)
    with pytest.raises(RpcFailed) as unknown:
        await client.call(
            "RecordService/GetCommand", records.GetCommandRequest(hospital="north", command_id=str(uuid4()))
        )
    assert (unknown.value.code, unknown.value.reason) == ("NOT_FOUND", "UNKNOWN_COMMAND")


async def test_records_are_found_and_listed_page_by_page(client: EdgeClient) -> None:
    """Every record comes once, in the order of registration; the last page has no token."""
    wards = [await open_record(client) for _ in range(3)]
    listed: list[str] = []
    token, pages = "", 0
    while token or not pages:
        request = records.ListRecordsRequest(hospital="north", page_size=2, page_token=token)
        page = await client.call("RecordService/ListRecords", request)
        listed += [each.record_id for each in page.records]
        token, pages = page.next_page_token, pages + 1
    assert listed == [each.record_id for each in wards]
    assert pages == 2


async def test_commands_at_once_are_each_answered(client: EdgeClient, edge: RunningEdge) -> None:
    """Group commit mixes commands; no answer is lost or swapped."""
    requests = [register_patient() for _ in range(50)]
    answers = await asyncio.gather(*(client.call("PatientService/RegisterPatient", each) for each in requests))
    assert sorted(each.receipt.position for each in answers) == list(range(1, 51))
    assert await edge.ledger.head("north") == 50


async def test_a_bulk_load_keeps_each_record_s_order_and_reports_what_failed(
    client: EdgeClient, edge: RunningEdge
) -> None:
    """One stream, a verdict for each command; a second run of the same stream adds nothing."""
    ward = await open_record(client)
    entries = [record_entry(ward.record_id, f"note {index}") for index in range(20)]
    commands = [records.BulkLoadRequest(record_entry=each) for each in entries]
    nobody = start_care(str(uuid4()))
    commands[7:7] = [records.BulkLoadRequest(start_care=nobody), records.BulkLoadRequest()]
    answer = await client.send("RecordService/BulkLoad", commands)
    assert (answer.appended, answer.repeated_commands, answer.refused, answer.position) == (20, 0, 2, 26)
    failures = sorted(answer.failures, key=lambda each: each.index)
    assert [(each.index, each.command_id, each.reason) for each in failures] == [
        (7, nobody.context.command_id, "UNKNOWN_RECORD"),
        (8, "", "VALIDATION_FAILED"),
    ]
    versions = [await edge.ledger.command("north", _id(each)) for each in entries]
    assert [outcome.record_version for outcome, _ in versions] == list(range(3, 23))
    again = await client.send("RecordService/BulkLoad", commands)
    assert (again.appended, again.repeated_commands, again.refused) == (0, 20, 2)
    assert await edge.ledger.head("north") == 26


async def test_a_bulk_load_waits_where_the_queue_is_full(
    client: EdgeClient, edge: RunningEdge, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue refuses nothing: the load goes on by itself once there is room, and every command is done."""
    monkeypatch.setattr(committer, "WAITING_MAX", 2)
    await client.call("PatientService/RegisterPatient", register_patient())
    commands = [records.BulkLoadRequest(register_patient=register_patient()) for _ in range(30)]
    with psycopg.connect(database.url) as holder:
        holder.execute("SELECT position FROM h_north.head FOR UPDATE")
        loading = asyncio.create_task(client.send("RecordService/BulkLoad", commands))

        async def full() -> bool:
            return edge.ledger.load("north").queue_length >= 2

        await eventually_async(full, what="the queue is full")
        holder.rollback()
    answer = await loading
    assert (answer.appended, answer.refused, list(answer.failures)) == (30, 0, [])
    assert await edge.ledger.head("north") == 31


async def test_a_bulk_load_that_meets_a_full_queue_for_too_long(
    client: EdgeClient, edge: RunningEdge, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with what the service said, as a whole to be sent again; it does not count commands as refused."""
    monkeypatch.setattr(committer, "WAITING_MAX", 2)
    monkeypatch.setattr(bulk_load, "_PATIENCE_SECONDS", 0.0)
    await client.call("PatientService/RegisterPatient", register_patient())
    commands = [records.BulkLoadRequest(register_patient=register_patient()) for _ in range(30)]
    with psycopg.connect(database.url) as holder:
        holder.execute("SELECT position FROM h_north.head FOR UPDATE")
        loading = asyncio.create_task(client.send("RecordService/BulkLoad", commands))

        async def full() -> bool:
            return edge.ledger.load("north").queue_length >= 2

        await eventually_async(full, what="the queue is full")
        holder.rollback()
    with pytest.raises(RpcFailed) as failure:
        await loading
    assert (failure.value.code, failure.value.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    monkeypatch.undo()
    answer = await client.send("RecordService/BulkLoad", commands)
    assert (answer.appended + answer.repeated_commands, answer.refused) == (30, 0)
    assert await edge.ledger.head("north") == 31


async def test_hospitals_are_added_while_the_service_runs(client: EdgeClient) -> None:
    """The second time nothing changes; a list has them by id, page by page."""
    request = AddHospitalRequest(hospital_id="east", partitions=3, address="127.0.0.1:1")
    first = await client.call("HospitalService/AddHospital", request)
    second = await client.call("HospitalService/AddHospital", request)
    assert (first.added, second.added) == (True, False)
    assert second.hospital == first.hospital
    assert (first.hospital.partitions, first.hospital.rule_pack) == (3, "cn-2010")
    page = await client.call("HospitalService/ListHospitals", ListHospitalsRequest(page_size=2))
    rest = await client.call(
        "HospitalService/ListHospitals", ListHospitalsRequest(page_size=2, page_token=page.next_page_token)
    )
    assert [each.id for each in [*page.hospitals, *rest.hospitals]] == ["east", "north", "south"]
    assert not rest.next_page_token
    await client.call("PatientService/RegisterPatient", register_patient("east"))


async def test_a_hospital_has_its_own_rules(client: EdgeClient) -> None:
    """Named when it is added; the same name again changes nothing, another is refused, as is one that nobody has."""
    request = AddHospitalRequest(hospital_id="west", rule_pack="us-generic")
    added = await client.call("HospitalService/AddHospital", request)
    assert added.hospital.rule_pack == "us-generic"
    assert not (await client.call("HospitalService/AddHospital", request)).added
    for other, code, reason in (
        ("cn-2010", "ALREADY_EXISTS", "HOSPITAL_DIFFERS"),
        ("mars-2199", "INVALID_ARGUMENT", "VALIDATION_FAILED"),
    ):
        request.rule_pack = other
        with pytest.raises(RpcFailed) as refused:
            await client.call("HospitalService/AddHospital", request)
        assert (refused.value.code, refused.value.reason) == (code, reason)


def _id(request: records.RecordEntryRequest) -> UUID:
    return UUID(request.context.command_id)
