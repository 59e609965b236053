"""A service is lost, and another one comes up from its backups on another folder and goes on where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.blobs.directory import DirectoryBlobs
from ledger.embedded.kafka_jars import default_cache
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note_key import KeyKind
from tests.contract.edge import requests
from tests.contract.edge.clients import GrpcClient
from tests.eventually import eventually
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]


@pytest.fixture
def service(services_folder: Path) -> Iterator[WholeService]:
    """A service of its own, since it is lost."""
    yield from _service(services_folder / "lost")


@pytest.fixture
def restored(services_folder: Path) -> Iterator[WholeService]:
    """The one that comes up in its place."""
    yield from _service(services_folder / "restored")


def _service(folder: Path) -> Iterator[WholeService]:
    found = WholeService(folder, "postgres", _PROJECT / default_cache())
    yield found
    found.stop_if_running()


@pytest.mark.long
async def test_another_service_goes_on_from_the_backups(
    service: WholeService, restored: WholeService, tmp_path: Path
) -> None:
    """Backed up while it runs, lost, restored from events, keys and the log that lives on: records read the same,
    views are built, commands are taken, and the log is signed on under the same key."""
    service.start()
    client = GrpcClient(service.grpc)
    ward = await requests.open_record(client)
    await ward.enter()
    wanted = records.GetRecordRequest(hospital="north", record_id=ward.record_id)
    before = (await client.call("RecordService/GetRecord", wanted)).record
    await client.close()
    eventually(lambda: _published(service) >= 7, what="a published checkpoint")
    events, keys, lost = tmp_path / "events", tmp_path / "keys", service.folder
    _ledger("backup", str(events), "--keys-to", str(keys), "--dir", str(lost))
    assert service.stop() == 0
    passphrases = ["--key-passphrase-file", str(lost / "keys" / "passphrase")]
    passphrases += ["--log-passphrase-file", str(lost / "keys.passphrase")]
    whole = ["restore", str(events), "--keys", str(keys), "--dir", str(restored.folder), "--log", str(lost / "log")]
    assert "--log-passphrase-file: missing" in _ledger(*whole, status=1)
    assert not restored.folder.exists()
    said = _ledger(*whole, *passphrases)
    assert "north: restored, positions 1 to 7" in said
    assert "not an empty folder" in _ledger(*whole, *passphrases, status=1)
    key = read_sealed_key(KeyFolder(lost / "keys").path_of("ledger.example/north/1", KeyKind.ED25519)).verifier
    assert str(key) in (restored.folder / "keys" / "verifiers").read_text(), "whoever signs now, its old heads count"

    restored.start()
    client = GrpcClient(restored.grpc)
    assert (await client.call("RecordService/GetRecord", wanted)).record == before
    note = requests.record_entry(ward.record_id)
    assert (await client.call("RecordService/RecordEntry", note)).receipt.position == 8
    status = await client.call("OperationsService/GetStatus", GetStatusRequest(hospital="north"))
    assert {each.state for each in status.hospitals[0].views} == {"running"}
    await client.close()
    eventually(lambda: _published(restored) >= 8, what="the log goes on")
    remembered = ["--checkpoint", str(lost / "log" / "north" / "checkpoint"), "--key", str(key)]
    assert "holds" in _ledger("verify", "north", "--dir", str(restored.folder), *remembered)


def _published(service: WholeService) -> int:
    note = LogFiles(DirectoryBlobs(service.folder / "log"), "north").published()
    return parse_checkpoint(note.text).size if note else 0


def _ledger(*words: str, status: int = 0) -> str:
    """What a command of the program says; it must end with this status."""
    command = [sys.executable, "-m", "ledger.cli.main", *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=120, check=False, env=env)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout + done.stderr
