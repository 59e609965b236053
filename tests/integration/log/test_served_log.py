"""What a server does with a log: old ranges come out of it, and a ledger that parts from it takes no command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from consumers.event_bundle import BundleDiffers, rows_of
from ledger.api.v1.stream_pb2 import EventBundle, GetStatusRequest, ReadBundlesRequest, ReadHospitalRequest
from ledger.blobs.directory import DirectoryBlobs
from ledger.config import load
from ledger.log.log_files import LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.server import log_states
from ledger.server.log_readers import Logs
from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.tile import BundleId, TileId
from tests.contract.edge.clients import GrpcClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import register_patient
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.conftest import Integrating, Publishing
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database
from tests.services.sealed import open_ledger
from tests.services.serve_process import serve_environment


@pytest.fixture
async def server(database: Database) -> AsyncIterator[RunningEdge]:
    """A server on the same database and the same files, not started yet."""
    settings = load(serve_environment(database))
    ledger = await open_ledger(settings)
    running = RunningEdge(ledger, settings, CollectorRegistry())
    yield running
    await running.stop()
    await ledger.close()


@pytest.fixture
async def client(server: RunningEdge, logs: OwnLogs) -> AsyncIterator[GrpcClient]:
    """A client of that server, which is started."""
    await server.start(logs=Logs(logs))
    client = GrpcClient(server.addresses.grpc)
    yield client
    await client.close()


async def replayed(client: GrpcClient, hospital: str, after: int = 0) -> dict[int, tuple[bytes, bytes]]:
    request = ReadHospitalRequest(hospital=hospital, after_position=after, batch_size=100)
    answers = [each async for each in client.stream("StreamService/ReadHospital", request)]
    assert max(len(each.events) for each in answers) == 100
    events = [event for each in answers for event in each.events]
    assert [event.position for event in events] == list(range(after + 1, after + len(events) + 1))
    return {event.position: (event.envelope, event.body) for event in events}


async def test_old_ranges_come_from_files_byte_for_byte(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient
) -> None:
    """What is served is what is stored; full bundles are not asked of PostgreSQL, which may have lost them."""
    ledger.append(700, body=b"a body of some length" * 20)
    stored = ledger.stored()
    async with integrating():
        await until_published(files, 700)
    assert await replayed(client, ledger.hospital) == stored
    ledger.lose_below(512)
    assert await replayed(client, ledger.hospital) == stored
    assert await replayed(client, ledger.hospital, after=250) == {at: each for at, each in stored.items() if at > 250}


async def bundles(client: GrpcClient, hospital: str, after: int = 0) -> list[EventBundle]:
    request = ReadBundlesRequest(hospital=hospital, after_position=after)
    answers = [each async for each in client.stream("StreamService/ReadBundles", request)]
    assert [each.HasField("caught_up") for each in answers] == [False] * (len(answers) - 1) + [True]
    return [each.bundle for each in answers[:-1]]


def unpacked(served: list[EventBundle]) -> dict[int, tuple[bytes, bytes]]:
    return {row.position: (row.envelope, row.body) for each in served for row in rows_of(each)}


async def test_old_ranges_are_served_as_the_files_have_them(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient
) -> None:
    """Full bundles go out as their files and tiles are, the tail in the same form; together they are the ledger."""
    ledger.append(700, body=b"a body of some length" * 20)
    stored = ledger.stored()
    async with integrating():
        await until_published(files, 700)
    ledger.lose_below(512)
    served = await bundles(client, ledger.hospital)
    assert [(each.first_position, each.events) for each in served] == [(1, 256), (257, 256), (513, 188)]
    for index in (0, 1):
        bundle, tile = BundleId(index), TileId(0, index)
        held = [files.read(path) for path in (bundle.entries_path, bundle.bodies_path, tile.path)]
        assert [served[index].entries, served[index].bodies, served[index].leaf_hashes] == held
    assert unpacked(served) == stored
    begun = await bundles(client, ledger.hospital, after=250)
    assert [(each.first_position, each.events) for each in begun] == [(251, 6), (257, 256), (513, 188)]
    assert unpacked(begun) == {at: each for at, each in stored.items() if at > 250}


async def test_a_raw_bundle_that_is_not_what_the_tree_says_is_found_by_who_takes_it(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient, tmp_path: Path
) -> None:
    """An altered envelope by its leaf hash; for an altered tile or a file that is gone the server asks PostgreSQL."""
    ledger.append(800)
    async with integrating():
        await until_published(files, 800)
    folder = tmp_path / "log" / ledger.hospital
    entries, tile = folder / "tile" / "entries" / "000", folder / "tile" / "0" / "001"
    data, hashes = entries.read_bytes(), tile.read_bytes()
    entries.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    tile.write_bytes(hashes[:-1] + bytes([hashes[-1] ^ 1]))
    (folder / "bodies" / "002").unlink()
    first, *others = await bundles(client, ledger.hospital)
    with pytest.raises(BundleDiffers):
        rows_of(first)
    assert unpacked(others) == {at: each for at, each in ledger.stored().items() if at > 256}


async def test_bundles_too_large_for_a_message_go_in_parts(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient
) -> None:
    """Of old events and of the tail: no message is larger than a client takes."""
    ledger.append(300, body=b"a long body" * 1000)
    async with integrating():
        await until_published(files, 300)
    served = await bundles(client, ledger.hospital)
    assert max(each.ByteSize() for each in served) < 4 * 1024 * 1024
    assert len(served) > 2
    assert unpacked(served) == ledger.stored()


async def test_files_that_cannot_be_read_are_passed_over(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient, tmp_path: Path
) -> None:
    """A bundle that is torn or gone is read from PostgreSQL instead."""
    ledger.append(600)
    async with integrating():
        await until_published(files, 600)
    bundles = tmp_path / "log" / ledger.hospital
    (bundles / "bodies" / "000").write_bytes(b"torn")
    (bundles / "tile" / "entries" / "001").unlink()
    assert await replayed(client, ledger.hospital) == ledger.stored()


async def test_a_ledger_put_back_takes_no_command(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient
) -> None:
    """A server that starts on an older ledger compares it with the log itself, and refuses commands by name."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    lost = ledger.rows_above(200)
    ledger.cut(200)
    for _ in range(2):
        with pytest.raises(RpcFailed) as refused:
            await client.call("PatientService/RegisterPatient", register_patient(ledger.hospital))
        assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "LEDGER_HALTED")
    assert ledger.stored().keys() == set(range(1, 201))
    ledger.put_back(lost)
    assert files.halted() == ""


async def test_a_halt_reaches_servers_that_run(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    client: GrpcClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the integrator found stops commands of a running server, shows in status, and passes when it is over."""
    monkeypatch.setattr(log_states, "LOOK_SECONDS", 0.0)
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    files.halt("integrate", "signed up to position 400, but the ledger ends at 300")
    with pytest.raises(RpcFailed) as refused:
        await client.call("PatientService/RegisterPatient", register_patient(ledger.hospital))
    assert refused.value.reason == "LEDGER_HALTED"
    status = await client.call("OperationsService/GetStatus", GetStatusRequest(hospital=ledger.hospital))
    (hospital,) = status.hospitals
    assert (hospital.log.state, hospital.log.integrated_position, hospital.log.checkpoint_size) == ("halted", 300, 300)
    assert "400" in hospital.log.reason
    files.resume("integrate")
    await client.call("PatientService/RegisterPatient", register_patient(ledger.hospital))


async def test_status_tells_how_far_the_log_is_behind(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient
) -> None:
    """Positions that no signed checkpoint covers, and the age of the oldest of them."""
    ledger.append(10)
    async with integrating():
        await until_published(files, 10)
    ledger.append(7)
    status = await client.call("OperationsService/GetStatus", GetStatusRequest(hospital=ledger.hospital))
    (hospital,) = status.hospitals
    assert (hospital.log.state, hospital.log.lag) == ("integrating", 7)
    assert 0.0 < hospital.log.lag_seconds < 60.0


async def test_a_bundle_that_the_tree_does_not_vouch_for_is_not_served(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, client: GrpcClient, blobs: DirectoryBlobs
) -> None:
    """Another event in the place of one, an exchanged body: well formed, and read from PostgreSQL instead."""
    ledger.append(600)
    async with integrating():
        await until_published(files, 600)
    first, second = BundleId(0), BundleId(1)
    entries, bodies = files.entries(first), files.bodies(second)
    blobs.put(f"{ledger.hospital}/{first.entries_path}", encode_entries([entries[1], *entries[1:]]))
    blobs.put(f"{ledger.hospital}/{second.bodies_path}", encode_bodies([b"another body", *bodies[1:]]))
    assert await replayed(client, ledger.hospital) == ledger.stored()


async def test_heads_that_are_not_ours_are_not_believed(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    publishing: Publishing,
    client: GrpcClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Signed by a stranger's key: no command, no publishing, no range from files; the status says why."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ours = files.signed()
    assert ours is not None
    stranger = SigningKey(parse_checkpoint(ours.text).origin, KeyKind.ED25519, bytes(range(32)))
    files.keep_signed(Note(ours.text, (stranger.sign(ours.text),)))
    with pytest.raises(RpcFailed) as refused:
        await client.call("PatientService/RegisterPatient", register_patient(ledger.hospital))
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
    assert await replayed(client, ledger.hospital) == ledger.stored()
    status = await client.call("OperationsService/GetStatus", GetStatusRequest(hospital=ledger.hospital))
    (hospital,) = status.hospitals
    assert (hospital.log.state, "no trusted key has signed" in hospital.log.reason) == ("unreadable", True)
    async with publishing():
        await eventually_async(lambda: _said(caplog, "publishing failed"), what="the publisher's refusal")
    files.keep_signed(ours)
    await client.call("PatientService/RegisterPatient", register_patient(ledger.hospital))


async def _said(caplog: pytest.LogCaptureFixture, what: str) -> bool:
    return any(what in each.message and "signed" in str(vars(each).get("reason")) for each in caplog.records)
